"""Subscription schedules, and the time that passes: renewals, tries, ends, expired visits."""

from __future__ import annotations

import copy

from tests.servers.stripe import invoices
from tests.servers.stripe import subscriptions
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.world import World


def schedule(world: World, params: Thing) -> Thing:
    """A schedule of a subscription that runs."""
    if set(params) - {"from_subscription", "expand"}:
        raise invalid("You cannot set other parameters if from_subscription is set.")
    of = world.get(params.get("from_subscription", ""), "subscription")
    if of["schedule"]:
        raise invalid("This subscription is already attached to a schedule.")
    item = of["items"]["data"][0]
    phase = _phase(
        of, item["price"]["id"], item["current_period_start"], item["current_period_end"], "create_prorations"
    )
    made = world.add(
        "sub_sched",
        "subscription_schedule",
        billing_mode={"type": "flexible"},
        current_phase={"start_date": phase["start_date"], "end_date": phase["end_date"]},
        customer=of["customer"],
        default_settings={
            "billing_cycle_anchor": "automatic",
            "invoice_settings": {"issuer": {"type": "self"}},
        },
        end_behavior="release",
        metadata={},
        pause_schedules=[],
        phases=[phase],
        status="active",
        subscription=of["id"],
    )
    of["schedule"] = made["id"]
    world.tell("subscription_schedule.created", made)
    world.tell("customer.subscription.updated", of)
    return made


def _phase(of: Thing, price: str, start: int, end: int, proration: str) -> Thing:
    return {
        "add_invoice_items": [],
        "currency": of["currency"],
        "discounts": [],
        "end_date": end,
        "items": [{"discounts": [], "metadata": {}, "plan": price, "price": price, "quantity": 1}],
        "metadata": {},
        "proration_behavior": proration,
        "start_date": start,
        "trial_end": None,
    }


def rewrite(world: World, made: Thing, params: Thing) -> Thing:
    """Other phases; the present one must stay where it began."""
    if made["status"] not in {"active", "not_started"}:
        raise invalid("You cannot update a schedule that is released.")
    of = world.get(made["subscription"], "subscription")
    phases = []
    for wanted in params["phases"]:
        start = int(wanted.get("start_date") or phases[-1]["end_date"])
        if phases and start != phases[-1]["end_date"]:
            raise invalid("Phases must follow each other", param="phases")
        costs = world.get(wanted["items"][0]["price"], "price")
        if wanted.get("end_date"):
            end = int(wanted["end_date"])
        elif wanted.get("duration"):
            how = wanted["duration"]
            end = subscriptions.later(start, how["interval"], int(how.get("interval_count", 1)))
        else:
            raise invalid("A phase needs an end_date or a duration", param="phases")
        phase = _phase(of, costs["id"], start, end, wanted.get("proration_behavior", "create_prorations"))
        phase["trial_end"] = int(wanted["trial_end"]) if wanted.get("trial_end") else None
        phases.append(phase)
    if phases[0]["start_date"] != made["current_phase"]["start_date"]:
        raise invalid("You can not modify the start date of the current phase.", param="phases")
    if of["status"] == "trialing" and phases[0]["trial_end"] != of["trial_end"]:
        raise invalid("The fake wants the trial to go on", param="phases[0][trial_end]")
    made["phases"] = phases
    made["current_phase"] = {"start_date": phases[0]["start_date"], "end_date": phases[0]["end_date"]}
    made["end_behavior"] = params.get("end_behavior", made["end_behavior"])
    made["metadata"].update(metadata(params))
    world.tell("subscription_schedule.updated", made)
    world.tell("customer.subscription.updated", of)
    return made


def release(world: World, made: Thing) -> Thing:
    """Let go of the subscription."""
    if made["status"] not in {"active", "not_started"}:
        raise invalid("This schedule is not active.")
    of = world.get(made["subscription"], "subscription")
    made |= {
        "status": "released",
        "released_at": world.now(),
        "released_subscription": of["id"],
        "subscription": None,
        "current_phase": None,
    }
    of["schedule"] = None
    world.tell("subscription_schedule.released", made)
    world.tell("customer.subscription.updated", of)
    return made


def advance(world: World, until: int) -> None:
    """Let time pass, one due thing after the other, up to *until*."""
    while True:
        due = sorted(_due(world, until), key=lambda one: (one[0], one[1]))
        if not due:
            break
        moment, kind, reference = due[0]
        world.frozen_at = max(moment, world.now())
        thing = world.things[reference]
        if kind == "period":
            _renew(world, thing)
        elif kind == "try":
            _try(world, thing)
        else:
            thing |= {"status": "expired", "url": None}
            world.tell("checkout.session.expired", thing)
    world.frozen_at = until


def _due(world: World, until: int) -> list[tuple[int, str, str]]:
    found = []
    for thing in world.things.values():
        if thing["object"] == "subscription" and thing["status"] in {"active", "trialing", "past_due"}:
            moment = thing["items"]["data"][0]["current_period_end"]
            found.append((moment, "period", thing["id"]))
        elif thing["object"] == "invoice" and thing["status"] == "open" and thing["next_payment_attempt"]:
            found.append((thing["next_payment_attempt"], "try", thing["id"]))
        elif thing["object"] == "checkout.session" and thing["status"] == "open":
            found.append((thing["expires_at"], "visit", thing["id"]))
    return [one for one in found if one[0] <= until]


def _renew(world: World, subscription: Thing) -> None:
    if subscription["cancel_at_period_end"]:
        subscriptions.end(world, subscription)
        return
    former = copy.deepcopy(subscription["items"]["data"][0])
    costs, start = former["price"], former["current_period_end"]
    if subscription["schedule"]:
        costs = _next_phase(world, subscription, start) or costs
    until = subscriptions.later(start, costs["recurring"]["interval"])
    subscriptions.put(subscription, costs, start, until)
    lines = [
        invoices.line(
            subscription, costs["unit_amount"], start, until, costs["nickname"] or "a thing", price=costs
        )
    ]
    bill = invoices.finalized(world, subscription, lines, "subscription_cycle")
    if subscription["pause_collection"]:
        invoices.void(world, bill)
    elif invoices.collect(world, bill, subscriptions.default_card(world, subscription)):
        subscription["status"] = "active"
    else:
        subscription["status"] = "past_due"
    world.tell("customer.subscription.updated", subscription)


def _next_phase(world: World, subscription: Thing, start: int) -> Thing | None:
    made = world.get(subscription["schedule"], "subscription_schedule")
    for phase in made["phases"]:
        if phase["start_date"] == start:
            made["current_phase"] = {"start_date": start, "end_date": phase["end_date"]}
            world.tell("subscription_schedule.updated", made)
            return world.get(phase["items"][0]["price"], "price")
    if start >= made["phases"][-1]["end_date"]:
        release(world, made)
    return None


def _try(world: World, invoice: Thing) -> None:
    subscription = world.get(invoice["parent"]["subscription_details"]["subscription"], "subscription")
    if invoices.collect(world, invoice, subscriptions.default_card(world, subscription)):
        subscription["status"] = "active"
        world.tell("customer.subscription.updated", subscription)
    elif not invoice["next_payment_attempt"]:
        subscriptions.end(world, subscription)
