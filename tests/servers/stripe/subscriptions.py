"""Products, prices, customers, subscriptions: how they begin, change with proration, pause, resume and end."""

from __future__ import annotations

import calendar
import copy
import datetime
import secrets
from typing import Any

from tests.servers.stripe import invoices
from tests.servers.stripe import money
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.wire import number
from tests.servers.stripe.world import World

LEAST = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50, "hkd": 400, "huf": 17500}
THREE_DIGITS = {"bhd", "jod", "kwd", "omr", "tnd"}


def checked_amount(amount: int, currency: str) -> int:
    """An amount that can be charged."""
    if currency in THREE_DIGITS and amount % 10:
        raise invalid("The last digit must be 0", code="parameter_invalid_integer", param="unit_amount")
    if amount < LEAST.get(currency, 1):
        raise invalid("Amount must be at least the minimum", code="amount_too_small", param="amount")
    if amount > 99_999_999:
        raise invalid("Amount must be no more than $999,999.99", code="amount_too_large", param="amount")
    return amount


def product(world: World, params: Thing) -> Thing:
    """A new product."""
    if params.get("id") in world.things:
        raise invalid("Product already exists.", code="resource_already_exists", param="id")
    made = world.add(
        "prod",
        "product",
        id=params.get("id"),
        active=True,
        images=[],
        marketing_features=[],
        metadata=metadata(params),
        name=params["name"],
        type="service",
        updated=world.now(),
    )
    world.tell("product.created", made)
    return made


def price(world: World, params: Thing) -> Thing:
    """A new price, with a product of its own if need be."""
    lookup = params.get("lookup_key")
    for former in world.every("price", lambda one: bool(lookup) and one["lookup_key"] == lookup):
        if params.get("transfer_lookup_key") != "true":
            raise invalid("A price with this lookup key already exists.", param="lookup_key")
        former["lookup_key"] = None
    currency = params["currency"].lower()
    of = params.get("product") or product(world, params.get("product_data") or {})["id"]
    world.get(of, "product")
    rhythm = params.get("recurring")
    return world.add(
        "price",
        "price",
        active=True,
        billing_scheme="per_unit",
        currency=currency,
        lookup_key=lookup,
        metadata=metadata(params),
        nickname=params.get("nickname"),
        product=of,
        recurring={"interval": rhythm["interval"], "interval_count": 1, "usage_type": "licensed"}
        if rhythm
        else None,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if rhythm else "one_time",
        unit_amount=number(params, "unit_amount"),
        unit_amount_decimal=str(params["unit_amount"]),
    )


def customer(world: World, params: Thing) -> Thing:
    """A new customer."""
    made = world.add(
        "cus",
        "customer",
        balance=0,
        email=params.get("email"),
        invoice_settings={"default_payment_method": None},
        metadata=metadata(params),
        name=params.get("name"),
    )
    world.tell("customer.created", made)
    return made


def later(start: int, interval: str, times: int = 1) -> int:
    """So many months or years after *start*; the day stays, or is the last of a short month."""
    begun = datetime.datetime.fromtimestamp(start, datetime.UTC)
    months = begun.month - 1 + times * (12 if interval == "year" else 1)
    year, month = begun.year + months // 12, months % 12 + 1
    day = min(begun.day, calendar.monthrange(year, month)[1])
    return int(begun.replace(year=year, month=month, day=day).timestamp())


def default_card(world: World, subscription: Thing) -> Thing | None:
    """The card that is charged."""
    payer = world.get(subscription["customer"], "customer")
    reference = subscription["default_payment_method"] or payer["invoice_settings"]["default_payment_method"]
    return world.get(reference, "payment_method") if reference else None


