"""Pure: what PayPal says of its orders, subscriptions, refunds and disputes, as facts."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import PaymentFact
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.paypal_payments import amounts
from plugins.paypal_payments.amounts import instant
from plugins.paypal_payments.models import Thing

Told = Mapping[str, Any]

PREFIX = "musicconnect:"
"""What all our marks begin with there, so that those of another product on the same account are not taken for ours."""
PAID = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
ENDED = frozenset({"CANCELLED", "EXPIRED"})
NOT_BEGUN = frozenset({"APPROVAL_PENDING", "APPROVED"})
OPEN_FOR = timedelta(hours=6)
"""How long somebody may take at PayPal; then it forgets an order."""


def mark_of(custom_id: object) -> str:
    """Our mark in what PayPal keeps for us; empty for another's."""
    text = str(custom_id or "")
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else ""


def of_order(order: Told, thing: Thing) -> Iterator[Fact]:
    """An order: the visit to the till, its payments and what went back of them."""
    payer = order.get("payer") or {}
    email, country = payer_of(payer)
    state = CheckoutState.OPEN
    if order["status"] == "COMPLETED":
        state = CheckoutState.COMPLETED
    elif order["status"] == "VOIDED":
        state = CheckoutState.EXPIRED
    as_of = instant(order.get("update_time") or order["create_time"])
    assert as_of is not None
    for unit in order["purchase_units"]:
        made = unit.get("payments") or {}
        for capture in made.get("captures") or ():
            if capture["status"] in PAID:
                yield of_capture(capture, thing, email=email, country=country)
        for refund in made.get("refunds") or ():
            yield of_refund(refund, payment_of_refund(refund))
    yield CheckoutFact(thing.id, thing.mark, state, as_of, str(payer.get("payer_id", "")), email)


def of_lost_order(thing: Thing) -> CheckoutFact:
    """An order that PayPal has forgotten, since nobody paid it."""
    return CheckoutFact(thing.id, thing.mark, CheckoutState.EXPIRED, thing.created_at + OPEN_FOR)


def of_capture(capture: Told, thing: Thing, *, email: str, country: str) -> PaymentFact:
    """The payment of an order."""
    amount, paid_at = capture["amount"], instant(capture["create_time"])
    assert paid_at is not None
    fee = (capture.get("seller_receivable_breakdown") or {}).get("paypal_fee")
    total = amounts.minor(amount)
    return PaymentFact(
        str(capture["id"]),
        thing.mark,
        total,
        amounts.currency_of(amount),
        paid_at,
        fee_minor=amounts.minor(fee) if fee else None,
        tax_minor=amounts.part(total, thing.tax_minor, thing.total_minor) or None,
        email=email,
        country=country,
    )


def of_subscription(told: Told, transactions: Sequence[Told], thing: Thing) -> Iterator[Fact]:
    """A subscription: its payments, the last one that failed, how it stands, and whether its till was used."""
    info = told.get("billing_info") or {}
    subscriber = told.get("subscriber") or {}
    email, country = payer_of(subscriber)
    customer = str(subscriber.get("payer_id", ""))
    payments = list(payments_of(told, transactions, thing, email=email, country=country))
    yield from payments
    failed = info.get("last_failed_payment")
    if failed:
        failed_at = instant(failed["time"])
        assert failed_at is not None
        yield FailureFact(
            f"{thing.id}-{int(failed_at.timestamp())}",
            thing.mark,
            failed_at,
            amounts.minor(failed["amount"]),
            amounts.currency_of(failed["amount"]),
            instant(failed.get("next_payment_retry_time")),
        )
    as_of = max(changed_at(told), thing.changed_at)
    cycles = plan_of(told)
    price, pending = prices_of(cycles, payments, str((told.get("plan") or {}).get("name", "")))
    trial_end = trial_end_of(told, cycles)
    period_end = payments[-1].period_end if payments else trial_end
    state = state_of(told, thing, payments=payments, trial_end=trial_end)
    ended = state is SubscriptionState.ENDED
    yield SubscriptionFact(
        thing.id,
        thing.mark,
        state,
        as_of,
        price=price,
        customer=customer,
        period_end=period_end,
        trial_end=trial_end,
        cancel_at=None if ended else thing.ends_at,
        pending=pending,
    )
    yield of_agreement(told, thing)


def of_agreement(told: Told, thing: Thing) -> CheckoutFact:
    """The visit to the till of a subscription: over when somebody agreed to it."""
    subscriber = told.get("subscriber") or {}
    state = CheckoutState.OPEN if told["status"] in NOT_BEGUN else CheckoutState.COMPLETED
    as_of = max(changed_at(told), thing.changed_at)
    email, customer = payer_of(subscriber)[0], str(subscriber.get("payer_id", ""))
    return CheckoutFact(thing.id, thing.mark, state, as_of, customer, email)


def changed_at(told: Told) -> datetime:
    """When something of a subscription changed last, a payment too."""
    info = told.get("billing_info") or {}
    payments = (info.get(name) or {} for name in ("last_payment", "last_failed_payment"))
    instants = (told["create_time"], told.get("update_time"), told.get("status_update_time"))
    return max(found for found in map(instant, (*instants, *(one.get("time") for one in payments))) if found)


