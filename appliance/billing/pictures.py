"""How things stand about a mark, as a few words for each thing, so that before and after can be compared."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.billing.models import Repaired
from appliance.database import Base
from appliance.ledger import payments
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import Refund
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Purchase
from appliance.memberships.subscription_models import Subscription
from appliance.payments import AccountFact
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import PayoutFact
from appliance.payments import RefundFact
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.shop.models import Order
from appliance.shop.models import OrderItem

Thing = tuple[str, str]
"""What kind of thing it is, and its id."""
Picture = dict[Thing, dict[str, str]]
PAYMENT = [
    "amount_minor",
    "fee_minor",
    "refunded_minor",
    "contested_minor",
    "lost_minor",
    "dispute_fees_minor",
]
SUBSCRIPTION = ["state", "tier_id", "price_minor", "period_end", "trial_end", "cancel_at", "pending_tier_id"]
MEMBERSHIP = ["tier_id", "paid_through", "ended_at"]


def of(fact: Fact, *, provider: str) -> Picture:
    """All that *fact* can change, as it stands now."""
    if isinstance(fact, RefundFact | DisputeFact):
        return _of_payment_part(fact, provider)
    if isinstance(fact, PayoutFact | AccountFact):
        return _of_payee(fact)
    return of_mark(fact.mark)


def of_mark(mark: str) -> Picture:
    """The payments of a mark, and what they opened."""
    picture = {("payment", row.id): _told(row, PAYMENT) for row in payments.of_mark(mark)}
    if (subscription := Subscription.get_or_none(Subscription.id == mark)) is not None:
        picture["subscription", mark] = _told(subscription, SUBSCRIPTION)
        paid = Membership.select().where(
            Membership.user == subscription.user_id,
            Membership.artist == subscription.artist_id,
            Membership.origin == Origin.PAID,
        )
        picture.update({("membership", row.id): _told(row, MEMBERSHIP) for row in paid})
    elif (order := Order.get_or_none(Order.id == mark)) is not None:
        picture["order", mark] = _told(order, ["state"])
        items = OrderItem.select(OrderItem.purchase).where(OrderItem.order == mark)
        for purchase in Purchase.select().where(Purchase.id.in_(items)):
            picture["purchase", purchase.id] = {"open": str(purchase.refunded_at is None).lower()}
    return picture


def _of_payment_part(fact: RefundFact | DisputeFact, provider: str) -> Picture:
    kind, model = ("refund", Refund) if isinstance(fact, RefundFact) else ("dispute", Dispute)
    row = model.get_or_none(model.provider == provider, model.reference == fact.reference)
    columns = ["amount_minor", "failed"] if kind == "refund" else ["amount_minor", "state", "fee_minor"]
    picture: Picture = {(kind, fact.reference): _told(row, columns)} if row is not None else {}
    payment = Payment.get_or_none(Payment.provider == provider, Payment.reference == fact.payment)
    return {**picture, **of_mark(payment.mark)} if payment is not None else picture


def _of_payee(fact: PayoutFact | AccountFact) -> Picture:
    if isinstance(fact, AccountFact):
        accounts = PayoutAccount.select().where(PayoutAccount.payee == fact.mark)
        return {("payout account", row.id): _told(row, ["payable", "wants"]) for row in accounts}
    payout = Payout.get_or_none(Payout.id == fact.mark)
    return {("payout", fact.mark): _told(payout, ["state", "problem"])} if payout is not None else {}


def changes(before: Picture, after: Picture) -> list[tuple[Thing, dict[str, str], dict[str, str]]]:
    """Pure: each thing that stands otherwise *after* than *before*, with only what differs; of a new one there is no before."""
    found = []
    for thing, now in after.items():
        was = before.get(thing, {})
        differing = [name for name, value in now.items() if was.get(name) != value]
        if differing:
            found.append(
                (
                    thing,
                    {name: was[name] for name in differing if name in was},
                    {name: now[name] for name in differing},
                )
            )
    return found


def told(row: Repaired, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Pure: a repair in one line."""
    if not before:
        return f"{row.what} {row.subject} was missing"
    parts = ", ".join(
        f"{name} {before.get(name, '-') or '-'} -> {value or '-'}" for name, value in after.items()
    )
    return f"{row.what} {row.subject}: {parts}"


def _told(row: Base, columns: list[str]) -> dict[str, str]:
    return {name: _word(getattr(row, name)) for name in columns}


def _word(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
