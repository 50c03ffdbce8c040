"""Things made at PayPal: orders, and subscriptions with the product and the plans that they need."""

import hashlib
from datetime import datetime
from typing import Any

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.payments import CheckoutRequest
from appliance.payments import Interval
from plugins.paypal_payments import amounts
from plugins.paypal_payments import models
from plugins.paypal_payments.facts import PREFIX
from plugins.paypal_payments.models import Kind
from plugins.paypal_payments.models import Thing
from plugins.paypal_payments.wire import Wire

LONGEST_NAME = 127
FAILURES = 3
"""After how many failed payments PayPal stops."""
LONGEST_TRIAL_DAYS = 365


def digest(*parts: object) -> str:
    """What was asked for under a key, to tell when it is asked for something else under the same one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def check(request: CheckoutRequest) -> None:
    """``Invalid`` for what PayPal would not take."""
    if any(item.amount_minor < 0 or item.quantity < 1 for item in request.items) or request.tax_minor < 0:
        raise Invalid("An amount cannot be negative.")
    if not 0 < len(request.mark) <= 64 or not 0 <= request.trial_days <= LONGEST_TRIAL_DAYS:
        raise Invalid("This cannot be paid for.")
    amounts.check(request.total_minor, request.currency)


def made_before(request: CheckoutRequest) -> Thing | None:
    """What was made under the key of *request*; ``Conflict`` when that was something else."""
    found: Thing | None = Thing.get_or_none(Thing.key == request.key)
    if found is not None and found.digest != digest(request):
        raise Conflict("This was asked for before, and otherwise.")
    return found


def order(wire: Wire, request: CheckoutRequest, *, now: datetime) -> Thing:
    """An order that somebody is to pay once."""
    currency = request.currency
    goods = sum(item.amount_minor for item in request.items)
    lines = [
        {
            "name": _named(item.name, item.quantity),
            # An amount is for all of them, and need not be a multiple.
            "quantity": "1",
            "unit_amount": amounts.money(item.amount_minor, currency),
        }
        for item in request.items
    ]
    breakdown = {
        "item_total": amounts.money(goods, currency),
        "tax_total": amounts.money(request.tax_minor, currency),
    }
    body = {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "custom_id": PREFIX + request.mark,
                "amount": {**amounts.money(request.total_minor, currency), "breakdown": breakdown},
                "items": lines,
            }
        ],
        "payment_source": {"paypal": {"experience_context": {**_context(request), "user_action": "PAY_NOW"}}},
    }
    told = wire.post("/v2/checkout/orders", body, key=f"order:{request.key}")
    return _note(told, Kind.ORDER, request, "payer-action", now=now)


def subscription(wire: Wire, request: CheckoutRequest, *, now: datetime) -> Thing:
    """A subscription that somebody is to agree to."""
    body: dict[str, Any] = {
        "plan_id": plan(wire, request),
        "custom_id": PREFIX + request.mark,
        "application_context": {**_context(request), "user_action": "SUBSCRIBE_NOW"},
    }
    if request.email:
        body["subscriber"] = {"email_address": request.email}
    told = wire.post("/v1/billing/subscriptions", body, key=f"subscription:{request.key}")
    return _note(told, Kind.SUBSCRIPTION, request, "approve", now=now)


def plan(wire: Wire, request: CheckoutRequest) -> str:
    """The plan for this price, made when it is first needed."""
    interval = Interval(request.interval or Interval.MONTH)
    name = ", ".join(item.name for item in request.items)[:LONGEST_NAME]
    wanted = (wire.client_id, request.total_minor, request.currency, interval, request.trial_days, name)
    kept = f"plan:{digest(*wanted)}"
    known = models.kept(kept)
    if known:
        return known
    cycles = [
        {
            "sequence": 2 if request.trial_days else 1,
            "tenure_type": "REGULAR",
            "total_cycles": 0,
            "frequency": {"interval_unit": interval.upper(), "interval_count": 1},
            "pricing_scheme": {"fixed_price": amounts.money(request.total_minor, request.currency)},
        }
    ]
    if request.trial_days:
        cycles.insert(
            0,
            {
                "sequence": 1,
                "tenure_type": "TRIAL",
                "total_cycles": 1,
                "frequency": {"interval_unit": "DAY", "interval_count": request.trial_days},
                "pricing_scheme": {"fixed_price": amounts.money(0, request.currency)},
            },
        )
    body = {
        "product_id": product(wire),
        "name": name,
        "status": "ACTIVE",
        "billing_cycles": cycles,
        "payment_preferences": {
            "auto_bill_outstanding": True,
            "setup_fee_failure_action": "CANCEL",
            "payment_failure_threshold": FAILURES,
        },
    }
    made = str(wire.post("/v1/billing/plans", body, key=kept)["id"])
    models.keep(kept, made)
    return made


def product(wire: Wire) -> str:
    """The one product that all plans are of."""
    kept = f"product:{digest(wire.client_id)}"
    known = models.kept(kept)
    if known:
        return known
    body = {"name": "Memberships", "type": "SERVICE", "category": "MUSIC"}
    made = str(wire.post("/v1/catalogs/products", body, key=kept)["id"])
    models.keep(kept, made)
    return made


def _context(request: CheckoutRequest) -> dict[str, str]:
    locales = {"en": "en-US", "de": "de-DE"}
    return {
        "return_url": request.return_to,
        "cancel_url": request.cancel_to,
        "shipping_preference": "NO_SHIPPING",
        "locale": locales.get(request.locale.partition("_")[0].partition("-")[0], "en-US"),
    }


def _named(name: str, quantity: int) -> str:
    return (f"{quantity} × {name}" if quantity > 1 else name)[:LONGEST_NAME] or "Music"


def _note(told: dict[str, Any], kind: Kind, request: CheckoutRequest, rel: str, *, now: datetime) -> Thing:
    url = next(str(link["href"]) for link in told["links"] if link["rel"] == rel)
    models.note(
        id=str(told["id"]),
        kind=kind,
        mark=request.mark,
        key=request.key,
        digest=digest(request),
        url=url,
        total_minor=request.total_minor,
        tax_minor=request.tax_minor,
        created_at=now,
        changed_at=now,
    )
    found: Thing = Thing.get_by_id(str(told["id"]))
    return found
