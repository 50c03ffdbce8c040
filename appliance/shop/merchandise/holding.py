"""What a purchase holds until it is made: its code first, then orders by their ids, then variants by theirs.

In one order everywhere, or two that want each other's would wait for each other, and the database would break one of them off.
"""

from collections.abc import Collection

from appliance import database
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import Variant
from appliance.shop.models import Order


def orders(ids: Collection[str]) -> None:
    """Hold these orders, in the caller's transaction."""
    if ids:
        list(database.locked(Order.select(Order.id).where(Order.id.in_(list(ids))).order_by(Order.id)))


def variants(ids: Collection[str], *, of_orders: Collection[str]) -> None:
    """Hold these variants and those of orders that are given up, and these orders before, in the caller's transaction."""
    orders(of_orders)
    packed = ParcelLine.select(ParcelLine.variant).join(Parcel).where(Parcel.order.in_(list(of_orders)))
    wanted = {*ids, *(line.variant for line in packed)} if of_orders else set(ids)
    if wanted:
        list(
            database.locked(
                Variant.select(Variant.id).where(Variant.id.in_(list(wanted))).order_by(Variant.id)
            )
        )
