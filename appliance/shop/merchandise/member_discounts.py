"""What a tier takes off an artist's merchandise: the best of all that somebody is in, paid for or given."""

from datetime import datetime

import peewee

from appliance.accounts.models import User
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind


def of(user: User | None, artist_id: str, *, now: datetime) -> tuple[int, str]:
    """So many percent off for *user*, and the name of the tier that gives it; nothing without one. The free tier is everybody's."""
    everybody = Tier.kind == TierKind.FREE
    wanted = everybody
    if user is not None:
        running = Membership.paid_through.is_null() | (Membership.paid_through > now)
        mine = Membership.select(Membership.tier).where(
            Membership.user == user.id, Membership.artist == artist_id, Membership.ended_at.is_null(), running
        )
        wanted = everybody | Tier.id.in_(mine)
    query: peewee.ModelSelect[Tier] = (
        Tier.select()
        .where(Tier.artist == artist_id, wanted, Tier.merchandise_discount_percent > 0)
        .order_by(Tier.merchandise_discount_percent.desc(), Tier.position)
    )
    best = query.first()
    return (int(best.merchandise_discount_percent), str(best.name)) if best is not None else (0, "")