def begin(world: World, params: Thing, *, method: Thing | None = None, present: bool = False) -> Thing:
    """A new subscription; with a card that is declined, of who is *present*, there is none."""
    wanted = params["items"][0]
    costs = world.get(wanted.get("price") or wanted.get("plan", ""), "price")
    payer = world.get(params["customer"], "customer")
    start = world.now()
    trial = (
        start + int(params["trial_period_days"]) * invoices.DAY if params.get("trial_period_days") else None
    )
    end = trial or later(start, costs["recurring"]["interval"])
    reference = f"sub_{secrets.token_hex(9)}"
    before = copy.deepcopy(payer)
    made = world.add(
        "sub",
        "subscription",
        id=reference,
        automatic_tax={"enabled": bool(params.get("_taxed")), "liability": None},
        billing_cycle_anchor=end if trial else start,
        billing_mode={"type": "flexible"},
        billing_schedules=[],
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=None,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        currency=costs["currency"],
        customer=payer["id"],
        default_payment_method=method["id"] if method else None,
        discounts=[],
        ended_at=None,
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        items={"object": "list", "url": "/v1/subscription_items", "data": [], "has_more": False},
        latest_invoice=None,
        metadata=metadata(params),
        pause_collection=None,
        pending_update=None,
        schedule=None,
        start_date=start,
        status="trialing" if trial else "incomplete",
        test_clock=None,
        trial_end=trial,
        trial_start=start if trial else None,
    )
    made["items"]["data"].append(_item(made, costs, start, end))
    if not trial:
        words = f"1 × {costs['nickname'] or 'a thing'}"
        bill = invoices.finalized(
            world,
            made,
            [invoices.line(made, costs["unit_amount"], start, end, words, price=costs)],
            "subscription_create",
        )
        try:
            paid = invoices.collect(world, bill, method or default_card(world, made), present=present)
        except Fault:
            # At the till nothing is begun until it is paid.
            for gone in (made, bill):
                del world.things[gone["id"]]
            if entry := invoices.payment_of(world, bill):
                del world.things[entry["id"]]
            payer.update(before)
            raise
        made["status"] = "active" if paid else "incomplete"
    world.tell("customer.subscription.created", made)
    return made


def _item(subscription: Thing, costs: Thing, start: int, end: int) -> Thing:
    return {
        "id": f"si_{secrets.token_hex(9)}",
        "object": "subscription_item",
        "created": subscription["created"],
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": {
            "id": costs["id"],
            "object": "plan",
            "active": True,
            "amount": costs["unit_amount"],
            "currency": costs["currency"],
            "interval": costs["recurring"]["interval"],
            "interval_count": 1,
            "product": costs["product"],
            "livemode": False,
            "created": costs["created"],
            "usage_type": "licensed",
            "billing_scheme": "per_unit",
            "metadata": {},
        },
        "price": copy.deepcopy(costs),
        "quantity": 1,
        "subscription": subscription["id"],
    }


def prorated(world: World, subscription: Thing, costs: Thing, at: int) -> tuple[list[Thing], tuple[int, int]]:
    """The lines that a change to *costs* makes at an instant, and the period from then on."""
    if not costs["recurring"]:
        raise invalid("The price specified is set to `type=one_time`", param="items[0][price]")
    item = subscription["items"]["data"][0]
    former = item["price"]
    start, end = item["current_period_start"], item["current_period_end"]
    if not start <= at <= end:
        raise invalid("Invalid proration_date: it must be within the current period", param="proration_date")
    if subscription["status"] == "trialing" or costs["id"] == former["id"]:
        return [], (start, end)
    left, whole = end - at, end - start
    back = invoices.line(
        subscription,
        -_share(former["unit_amount"], left, whole),
        at,
        end,
        "Unused time",
        price=former,
        proration=True,
    )
    if costs["recurring"]["interval"] == former["recurring"]["interval"]:
        amount, period = _share(costs["unit_amount"], left, whole), (at, end)
        following = (start, end)
    else:
        amount = costs["unit_amount"]
        period = following = (at, later(at, costs["recurring"]["interval"]))
    forth = invoices.line(
        subscription, amount, *period, "Remaining time", price=costs, proration=following == (start, end)
    )
    return [back, forth], following


def _share(amount: int, left: int, whole: int) -> int:
    return (2 * amount * left + whole) // (2 * whole)


def preview(world: World, params: Thing) -> Thing:
    """The invoice that a change would make."""
    subscription = world.get(params.get("subscription", ""), "subscription")
    how = params.get("subscription_details") or {}
    if how.get("proration_behavior") != "always_invoice":
        raise invalid("The fake only previews what is invoiced at once", param="subscription_details")
    costs = world.get(how["items"][0]["price"], "price")
    if how["items"][0]["id"] != subscription["items"]["data"][0]["id"]:
        raise invalid("No such item", param="subscription_details[items][0][id]")
    lines, _ = prorated(world, subscription, costs, int(how.get("proration_date") or world.now()))
    return invoices.drawn(world, subscription, lines, "upcoming")


