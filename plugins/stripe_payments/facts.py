"""Pure: objects of Stripe, as plain dictionaries, told as facts."""

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any

from appliance.payments import AccountFact
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import FailureFact
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutState
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.stripe_payments import amounts
from plugins.stripe_payments.marks import TAX

Thing = Mapping[str, Any]

STATES = {
    "incomplete": SubscriptionState.INCOMPLETE,
    "incomplete_expired": SubscriptionState.ENDED,
    "trialing": SubscriptionState.TRIALING,
    "active": SubscriptionState.ACTIVE,
    "past_due": SubscriptionState.PAST_DUE,
    "unpaid": SubscriptionState.PAST_DUE,
    "paused": SubscriptionState.PAUSED,
    "canceled": SubscriptionState.ENDED,
}
TILLS = {
    "open": CheckoutState.OPEN,
    "complete": CheckoutState.COMPLETED,
    "expired": CheckoutState.EXPIRED,
}
# Inquiries ("warning_…") and what was prevented move no money, so they are no disputes of ours.
DISPUTES = {
    "needs_response": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def at(seconds: int | None) -> datetime | None:
    """An instant as Stripe tells it."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def reference(thing: Any) -> str:
    """The id of what Stripe gives as an id or, when it was asked to, as the object itself."""
    return str(thing.get("id", "") if isinstance(thing, Mapping) else thing or "")


def price_of(price: Thing) -> Price | None:
    """A price of ours; ``None`` for one that is paid in another rhythm."""
    rhythm = price.get("recurring") or {}
    currency = str(price["currency"]).upper()
    if rhythm.get("interval") not in tuple(Interval) or rhythm.get("interval_count", 1) != 1:
        return None
    amount = amounts.ours(price.get("unit_amount") or 0, currency)
    return Price(amount, currency, Interval(rhythm["interval"]), price.get("nickname") or "")


def period_of(subscription: Thing) -> tuple[int | None, int | None]:
    """Beginning and end of what is paid for: of the item since 2025, of the subscription itself before."""
    item = item_of(subscription)
    return (
        item.get("current_period_start") or subscription.get("current_period_start"),
        item.get("current_period_end") or subscription.get("current_period_end"),
    )


def item_of(subscription: Thing) -> Thing:
    """The one item that our subscriptions have."""
    items = (subscription.get("items") or {}).get("data") or []
    return dict(items[0]) if items else {}


def subscription(thing: Thing, mark: str, *, as_of: datetime) -> SubscriptionFact:
    """How a subscription stands; its schedule, if it has one, must have been asked for with it."""
    state = STATES.get(thing["status"], SubscriptionState.INCOMPLETE)
    if thing.get("pause_collection") and state is not SubscriptionState.ENDED:
        state = SubscriptionState.PAUSED
    price = item_of(thing).get("price")
    _, end = period_of(thing)
    cancel_at = thing.get("cancel_at") or (end if thing.get("cancel_at_period_end") else None)
    ended = state is SubscriptionState.ENDED
    return SubscriptionFact(
        reference=thing["id"],
        mark=mark,
        state=state,
        as_of=as_of,
        price=price_of(price) if price else None,
        customer=reference(thing.get("customer")),
        period_end=at(end),
        trial_end=at(thing.get("trial_end")),
        cancel_at=at(thing.get("ended_at") or thing.get("canceled_at")) if ended else at(cancel_at),
        pending=None if ended else _pending(thing),
    )


def _pending(thing: Thing) -> Price | None:
    schedule = thing.get("schedule")
    if not isinstance(schedule, Mapping) or schedule.get("status") not in {"active", "not_started"}:
        return None
    present = (schedule.get("current_phase") or {}).get("end_date") or 0
    for phase in schedule.get("phases") or ():
        if present and phase["start_date"] >= present:
            price = phase["items"][0].get("price")
            return price_of(price) if isinstance(price, Mapping) else None
    return None


def checkout(thing: Thing, mark: str, *, as_of: datetime) -> CheckoutFact:
    """How a visit to the till stands."""
    return CheckoutFact(
        reference=thing["id"],
        mark=mark,
        state=TILLS.get(thing.get("status") or "open", CheckoutState.OPEN),
        as_of=as_of,
        customer=reference(thing.get("customer")),
        email=(thing.get("customer_details") or {}).get("email") or thing.get("customer_email") or "",
    )


def payment(intent: Thing, mark: str, *, invoice: Thing | None, tax_minor: int | None) -> PaymentFact:
    """Money that arrived by *intent*, whose charge and balance transaction must have been asked for with it."""
    charge = intent["latest_charge"]
    currency = str(intent["currency"]).upper()
    amount = amounts.ours(charge["amount"], currency)
    billing = charge.get("billing_details") or {}
    card = ((charge.get("payment_method_details") or {}).get("card")) or {}
    start, end = _paid_for(invoice)
    if tax_minor is None:
        tax_minor = _tax_of(intent, invoice, amount)
    return PaymentFact(
        reference=intent["id"],
        mark=mark,
        amount_minor=amount,
        currency=currency,
        paid_at=datetime.fromtimestamp(charge["created"], UTC),
        fee_minor=fee_of(charge),
        tax_minor=tax_minor,
        period_start=at(start),
        period_end=at(end),
        email=billing.get("email")
        or (invoice or {}).get("customer_email")
        or charge.get("receipt_email")
        or "",
        country=(billing.get("address") or {}).get("country") or card.get("country") or "",
    )


def fee_of(charge: Thing) -> int | None:
    """What Stripe kept of a charge, in the currency of the charge; ``None`` while it does not say."""
    booked = charge.get("balance_transaction")
    if not isinstance(booked, Mapping):
        return None
    return _in_currency_of(charge, booked["fee"], booked)


def _in_currency_of(charge: Thing, fee: int, booked: Thing) -> int:
    # A fee is told in the currency of the account; back at the rate at which this very charge was exchanged.
    if booked["currency"] != charge["currency"]:
        fee = amounts.part(fee, charge["amount"], abs(booked["amount"]))
    return amounts.ours(fee, str(charge["currency"]))


def _tax_of(intent: Thing, invoice: Thing | None, amount_minor: int) -> int | None:
    if invoice is not None:
        if taxes := invoice.get("total_taxes"):
            return sum(amounts.ours(tax["amount"], str(invoice["currency"])) for tax in taxes)
        if (invoice.get("automatic_tax") or {}).get("enabled"):
            # Stripe Tax looked, and there is none.
            return 0
        metadata = ((invoice.get("parent") or {}).get("subscription_details") or {}).get("metadata") or {}
    else:
        metadata = intent.get("metadata") or {}
    tax, _, total = str(metadata.get(TAX, "")).partition("/")
    return amounts.part(amount_minor, int(tax), int(total)) if tax.isdigit() and total.isdigit() else None


def _paid_for(invoice: Thing | None) -> tuple[int | None, int | None]:
    lines = ((invoice or {}).get("lines") or {}).get("data") or []
    periods = [line["period"] for line in lines if line["amount"] > 0 and line.get("period")]
    if not periods:
        return None, None
    return min(period["start"] for period in periods), max(period["end"] for period in periods)


def paid_by(invoice: Thing, *, status: str = "paid") -> list[str]:
    """The intents by which an invoice was paid, or is to be; its payments must have been asked for with it."""
    entries = (invoice.get("payments") or {}).get("data") or ()
    found = [
        (entry.get("payment") or {}).get("payment_intent") for entry in entries if entry["status"] == status
    ]
    return [reference(intent) for intent in found if intent]


def bounce(intent: Thing, mark: str) -> FailureFact | None:
    """That what was promised at the till did not come; ``None`` while it still may."""
    if intent["status"] not in {"requires_payment_method", "canceled"}:
        return None
    currency = str(intent["currency"]).upper()
    return FailureFact(
        reference=intent["id"],
        mark=mark,
        failed_at=datetime.fromtimestamp(intent["created"], UTC),
        amount_minor=amounts.ours(intent["amount"], currency),
        currency=currency,
    )


def failure(invoice: Thing, mark: str) -> FailureFact | None:
    """That an invoice was due and could not be collected; ``None`` when it was paid, taken back, or is of a visit to the till."""
    # The first invoice is paid at the till, which tells of a declined card itself.
    first = invoice.get("billing_reason") == "subscription_create"
    if first or invoice.get("status") not in {"open", "uncollectible"} or not invoice.get("attempted"):
        return None
    currency = str(invoice["currency"]).upper()
    due = (invoice.get("status_transitions") or {}).get("finalized_at") or invoice["created"]
    return FailureFact(
        reference=invoice["id"],
        mark=mark,
        # When it was due, and not when it was tried last: it is the same at whichever try this is told.
        failed_at=datetime.fromtimestamp(due, UTC),
        amount_minor=amounts.ours(invoice["amount_remaining"], currency),
        currency=currency,
        next_try_at=at(invoice.get("next_payment_attempt")),
    )


def refund(thing: Thing) -> RefundFact:
    """How a refund stands."""
    currency = str(thing["currency"]).upper()
    return RefundFact(
        reference=thing["id"],
        payment=reference(thing.get("payment_intent")),
        amount_minor=amounts.ours(thing["amount"], currency),
        currency=currency,
        refunded_at=datetime.fromtimestamp(thing["created"], UTC),
        failed=thing.get("status") in {"failed", "canceled"},
    )


def dispute(thing: Thing, charge: Thing, *, as_of: datetime) -> DisputeFact | None:
    """How a dispute of *charge* stands; ``None`` when no money moved by it."""
    state = DISPUTES.get(thing["status"])
    if state is None:
        return None
    currency = str(thing["currency"]).upper()
    booked = [entry for entry in thing.get("balance_transactions") or () if isinstance(entry, Mapping)]
    fee = sum(_in_currency_of({**charge, "amount": thing["amount"]}, entry["fee"], entry) for entry in booked)
    return DisputeFact(
        reference=thing["id"],
        payment=reference(thing.get("payment_intent")),
        amount_minor=amounts.ours(thing["amount"], currency),
        currency=currency,
        state=state,
        opened_at=datetime.fromtimestamp(thing["created"], UTC),
        as_of=as_of,
        fee_minor=max(fee, 0),
        respond_by=at((thing.get("evidence_details") or {}).get("due_by")),
    )


def payout(thing: Thing, mark: str, *, as_of: datetime) -> PayoutFact:
    """How a transfer stands: it is on the payee's account at once, and comes back only when it is reversed."""
    back = bool(thing.get("reversed")) and thing.get("amount_reversed") == thing["amount"]
    return PayoutFact(
        reference=thing["id"],
        mark=mark,
        state=PayoutState.FAILED if back else PayoutState.PAID,
        as_of=as_of,
        problem="The transfer was reversed at Stripe." if back else "",
    )


def account(thing: Thing, mark: str, *, as_of: datetime) -> AccountFact:
    """Whether a payee's account can be paid, and what Stripe wants to know before."""
    wanted = (thing.get("requirements") or {}).get("currently_due") or []
    payable = (thing.get("capabilities") or {}).get("transfers") == "active"
    words = sorted({str(name).rpartition(".")[2].replace("_", " ") for name in wanted})
    return AccountFact(thing["id"], mark, payable, as_of, wants=", ".join(words)[:200])
