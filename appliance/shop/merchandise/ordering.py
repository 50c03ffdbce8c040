"""Ordering what is in a basket: its stock is kept for the order in the transaction that makes it, and given up with it."""

from collections.abc import Collection
from datetime import datetime

from appliance import database
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.payments import CheckoutState
from appliance.shop import orders
from appliance.shop.making_room import Scarce
from appliance.shop.merchandise import destinations
from appliance.shop.merchandise import parcels
from appliance.shop.merchandise import quoting
from appliance.shop.merchandise import stock
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.quoting import Basket
from appliance.shop.merchandise.quoting import BasketQuote
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.orders import Buyer


def begin(
    basket: Basket,
    destination: Destination,
    buyer: Buyer,
    *,
    provider: str,
    now: datetime,
    instead_of: Collection[str] = (),
) -> Order:
    """The order for *basket*, sent to *destination*: made once, and the same one for whoever sends it again.

    ``Conflict`` when another was faster and nothing is left. What the same buyer began before and did not pay is given up, as are the open
    ones among *instead_of*: nobody's own basket keeps the last piece from them.
    """
    to = destinations.checked(destination)
    kept = held(basket.artist, buyer.user, instead_of)
    quote = quoting.make(basket, buyer.user, now=now, kept=kept)
    what = [f"{one.variant.id}:{one.quantity}" for one in quote.picked]
    also = [*what, to.name, to.lines, to.postal_code, to.city, to.country]

    def others() -> list[str]:
        return open_orders(basket.artist, buyer.user, instead_of)

    def written(order_id: str) -> None:
        for other in others():
            if other != order_id:
                orders.give_up(other, now=now)
        _pack(order_id, quote, to, now=now)

    return orders.place(
        quote.quote,
        buyer,
        provider=provider,
        now=now,
        also=also,
        scarce=Scarce(others, frozenset(one.variant.id for one in quote.picked)),
        written=written,
    )


def held(artist: Artist, user: User | None, ids: Collection[str] = ()) -> dict[str, int]:
    """How much of each variant *user*, or whoever began the orders *ids* without an account, holds already and has not paid."""
    found = open_orders(artist, user, ids)
    query = ParcelLine.select().join(Parcel).where(Parcel.order.in_(found), ParcelLine.taken) if found else ()
    sums: dict[str, int] = {}
    for line in query:
        sums[line.variant] = sums.get(line.variant, 0) + line.quantity
    return sums


def give_up(order: Order, *, now: datetime) -> None:
    """The buyer wants it no more: its stock is for others, its address is erased. ``Conflict`` once it is paid, or the money is on its way."""
    with transaction():
        held: Order = database.locked(Order.select().where(Order.id == order.id)).get()
        if parcels.of(held.id) is None:
            raise NotFound("There is no such order.")
        if held.state == OrderState.EXPIRED:
            return
        if held.state != OrderState.OPEN:
            raise Conflict("This order is paid; ask the artist.")
        if held.checkout_state == CheckoutState.COMPLETED:
            raise Conflict("Your payment is on its way; look again in a few minutes.")
        orders.give_up(held.id, now=now)


def open_orders(artist: Artist, user: User | None, ids: Collection[str]) -> list[str]:
    """Orders of this artist's merchandise that *user*, or whoever began *ids* without an account, has not paid, nor gone through the till of."""
    mine = Order.id.in_(list(ids)) & Order.user.is_null()
    if user is not None:
        mine |= Order.user == user.id
    query = (
        Order.select(Order.id)
        .join(Parcel)
        .where(
            Order.artist == artist.id,
            Order.state == OrderState.OPEN,
            Order.checkout_state != CheckoutState.COMPLETED,
            mine,
        )
        .order_by(Order.id)
    )
    return [row.id for row in query]


def _pack(order_id: str, quote: BasketQuote, to: Destination, *, now: datetime) -> None:
    assert quote.zone is not None
    parcel = Parcel.create(
        order=order_id,
        artist=quote.quote.offer.artist.id,
        name=to.name,
        lines=to.lines,
        postal_code=to.postal_code,
        city=to.city,
        country=to.country,
        zone=quote.zone.name,
        shipping_minor=quote.shipping_minor,
        tier=quote.tier,
        member_percent=quote.member_percent,
        member_off_minor=quote.member_off_minor,
        created_at=now,
        updated_at=now,
    )
    rows = [
        ParcelLine.create(
            id=new_id(),
            parcel=parcel.id,
            position=position,
            variant=one.variant.id,
            name=one.name[:300],
            sku=one.variant.sku,
            quantity=one.quantity,
        )
        for position, one in enumerate(quote.picked)
    ]
    short = stock.take(rows)
    if short is not None:
        raise Conflict("“{name}” was sold out just now.", name=short.name)
