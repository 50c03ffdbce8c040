"""Checkout Sessions, and what happens when somebody pays one."""

from __future__ import annotations

import secrets

from tests.servers.stripe import invoices
from tests.servers.stripe import money
from tests.servers.stripe import subscriptions
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.world import World

OPEN_S = 86_400
SHORTEST_S = 1800


def session(world: World, params: Thing) -> Thing:
    """A new visit."""
    mode = params.get("mode")
    if mode not in {"payment", "subscription"} or not params.get("line_items"):
        raise invalid("The fake wants a mode and line_items", param="mode")
    if not params.get("success_url"):
        raise invalid("success_url is required", param="success_url")
    if len(params["line_items"]) > 100:
        raise invalid("At most 100 line items", param="line_items")
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.")
    if params.get("customer"):
        world.get(params["customer"], "customer")
    if "payment_method_types" in params:
        raise invalid("The fake wants dynamic payment methods", param="payment_method_types")
    lines = [_line(world, wanted) for wanted in params["line_items"]]
    currency = lines[0]["price"]["currency"]
    total = sum(one["amount_total"] for one in lines)
    subscriptions.checked_amount(total, currency)
    taxed = (params.get("automatic_tax") or {}).get("enabled") == "true"
    tax = total * world.tax_bps // (10_000 + world.tax_bps) if taxed else 0
    reference = f"cs_test_{secrets.token_hex(9)}"
    return world.add(
        "cs_test",
        "checkout.session",
        id=reference,
        amount_subtotal=total,
        amount_total=total,
        automatic_tax={"enabled": taxed, "liability": None, "status": None},
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        custom_fields=[],
        custom_text={},
        customer=params.get("customer"),
        customer_details=None,
        customer_email=params.get("customer_email"),
        expires_at=_ends(world, params.get("expires_at")),
        invoice=None,
        locale=params.get("locale"),
        metadata=metadata(params),
        mode=mode,
        payment_intent=None,
        payment_method_types=["card"],
        payment_status="unpaid",
        shipping_options=[],
        status="open",
        subscription=None,
        success_url=params["success_url"],
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax},
        url=f"{world.url}/pay/{reference}",
        _lines=lines,
        _data=params.get("payment_intent_data") or params.get("subscription_data") or {},
    )


def _ends(world: World, wanted: object) -> int:
    """When nobody can pay there any more: as wanted, from half an hour to a day from now on."""
    if wanted is None:
        return world.now() + OPEN_S
    until = int(str(wanted))
    if not world.now() + SHORTEST_S <= until <= world.now() + OPEN_S:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return until


def _line(world: World, wanted: Thing) -> Thing:
    if wanted.get("price"):
        costs = world.get(wanted["price"], "price")
    else:
        data = wanted["price_data"]
        if not data.get("product") and not (data.get("product_data") or {}).get("name"):
            raise invalid("A product needs a name", param="line_items[0][price_data][product_data]")
        costs = subscriptions.price(world, data)
    quantity = int(wanted.get("quantity", 1))
    return {
        "price": costs,
        "quantity": quantity,
        "amount_total": costs["unit_amount"] * quantity,
        "description": world.get(costs["product"], "product")["name"],
    }


def pay(
    world: World, visit: Thing, *, card: str, email: str = "", country: str = "DE", confirmed: bool = False
) -> Thing:
    """Somebody fills in a card; ``Fault`` when it is declined, or when the bank wants them to confirm first."""
    if visit["status"] != "open":
        raise invalid("This Checkout Session is over.")
    method = money.card(world, card)
    if method["_behaviour"] == "authentication_required" and not confirmed:
        raise money.declined("authentication_required")
    address = email or visit["customer_email"] or ""
    if visit["customer"]:
        address = address or world.get(visit["customer"], "customer")["email"] or ""
    if visit["mode"] == "payment":
        paid = money.intent(
            world,
            visit["amount_total"],
            visit["currency"],
            customer=visit["customer"],
            marks={key: str(value) for key, value in (visit["_data"].get("metadata") or {}).items()},
        )
        visit["payment_intent"] = paid["id"]
        if method["_behaviour"] == "delayed":
            paid["status"] = "processing"
            world.tell("payment_intent.processing", paid)
        else:
            try:
                money.pay(world, paid, method, email=address, country=country, present=True)
            except Fault:
                visit["payment_intent"] = None
                raise
            visit["payment_status"] = "paid"
    else:
        _subscribe(world, visit, method, address)
    visit["customer_details"] = {
        "address": {"country": country},
        "email": address or None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    visit |= {"status": "complete", "url": None}
    world.tell("checkout.session.completed", visit)
    return visit


def _subscribe(world: World, visit: Thing, method: Thing, address: str) -> None:
    payer = (
        world.get(visit["customer"], "customer")
        if visit["customer"]
        else subscriptions.customer(world, {"email": address})
    )
    asked = {
        "customer": payer["id"],
        "items": [{"price": visit["_lines"][0]["price"]["id"]}],
        "metadata": visit["_data"].get("metadata") or {},
        "trial_period_days": visit["_data"].get("trial_period_days"),
        "_taxed": visit["automatic_tax"]["enabled"],
    }
    behaviour = method["_behaviour"]
    if behaviour != "declined_later":
        made = subscriptions.begin(world, asked, method=method, present=True)
    else:
        # It works while somebody is there, and never again.
        method["_behaviour"] = "ok"
        try:
            made = subscriptions.begin(world, asked, method=method, present=True)
        finally:
            method["_behaviour"] = behaviour
    method["customer"] = payer["id"]
    payer["invoice_settings"]["default_payment_method"] = method["id"]
    visit |= {
        "customer": payer["id"],
        "subscription": made["id"],
        "invoice": made["latest_invoice"],
        "payment_status": "paid" if made["latest_invoice"] else "no_payment_required",
    }


def give_card(world: World, customer: str, card: str) -> Thing:
    """Somebody changes their card; what is open is tried with it at once."""
    payer = world.get(customer, "customer")
    method = money.kept(money.card(world, card, customer=payer["id"]))
    payer["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in world.every("subscription", lambda one: one["customer"] == customer):
        subscription["default_payment_method"] = method["id"]
        if subscription["status"] != "past_due" or not subscription["latest_invoice"]:
            continue
        bill = world.get(subscription["latest_invoice"], "invoice")
        try:
            if bill["status"] == "open" and invoices.collect(world, bill, method):
                subscription["status"] = "active"
                world.tell("customer.subscription.updated", subscription)
        except Fault:
            continue
    world.tell("customer.updated", payer)
    return method


def arrive(world: World, visit: Thing, *, well: bool) -> Thing:
    """A bank that takes its days has sent the money, or has none to send."""
    paid = world.get(visit["payment_intent"], "payment_intent")
    if well:
        money.pay(
            world, paid, money.card(world, "pm_card_visa"), email=visit["customer_details"]["email"] or ""
        )
        visit["payment_status"] = "paid"
    else:
        paid |= {"status": "requires_payment_method", "last_payment_error": {"type": "card_error"}}
        world.tell("payment_intent.payment_failed", paid)
    world.tell(f"checkout.session.async_payment_{'succeeded' if well else 'failed'}", visit)
    return visit
