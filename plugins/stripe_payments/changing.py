"""Stripe Billing: what a running subscription costs from now or from its next period on, its pauses and its end.

What a change costs is reckoned by Stripe for one instant, shown, and charged for the same instant: so both are the same figure. A change
at the period's end is a subscription schedule of two phases, which lets go of the subscription once the second has begun.
"""

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.payments import Change
from appliance.payments import Preview
from appliance.payments import SubscriptionFact
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.calls import once
from plugins.stripe_payments.marks import Marks
from plugins.stripe_payments.till import Till
from plugins.stripe_payments.truth import SUBSCRIPTION

THOUGHT_OVER = timedelta(days=1)
RUNNING = frozenset({"active", "trialing", "past_due"})


@dataclass(frozen=True, slots=True)
class Changing:
    """Changes subscriptions that carry our marks, and no others."""

    stripe: Stripe
    marks: Marks
    till: Till

    def preview(self, change: Change) -> Preview:
        """What *change* would cost, at this instant."""
        thing = self._changeable(change)
        return self._reckoned(change, thing, clock.now().replace(microsecond=0))

    def change(self, change: Change) -> SubscriptionFact:
        """Do it as it was agreed to, or not at all."""
        thing = self._changeable(change)
        price = self.till.price(change.price)
        if _costs(thing, price):
            # It was asked a second time, or only a change that waits is taken back: either way nothing is charged.
            self._released(thing, change.key)
            return self._fact(
                lambda v1: v1.subscriptions.retrieve(change.reference, SUBSCRIPTION), change.mark
            )
        if change.agreed:
            self._check(change, change.agreed, thing)
        now = change.agreed.as_of if change.agreed else clock.now()
        if not change.at_once:
            return self._at_period_end(change, thing, price)
        self._released(thing, change.key)
        asked = {
            "items": [{"id": facts.item_of(thing)["id"], "price": price, "quantity": 1}],
            "proration_behavior": "always_invoice",
            "proration_date": _seconds(now),
            # Without the money there is no change, and nothing stays half done.
            "payment_behavior": "error_if_incomplete",
            **SUBSCRIPTION,
        }
        return self._fact(
            lambda v1: v1.subscriptions.update(change.reference, asked, once(change.key)), change.mark
        )

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """End it now, or with what is paid."""
        thing = self._own(reference, mark)
        if _is_over(thing) or (thing.get("cancel_at_period_end") and not at_once):
            return facts.subscription(thing, mark, as_of=clock.now())
        self._released(thing, key)
        if at_once:
            asked: dict[str, Any] = {"invoice_now": False, "prorate": False, **SUBSCRIPTION}
            return self._fact(lambda v1: v1.subscriptions.cancel(reference, asked, once(key)), mark)
        asked = {"cancel_at_period_end": True, **SUBSCRIPTION}
        return self._fact(lambda v1: v1.subscriptions.update(reference, asked, once(key)), mark)

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Go on: without the end that was set, and paying again."""
        thing = self._own(reference, mark)
        if _is_over(thing):
            raise Conflict("This membership has ended; begin it anew.")
        if thing["status"] == "paused":
            wanted = {"billing_cycle_anchor": "now", **SUBSCRIPTION}
            return self._fact(lambda v1: v1.subscriptions.resume(reference, wanted, once(key)), mark)
        asked: dict[str, Any] = {**SUBSCRIPTION}
        if thing.get("cancel_at_period_end"):
            asked["cancel_at_period_end"] = False
        elif thing.get("cancel_at"):
            # A day that somebody chose in the dashboard.
            asked["cancel_at"] = ""
        if thing.get("pause_collection"):
            asked["pause_collection"] = ""
            if self._is_unpaid(thing):
                # Periods went on in the pause, and nobody paid for this one: else it would be free of money and of music until its end.
                asked |= {"billing_cycle_anchor": "now", "proration_behavior": "none"}
        if len(asked) == len(SUBSCRIPTION):
            return facts.subscription(thing, mark, as_of=clock.now())
        return self._fact(lambda v1: v1.subscriptions.update(reference, asked, once(key)), mark)

    def _is_unpaid(self, thing: dict[str, Any]) -> bool:
        latest = facts.reference(thing.get("latest_invoice"))
        return bool(latest) and self.stripe.ask(lambda v1: v1.invoices.retrieve(latest))["status"] == "void"

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Ask for nothing until it is resumed; what falls due meanwhile is void."""
        thing = self._own(reference, mark)
        if _is_over(thing):
            raise Conflict("This membership has ended.")
        if thing.get("pause_collection"):
            return facts.subscription(thing, mark, as_of=clock.now())
        asked = {"pause_collection": {"behavior": "void"}, **SUBSCRIPTION}
        return self._fact(lambda v1: v1.subscriptions.update(reference, asked, once(key)), mark)

    def _own(self, reference: str, mark: str) -> dict[str, Any]:
        thing = self.stripe.ask(lambda v1: v1.subscriptions.retrieve(reference, SUBSCRIPTION))
        if self.marks.of(thing) != mark or not mark:
            raise NotFound("Stripe does not know this.")
        return thing

    def _changeable(self, change: Change) -> dict[str, Any]:
        thing = self._own(change.reference, change.mark)
        if thing["status"] not in RUNNING:
            raise Conflict("This membership does not run, so its price cannot change.")
        if thing.get("cancel_at_period_end") or thing.get("cancel_at"):
            raise Conflict("This membership is about to end; resume it first.")
        if thing.get("pause_collection"):
            raise Conflict("This membership is paused; resume it first.")
        if str(thing["currency"]).upper() != change.price.currency:
            raise Conflict("A membership stays in its currency; end it and begin a new one.")
        return thing

    def _reckoned(self, change: Change, thing: dict[str, Any], as_of: datetime) -> Preview:
        price = self.till.price(change.price)
        _, end = facts.period_of(thing)
        cost = change.price.amount_minor
        if not change.at_once:
            return Preview(0, cost, change.price.currency, facts.at(end), as_of)
        asked = {
            "subscription": change.reference,
            "subscription_details": {
                "items": [{"id": facts.item_of(thing)["id"], "price": price, "quantity": 1}],
                "proration_behavior": "always_invoice",
                "proration_date": _seconds(as_of),
            },
        }
        bill = self.stripe.ask(lambda v1: v1.invoices.create_preview(asked))
        ends = [line["period"]["end"] for line in bill["lines"]["data"] if line["amount"] > 0]
        due = amounts.ours(bill["amount_due"], bill["currency"])
        # What is left to the fan (below zero) is taken off the next invoice.
        left = amounts.ours(-min(bill.get("ending_balance") or 0, 0), bill["currency"])
        return Preview(
            due, max(cost - left, 0), change.price.currency, facts.at(max([*ends, end or 0])), as_of
        )

    def _check(self, change: Change, agreed: Preview, thing: dict[str, Any]) -> None:
        """``Conflict`` unless what was agreed to still is what it costs."""
        start, end = facts.period_of(thing)
        if not (start or 0) <= _seconds(agreed.as_of) <= (end or 0):
            raise Conflict("Since you saw the price, another period has begun. Look at it once more.")
        found = self._reckoned(change, thing, agreed.as_of)
        same = (found.due_now_minor, found.next_minor, found.currency) == (
            agreed.due_now_minor,
            agreed.next_minor,
            agreed.currency,
        )
        # A new rhythm begins when it is agreed to, a while after it was shown.
        moved = abs((found.next_at or agreed.as_of) - (agreed.next_at or agreed.as_of))
        if not same or moved > THOUGHT_OVER:
            raise Conflict("The price has changed since you saw it. Look at it once more.")

    def _at_period_end(self, change: Change, thing: dict[str, Any], price: str) -> SubscriptionFact:
        start, end = facts.period_of(thing)
        item = facts.item_of(thing)
        present: dict[str, Any] = {
            "items": [{"price": facts.reference(item["price"]), "quantity": 1}],
            "start_date": start,
            "end_date": end,
            "proration_behavior": "none",
        }
        if thing.get("status") == "trialing":
            present["trial_end"] = thing["trial_end"]
        following = {
            "items": [{"price": price, "quantity": 1}],
            "start_date": end,
            "duration": {"interval": str(change.price.interval), "interval_count": 1},
            "proration_behavior": "none",
        }
        schedule = facts.reference(thing.get("schedule"))
        if not schedule:
            # Two steps, as Stripe has it: a schedule that is made of a subscription takes no phases.
            wanted = {"from_subscription": change.reference}
            made = self.stripe.ask(
                lambda v1: v1.subscription_schedules.create(wanted, once(change.key, "schedule"))
            )
            schedule = made["id"]
            present["start_date"] = made["phases"][0]["start_date"]
        else:
            present["start_date"] = thing["schedule"]["current_phase"]["start_date"]
        asked = {
            "phases": [present, following],
            "end_behavior": "release",
            "proration_behavior": "none",
            "metadata": self.marks.on(change.mark),
        }
        self.stripe.ask(lambda v1: v1.subscription_schedules.update(schedule, asked, once(change.key)))
        return self._fact(lambda v1: v1.subscriptions.retrieve(change.reference, SUBSCRIPTION), change.mark)

    def _released(self, thing: dict[str, Any], key: str) -> None:
        """Let go of a change that waits: while it does, Stripe lets nobody else decide how the subscription goes on."""
        schedule = thing.get("schedule")
        if isinstance(schedule, dict) and schedule.get("status") in {"active", "not_started"}:
            self.stripe.ask(
                lambda v1: v1.subscription_schedules.release(schedule["id"], {}, once(key, "release"))
            )

    def _fact(self, call: Any, mark: str) -> SubscriptionFact:
        as_of = clock.now()
        return facts.subscription(self.stripe.ask(call), mark, as_of=as_of)


def _costs(thing: dict[str, Any], price: str) -> bool:
    return facts.reference(facts.item_of(thing).get("price")) == price


def _is_over(thing: dict[str, Any]) -> bool:
    return thing["status"] in {"canceled", "incomplete_expired"}


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
