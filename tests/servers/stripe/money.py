"""Cards, payment intents, charges, what Stripe keeps of them, refunds and disputes."""

from __future__ import annotations

from typing import Any

from tests.servers.stripe.wire import Fault
from tests.servers.stripe.wire import Thing
from tests.servers.stripe.wire import invalid
from tests.servers.stripe.wire import metadata
from tests.servers.stripe.wire import number
from tests.servers.stripe.world import World

CARDS = {
    "4242424242424242": ("pm_card_visa", "ok"),
    "4000000000000002": ("pm_card_chargeDeclined", "generic_decline"),
    "4000000000009995": ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    "4000000000000069": ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    "4000002760003184": ("pm_card_authenticationRequired", "authentication_required"),
    "4000000000000341": ("pm_card_chargeCustomerFail", "declined_later"),
    "4000000000000259": ("pm_card_createDispute", "dispute"),
    "4000000000005423": ("pm_card_createEarlyFraudWarning", "warning"),
    "DE89370400440532013000": ("pm_usBankAccount_processing", "delayed"),
}
"""The test cards of Stripe, and a bank account that takes its days; what becomes of them."""
BEHAVIOURS = dict(CARDS.values())
FEE_BPS, FEE_FIXED, DISPUTE_FEE = 290, 30, 1500