def payments_of(
    told: Told, transactions: Sequence[Told], thing: Thing, *, email: str, country: str
) -> Iterator[PaymentFact]:
    """The payments of a subscription, the oldest first, each with the period that it is for."""
    cycles = plan_of(told)
    anchor = trial_end_of(told, cycles) or instant(told["start_time"])
    assert anchor is not None
    interval = amounts.UNITS[regular(cycles)["frequency"]["interval_unit"]]
    for one in sorted(transactions, key=lambda one: str(one["time"])):
        if one["status"] not in PAID:
            continue
        amount, paid_at = one["amount_with_breakdown"], instant(one["time"])
        assert paid_at is not None
        total = amounts.minor(amount["gross_amount"])
        start, end = amounts.period(anchor, interval, paid_at)
        fee = amount.get("fee_amount")
        yield PaymentFact(
            str(one["id"]),
            thing.mark,
            total,
            amounts.currency_of(amount["gross_amount"]),
            paid_at,
            fee_minor=abs(amounts.minor(fee)) if fee else None,
            tax_minor=amounts.part(total, thing.tax_minor, thing.total_minor) or None,
            period_start=start,
            period_end=end,
            email=email,
            country=country,
        )


def state_of(
    told: Told, thing: Thing, *, payments: Sequence[PaymentFact], trial_end: datetime | None
) -> SubscriptionState:
    """How a subscription stands. One that we suspended until its paid time is over runs until then; one that PayPal suspended is past due."""
    status, info = told["status"], told.get("billing_info") or {}
    if status in NOT_BEGUN:
        return SubscriptionState.INCOMPLETE
    if status in ENDED:
        return SubscriptionState.ENDED
    if amounts.minor(info.get("outstanding_balance")) > 0 or int(info.get("failed_payments_count") or 0) > 0:
        return SubscriptionState.PAST_DUE
    if status == "SUSPENDED" and thing.ends_at is None:
        return SubscriptionState.PAUSED
    return SubscriptionState.TRIALING if trial_end and not payments else SubscriptionState.ACTIVE


def prices_of(
    cycles: Sequence[Told], payments: Sequence[PaymentFact], name: str
) -> tuple[Price, Price | None]:
    """What a subscription costs, and what from the next payment on: the plan says what the next one will be, the last one what it was."""
    cycle = regular(cycles)
    amount = cycle["pricing_scheme"]["fixed_price"]
    interval = amounts.UNITS[cycle["frequency"]["interval_unit"]]
    coming = Price(amounts.minor(amount), amounts.currency_of(amount), interval, name)
    if not payments or payments[-1].amount_minor == coming.amount_minor:
        return coming, None
    return Price(payments[-1].amount_minor, coming.currency, interval, name), coming


def of_refund(refund: Told, payment: str) -> RefundFact:
    """Money that went back."""
    refunded_at = instant(refund["create_time"])
    assert refunded_at is not None
    return RefundFact(
        str(refund["id"]),
        payment,
        amounts.minor(refund["amount"]),
        amounts.currency_of(refund["amount"]),
        refunded_at,
        failed=refund["status"] in {"FAILED", "CANCELLED"},
    )


def of_dispute(dispute: Told, payment: str) -> DisputeFact:
    """A payment that is contested; what PayPal keeps for that it does not say."""
    opened_at, as_of = instant(dispute["create_time"]), instant(dispute["update_time"])
    assert opened_at is not None and as_of is not None
    state = DisputeState.OPEN
    if dispute["status"] == "RESOLVED":
        outcome = str((dispute.get("dispute_outcome") or {}).get("outcome_code", ""))
        lost = outcome in {"RESOLVED_BUYER_FAVOUR", "RESOLVED_WITH_PAYOUT", "ACCEPTED"}
        state = DisputeState.LOST if lost else DisputeState.WON
    return DisputeFact(
        str(dispute["dispute_id"]),
        payment,
        amounts.minor(dispute["dispute_amount"]),
        amounts.currency_of(dispute["dispute_amount"]),
        state,
        opened_at,
        as_of,
        respond_by=instant(dispute.get("seller_response_due_date")),
    )


def payment_of_refund(refund: Told) -> str:
    """The payment that a refund is of, by the link that leads up to it."""
    up = next((link["href"] for link in refund.get("links") or () if link.get("rel") == "up"), "")
    return str(up).rstrip("/").rpartition("/")[2]


def payer_of(payer: Told) -> tuple[str, str]:
    """The address and the country of who pays, as far as PayPal tells."""
    country = (payer.get("address") or {}).get("country_code", "")
    return str(payer.get("email_address", "")), str(country)


def plan_of(told: Told) -> Sequence[Told]:
    """The cycles of a subscription's plan, as they hold for it."""
    cycles: Sequence[Told] = told["plan"]["billing_cycles"]
    return cycles


def regular(cycles: Sequence[Told]) -> Told:
    """The cycle that goes on and on."""
    return next(cycle for cycle in cycles if cycle["tenure_type"] == "REGULAR")


def trial_end_of(told: Told, cycles: Sequence[Told]) -> datetime | None:
    """When the trial ends, if there is one: our trials are one cycle of so many days."""
    trial = next((cycle for cycle in cycles if cycle["tenure_type"] == "TRIAL"), None)
    start = instant(told["start_time"])
    if trial is None or start is None:
        return None
    return start + timedelta(days=int(trial["frequency"]["interval_count"]))
