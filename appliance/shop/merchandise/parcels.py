"""The parcel of an order follows the order: stock is kept while it is open, taken for good when it is paid, and for others again when it is not."""

from datetime import datetime

from appliance import prepared
from appliance.shop import receipts
from appliance.shop.merchandise import stock
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.models import Order
from appliance.shop.models import OrderState

ERASED = {"name": "", "lines": "", "postal_code": "", "city": ""}
"""An address that nobody needs any more; the country stays, for the tax and the price of shipping."""


def of(order_id: str) -> Parcel | None:
    """The parcel of this order, if there is something to send."""
    return prepared.one(Parcel, order=order_id)


def contents(parcel: Parcel) -> list[ParcelLine]:
    """What is in a parcel, in the order of its lines."""
    return list(ParcelLine.select().where(ParcelLine.parcel == parcel.id).order_by(ParcelLine.position))


def taken_off(order: Order) -> tuple[str, int]:
    """What the buyer's tier took off this order, by its name, and how much; nothing without a parcel or a tier."""
    parcel = of(order.id)
    if parcel is None or not parcel.member_off_minor:
        return "", 0
    return f"{parcel.tier}, {parcel.member_percent} %", int(parcel.member_off_minor)


def follow(parcel: Parcel, order: Order, *, now: datetime) -> None:
    """Bring the parcel in line with its order, which the caller holds; nothing that was sent comes back by itself."""
    match OrderState(order.state), ParcelState(parcel.state):
        case OrderState.PAID, ParcelState.HELD:
            _move(parcel, ParcelState.TO_SEND, now=now)
        case OrderState.PAID, ParcelState.LET_GO | ParcelState.RETURNED:
            _take_late(parcel, order, now=now)
        case OrderState.EXPIRED, ParcelState.HELD:
            stock.give_back(contents(parcel))
            _move(parcel, ParcelState.LET_GO, now=now, **ERASED)
        case OrderState.REFUNDED, ParcelState.HELD | ParcelState.TO_SEND:
            stock.give_back(contents(parcel))
            _move(parcel, ParcelState.RETURNED, now=now, **ERASED)


def _take_late(parcel: Parcel, order: Order, *, now: datetime) -> None:
    """The money is here, but the stock was let go: what is still there is taken, else the money goes back."""
    if not stock.take_all_or_nothing(contents(parcel)):
        _move(parcel, ParcelState.SHORT, now=now)
        receipts.tell("goods_gone", order, now=now)
        return
    _move(parcel, ParcelState.TO_SEND, now=now)
    if not parcel.name:
        receipts.tell("goods_without_address", order, now=now)


def _move(parcel: Parcel, state: ParcelState, *, now: datetime, **values: object) -> None:
    here = (Parcel.id == parcel.id) & (Parcel.state == parcel.state)
    Parcel.update(state=state, updated_at=now, **values).where(here).execute()
    parcel.state = state
    for name, value in values.items():
        setattr(parcel, name, value)