def card(world: World, name: str, **fields: Any) -> Thing:
    """A payment method of a card number, or of a name such as ``pm_card_visa``."""
    digits = "".join(name.split())
    token, behaviour = CARDS.get(digits, (name, BEHAVIOURS.get(name, "")))
    if not behaviour:
        if name in world.things:
            return world.get(name, "payment_method")
        raise invalid(f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
    last4 = next(number_[-4:] for number_, (called, _) in CARDS.items() if called == token)
    return world.add(
        "pm",
        "payment_method",
        type="card",
        billing_details={"address": {"country": "DE"}, "email": None, "name": None, "phone": None},
        card={
            "brand": "visa",
            "country": "DE",
            "exp_month": 12,
            "exp_year": 2040,
            "funding": "credit",
            "last4": last4,
        },
        customer=fields.get("customer"),
        metadata={},
        _behaviour=behaviour,
    )


def kept(method: Thing) -> Thing:
    """A card that is to stay with a customer: the bank is asked about it, and some say no already."""
    if method["_behaviour"] in {"generic_decline", "insufficient_funds", "expired_card"}:
        raise declined(method["_behaviour"])
    return method


def declined(behaviour: str) -> Fault:
    """The error of a card that is declined."""
    if behaviour == "expired_card":
        return Fault(402, "card_error", "Your card has expired.", code="expired_card", decline="expired_card")
    if behaviour == "authentication_required":
        return Fault(
            402, "card_error", "Authentication required.", code="authentication_required", decline=behaviour
        )
    decline = "insufficient_funds" if behaviour == "insufficient_funds" else "generic_decline"
    return Fault(402, "card_error", "Your card was declined.", code="card_declined", decline=decline)


def intent(
    world: World, amount: int, currency: str, *, customer: str | None = None, marks: dict[str, str]
) -> Thing:
    """An intent to be paid."""
    return world.add(
        "pi",
        "payment_intent",
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic_async",
        client_secret="pi_secret",
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        last_payment_error=None,
        latest_charge=None,
        metadata=marks,
        payment_method=None,
        payment_method_types=["card"],
        status="requires_payment_method",
    )


def pay(
    world: World, paid: Thing, method: Thing, *, email: str = "", country: str = "", present: bool = False
) -> Thing:
    """Charge *method* for an intent; *present*: the person is there and confirms what the bank asks."""
    behaviour = method["_behaviour"]
    fails = behaviour not in {"ok", "dispute", "warning", "delayed"} and not (
        behaviour == "authentication_required" and present
    )
    charge = world.add(
        "ch",
        "charge",
        amount=paid["amount"],
        amount_captured=0 if fails else paid["amount"],
        amount_refunded=0,
        balance_transaction=None,
        billing_details={
            "address": {"country": country or None},
            "email": email or None,
            "name": None,
            "phone": None,
        },
        captured=not fails,
        currency=paid["currency"],
        customer=paid["customer"],
        disputed=False,
        failure_code="card_declined" if fails else None,
        metadata=dict(paid["metadata"]),
        paid=not fails,
        payment_intent=paid["id"],
        payment_method=method["id"],
        payment_method_details={"type": "card", "card": dict(method["card"])},
        receipt_email=None,
        refunded=False,
        status="failed" if fails else "succeeded",
    )
    paid["latest_charge"] = charge["id"]
    if fails:
        paid["status"] = "requires_payment_method"
        paid["last_payment_error"] = {"type": "card_error", "code": "card_declined"}
        world.tell("charge.failed", charge)
        world.tell("payment_intent.payment_failed", paid)
        raise declined(behaviour)
    paid |= {"status": "succeeded", "amount_received": paid["amount"], "payment_method": method["id"]}
    if not world.late_fees:
        charge["balance_transaction"] = booked(world, charge)["id"]
    world.tell("charge.succeeded", charge)
    world.tell("payment_intent.succeeded", paid)
    if behaviour == "dispute":
        dispute(world, charge)
    if behaviour == "warning":
        warning = world.add(
            "issfr",
            "radar.early_fraud_warning",
            actionable=True,
            charge=charge["id"],
            fraud_type="made_with_stolen_card",
            payment_intent=paid["id"],
        )
        world.tell("radar.early_fraud_warning.created", warning)
    return charge


def booked(
    world: World,
    source: Thing,
    *,
    kind: str = "charge",
    amount: int | None = None,
    fee: int | None = None,
) -> Thing:
    """A balance transaction, in the currency that the account is paid in."""
    gross = source["amount"] if amount is None else amount
    currency, up, down = world.rates.get(source["currency"], (source["currency"], 1, 1))
    gross = gross * up // down
    kept = (gross * FEE_BPS + 5_000) // 10_000 + FEE_FIXED if fee is None else fee
    made = world.add(
        "txn",
        "balance_transaction",
        amount=gross,
        available_on=world.now(),
        balance_type="payments",
        currency=currency,
        description=None,
        exchange_rate=None if (up, down) == (1, 1) else up / down,
        fee=kept,
        fee_details=[
            {
                "amount": kept,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ]
        if kept
        else [],
        net=gross - kept,
        reporting_category=kind,
        source=source["id"],
        status="available",
        type=kind,
    )
    del made["livemode"]
    return made


def balance(world: World) -> dict[str, int]:
    """What is held, by currency."""
    held: dict[str, int] = {}
    for entry in world.every("balance_transaction"):
        held[entry["currency"]] = held.get(entry["currency"], 0) + entry["net"]
    return held


def refund(world: World, params: Thing) -> Thing:
    """Give back what was charged, whole or in part."""
    if params.get("payment_intent"):
        paid = world.get(params["payment_intent"], "payment_intent")
        reference = paid["latest_charge"]
    else:
        reference = params.get("charge", "")
    charge = world.get(reference or "", "charge")
    if not charge["paid"]:
        raise invalid("This charge was not paid.", code="charge_not_refundable")
    if charge["disputed"]:
        raise invalid("This charge is disputed.", code="charge_disputed")
    left = charge["amount"] - charge["amount_refunded"]
    if not left:
        raise invalid("Charge has already been refunded.", code="charge_already_refunded")
    amount = number(params, "amount", least=1) if "amount" in params else left
    if amount > left:
        raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount")
    made = world.add(
        "re",
        "refund",
        amount=amount,
        balance_transaction=None,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=metadata(params),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="succeeded",
    )
    del made["livemode"]
    made["balance_transaction"] = booked(
        world, {**made, "id": made["id"]}, kind="refund", amount=-amount, fee=0
    )["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.tell("refund.created", made)
    world.tell("charge.refunded", charge)
    return made


def refund_failed(world: World, reference: str) -> Thing:
    """The bank sends a refund back, days later."""
    made = world.get(reference, "refund")
    made["status"] = "failed"
    charge = world.get(made["charge"], "charge")
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    booked(world, made, kind="refund_failure", amount=made["amount"], fee=0)
    world.tell("refund.failed", made)
    return made


def dispute(world: World, charge: Thing, *, status: str = "needs_response") -> Thing:
    """Who paid says that they did not."""
    charge["disputed"] = True
    made = world.add(
        "du",
        "dispute",
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={"enhanced_evidence": {}},
        evidence_details={
            "due_by": world.now() + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status=status,
    )
    if not status.startswith("warning_"):
        made["balance_transactions"].append(
            dict(booked(world, made, kind="adjustment", amount=-charge["amount"], fee=DISPUTE_FEE))
        )
    world.tell("charge.dispute.created", made)
    if made["balance_transactions"]:
        world.tell("charge.dispute.funds_withdrawn", made)
    return made


def dispute_over(world: World, reference: str, *, won: bool) -> Thing:
    """The bank decided."""
    made = world.get(reference, "dispute")
    made["status"] = "won" if won else "lost"
    if won:
        made["balance_transactions"].append(
            dict(booked(world, made, kind="adjustment", amount=made["amount"], fee=0))
        )
        world.tell("charge.dispute.funds_reinstated", made)
    world.tell("charge.dispute.closed", made)
    return made


def settle_fees(world: World) -> None:
    """Tell the fees that were held back."""
    for charge in world.every("charge", lambda one: one["paid"] and not one["balance_transaction"]):
        charge["balance_transaction"] = booked(world, charge)["id"]
        world.tell("charge.updated", charge)