def change(world: World, subscription: Thing, params: Thing) -> Thing:
    """Whatever an update asks for."""
    if subscription["status"] in {"canceled", "incomplete_expired"}:
        raise invalid("A canceled subscription can only update its metadata.")
    managed = subscription["schedule"]
    if managed and any(name in params for name in ("cancel_at_period_end", "cancel_at")):
        raise invalid("The subscription is managed by a subscription schedule.")
    if params.get("items"):
        _reprice(world, subscription, params)
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"] == "true"
        subscription["cancel_at_period_end"] = ends
        subscription["canceled_at"] = world.now() if ends else None
        end = subscription["items"]["data"][0]["current_period_end"]
        subscription["cancel_at"] = end if ends else None
    elif "cancel_at" in params:
        subscription["cancel_at"] = int(params["cancel_at"]) if params["cancel_at"] else None
    if "pause_collection" in params:
        how = params["pause_collection"]
        subscription["pause_collection"] = (
            {"behavior": how["behavior"], "resumes_at": None} if isinstance(how, dict) else None
        )
    if params.get("billing_cycle_anchor") == "now":
        _begin_anew(world, subscription, params)
    if "metadata" in params:
        subscription["metadata"].update(metadata(params))
    if "default_payment_method" in params:
        subscription["default_payment_method"] = params["default_payment_method"]
    world.tell("customer.subscription.updated", subscription)
    return subscription


def _begin_anew(world: World, subscription: Thing, params: Thing) -> None:
    if params.get("proration_behavior") != "none":
        raise invalid("The fake only begins anew without prorations", param="proration_behavior")
    costs = world.get(subscription["items"]["data"][0]["price"]["id"], "price")
    start, end = world.now(), later(world.now(), costs["recurring"]["interval"])
    put(subscription, costs, start, end)
    subscription["billing_cycle_anchor"] = start
    lines = [
        invoices.line(
            subscription,
            costs["unit_amount"],
            start,
            end,
            f"1 × {costs['nickname'] or 'a thing'}",
            price=costs,
        )
    ]
    bill = invoices.finalized(world, subscription, lines, "subscription_update")
    paid = invoices.collect(world, bill, default_card(world, subscription))
    subscription["status"] = "active" if paid else "past_due"


def _reprice(world: World, subscription: Thing, params: Thing) -> None:
    wanted = params["items"][0]
    item = subscription["items"]["data"][0]
    if wanted.get("id") != item["id"]:
        raise invalid("The fake only replaces the price of the item that is there", param="items")
    costs = world.get(wanted["price"], "price")
    if costs["currency"] != subscription["currency"]:
        raise invalid("A subscription stays in its currency", param="items")
    before = copy.deepcopy({name: subscription[name] for name in ("items", "latest_invoice")})
    payer = world.get(subscription["customer"], "customer")
    had = payer["balance"]
    lines: list[Thing] = []
    period = (item["current_period_start"], item["current_period_end"])
    if params.get("proration_behavior", "create_prorations") == "always_invoice":
        lines, period = prorated(world, subscription, costs, int(params.get("proration_date") or world.now()))
    put(subscription, costs, *period)
    if not lines:
        return
    bill = invoices.finalized(world, subscription, lines, "subscription_update")
    if invoices.collect(world, bill, default_card(world, subscription)):
        return
    if params.get("payment_behavior") == "error_if_incomplete":
        invoices.void(world, bill)
        subscription.update(before)
        payer["balance"] = had
        method = default_card(world, subscription)
        raise money.declined(method["_behaviour"] if method else "generic_decline")
    subscription["status"] = "past_due"


def put(subscription: Thing, costs: Thing, start: int, end: int) -> None:
    """From now on it costs this, and this is its period."""
    reference = subscription["items"]["data"][0]["id"]
    subscription["items"]["data"][0] = {**_item(subscription, costs, start, end), "id": reference}


def end(world: World, subscription: Thing) -> Thing:
    """Now."""
    if subscription["status"] == "canceled":
        raise invalid("No such subscription", code="resource_missing", param="id")
    subscription |= {
        "status": "canceled",
        "canceled_at": subscription["canceled_at"] or world.now(),
        "ended_at": world.now(),
        "cancel_at_period_end": False,
    }
    for bill in world.every(
        "invoice", lambda one: one["status"] == "open" and _subscription_of(one) == subscription["id"]
    ):
        bill["next_payment_attempt"] = None
    world.tell("customer.subscription.deleted", subscription)
    return subscription


def _subscription_of(invoice: Thing) -> Any:
    return invoice["parent"]["subscription_details"]["subscription"]
