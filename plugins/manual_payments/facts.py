"""The rows of payments by hand as facts, as they stand now."""

from datetime import datetime
from typing import Any

from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Interval
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.manual_payments import references
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import DemandState
from plugins.manual_payments.models import Refund
from plugins.manual_payments.models import RefundState
from plugins.manual_payments.models import Subscription

PAGES = "/plugins/manual_payments"
"""Below which path the pages of this plugin are."""
CHECKOUTS = {
    DemandState.OPEN: CheckoutState.OPEN,
    DemandState.PAID: CheckoutState.COMPLETED,
    DemandState.WITHDRAWN: CheckoutState.EXPIRED,
    DemandState.REJECTED: CheckoutState.EXPIRED,
}


def of(subject: str) -> list[Fact]:
    """All that is to say of ``demand:…``, ``subscription:…`` or ``refund:…``; nothing of what is not there."""
    kind, _, key = subject.partition(":")
    model = KINDS.get(kind)
    row = model.get_or_none(model.id == key) if model else None
    return TOLD[model](row) if row is not None else []


def since(instant: datetime) -> list[Fact]:
    """All that is to say of what changed since, the oldest change first."""
    rows: list[Any] = []
    for model in KINDS.values():
        rows.extend(model.select().where(model.changed_at >= instant))
    told: list[Fact] = []
    for row in sorted(rows, key=lambda row: (row.changed_at, row.id)):
        told.extend(TOLD[type(row)](row))
    return told


def of_demand(row: Demand) -> list[Fact]:
    """What became of an amount that was asked for: a visit to the till, a payment, a failure."""
    told: list[Fact] = []
    if row.failed_at is not None:
        told.append(FailureFact(f"F{row.id}", row.mark, row.failed_at, row.amount_minor, row.currency))
    if row.paid_at is not None:
        told.append(
            PaymentFact(
                row.id,
                row.mark,
                row.amount_minor,
                row.currency,
                row.paid_at,
                fee_minor=0,
                tax_minor=row.tax_minor or None,
                period_start=row.period_start,
                period_end=row.period_end,
                email=row.email,
            )
        )
    if row.subscription and not row.at_till:
        told.append(
            InvoiceFact(
                row.id,
                row.mark,
                max(0, row.amount_minor - row.received_minor),
                row.currency,
                row.due_at,
                row.changed_at,
                words=references.spaced(row.reference),
                url=f"{PAGES}/pay/{row.id}",
                open=row.state == DemandState.OPEN,
            )
        )
    if row.at_till:
        state = CHECKOUTS[DemandState(row.state)]
        told.append(CheckoutFact(row.id, row.mark, state, row.changed_at, row.customer, row.email))
    return told


def of_subscription(row: Subscription) -> SubscriptionFact:
    """How a subscription stands."""
    pending = None
    if row.pending_amount_minor is not None:
        interval = Interval(row.pending_interval)
        pending = Price(row.pending_amount_minor, row.currency, interval, row.pending_name)
    return SubscriptionFact(
        row.id,
        row.mark,
        SubscriptionState(row.state),
        row.changed_at,
        price=Price(row.amount_minor, row.currency, Interval(row.interval), row.name),
        customer=row.customer,
        period_end=row.period_end,
        trial_end=row.trial_end,
        cancel_at=row.cancel_at,
        pending=pending,
    )


def of_refund(row: Refund) -> RefundFact:
    """A refund: it counts from when it is promised, unless it could not be sent."""
    failed = row.state == RefundState.FAILED
    return RefundFact(row.id, row.payment, row.amount_minor, row.currency, row.refunded_at, failed)


KINDS: dict[str, Any] = {"demand": Demand, "subscription": Subscription, "refund": Refund}
TOLD: dict[Any, Any] = {
    Demand: of_demand,
    Subscription: lambda row: [of_subscription(row)],
    Refund: lambda row: [of_refund(row)],
}
