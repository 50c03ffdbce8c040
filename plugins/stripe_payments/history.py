"""All of ours that may have changed since an instant, for reconciliation: what webhooks would have told, had all of them arrived.

Two ways are walked together, so that neither's gaps matter: the lists of what was made, and Stripe's own log of events (kept for 30 days),
which also names old objects that moved. It goes from window to window of time, each as wide as a page of every list holds, so that whoever asks
never waits long for the next fact.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance import clock
from appliance.payments import Fact
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments.calls import PAGE
from plugins.stripe_payments.truth import INTENT
from plugins.stripe_payments.truth import INVOICE
from plugins.stripe_payments.truth import Truth

Thing = dict[str, Any]

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Nothing at Stripe that is ours is older than this plugin."""
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
# Subscriptions are listed whole, and warnings are no facts; of the rest fewer than the 20 kinds that can be asked for together are left.
LOGGED = [kind for kind in ABOUT_US if not kind.startswith(("customer.", "radar."))]
OWN_MARKS = frozenset({"checkout.session", "subscription", "transfer", "account"})
"""Objects that carry their mark themselves, so a stranger's needs no question."""
NARROWEST_S, FIRST_S = 60, 86_400


def is_about_us(truth: Truth, thing: Mapping[str, Any]) -> bool:
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


def changed_since(truth: Truth, since: datetime) -> Iterator[Fact]:
    """The facts, oldest first; how subscriptions and accounts stand comes last, and of all that live."""
    walk = _Walk(truth)
    start = int(max(since, EARLIEST).timestamp())
    until = int(clock.now().timestamp()) + 1
    width = FIRST_S
    while start < until:
        end = min(start + width, until)
        as_of = clock.now()
        found = walk.window(start, end, whole=width <= NARROWEST_S)
        if found is None:
            width = max(width // 4, NARROWEST_S)
            continue
        yield from walk.told(found, as_of=as_of)
        start, width = end, width * 2
    yield from _subscriptions(truth, since)
    as_of = clock.now()
    for thing in truth.stripe.every(lambda v1: v1.accounts.list({"limit": PAGE})):
        if mark := truth.marks.of(thing):
            yield facts.account(thing, mark, as_of=as_of)


def _subscriptions(truth: Truth, since: datetime) -> Iterator[Fact]:
    as_of = clock.now()
    for thing in truth.stripe.every(lambda v1: v1.subscriptions.list({"status": "all", "limit": PAGE})):
        mark = truth.marks.of(thing)
        if not mark or (thing["status"] == "canceled" and (thing.get("ended_at") or 0) < since.timestamp()):
            continue
        if thing.get("schedule"):
            # What waits is in the schedule, whose prices no list tells: that would be one step too deep.
            yield from truth.subscription(thing["id"])
        else:
            yield facts.subscription(thing, mark, as_of=as_of)


@dataclass(slots=True)
class _Walk:
    """One walk through time; *seen*: the ids of what was told, or is somebody else's."""

    truth: Truth
    seen: set[str] = field(default_factory=set)

    def window(self, start: int, end: int, *, whole: bool) -> list[Thing] | None:
        """What was made or moved then, oldest first; ``None`` when it is more than a page of a list and not wanted *whole*."""
        made = {"created": {"gte": start, "lt": end}, "limit": PAGE}
        lists: list[Callable[[Any], Any]] = [
            lambda v1: v1.payment_intents.list(
                {**made, "expand": [f"data.{way}" for way in INTENT["expand"]]}
            ),
            lambda v1: v1.invoices.list({**made, "expand": [f"data.{way}" for way in INVOICE["expand"]]}),
            lambda v1: v1.checkout.sessions.list(made),
            lambda v1: v1.refunds.list(made),
            lambda v1: v1.disputes.list({**made, "expand": ["data.charge"]}),
            lambda v1: v1.transfers.list(made),
        ]
        if end > (clock.now() - EVENTS_KEPT).timestamp():
            lists.append(lambda v1: v1.events.list({**made, "types": LOGGED}))
        found: list[Thing] = []
        for listed in lists:
            if whole:
                found += self.truth.stripe.every(listed)
                continue
            page = self.truth.stripe.ask(listed)
            if page["has_more"]:
                return None
            found += page["data"]
        # Events last: what they name is mostly told by then.
        return sorted(found, key=lambda thing: (thing["object"] == "event", thing["created"]))

    def told(self, found: list[Thing], *, as_of: datetime) -> Iterator[Fact]:
        """The facts of what a window holds."""
        intents = {thing["id"]: thing for thing in found if thing["object"] == "payment_intent"}
        taxes = {
            facts.reference(thing.get("payment_intent")): (thing.get("total_details") or {}).get("amount_tax")
            for thing in found
            if thing["object"] == "checkout.session"
        }
        for thing in found:
            kind, mark = thing["object"], self.truth.marks.of(thing)
            if kind == "event":
                yield from self._moved(thing["data"]["object"])
            elif kind == "invoice":
                yield from self._invoice(thing, intents)
            elif kind == "checkout.session":
                self.seen.add(thing["id"])
                if mark:
                    yield facts.checkout(thing, mark, as_of=as_of)
                    yield from self.truth.bounced(thing, mark)
            elif kind == "transfer":
                self.seen.add(thing["id"])
                if mark:
                    yield facts.payout(thing, mark, as_of=as_of)
            elif kind == "payment_intent":
                # Those of invoices carry no mark; they are told by their invoice.
                if mark and thing["id"] not in self.seen:
                    self.seen.add(thing["id"])
                    tax = taxes.get(thing["id"]) if self.truth.taxed else None
                    exact = amounts.ours(tax, thing["currency"]) if tax is not None else None
                    yield from self.truth.paid(thing, tax_minor=exact)
            elif kind == "refund":
                self.seen.add(thing["id"])
                if mark or self.truth.mark_of_payment(facts.reference(thing.get("payment_intent"))):
                    yield facts.refund(thing)
            elif kind == "dispute":
                self.seen.add(thing["id"])
                yield from self.truth.disputed(thing, as_of=as_of)

    def _invoice(self, thing: Thing, intents: Mapping[str, Thing]) -> Iterator[Fact]:
        self.seen.add(thing["id"])
        mark = self.truth.mark_of_invoice(thing)
        if not mark:
            return
        for reference in facts.paid_by(thing):
            self.seen.add(reference)
            if reference in intents:
                yield from self.truth.paid(intents[reference], invoice=thing)
            else:
                yield from self.truth.payment(reference, invoice=thing)
        yield from self.truth.unpaid(thing, mark)

    def _moved(self, thing: Thing) -> Iterator[Fact]:
        """What an event names, unless it was told already; asked for anew, since the log only says how it stood."""
        names = {
            str(thing.get("id", "")),
            facts.reference(thing.get("payment_intent") if thing["object"] == "charge" else ""),
        }
        if names & self.seen or not is_about_us(self.truth, thing):
            return
        self.seen |= names - {""}
        yield from self.truth.about(thing["object"], str(thing["id"]))
