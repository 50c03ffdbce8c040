"""What a provider says of a subscription, noted so that the same is kept in whatever order it comes and however often."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance import prepared
from appliance.database import transaction
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import PaymentFailure
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_states import RANK
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import FailureFact
from appliance.payments import InvoiceFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState

log = logging.getLogger(__name__)

CHECKOUTS = {
    state: rank
    for rank, state in enumerate((CheckoutState.OPEN, CheckoutState.EXPIRED, CheckoutState.COMPLETED))
}
"""A visit to the till only goes on: of two words on it the one further on holds."""
_NEVER = -1.0


def note_checkout(fact: CheckoutFact, *, provider: str, now: datetime) -> None:
    """Note how the visit to the till stands."""
    with transaction():
        row = hold(fact.mark, provider)
        if row is None:
            return
        values: dict[str, Any] = {}
        if CHECKOUTS[fact.state] > CHECKOUTS[CheckoutState(row.checkout_state)]:
            values["checkout_state"] = fact.state
        if fact.customer and not row.customer:
            values["customer"] = fact.customer
        store(row, values, now=now)


def note_subscription(fact: SubscriptionFact, *, provider: str, now: datetime) -> None:
    """Note how the subscription stands at the provider; what is older than what is known changes nothing, and what ended stays so."""
    with transaction():
        row = hold(fact.mark, provider)
        if row is None:
            return
        values: dict[str, Any] = {}
        if fact.state is SubscriptionState.ENDED:
            values["ended_at"] = min(row.ended_at or fact.as_of, fact.as_of)
        if _weight(fact) > _weight_of(row):
            values |= {
                "state": fact.state,
                "as_of": fact.as_of,
                "reference": fact.reference,
                "customer": fact.customer or row.customer,
                "period_end": fact.period_end,
                "trial_end": fact.trial_end,
                "cancel_at": fact.cancel_at,
                "pending_price_minor": fact.pending.amount_minor if fact.pending else None,
                "pending_interval": fact.pending.interval if fact.pending else "",
            }
            if fact.price is not None:
                values |= {
                    "price_minor": fact.price.amount_minor,
                    "currency": fact.price.currency,
                    "interval": fact.price.interval,
                }
        store(row, values, now=now)


def note_failure(fact: FailureFact, *, provider: str, now: datetime) -> None:
    """Note that a payment did not arrive; of several tries the first and the last are kept."""
    with transaction():
        row = hold(fact.mark, provider)
        if row is None:
            return
        here = (PaymentFailure.subscription == row.id) & (PaymentFailure.reference == fact.reference)
        known = PaymentFailure.get_or_none(here)
        if known is None:
            PaymentFailure.create(
                subscription=row.id,
                reference=fact.reference,
                first_failed_at=fact.failed_at,
                last_failed_at=fact.failed_at,
                next_try_at=fact.next_try_at,
                amount_minor=fact.amount_minor,
                currency=fact.currency,
            )
            return
        values: dict[str, Any] = {"first_failed_at": min(known.first_failed_at, fact.failed_at)}
        if (fact.failed_at, _at(fact.next_try_at)) > (known.last_failed_at, _at(known.next_try_at)):
            values |= {"last_failed_at": fact.failed_at, "next_try_at": fact.next_try_at}
        PaymentFailure.update(**values).where(here).execute()


def note_invoice(fact: InvoiceFact, *, provider: str, now: datetime) -> None:
    """Note that its member is asked to pay; what is not waited for any more stays so, and else the later word holds."""
    with transaction():
        row = hold(fact.mark, provider)
        if row is None:
            return
        here = (PaymentAsked.subscription == row.id) & (PaymentAsked.reference == fact.reference)
        known = PaymentAsked.get_or_none(here)
        values = {
            "words": fact.words,
            "url": fact.url,
            "amount_minor": fact.amount_minor,
            "currency": fact.currency,
            "due_at": fact.due_at,
            "as_of": fact.as_of,
            "open": fact.open,
        }
        if known is None:
            PaymentAsked.create(subscription=row.id, reference=fact.reference, **values)
        elif (not fact.open, fact.as_of, -fact.amount_minor) > (
            not known.open,
            known.as_of,
            -known.amount_minor,
        ):
            PaymentAsked.update(**values).where(here).execute()


def hold(mark: str, provider: str = "") -> Subscription | None:
    """The row, held until the transaction ends; ``None`` for a mark that is none of these, or another provider's."""
    row = prepared.one(Subscription, hold=True, id=mark)
    if row is not None and provider and row.provider != provider:
        log.warning("a fact of another provider", extra={"subscription": mark, "provider": provider})
        return None
    return row


def store(row: Subscription, values: Mapping[str, Any], *, now: datetime) -> None:
    """Write what differs, on the row at hand too; a version more when more did than the instant of the last word."""
    changed = {name: value for name, value in values.items() if row.__data__.get(name) != value}
    if not changed:
        return
    row.__data__.update(changed)
    if changed.keys() != {"as_of"}:
        row.version += 1
        changed |= {"version": row.version, "updated_at": now}
    prepared.update(Subscription, row.id, **changed)


def _weight(fact: SubscriptionFact) -> tuple[Any, ...]:
    """What a word on a subscription weighs: what ended stays so, else the later holds; the rest makes the same of equal instants."""
    return (
        fact.state is SubscriptionState.ENDED,
        fact.as_of.timestamp(),
        RANK[fact.state],
        _at(fact.period_end),
        _at(fact.cancel_at),
        fact.price.amount_minor if fact.price else -1,
        fact.pending.amount_minor if fact.pending else -1,
    )


def _weight_of(row: Subscription) -> tuple[Any, ...]:
    if row.as_of is None:
        return (False, _NEVER)
    return (
        row.state == SubscriptionState.ENDED,
        row.as_of.timestamp(),
        RANK[SubscriptionState(row.state)],
        _at(row.period_end),
        _at(row.cancel_at),
        row.price_minor,
        row.pending_price_minor if row.pending_price_minor is not None else -1,
    )


def _at(instant: datetime | None) -> float:
    return instant.timestamp() if instant is not None else _NEVER
