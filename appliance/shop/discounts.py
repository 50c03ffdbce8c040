"""Codes that take something off: made by an artist's people, counted by the orders that use them."""

import re
from datetime import datetime
from typing import Any

import peewee

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import CheckoutState
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.models import Discount
from appliance.shop.models import Order
from appliance.shop.models import OrderState

MOST_CODES = 500
MOST_USES = 1_000_000
_CODE = re.compile(r"[A-Z0-9-]{3,30}")
USED = (OrderState.PAID, OrderState.REFUNDED)
"""An order in any of these has used a code; one that is open does for as long as it keeps it."""


def make(
    artist: Artist,
    code: str,
    *,
    percent: int | None = None,
    amount_minor: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    most_uses: int | None = None,
    actor: User,
    now: datetime,
) -> Discount:
    """A new code; it takes a percentage or an amount off, not both. ``Conflict`` when the artist has it already."""
    code = normal(code)
    if not _CODE.fullmatch(code):
        raise Invalid("A code is 3 to 30 letters from A to Z, digits and hyphens.", field="code")
    if (percent is None) == (amount_minor is None):
        raise Invalid("Say how much is taken off: a percentage or an amount.", field="percent")
    if percent is not None and not 1 <= percent <= 100:
        raise Invalid("Take off 1 to 100 percent.", field="percent")
    if amount_minor is not None and not 1 <= amount_minor <= prices.MOST_MINOR:
        raise Invalid("Take off more than nothing, and less than anything may cost.", field="amount")
    if most_uses is not None and not 1 <= most_uses <= MOST_USES:
        raise Invalid("A code is used 1 to {most:,} times, or as often as one likes.", most=MOST_USES, field="most_uses")  # fmt: skip
    if ends_at is not None and (ends_at <= now or (starts_at is not None and ends_at <= starts_at)):
        raise Invalid("The last day is before the first one, or over.", field="ends_at")
    with transaction():
        if Discount.select().where(Discount.artist == artist.id).count() >= MOST_CODES:
            raise Conflict("An artist has at most {most} discount codes.", most=MOST_CODES)
        currency = prices.currency_of(artist.id) if amount_minor is not None else ""
        made = (
            Discount.insert(
                id=(new := database.new_id()),
                artist=artist.id,
                code=code,
                percent=percent,
                amount_minor=amount_minor,
                currency=currency,
                starts_at=starts_at,
                ends_at=ends_at,
                most_uses=most_uses,
                created_at=now,
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        if not made:
            raise Conflict("There is a code {code} already.", code=code)
        _note(Action.DISCOUNT_MADE, artist.id, new, actor=actor, now=now)
    return Discount.get_by_id(new)


def stop(artist: Artist, discount_id: str, *, actor: User, now: datetime) -> None:
    """Let a code take nothing off any more; what was bought with it stays as it is."""
    with transaction():
        row = Discount.get_or_none(Discount.id == discount_id, Discount.artist == artist.id)
        if row is None:
            raise NotFound("There is no such code.")
        standing = (Discount.id == row.id) & Discount.stopped_at.is_null()
        if Discount.update(stopped_at=now).where(standing).execute():
            _note(Action.DISCOUNT_STOPPED, artist.id, row.id, actor=actor, now=now)


def of_artist(artist: Artist) -> list[Discount]:
    """The codes of the artist, newest first."""
    query = Discount.select().where(Discount.artist == artist.id)
    return list(query.order_by(Discount.id.desc()))


def uses(rows: list[Discount], *, now: datetime) -> dict[str, int]:
    """How often each code was used, or is kept by an order that may still be paid, by its id; by one query."""
    if not rows:
        return {}
    count = peewee.fn.COUNT(Order.id)
    keeps = Order.held_until.is_null() | (Order.held_until > now)
    keeps |= Order.checkout_state == CheckoutState.COMPLETED
    used = Order.state.in_(USED) | ((Order.state == OrderState.OPEN) & keeps)
    here = Order.discount.in_([row.id for row in rows]) & used
    found: Any = Order.select(Order.discount, count).where(here).group_by(Order.discount).tuples()
    return {key: int(number) for key, number in found}


def find(artist_id: str, code: str, *, now: datetime) -> Discount:
    """The code of this artist that holds now; ``Invalid`` tells what is wrong with it."""
    row = Discount.get_or_none(Discount.artist == artist_id, Discount.code == normal(code))
    if row is None or row.stopped_at is not None:
        raise Invalid("There is no such discount code.", field="discount")
    if row.starts_at is not None and now < row.starts_at:
        raise Invalid("This discount code does not hold yet.", field="discount")
    if row.ends_at is not None and now >= row.ends_at:
        raise Invalid("This discount code is over.", field="discount")
    if row.amount_minor is not None and row.currency != prices.currency_of(artist_id):
        raise Invalid("This discount code is in another currency.", field="discount")
    return row


def hold(row: Discount) -> None:
    """Let no other transaction count this code until the caller's ends; before the order that uses it is written, which locks it a little."""
    database.locked(Discount.select().where(Discount.id == row.id)).get()


def is_overdrawn(row: Discount, *, now: datetime) -> bool:
    """Whether the order that was just written with this code, which is held, is one too many."""
    return row.most_uses is not None and uses([row], now=now).get(row.id, 0) > row.most_uses


def require_left(row: Discount, *, now: datetime) -> None:
    """As ``is_overdrawn``, as ``Invalid``."""
    if is_overdrawn(row, now=now):
        raise Invalid("This discount code was used up.", field="discount")


def off_minor(row: Discount, amount_minor: int, *, least_minor: int) -> int:
    """Pure: what the code takes off; what is left is nothing at all or *least_minor*, which can be paid."""
    if row.percent is not None:
        left = offers.discounted(amount_minor, row.percent)
    else:
        left = max(0, amount_minor - int(row.amount_minor or 0))
    if 0 < left < least_minor:
        left = min(least_minor, amount_minor)
    return amount_minor - left


def normal(code: str) -> str:
    """Pure: a code as it is kept, however it was typed."""
    return code.strip().upper()


def _note(action: Action, artist_id: str, discount_id: str, *, actor: User, now: datetime) -> None:
    audit.record(
        action,
        actor=actor.id,
        subject=f"artist:{artist_id}",
        now=now,
        detail={"discount": discount_id},
    )
