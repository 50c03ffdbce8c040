"""Giving: what is written down with the order, and whom the letter goes to for as long as nobody redeemed it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

from appliance import database
from appliance.accounts import people
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships.models import Tier
from appliance.shop import gift_codes
from appliance.shop import gift_letters
from appliance.shop.gift_models import Gift
from appliance.shop.gift_offers import GiftWish
from appliance.shop.models import Order
from appliance.shop.models import OrderState

LONGEST_NAME, LONGEST_MESSAGE = 80, 500
FURTHEST = timedelta(days=366)
"""How far ahead the day of the letter may be."""
MOST_LETTERS = 5
"""How many letters go out for one gift: who pays once must not write to everybody."""


def checked(wish: GiftWish, *, now: datetime) -> GiftWish:
    """*wish* as it is kept; ``Invalid`` tells what is missing."""
    return replace(
        wish,
        by=clean_line(wish.by, field="by", longest=LONGEST_NAME),
        message=clean_text(wish.message, field="message", longest=LONGEST_MESSAGE),
        email=_address(wish.email),
        send_at=_day(wish.send_at, now=now) if wish.email.strip() else None,
    )


def words(wish: GiftWish) -> list[str]:
    """Pure: what makes two gifts two."""
    day = wish.send_at.isoformat() if wish.send_at else ""
    return [str(wish.months), wish.by, wish.message, wish.email, day]


def write(order_id: str, tier_id: str, artist_id: str, wish: GiftWish, *, now: datetime) -> None:
    """Write the gift of an order down, with its code, in the transaction of the caller; it holds once the order is paid."""
    Gift.insert(
        id=database.new_id(),
        order=order_id,
        artist=artist_id,
        tier=tier_id,
        months=wish.months,
        code=gift_codes.fresh(),
        by=wish.by,
        message=wish.message,
        email=wish.email,
        send_at=wish.send_at or (now if wish.email else None),
        created_at=now,
    ).execute()


def of_order(order: Order) -> Gift | None:
    """The gift that this order gives, tier and artist joined, if it gives one."""
    query = Gift.select(Gift, Tier, Artist).join(Tier).switch(Gift).join(Artist)
    found: Gift | None = query.where(Gift.order == order.id).first()
    return found


def among(rows: Iterable[Order]) -> frozenset[str]:
    """Which of these orders give a membership to somebody, by id; by one query."""
    ids = [row.id for row in rows]
    found = Gift.select(Gift.order).where(Gift.order.in_(ids)) if ids else ()
    return frozenset(row.order_id for row in found)


def send(order: Order, *, email: str, send_at: datetime | None, now: datetime) -> list[str]:
    """Send the gift of *order* to this address, at once or from a day on, again or for the first time; the job that does, on its way already.

    Another address is another code: who got the former letter by mistake has nothing. ``Conflict`` once somebody redeemed it.
    """
    to = people.address(email)
    at = _day(send_at, now=now) or now
    with transaction():
        held = database.locked(Order.select().where(Order.id == order.id)).get()
        gift = Gift.get_or_none(Gift.order == held.id)
        if gift is None or held.state != OrderState.PAID:
            raise Conflict("There is nothing to be sent for this order.")
        if gift.redeemed_at is not None:
            raise Conflict("This gift was redeemed already.")
        if gift.letters >= MOST_LETTERS:
            raise Conflict("{most} letters were sent already. Hand the code on yourself.", most=MOST_LETTERS)
        values: dict[str, object] = {"email": to, "send_at": at, "sent_at": None}
        if gift.email and gift.email != to:
            values["code"] = gift_codes.fresh()
        Gift.update(**values).where(Gift.id == gift.id).execute()
        return gift_letters.write_if_due(Gift.get_by_id(gift.id), held, now=now)


def _address(email: str) -> str:
    try:
        return people.address(email) if email.strip() else ""
    except Invalid as error:
        error.field = "to"
        raise


def _day(send_at: datetime | None, *, now: datetime) -> datetime | None:
    """When the letter goes out; a day that has begun is at once."""
    if send_at is None or send_at <= now < send_at + timedelta(days=1):
        return None
    if send_at < now:
        raise Invalid("This day has passed. Choose a later one.", field="day")
    if send_at > now + FURTHEST:
        raise Invalid("A letter waits for a year at most.", field="day")
    return send_at
