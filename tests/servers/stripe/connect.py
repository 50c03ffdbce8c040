"""Accounts of payees, links to onboard them, transfers to them and back."""

from __future__ import annotations

import secrets

from tests.servers.stripe import money
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.wire import number
from tests.servers.stripe.world import World

WANTED = ["external_account", "individual.verification.document", "tos_acceptance.date"]


def account(world: World, params: Thing) -> Thing:
    """A new account, which cannot be paid yet."""
    wanted = params.get("capabilities") or {}
    if world.both_capabilities and "card_payments" not in wanted:
        raise invalid(
            "Your platform needs approval for transfers without card_payments.", param="capabilities"
        )
    made = world.add(
        "acct",
        "account",
        capabilities={"transfers": "inactive"},
        charges_enabled=False,
        country=params.get("country", "DE"),
        default_currency="eur",
        details_submitted=False,
        email=params.get("email"),
        metadata=metadata(params),
        payouts_enabled=False,
        requirements={
            "alternatives": [],
            "current_deadline": None,
            "currently_due": list(WANTED),
            "disabled_reason": "requirements.past_due",
            "errors": [],
            "eventually_due": list(WANTED),
            "past_due": [],
            "pending_verification": [],
        },
        type=params.get("type", "standard"),
    )
    del made["livemode"]
    return made


def link(world: World, params: Thing) -> Thing:
    """A link to onboard; it works once."""
    of = world.get(params.get("account", ""), "account")
    token = secrets.token_hex(9)
    world.things[f"_link_{token}"] = {
        "object": "_link",
        "account": of["id"],
        "created": world.now(),
        "return_url": params["return_url"],
    }
    return {
        "object": "account_link",
        "created": world.now(),
        "expires_at": world.now() + 300,
        "url": f"{world.url}/onboard/{token}",
    }


def onboarded(world: World, reference: str, *, well: bool = True) -> Thing:
    """The payee told who they are, or Stripe wants to know more."""
    made = world.get(reference, "account")
    made |= {"details_submitted": True, "charges_enabled": well, "payouts_enabled": well}
    made["capabilities"]["transfers"] = "active" if well else "inactive"
    made["requirements"]["currently_due"] = [] if well else ["individual.verification.document"]
    made["requirements"]["disabled_reason"] = None if well else "requirements.past_due"
    world.tell("account.updated", made, account=made["id"])
    return made


def transfer(world: World, params: Thing) -> Thing:
    """Money to a payee."""
    of = world.get(params.get("destination", ""), "account")
    amount, currency = number(params, "amount", least=1), params["currency"].lower()
    if of["capabilities"]["transfers"] != "active":
        raise invalid(
            "Your destination account needs transfers", code="insufficient_capabilities_for_transfer"
        )
    if money.balance(world).get(currency, 0) < amount:
        raise invalid("You have insufficient available funds.", code="balance_insufficient")
    made = world.add(
        "tr",
        "transfer",
        amount=amount,
        amount_reversed=0,
        balance_transaction=None,
        currency=currency,
        description=params.get("description"),
        destination=of["id"],
        destination_payment=f"py_{secrets.token_hex(9)}",
        metadata=metadata(params),
        reversals={"object": "list", "url": "/v1/transfers/reversals", "data": [], "has_more": False},
        reversed=False,
        transfer_group=params.get("transfer_group"),
    )
    entry = money.booked(world, {**made, "currency": currency}, kind="transfer", amount=-amount, fee=0)
    made["balance_transaction"] = entry["id"]
    world.tell("transfer.created", made)
    return made


def reverse(world: World, made: Thing, params: Thing) -> Thing:
    """The money comes back."""
    amount = (
        number(params, "amount", least=1) if "amount" in params else made["amount"] - made["amount_reversed"]
    )
    if amount > made["amount"] - made["amount_reversed"] or not amount:
        raise invalid("This transfer is reversed already.")
    back = world.add(
        "trr",
        "transfer_reversal",
        amount=amount,
        balance_transaction=None,
        currency=made["currency"],
        metadata={},
        transfer=made["id"],
    )
    del back["livemode"]
    back["balance_transaction"] = money.booked(world, back, kind="transfer_refund", amount=amount, fee=0)[
        "id"
    ]
    made["amount_reversed"] += amount
    made["reversed"] = made["amount_reversed"] == made["amount"]
    made["reversals"]["data"].insert(0, back)
    world.tell("transfer.reversed", made)
    return back
