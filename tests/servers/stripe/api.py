"""The addresses of Stripe's API that the fake has."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable
from typing import Any

from tests.servers.stripe import checkout
from tests.servers.stripe import connect
from tests.servers.stripe import invoices
from tests.servers.stripe import money
from tests.servers.stripe import schedules
from tests.servers.stripe import subscriptions
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import expanded
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.wire import page
from tests.servers.stripe.wire import stripped
from tests.servers.stripe.world import World

Handler = Callable[..., Thing]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []

LISTED = {
    "products": "product",
    "prices": "price",
    "customers": "customer",
    "payment_methods": "payment_method",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "subscriptions": "subscription",
    "subscription_schedules": "subscription_schedule",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "checkout/sessions": "checkout.session",
    "accounts": "account",
    "transfers": "transfer",
    "balance_transactions": "balance_transaction",
    "events": "event",
    "webhook_endpoints": "webhook_endpoint",
    "billing_portal/configurations": "billing_portal.configuration",
    "radar/early_fraud_warnings": "radar.early_fraud_warning",
}
FILTERS = ("customer", "charge", "payment_intent", "destination", "transfer_group", "invoice", "subscription")


def at(method: str, path: str) -> Callable[[Handler], Handler]:
    """A handler for *path*, whose ``*`` are ids."""

    def take(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile("/v1/" + path.replace("*", "([^/]+)") + "$"), handler))
        return handler

    return take


def answer(world: World, method: str, path: str, params: Thing) -> Thing:
    """What Stripe would answer."""
    paths = params.pop("expand", []) or []
    paths = list(paths.values()) if isinstance(paths, dict) else list(paths)
    for wanted, pattern, handler in ROUTES:
        if wanted == method and (match := pattern.match(path)):
            return _shown(world, handler(world, params, *match.groups()), paths)
    name = path.removeprefix("/v1/")
    if method == "GET" and name in LISTED:
        return _shown(world, page(_filtered(world, LISTED[name], params), params, path), paths)
    kind, _, reference = name.rpartition("/")
    if method == "GET" and kind in LISTED:
        return _shown(world, world.get(reference, LISTED[kind]), paths)
    raise Fault(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def _shown(world: World, thing: Thing, paths: list[str]) -> Thing:
    def find(name: str, reference: str, holder: Thing) -> Any:
        if name == "payments" and holder.get("object") == "invoice":
            found = world.every("invoice_payment", lambda one: one["invoice"] == holder["id"])
            return copy.deepcopy(page(found, {}, "/v1/invoice_payments"))
        return copy.deepcopy(world.things.get(reference)) if reference else None

    return stripped(expanded(copy.deepcopy(thing), paths, find))  # type: ignore[no-any-return]


def _filtered(world: World, kind: str, params: Thing) -> list[Thing]:
    found = world.every(kind)
    for name in FILTERS:
        if name in params:
            found = [one for one in found if one.get(name) == params[name]]
    status = params.get("status")
    if kind == "subscription":
        ended = {"canceled", "incomplete_expired"}
        if status in {None, ""}:
            found = [one for one in found if one["status"] not in ended]
        elif status != "all":
            found = [one for one in found if one["status"] == status]
    elif status:
        found = [one for one in found if one.get("status") == status]
    if "active" in params:
        found = [one for one in found if one["active"] == (params["active"] == "true")]
    if kind == "price" and "lookup_keys" in params:
        found = [one for one in found if one["lookup_key"] in params["lookup_keys"]]
    if kind == "event" and "types" in params:
        if len(params["types"]) > 20:
            raise invalid("At most 20 types", param="types")
        found = [one for one in found if one["type"] in params["types"] and not one.get("account")]
    if kind == "invoice_payment" and "payment" in params:
        found = [
            one for one in found if one["payment"]["payment_intent"] == params["payment"]["payment_intent"]
        ]
    return found


at("POST", "products")(subscriptions.product)
at("POST", "prices")(subscriptions.price)
at("POST", "customers")(subscriptions.customer)
at("POST", "checkout/sessions")(checkout.session)
at("POST", "subscription_schedules")(schedules.schedule)
at("POST", "invoices/create_preview")(subscriptions.preview)
at("POST", "refunds")(money.refund)
at("POST", "accounts")(connect.account)
at("POST", "account_links")(connect.link)
at("POST", "transfers")(connect.transfer)


@at("POST", "customers/*")
def _customer(world: World, params: Thing, reference: str) -> Thing:
    thing = world.get(reference, "customer")
    thing["metadata"].update(metadata(params))
    thing["invoice_settings"].update(params.get("invoice_settings") or {})
    return thing


@at("DELETE", "customers/*")
def _no_customer(world: World, params: Thing, reference: str) -> Thing:
    world.get(reference, "customer")
    del world.things[reference]
    return {"id": reference, "object": "customer", "deleted": True}


@at("POST", "prices/*")
def _price(world: World, params: Thing, reference: str) -> Thing:
    thing = world.get(reference, "price")
    thing["active"] = params.get("active") != "false"
    return thing


@at("POST", "plans")
def _plan(world: World, params: Thing) -> Thing:
    """A price by its name of before; subscriptions still take one."""
    made = subscriptions.price(
        world,
        {
            "currency": params["currency"],
            "unit_amount": params["amount"],
            "recurring": {"interval": params["interval"]},
            "product": params["product"],
        },
    )
    return {**made, "object": "plan", "amount": made["unit_amount"], "interval": params["interval"]}


@at("POST", "payment_methods")
def _method(world: World, params: Thing) -> Thing:
    return money.card(world, params["card"]["number"])


@at("POST", "payment_methods/*/attach")
def _attach(world: World, params: Thing, name: str) -> Thing:
    payer = world.get(params["customer"], "customer")
    method = money.kept(money.card(world, name, customer=payer["id"]))
    method["customer"] = payer["id"]
    payer["invoice_settings"]["default_payment_method"] = method["id"]
    return method


@at("POST", "payment_intents")
def _intent(world: World, params: Thing) -> Thing:
    amount = subscriptions.checked_amount(int(params["amount"]), params["currency"])
    made = money.intent(
        world, amount, params["currency"], customer=params.get("customer"), marks=metadata(params)
    )
    if params.get("confirm") == "true":
        money.pay(world, made, money.card(world, params["payment_method"]), country="US")
    return made


@at("POST", "subscriptions")
def _begin(world: World, params: Thing) -> Thing:
    return subscriptions.begin(world, params)


@at("POST", "subscriptions/*")
def _change(world: World, params: Thing, reference: str) -> Thing:
    return subscriptions.change(world, world.get(reference, "subscription"), params)


@at("DELETE", "subscriptions/*")
def _end(world: World, params: Thing, reference: str) -> Thing:
    return subscriptions.end(world, world.get(reference, "subscription"))


@at("POST", "subscription_schedules/*/release")
def _release(world: World, params: Thing, reference: str) -> Thing:
    return schedules.release(world, world.get(reference, "subscription_schedule"))


@at("POST", "subscription_schedules/*")
def _rewrite(world: World, params: Thing, reference: str) -> Thing:
    return schedules.rewrite(world, world.get(reference, "subscription_schedule"), params)


@at("POST", "invoices/*/pay")
def _pay(world: World, params: Thing, reference: str) -> Thing:
    bill = world.get(reference, "invoice")
    of = world.get(bill["parent"]["subscription_details"]["subscription"], "subscription")
    invoices.collect(world, bill, subscriptions.default_card(world, of), present=True)
    return bill


@at("POST", "checkout/sessions/*/expire")
def _expire(world: World, params: Thing, reference: str) -> Thing:
    visit = world.get(reference, "checkout.session")
    visit |= {"status": "expired", "url": None}
    world.tell("checkout.session.expired", visit)
    return visit


@at("POST", "transfers/*/reversals")
def _reverse(world: World, params: Thing, reference: str) -> Thing:
    return connect.reverse(world, world.get(reference, "transfer"), params)


@at("GET", "balance")
def _balance(world: World, params: Thing) -> Thing:
    held = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted(money.balance(world).items())
    ]
    empty = [{**entry, "amount": 0, "source_types": {"card": 0}} for entry in held]
    return {"object": "balance", "available": held, "pending": empty, "livemode": False}


@at("POST", "webhook_endpoints")
def _endpoint(world: World, params: Thing) -> Thing:
    secret = f"whsec_{secrets.token_hex(16)}"
    made = world.add(
        "we",
        "webhook_endpoint",
        api_version=params.get("api_version"),
        application=None,
        description=params.get("description"),
        enabled_events=list(params["enabled_events"]),
        metadata=metadata(params),
        status="enabled",
        url=params["url"],
        _connect=params.get("connect") == "true",
        _secret=secret,
    )
    # The secret is told once.
    return {**made, "secret": secret}


@at("DELETE", "webhook_endpoints/*")
def _no_endpoint(world: World, params: Thing, reference: str) -> Thing:
    world.get(reference, "webhook_endpoint")
    del world.things[reference]
    return {"id": reference, "object": "webhook_endpoint", "deleted": True}


@at("POST", "billing_portal/configurations")
def _configuration(world: World, params: Thing) -> Thing:
    def enabled(name: str) -> bool:
        return bool((params["features"].get(name) or {}).get("enabled") == "true")

    return world.add(
        "bpc",
        "billing_portal.configuration",
        active=True,
        business_profile={"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        features={
            "customer_update": {
                "allowed_updates": ["email", "address"],
                "enabled": enabled("customer_update"),
            },
            "invoice_history": {"enabled": enabled("invoice_history")},
            "payment_method_update": {"enabled": enabled("payment_method_update")},
            "subscription_cancel": {
                "cancellation_reason": {"enabled": False, "options": []},
                "enabled": enabled("subscription_cancel"),
                "mode": "at_period_end",
                "proration_behavior": "none",
            },
            "subscription_pause": {
                "enabled": False,
                "duration": {"type": "indefinite", "interval_options": []},
            },
            "subscription_update": {
                "default_allowed_updates": [],
                "enabled": enabled("subscription_update"),
                "proration_behavior": "none",
                "schedule_at_period_end": {"conditions": []},
                "trial_update_behavior": "end_trial",
                "billing_cycle_anchor": None,
            },
        },
        is_default=False,
        login_page={"enabled": False, "url": None},
        metadata=metadata(params),
        updated=world.now(),
    )


@at("POST", "billing_portal/sessions")
def _portal(world: World, params: Thing) -> Thing:
    payer = world.get(params["customer"], "customer")
    token = secrets.token_hex(9)
    return world.add(
        "bps",
        "billing_portal.session",
        configuration=params.get("configuration", ""),
        customer=payer["id"],
        return_url=params.get("return_url"),
        url=f"{world.url}/portal/{token}",
        _token=token,
    )


@at("POST", "test_helpers/test_clocks")
def _clock(world: World, params: Thing) -> Thing:
    world.frozen_at = int(params["frozen_time"])
    return _told_clock(world, world.add("clock", "test_helpers.test_clock"))


@at("POST", "test_helpers/test_clocks/*/advance")
def _advance(world: World, params: Thing, reference: str) -> Thing:
    clock = world.get(reference, "test_helpers.test_clock")
    if int(params["frozen_time"]) < world.now():
        raise invalid("A clock only goes forward", param="frozen_time")
    schedules.advance(world, int(params["frozen_time"]))
    return _told_clock(world, clock)


def _told_clock(world: World, clock: Thing) -> Thing:
    clock |= {
        "deletes_after": world.now() + 30 * invoices.DAY,
        "frozen_time": world.now(),
        "name": None,
        "status": "ready",
        "status_details": {},
    }
    return clock
