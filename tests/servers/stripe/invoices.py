"""Invoices: what is on them, what they would be, how they are paid or not."""

from __future__ import annotations

import secrets

from tests.servers.stripe import money
from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.world import World

DAY = 86_400
RETRIES = 3


def line(
    subscription: Thing,
    amount: int,
    start: int,
    end: int,
    words: str,
    *,
    price: Thing,
    proration: bool = False,
) -> Thing:
    """One line."""
    return {
        "id": f"il_{secrets.token_hex(9)}",
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": words,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": proration,
                "proration_details": None,
                "subscription": subscription["id"],
                "subscription_item": subscription["items"]["data"][0]["id"],
            },
        },
        "period": {"start": start, "end": end},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
        },
        "quantity": 1,
        "subtotal": amount,
    }


def drawn(world: World, subscription: Thing, lines: list[Thing], reason: str) -> Thing:
    """An invoice that is not kept yet: for a look, or before it is."""
    customer = world.get(subscription["customer"], "customer")
    total = sum(one["amount"] for one in lines)
    starting = customer["balance"]
    # Below zero, a balance is what the customer has left with us.
    due = max(total + min(starting, 0), 0) if total >= 0 else 0
    ending = min(starting, 0) + total - due
    tax = total * world.tax_bps // (10_000 + world.tax_bps) if subscription["automatic_tax"]["enabled"] else 0
    item = subscription["items"]["data"][0]
    return {
        "id": f"upcoming_in_{secrets.token_hex(9)}",
        "object": "invoice",
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": subscription["automatic_tax"]["enabled"], "status": None},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_email": customer["email"],
        "default_tax_rates": [],
        "discounts": [],
        "ending_balance": ending,
        "issuer": {"type": "self"},
        "lines": {"object": "list", "url": "/v1/invoices/lines", "data": lines, "has_more": False},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "subscription": subscription["id"],
                "metadata": dict(subscription["metadata"]),
            },
        },
        "payment_settings": {"default_mandate": None, "payment_method_types": None},
        "period_end": item["current_period_end"],
        "period_start": item["current_period_start"],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": starting,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": total,
        "total": total,
        "total_taxes": [
            {
                "amount": tax,
                "tax_behavior": "inclusive",
                "taxability_reason": "standard_rated",
                "type": "tax_rate_details",
                "taxable_amount": total - tax,
            }
        ]
        if tax
        else [],
    }


def finalized(world: World, subscription: Thing, lines: list[Thing], reason: str) -> Thing:
    """An invoice that is kept and due."""
    made = drawn(world, subscription, lines, reason)
    made = world.add(
        "in", "invoice", **{key: value for key, value in made.items() if key not in {"id", "object"}}
    )
    made["status"] = "open"
    made["status_transitions"]["finalized_at"] = world.now()
    made["hosted_invoice_url"] = f"{world.url}/invoice/{made['id']}"
    world.get(made["customer"], "customer")["balance"] = made["ending_balance"]
    subscription["latest_invoice"] = made["id"]
    if made["amount_due"]:
        paid = money.intent(world, made["amount_due"], made["currency"], customer=made["customer"], marks={})
        world.add(
            "inpay",
            "invoice_payment",
            amount_paid=None,
            amount_requested=made["amount_due"],
            currency=made["currency"],
            invoice=made["id"],
            is_default=True,
            payment={"type": "payment_intent", "payment_intent": paid["id"]},
            status="open",
            status_transitions={"canceled_at": None, "paid_at": None},
        )
    world.tell("invoice.created", made)
    world.tell("invoice.finalized", made)
    return made


def payment_of(world: World, invoice: Thing) -> Thing | None:
    """How an invoice is paid."""
    found = world.every("invoice_payment", lambda one: one["invoice"] == invoice["id"])
    return found[0] if found else None


def collect(world: World, invoice: Thing, method: Thing | None, *, present: bool = False) -> bool:
    """Try to be paid; ``Fault`` goes up only to who is there."""
    entry = payment_of(world, invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if entry is not None:
        intent = world.get(entry["payment"]["payment_intent"], "payment_intent")
        try:
            if method is None:
                raise money.declined("generic_decline")
            customer = world.get(invoice["customer"], "customer")
            money.pay(world, intent, method, email=customer["email"] or "", country="DE", present=present)
        except Fault:
            again = invoice["attempt_count"] <= RETRIES
            invoice["next_payment_attempt"] = world.now() + 3 * DAY if again else None
            world.tell("invoice.payment_failed", invoice)
            if present:
                raise
            return False
        entry |= {"status": "paid", "amount_paid": invoice["amount_due"]}
        entry["status_transitions"]["paid_at"] = world.now()
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = world.now()
    world.tell("invoice.paid", invoice)
    world.tell("invoice.payment_succeeded", invoice)
    return True


def void(world: World, invoice: Thing) -> None:
    """Take an invoice back."""
    invoice |= {"status": "void", "next_payment_attempt": None}
    invoice["status_transitions"]["voided_at"] = world.now()
    world.tell("invoice.voided", invoice)
