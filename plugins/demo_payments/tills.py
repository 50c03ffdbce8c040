"""Visits to the demo's till: opened by the product, paid or left by somebody in a browser."""

import hashlib
import json
from datetime import datetime
from datetime import timedelta
from urllib.parse import urlsplit

from appliance.currencies import DIGITS
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import Interval
from appliance.payments import SubscriptionState
from plugins.demo_payments import charging
from plugins.demo_payments import models
from plugins.demo_payments import reckoning
from plugins.demo_payments import telling
from plugins.demo_payments.cards import CARDS
from plugins.demo_payments.cards import Declined
from plugins.demo_payments.models import Customer
from plugins.demo_payments.models import Subscription
from plugins.demo_payments.models import Till

PAGES = "/plugins/demo_payments"
MOST_CHARACTERS = 254


def least(currency: str) -> int | None:
    """The smallest amount of this currency, or ``None`` for one that is none."""
    return reckoning.LEAST[DIGITS[currency]] if currency in DIGITS else None


def check_amount(amount_minor: int, currency: str) -> None:
    """``Invalid`` for an amount that the till does not take."""
    smallest = least(currency)
    if smallest is None:
        raise Invalid("The currency '{currency}' is not taken here.", currency=currency[:10])
    if not smallest <= amount_minor <= reckoning.MOST:
        raise Invalid("This amount is too small or too large to be paid by card.")


def digest(*parts: object) -> str:
    """What was asked for under a key, to tell when it is asked for something else under the same one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def open_till(request: CheckoutRequest, *, now: datetime) -> Till:
    """Open a till for *request*; the same one when it is asked for twice."""
    if any(item.amount_minor < 0 or item.quantity < 1 for item in request.items) or request.tax_minor < 0:
        raise Invalid("An amount cannot be negative.")
    check_amount(request.total_minor, request.currency)
    if not 0 < len(request.mark) <= 64 or not 0 <= request.trial_days <= 730:
        raise Invalid("This cannot be paid for.")
    asked = digest(request)
    found: Till | None = Till.get_or_none(Till.key == request.key)
    if found is not None:
        if found.digest != asked:
            raise Conflict("This was asked for before, and otherwise.")
        return found
    known = Customer.get_or_none(Customer.id == request.customer) if request.customer else None
    till: Till = Till.create(
        id=models.new("till"),
        mark=request.mark,
        changed_at=now,
        key=request.key,
        digest=asked,
        currency=request.currency,
        items=json.dumps([[item.name, item.amount_minor, item.quantity] for item in request.items]),
        tax_minor=request.tax_minor,
        total_minor=request.total_minor,
        interval=request.interval or "",
        trial_days=request.trial_days if request.interval else 0,
        email=request.email or (known.email if known else ""),
        customer=known.id if known else "",
        return_to=request.return_to,
        cancel_to=request.cancel_to,
        state=CheckoutState.OPEN,
        opened_at=now,
    )
    return till


def address(path: str, *, beside: str) -> str:
    """The address of a page of ours on the same server as *beside*."""
    place = urlsplit(beside)
    return f"{place.scheme}://{place.netloc}{PAGES}{path}" if place.netloc else f"{PAGES}{path}"


def find(reference: str) -> Till:
    """The till of this reference; ``NotFound`` else."""
    till: Till | None = Till.get_or_none(Till.id == reference)
    if till is None:
        raise NotFound("There is no such till here.")
    return till


def pay(reference: str, *, card: str, email: str, now: datetime) -> Till:
    """Pay at the till with one of the demo's cards; ``Declined`` leaves the till open."""
    till = find(reference)
    if till.state == CheckoutState.COMPLETED:
        return till
    if till.state != CheckoutState.OPEN:
        raise Conflict("This till is closed. Go back and begin once more.")
    if card not in CARDS:
        raise Invalid("Choose a card.", field="card")
    email = (till.email or email).strip()
    if not 3 <= len(email) <= MOST_CHARACTERS or "@" not in email[1:-1]:
        raise Invalid("Give the address that the receipt goes to.", field="email")
    customer = _customer(till, card=card, email=email, now=now)
    paid = _begin(till, customer, now=now) if till.interval else _once(till, customer, now=now)
    models.change(till, now=now, state=CheckoutState.COMPLETED, customer=customer.id, email=email)
    telling.note("till.completed", till.id, *paid, now=till.changed_at)
    return till


def leave(reference: str, *, now: datetime) -> Till:
    """Close a till that nobody paid at."""
    till = find(reference)
    if till.state == CheckoutState.OPEN:
        models.change(till, now=now, state=CheckoutState.EXPIRED)
        telling.note("till.expired", till.id, now=till.changed_at)
    return till


def _customer(till: Till, *, card: str, email: str, now: datetime) -> Customer:
    known: Customer | None = Customer.get_or_none(Customer.id == till.customer)
    if known is None:
        made: Customer = Customer.create(id=models.new("cus"), changed_at=now, email=email, card=card)
        return made
    models.change(known, now=now, card=card)
    return known


def _once(till: Till, customer: Customer, *, now: datetime) -> list[str]:
    payment = charging.charge(
        customer,
        till.total_minor,
        till.currency,
        mark=till.mark,
        tax_minor=till.tax_minor,
        at=now,
        at_till=True,
    )
    return [payment.id]


def _begin(till: Till, customer: Customer, *, now: datetime) -> list[str]:
    if not CARDS[customer.card].at_till:
        raise Declined
    trial_end = now + timedelta(days=till.trial_days) if till.trial_days else None
    months = 0 if trial_end else reckoning.MONTHS[Interval(till.interval)]
    period_end = trial_end or reckoning.after(now, months)
    row: Subscription = Subscription.create(
        id=models.new("sub"),
        mark=till.mark,
        changed_at=now,
        customer=customer.id,
        state=SubscriptionState.TRIALING if trial_end else SubscriptionState.ACTIVE,
        amount_minor=till.total_minor,
        currency=till.currency,
        interval=till.interval,
        name=", ".join(name for name, _amount, _quantity in json.loads(till.items))[:200],
        tax_minor=till.tax_minor,
        taxed_minor=till.total_minor,
        anchor=trial_end or now,
        months=months,
        period_start=now,
        period_end=period_end,
        trial_end=trial_end,
    )
    telling.note("subscription.begun", row.id, now=now)
    if trial_end:
        return [row.id]
    payment = charging.charge_for(row, row.amount_minor, period=(now, period_end), at=now, at_till=True)
    return [row.id, payment.id]
