"""Orders as their buyers and their sellers find them in lists: each by a number of queries that does not grow with them."""

from collections.abc import Iterable

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.shop import receipts
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt


def items_of(rows: Iterable[Order]) -> dict[str, list[OrderItem]]:
    """The items of each order in their order, by the order's id; by one query."""
    found: dict[str, list[OrderItem]] = {row.id: [] for row in rows}
    query = OrderItem.select().where(OrderItem.order.in_(list(found))).order_by(OrderItem.position)
    for item in query if found else ():
        found[item.order_id].append(item)
    return found


def of_person(user: User, *, limit: int, before: str = "") -> list[Order]:
    """What this person bought, newest first (keyset by id); what was never paid is not in it."""
    return _paid(Order.user == user.id, limit=limit, before=before)


def of_artist(artist: Artist, *, limit: int, before: str = "") -> list[Order]:
    """The orders of this artist, newest first (keyset by id); what was never paid is not in it."""
    return _paid(Order.artist == artist.id, limit=limit, before=before)


def receipts_of(rows: Iterable[Order]) -> dict[str, str]:
    """The number of each order's receipt, by the order's id; by one query."""
    wanted = [row.id for row in rows]
    found = Receipt.select().where(Receipt.order.in_(wanted)) if wanted else ()
    return {str(row.order_id): receipts.named(row) for row in found}


def _paid(whose: peewee.Expression, *, limit: int, before: str) -> list[Order]:
    query = Order.select().where(whose, Order.state.in_((OrderState.PAID, OrderState.REFUNDED)))
    if before:
        query = query.where(Order.id < before)
    return list(query.order_by(Order.id.desc()).limit(limit))
