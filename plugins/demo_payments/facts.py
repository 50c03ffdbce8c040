"""The rows of the demo's till as facts, as they stand now."""

from datetime import datetime
from typing import Any

from appliance.payments import AccountFact
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutState
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.demo_payments.cards import Bank
from plugins.demo_payments.models import Account
from plugins.demo_payments.models import Dispute
from plugins.demo_payments.models import Failure
from plugins.demo_payments.models import Payment
from plugins.demo_payments.models import Payout
from plugins.demo_payments.models import Refund
from plugins.demo_payments.models import Row
from plugins.demo_payments.models import Subscription
from plugins.demo_payments.models import Till


def of(reference: str) -> list[Fact]:
    """How the object of this reference stands; nothing for one that is not ours."""
    kind = KINDS.get(reference.partition("_")[0])
    row = kind.get_or_none(kind.id == reference) if kind else None
    return [told(row)] if row is not None and row.mark else []


def since(instant: datetime) -> list[Fact]:
    """Of all that was noted since, how it stands, the oldest change first: a renewal may be noted long after its time."""
    rows: list[Any] = []
    for kind in KINDS.values():
        rows.extend(kind.select().where(kind.noted_at >= instant, kind.mark != ""))
    return [told(row) for row in sorted(rows, key=lambda row: (row.changed_at, row.id))]


def told(row: Any) -> Fact:
    """The fact that this row is."""
    return TOLD[type(row)](row)


def of_till(row: Till) -> CheckoutFact:
    """How a visit to the till stands."""
    return CheckoutFact(row.id, row.mark, CheckoutState(row.state), row.changed_at, row.customer, row.email)


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


def of_payment(row: Payment) -> PaymentFact:
    """A payment; it does not change any more."""
    return PaymentFact(
        row.id,
        row.mark,
        row.amount_minor,
        row.currency,
        row.paid_at,
        fee_minor=row.fee_minor,
        tax_minor=row.tax_minor or None,
        period_start=row.period_start,
        period_end=row.period_end,
        email=row.email,
        country=row.country,
    )


def of_failure(row: Failure) -> FailureFact:
    """A payment that did not come."""
    return FailureFact(row.id, row.mark, row.failed_at, row.amount_minor, row.currency, row.next_try_at)


def of_refund(row: Refund) -> RefundFact:
    """A refund."""
    return RefundFact(row.id, row.payment, row.amount_minor, row.currency, row.refunded_at)


def of_dispute(row: Dispute) -> DisputeFact:
    """How a dispute stands."""
    return DisputeFact(
        row.id,
        row.payment,
        row.amount_minor,
        row.currency,
        DisputeState(row.state),
        row.opened_at,
        row.changed_at,
        row.fee_minor,
        row.respond_by,
    )


def of_payout(row: Payout) -> PayoutFact:
    """How a payout stands."""
    return PayoutFact(row.id, row.mark, PayoutState(row.state), row.changed_at, row.problem)


def of_account(row: Account) -> AccountFact:
    """Whether a payee can be paid."""
    payable = row.bank in {Bank.GOOD, Bank.REFUSES}
    wants = "" if payable else "The bank wants to know more." if row.bank else "A bank account is missing."
    return AccountFact(row.id, row.mark, payable, row.changed_at, wants)


KINDS: dict[str, type[Row]] = {
    "till": Till,
    "sub": Subscription,
    "pay": Payment,
    "fail": Failure,
    "re": Refund,
    "dp": Dispute,
    "po": Payout,
    "acct": Account,
}
TOLD: dict[type[Row], Any] = {
    Till: of_till,
    Subscription: of_subscription,
    Payment: of_payment,
    Failure: of_failure,
    Refund: of_refund,
    Dispute: of_dispute,
    Payout: of_payout,
    Account: of_account,
}
