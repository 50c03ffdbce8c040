"""What follows for a gift from how its order stands: its letter, and the membership of who redeemed it; reckoned anew each time."""

from datetime import datetime

from appliance import database
from appliance import prepared
from appliance import revocations
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.shop import gift_letters
from appliance.shop import gift_rights
from appliance.shop.gift_models import Gift
from appliance.shop.gift_rights import Redeemed
from appliance.shop.gift_rights import Span
from appliance.shop.models import Order
from appliance.shop.models import OrderState


def settle(order: Order, *, now: datetime) -> None:
    """Bring the gift of this order, which is held, in line with it; in the transaction of the caller."""
    gift = prepared.one(Gift, order=order.id)
    if gift is None:
        return
    gift_letters.write_if_due(gift, order, now=now)
    if gift.user_id is not None:
        give(gift.user_id, gift.tier_id, now=now)


def give(user_id: str, tier_id: str, *, now: datetime) -> None:
    """Let this person be a member of the tier for as long as all that they redeemed for it makes them one."""
    with transaction():
        # Of two gifts that are settled at once the second sees what became of the first.
        database.locked(User.select(User.id).where(User.id == user_id)).first()
        rows = redeemed_by(user_id, tier_id)
        spans = gift_rights.spans(told(row) for row in rows)
        for row in rows:
            _store(row, spans[row.id], now=now)


def redeemed_by(user_id: str, tier_id: str) -> list[Gift]:
    """What this person redeemed for the tier, orders joined."""
    mine = (Gift.user == user_id) & (Gift.tier == tier_id) & Gift.redeemed_at.is_null(False)
    return list(Gift.select(Gift, Order).join(Order).where(mine).order_by(Gift.id))


def told(row: Gift) -> Redeemed:
    """Pure: what of a gift that was redeemed, its order joined, decides about its time."""
    assert row.redeemed_at is not None and row.begins_at is not None
    returned = row.order.refunded_at if row.order.state == OrderState.REFUNDED else None
    return Redeemed(row.id, row.redeemed_at, row.begins_at, row.months, returned_at=returned)


def _store(row: Gift, span: Span, *, now: datetime) -> None:
    before: Membership | None = Membership.get_or_none(Membership.id == row.id)
    values = {"paid_through": span.through, "ended_at": span.ended_at}
    if before is None:
        Membership.insert(
            id=row.id,
            user=row.user_id,
            artist=row.artist_id,
            tier=row.tier_id,
            origin=Origin.PRESENT,
            created_at=row.redeemed_at,
            updated_at=now,
            **values,
        ).execute()
        return
    if values == {"paid_through": before.paid_through, "ended_at": before.ended_at}:
        return
    Membership.update(version=Membership.version + 1, updated_at=now, **values).where(
        Membership.id == row.id
    ).execute()
    ran = before.ended_at is None and runs(before.paid_through, now)
    if ran and (span.ended_at is not None or span.through < (before.paid_through or span.through)):
        revocations.revoke(f"member:{row.user_id}:{row.artist_id}", now=now)
