"""All of ours that may have changed since an instant, for reconciliation: what webhooks would have told, had all of them arrived.

Two ways are walked, so that neither's gaps matter: the lists of what was made since, and Stripe's own log of events (kept for 30 days),
which also names old objects that moved. Whatever is found is asked for anew.
"""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any

from appliance import clock
from appliance.payments import AccountFact
from appliance.payments import Fact
from appliance.payments import SubscriptionFact
from plugins.stripe_payments import facts
from plugins.stripe_payments.calls import PAGE
from plugins.stripe_payments.truth import Truth

EVENTS_KEPT = timedelta(days=30)
ABOUT_US = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "payment_intent.succeeded",
    "charge.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created",
    "transfer.created",
    "transfer.updated",
    "transfer.reversed",
)
"""The events that tell us something, which our webhook asks for."""
AT_ONCE = 20
"""So many kinds of events can be asked for together."""
OWN_MARKS = frozenset({"checkout.session", "subscription", "transfer", "account"})
"""Objects that carry their mark themselves, so a stranger's needs no question."""


def changed_since(truth: Truth, since: datetime) -> Iterator[Fact]:
    """The facts, oldest first."""
    subjects = _subjects(truth, since)
    told: set[tuple[type, str]] = set()
    for kind, reference in sorted(subjects, key=lambda subject: (subjects[subject], subject)):
        for fact in truth.about(kind, reference):
            name = (type(fact), fact.account if isinstance(fact, AccountFact) else fact.reference)
            if name not in told:
                told.add(name)
                yield fact
    # Those come last and all: they are few to list, and what keeps a right alive must not hang on a log of events.
    as_of = clock.now()
    for thing in truth.stripe.every(lambda v1: v1.subscriptions.list({"status": "all", "limit": PAGE})):
        if (SubscriptionFact, thing["id"]) in told or not truth.marks.of(thing):
            continue
        if thing["status"] == "canceled" and (thing.get("ended_at") or 0) < int(since.timestamp()):
            continue
        if thing.get("schedule"):
            yield from truth.subscription(thing["id"])
        else:
            yield facts.subscription(thing, truth.marks.of(thing), as_of=as_of)
    as_of = clock.now()
    for thing in truth.stripe.every(lambda v1: v1.accounts.list({"limit": PAGE})):
        if (mark := truth.marks.of(thing)) and (AccountFact, thing["id"]) not in told:
            yield facts.account(thing, mark, as_of=as_of)


def is_about_us(truth: Truth, thing: dict[str, Any]) -> bool:
    """Whether *thing*, as an event tells it, may be ours; asks nobody."""
    kind = thing.get("object", "")
    if kind in OWN_MARKS:
        return bool(truth.marks.of(thing))
    if kind == "invoice":
        details = (thing.get("parent") or {}).get("subscription_details") or {}
        return bool(details.get("subscription")) and (
            details.get("metadata") is None or truth.marks.are_on(details)
        )
    return not truth.marks.foreign(thing)


def _subjects(truth: Truth, since: datetime) -> dict[tuple[str, str], int]:
    """What may have changed, with when."""
    found: dict[tuple[str, str], int] = {}

    def note(thing: dict[str, Any], when: int) -> None:
        if thing.get("id") and is_about_us(truth, thing):
            name = (str(thing["object"]), str(thing["id"]))
            found[name] = min(when, found.get(name, when))

    def listed(start: datetime) -> dict[str, Any]:
        return {"created": {"gte": int(start.timestamp())}, "limit": PAGE}

    every, made = truth.stripe.every, listed(since)
    for thing in every(lambda v1: v1.checkout.sessions.list(made)):
        note(thing, thing["created"])
    for thing in every(lambda v1: v1.invoices.list(made)):
        note(thing, thing["created"])
    for thing in every(lambda v1: v1.payment_intents.list(made)):
        # Those of invoices carry no mark; they are reached by their invoice.
        if truth.marks.of(thing):
            note(thing, thing["created"])
    for thing in every(lambda v1: v1.refunds.list(made)):
        note(thing, thing["created"])
    for thing in every(lambda v1: v1.disputes.list(made)):
        note(thing, thing["created"])
    for thing in every(lambda v1: v1.transfers.list(made)):
        note(thing, thing["created"])
    logged = listed(max(since, clock.now() - EVENTS_KEPT))
    for first in range(0, len(ABOUT_US), AT_ONCE):
        wanted = {**logged, "types": list(ABOUT_US[first : first + AT_ONCE])}
        for event in every(partial(_events, wanted=wanted)):
            note(event["data"]["object"], event["created"])
    return found


def _events(v1: Any, *, wanted: dict[str, Any]) -> Any:
    return v1.events.list(wanted)
