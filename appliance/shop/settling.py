"""What follows for an order from what providers told: reckoned anew each time, so that no order of facts and no repetition matters."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import prepared
from appliance.database import transaction
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.ledger.payments import Sale
from appliance.ledger.payments import Sold
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import PaymentFact
from appliance.prepared import Prepared
from appliance.shop import delivery
from appliance.shop import gift_settling
from appliance.shop import receipts
from appliance.shop.merchandise import parcels
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState

_LATER = (CheckoutState.OPEN, CheckoutState.EXPIRED, CheckoutState.COMPLETED)
"""Of two words of the same instant, the one further on holds."""

_items = Prepared(
    lambda order: OrderItem.select().where(OrderItem.order == order).order_by(OrderItem.position)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands by its payments: whether all of it ever *arrived*, and when."""

    state: OrderState
    arrived: bool
    paid_at: datetime | None


def sale_of(mark: str, fact: PaymentFact) -> Sale | None:
    """Whose sale a payment is for, to whom and of which things; ``None`` when the mark is not an order's."""
    order = prepared.one(Order, id=mark)
    if order is None:
        return None
    sold = [Sold(row.name, row.amount_minor, release=row.release, track=row.track) for row in _items(mark)]
    # For a provider that keeps no taxes apart; of what comes in parts, each has its part of it.
    tax = order.tax_minor * fact.amount_minor // order.total_minor if order.total_minor else 0
    if tax:
        # What is paid twice, or beyond the total, has no more tax in it than the order.
        others = sum(row.tax_minor for row in payments.of_mark(mark) if row.reference != fact.reference)
        tax = max(0, min(tax, order.tax_minor - others))
    return Sale(order.artist, order.user_id or "", order.share_bps, sold, tax_minor=tax)


def owns(mark: str) -> bool:
    """Whether *mark* is an order's."""
    return prepared.exists(Order, id=mark)


def note_checkout(fact: CheckoutFact, *, provider: str, now: datetime) -> None:
    """Note how a visit to the till stands; of two words on it the later one holds."""
    with transaction():
        order = hold(fact.mark)
        if order is None or order.provider != provider:
            return
        if order.reference and order.reference != fact.reference:
            return
        before = (order.checkout_as_of, _rank(order.checkout_state)) if order.checkout_as_of else None
        if before is not None and (fact.as_of, _rank(fact.state)) <= before:
            return
        prepared.update(
            Order,
            order.id,
            reference=fact.reference,
            checkout_state=fact.state,
            checkout_as_of=fact.as_of,
            updated_at=now,
        )


def settle(mark: str, *, now: datetime) -> None:
    """Bring an order in line with its payments: what it opens, its receipt, and the letters about it; in the caller's transaction.

    That all of it went back the letter of its credit note says.
    """
    with transaction():
        order = hold(mark)
        if order is None:
            return
        standing = reckoned(order, payments.of_mark(mark))
        late = order.state == OrderState.EXPIRED
        parcel = parcels.of(order.id)
        _store(order, standing, now=now)
        asked = parcels.follow(parcel, order, now=now) if parcel is not None else ""
        if standing.arrived and order.total_minor and receipts.of(order) is None:
            letter = _letter({item.kind for item in _items(order.id)}, late=late)
            if asked == "goods_gone":
                # One letter, not one that thanks and promises a parcel and another that there is none.
                letter, asked = asked, ""
            receipts.issue(order, now=now, letter=letter)
        if asked:
            receipts.tell(asked, order, now=now)
        if standing.state is OrderState.PAID:
            delivery.deliver(order, now=now)
        elif standing.state is OrderState.REFUNDED:
            delivery.take_back(order, now=now)
        gift_settling.settle(order, now=now)


def reckoned(order: Order, rows: list[Payment]) -> Standing:
    """Pure: how an order stands by its payments.

    Paid is what arrived whole, and stays so when a part of it goes back, or while it is contested. When nothing is left of it, by refunds
    or by a lost dispute, it is refunded. What was never paid is open until its till has closed.
    """
    if not order.total_minor:
        return Standing(OrderState.PAID, True, order.created_at)
    own = [row for row in rows if row.currency == order.currency]
    arrived = bool(own) and sum(row.amount_minor for row in own) >= order.total_minor
    if arrived:
        left = sum(row.amount_minor - row.refunded_minor - row.lost_minor for row in own)
        state = OrderState.PAID if left > 0 else OrderState.REFUNDED
        return Standing(state, True, max(row.paid_at for row in own))
    expired = order.checkout_state == CheckoutState.EXPIRED
    return Standing(OrderState.EXPIRED if expired else OrderState.OPEN, False, None)


def _store(order: Order, standing: Standing, *, now: datetime) -> None:
    values: dict[str, Any] = {"state": standing.state, "paid_at": standing.paid_at}
    if standing.state is not OrderState.OPEN:
        values["open_key"] = None
    refunded = standing.state is OrderState.REFUNDED
    values["refunded_at"] = (order.refunded_at or now) if refunded else None
    changed = {name: value for name, value in values.items() if getattr(order, name) != value}
    if changed:
        prepared.update(Order, order.id, updated_at=now, **changed)
        for name, value in changed.items():
            setattr(order, name, value)


def hold(mark: str) -> Order | None:
    """The order, held until the transaction ends; ``None`` for a mark that is none."""
    return prepared.one(Order, hold=True, id=mark)


def _letter(kinds: Set[str], *, late: bool) -> str:
    """The letter that says that the money is there; *late*: nobody waited for it any more, so it says what became of it."""
    if Kind.MERCHANDISE in kinds:
        return "goods_paid"
    if Kind.GIFT in kinds:
        # What one gives away is told of in other words than music.
        return "gift_bought"
    return "order_paid_late" if late else "order_paid"


def _rank(state: str) -> int:
    return _LATER.index(CheckoutState(state)) if state else -1
