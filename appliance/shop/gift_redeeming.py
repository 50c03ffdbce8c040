"""Redeeming a gift: by whoever has its code and an account, once."""

from dataclasses import dataclass
from datetime import datetime

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.memberships.decision import runs
from appliance.memberships.granting import GIVEN
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from appliance.shop import gift_codes
from appliance.shop import gift_letters
from appliance.shop import gift_rights
from appliance.shop import gift_settling
from appliance.shop.gift_models import Gift
from appliance.shop.gift_rights import Redeemed
from appliance.shop.gift_rights import Span
from appliance.shop.lettering import UNKNOWN
from appliance.shop.models import Order
from appliance.shop.models import OrderState


@dataclass(frozen=True, slots=True)
class Present:
    """A gift as who holds its code sees it, tier and artist joined: from when until when it would make them a member, once they have an account.

    *later*: it begins when another gift ends. *pays*: they pay for this tier themselves meanwhile.
    """

    gift: Gift
    span: Span | None = None
    later: bool = False
    pays: bool = False


def look(code: str, user: User | None, *, now: datetime) -> Present:
    """What the code gives, to *user* where there is one; ``NotFound`` and ``Conflict`` as ``redeem``."""
    gift = _found(code)
    _require_free(gift, gift.order, now=now)
    if user is None:
        return Present(gift)
    span = _span(gift, user, now=now)
    return Present(gift, span, later=span.begins_at > now, pays=_pays(gift, user, now=now))


def redeem(code: str, user: User, *, locale: str, now: datetime) -> Present:
    """Make *user* a member by the gift with this code; of many who try at once exactly one becomes one.

    ``NotFound`` for a code that is none or was not paid, ``Conflict`` for one that was redeemed, is over, or whose money went back.
    """
    found = _found(code)
    with transaction():
        # In the order of settling: the order first, then who has it.
        order = database.locked(Order.select().where(Order.id == found.order_id)).get()
        database.locked(User.select(User.id).where(User.id == user.id)).first()
        gift = _found(code)
        _require_free(gift, order, now=now)
        begins = _earliest(gift, user, now=now)
        free = (Gift.id == gift.id) & Gift.redeemed_at.is_null()
        if not Gift.update(user=user.id, redeemed_at=now, begins_at=begins).where(free).execute():
            raise Conflict("This code was redeemed already.")
        gift_settling.give(user.id, gift.tier_id, now=now)
        rows = gift_settling.redeemed_by(user.id, gift.tier_id)
        span = gift_rights.spans(gift_settling.told(row) for row in rows)[gift.id]
        gift_letters.tell_redeemed(gift, order, span, user, locale=locale, now=now)
        audit.record(
            Action.GIFT_REDEEMED,
            actor=user.id,
            subject=f"artist:{gift.artist_id}",
            now=now,
            detail={"gift": gift.id, "tier": gift.tier_id, "through": span.through.isoformat()},
        )
    return Present(_found(gift.code), span, later=span.begins_at > now)


def _found(code: str) -> Gift:
    typed = gift_codes.normal(code)
    query = Gift.select(Gift, Tier, Artist, Order).join(Tier).switch(Gift).join(Artist).switch(Gift)
    gift: Gift | None = query.join(Order).where(Gift.code == typed).first() if typed else None
    if gift is None:
        raise NotFound(UNKNOWN)
    return gift


def _require_free(gift: Gift, order: Order, *, now: datetime) -> None:
    if order.state in {OrderState.OPEN, OrderState.EXPIRED}:
        raise NotFound(UNKNOWN)
    if order.state == OrderState.REFUNDED:
        raise Conflict("This gift was taken back: its money went back to who paid it.")
    if gift.redeemed_at is not None:
        raise Conflict("This code was redeemed already.")
    over = gift_letters.over_at(order)
    if over is not None and over <= now:
        raise Conflict("This code is over.")


def _earliest(gift: Gift, user: User, *, now: datetime) -> datetime:
    """When the months can begin: now, or when what the artist gave this person in the same tier ends."""
    here = (Membership.user == user.id) & (Membership.tier == gift.tier_id) & Membership.ended_at.is_null()
    begins = now
    for row in Membership.select().where(here, Membership.origin.in_(GIVEN)):
        if not runs(row.paid_through, now):
            continue
        if row.paid_through is None:
            raise Conflict(
                "You are in this tier for good already. The code still holds: give it to a friend."
            )
        begins = max(begins, row.paid_through)
    return begins


def _span(gift: Gift, user: User, *, now: datetime) -> Span:
    """The time of a gift, if this person redeemed it now."""
    rows = [gift_settling.told(row) for row in gift_settling.redeemed_by(user.id, gift.tier_id)]
    one = Redeemed(gift.id, now, _earliest(gift, user, now=now), gift.months)
    return gift_rights.spans([*rows, one])[gift.id]


def _pays(gift: Gift, user: User, *, now: datetime) -> bool:
    here = (Membership.user == user.id) & (Membership.tier == gift.tier_id) & Membership.ended_at.is_null()
    rows = Membership.select().where(here, Membership.origin == Origin.PAID)
    return any(runs(row.paid_through, now) for row in rows)
