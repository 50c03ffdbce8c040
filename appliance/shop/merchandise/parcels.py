"""The parcel of an order follows the order: stock is kept while it is open, taken for good when it is paid, and for others again when it is not."""

from datetime import datetime
from datetime import timedelta

from appliance import prepared
from appliance.shop.merchandise import stock
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.models import Order
from appliance.shop.models import OrderState

ERASED = {"name": "", "lines": "", "postal_code": "", "city": ""}
"""An address that nobody needs any more; the country stays, for the tax and the price of shipping."""
KEPT_FOR = timedelta(days=90)
"""How long the address of what was sent is kept, for parcels that are lost or come back."""


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


def forget(*, now: datetime) -> int:
    """Erase the addresses of what was sent long ago; of how many parcels."""
    old = (Parcel.state == ParcelState.SENT) & (Parcel.sent_at < now - KEPT_FOR) & (Parcel.name != "")
    return int(Parcel.update(**ERASED).where(old).execute())


def follow(parcel: Parcel, order: Order, *, now: datetime) -> str:
    """Bring the parcel in line with its order, which the caller holds; nothing that was sent comes back by itself.

    Returns the kind of the letter that its buyer must have about this, or nothing.
    """
    match OrderState(order.state), ParcelState(parcel.state):
        case OrderState.PAID, ParcelState.HELD:
            _move(parcel, ParcelState.TO_SEND, now=now)
            # What is paid for is told of with the receipt.
            return "" if order.total_minor else "goods_ordered"
        case OrderState.PAID, ParcelState.LET_GO | ParcelState.RETURNED:
            return _take_late(parcel, now=now)
        case OrderState.EXPIRED, ParcelState.HELD:
            stock.give_back(contents(parcel))
            _move(parcel, ParcelState.LET_GO, now=now, **ERASED)
        case OrderState.REFUNDED, ParcelState.HELD | ParcelState.TO_SEND:
            stock.give_back(contents(parcel))
            _move(parcel, ParcelState.RETURNED, now=now, **ERASED)
    return ""


def _take_late(parcel: Parcel, *, now: datetime) -> str:
    """The money is here, but the stock was let go: what is still there is taken, else the money goes back."""
    if not stock.take_all_or_nothing(contents(parcel)):
        _move(parcel, ParcelState.SHORT, now=now)
        return "goods_gone"
    _move(parcel, ParcelState.TO_SEND, now=now)
    return "" if parcel.name else "goods_without_address"


def _move(parcel: Parcel, state: ParcelState, *, now: datetime, **values: object) -> None:
    here = (Parcel.id == parcel.id) & (Parcel.state == parcel.state)
    Parcel.update(state=state, updated_at=now, **values).where(here).execute()
    parcel.state = state
    for name, value in values.items():
        setattr(parcel, name, value)
