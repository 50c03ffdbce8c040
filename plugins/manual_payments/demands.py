"""Amounts that are asked for, and what arrives for them: confirmed by somebody who looked at the account, or rejected."""

import hashlib
from datetime import timedelta

from appliance import database
from appliance.accounts import audit
from appliance.currencies import DIGITS
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import CheckoutRequest
from plugins.manual_payments import references
from plugins.manual_payments import subscriptions
from plugins.manual_payments.acts import Act
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import DemandState
from plugins.manual_payments.models import Receipt
from plugins.manual_payments.models import change

MOST = 99_999_999
LONGEST_ADDRESS = 254
KEPT_OPEN = timedelta(days=30)
"""How long after it is due a payment at the till is waited for."""


def check_amount(amount_minor: int, currency: str, *, taken: tuple[str, ...]) -> None:
    """``Invalid`` for an amount or a currency that is not taken."""
    if currency not in taken or currency not in DIGITS:
        raise Invalid("The currency '{currency}' is not taken here.", currency=currency[:10])
    if not 0 < amount_minor <= MOST:
        raise Invalid("This amount is too small or too large to be paid like this.")


def digest(*parts: object) -> str:
    """What was asked for under a key, to tell when it is asked for something else under the same one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def at_till(request: CheckoutRequest, *, due: timedelta, act: Act) -> Demand:
    """Ask for what *request* says; the same demand when it is asked for twice."""
    if any(item.amount_minor < 0 or item.quantity < 1 for item in request.items) or request.tax_minor < 0:
        raise Invalid("An amount cannot be negative.")
    if not 0 < len(request.mark) <= 64 or not 0 <= request.trial_days <= 730:
        raise Invalid("This cannot be paid for.")
    asked = digest(request)
    found: Demand | None = Demand.get_or_none(Demand.key == f"till:{request.key}")
    if found is not None:
        if found.digest != asked:
            raise Conflict("This was asked for before, and otherwise.")
        return found
    demand: Demand = Demand.create(
        key=f"till:{request.key}",
        digest=asked,
        mark=request.mark,
        reference=references.new(),
        customer=request.customer or new_id(),
        email=request.email[:LONGEST_ADDRESS],
        name=", ".join(item.name for item in request.items)[:300],
        amount_minor=request.total_minor,
        tax_minor=request.tax_minor,
        currency=request.currency,
        interval=request.interval or "",
        trial_days=request.trial_days if request.interval else 0,
        at_till=True,
        asked_at=act.now,
        due_at=act.now + due,
        return_to=request.return_to,
        cancel_to=request.cancel_to,
        changed_at=act.now,
    )
    return demand


def find(demand_id: str) -> Demand:
    """The demand with this id, held until the transaction ends; ``NotFound`` else."""
    found: Demand | None = database.locked(Demand.select().where(Demand.id == demand_id)).first()
    if found is None:
        raise NotFound("Nothing of that kind was asked for here.")
    return found


def confirm(demand_id: str, amount_minor: int, *, by: str, act: Act) -> Demand:
    """*amount_minor* arrived for this demand; when that is all of it, it is paid, and what it is for is told."""
    demand = find(demand_id)
    if demand.state != DemandState.OPEN:
        raise Conflict("This is not waited for any more.")
    if not 0 < amount_minor <= MOST:
        raise Invalid("Write how much arrived.", field="amount")
    Receipt.create(demand=demand.id, amount_minor=amount_minor, confirmed_by=by, at=act.now)
    change(demand, now=act.now, received_minor=demand.received_minor + amount_minor)
    if demand.received_minor >= demand.amount_minor:
        change(demand, now=act.now, state=DemandState.PAID, paid_at=act.now)
        if demand.interval:
            subscriptions.paid(demand, act=act)
    if demand.state == DemandState.PAID or not demand.at_till:
        # Of a next period also when a part of it came: what is missing has become less.
        act.tell(f"demand:{demand.id}")
    _record("manual_payments.confirmed", demand, by=by, act=act, amount_minor=amount_minor)
    return demand


def reject(demand_id: str, *, by: str, act: Act) -> Demand:
    """Wait for it no longer; what arrived in part is to be sent back by hand."""
    demand = find(demand_id)
    if demand.state != DemandState.OPEN:
        raise Conflict("This is not waited for any more.")
    change(demand, now=act.now, state=DemandState.REJECTED)
    act.tell(f"demand:{demand.id}")
    _record("manual_payments.rejected", demand, by=by, act=act)
    return demand


def leave(demand_id: str, *, act: Act) -> Demand:
    """Somebody leaves the till without wanting to pay."""
    demand = find(demand_id)
    if demand.at_till and demand.state == DemandState.OPEN and not demand.received_minor:
        change(demand, now=act.now, state=DemandState.WITHDRAWN)
        act.tell(f"demand:{demand.id}")
    return demand


def name_address(demand_id: str, email: str, *, act: Act) -> Demand:
    """Where to write to whoever pays, where nobody said it before."""
    demand, email = find(demand_id), email.strip()
    if not demand.email:
        if not 3 <= len(email) <= LONGEST_ADDRESS or "@" not in email[1:-1]:
            raise Invalid("Give the address that the receipt goes to.", field="email")
        change(demand, now=act.now, email=email)
    return demand


def expire(*, act: Act) -> None:
    """Wait no longer for what was not paid at the till long after it was due; what has arrived in part stays open."""
    late = Demand.select().where(
        Demand.at_till,
        Demand.state == DemandState.OPEN,
        Demand.received_minor == 0,
        Demand.due_at <= act.now - KEPT_OPEN,
    )
    for demand in database.locked(late):
        change(demand, now=act.now, state=DemandState.WITHDRAWN)
        act.tell(f"demand:{demand.id}")


def _record(what: str, demand: Demand, *, by: str, act: Act, **detail: object) -> None:
    audit.record(
        what,
        actor=by,
        subject=f"demand:{demand.id}",
        now=act.now,
        detail={"currency": demand.currency, "mark": demand.mark, **detail},
    )
