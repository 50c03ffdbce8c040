"""The pages of Stripe that a browser clicks through: the till, the bank's question, the portal, onboarding. Plain forms."""

from __future__ import annotations

from html import escape

from tests.servers.stripe import checkout
from tests.servers.stripe import connect
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import missing
from tests.servers.stripe.world import World

SENTENCES = {
    "insufficient_funds": "There is not enough money on this card.",
    "expired_card": "This card has expired.",
}


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="icon" href="data:,"></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>'
    )


def get(world: World, path: str) -> tuple[int, str]:
    """A page: its status, and the page, or for 303 the address to go on to."""
    room, _, reference = path.strip("/").partition("/")
    if room == "pay":
        return _till(world, world.get(reference, "checkout.session"))
    if room == "portal":
        return _portal(world, _visit(world, reference))
    if room == "onboard":
        _link(world, reference)
        return 200, _html(
            "Tell us who you are",
            '<form method="post"><button name="well" value="yes">Agree and submit</button> '
            '<button name="well" value="no">Submit without a document</button></form>',
        )
    raise missing(path)


def post(world: World, path: str, params: Thing) -> tuple[int, str]:
    """What a form of such a page does."""
    room, _, reference = path.strip("/").partition("/")
    if room == "pay":
        return _pay(world, world.get(reference, "checkout.session"), params)
    if room == "portal":
        visit = _visit(world, reference)
        try:
            checkout.give_card(world, visit["customer"], params.get("card", ""))
        except Fault as fault:
            return _portal(world, visit, problem=str(fault))
        return _portal(world, visit, problem="Your card was saved.")
    if room == "onboard":
        link = _link(world, reference)
        connect.onboarded(world, link["account"], well=params.get("well") == "yes")
        del world.things[f"_link_{reference}"]
        return 303, link["return_url"]
    raise missing(path)


def _till(
    world: World, visit: Thing, problem: str = "", card: str = "", confirm: bool = False
) -> tuple[int, str]:
    if visit["status"] != "open":
        return 200, _html("This page is over", f'<p><a href="{escape(visit["success_url"])}">Go back</a></p>')
    lines = "".join(
        f"<li>{one['quantity']} × {escape(one['description'])}: {one['amount_total']}</li>"
        for one in visit["_lines"]
    )
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    email = visit["customer_email"] or ""
    total = f"{visit['amount_total']} {visit['currency'].upper()}"
    if confirm:
        question = (
            f'<form method="post"><input type="hidden" name="card" value="{escape(card)}">'
            '<button name="bank" value="complete">Complete authentication</button> '
            '<button name="bank" value="fail">Fail authentication</button></form>'
        )
        return 200, _html("Your bank asks", question)
    return 200, _html(
        f"Pay {total}",
        f"{told}<ul>{lines}</ul>"
        '<form method="post">'
        f'<label>Email <input name="email" type="email" value="{escape(email)}"></label> '
        '<label>Card number <input name="card" required autocomplete="off"></label> '
        '<label>Country <input name="country" value="DE" maxlength="2"></label> '
        '<button name="do" value="pay">Pay</button></form>'
        f'<p><a href="{escape(visit["cancel_url"] or "#")}">Back</a></p>',
    )


def _pay(world: World, visit: Thing, params: Thing) -> tuple[int, str]:
    bank = params.get("bank")
    if bank == "fail":
        return _till(world, visit, "We are unable to authenticate your payment method.")
    try:
        checkout.pay(
            world,
            visit,
            card=params.get("card", ""),
            email=params.get("email", ""),
            country=params.get("country") or "DE",
            confirmed=bank == "complete",
        )
    except Fault as fault:
        decline = fault.body["error"].get("decline_code", "")
        if decline == "authentication_required":
            return _till(world, visit, card=params.get("card", ""), confirm=True)
        return _till(world, visit, SENTENCES.get(str(decline), str(fault)))
    return 303, visit["success_url"]


def _portal(world: World, visit: Thing, problem: str = "") -> tuple[int, str]:
    bills = "".join(
        f"<li>{escape(one['id'])}: {one['amount_due']} {one['currency'].upper()}, {one['status']}</li>"
        for one in world.every("invoice", lambda one: one["customer"] == visit["customer"])
    )
    told = f'<p role="status">{escape(problem)}</p>' if problem else ""
    return 200, _html(
        "Manage your billing",
        f'{told}<form method="post"><label>Card number <input name="card" required autocomplete="off"></label> '
        f"<button>Save card</button></form><h2>Invoices</h2><ul>{bills}</ul>"
        f'<p><a href="{escape(visit["return_url"] or "#")}">Return</a></p>',
    )


def _visit(world: World, token: str) -> Thing:
    for one in world.every("billing_portal.session", lambda one: one["_token"] == token):
        return one
    raise missing(token)


def _link(world: World, token: str) -> Thing:
    return world.get(f"_link_{token}", "_link")
