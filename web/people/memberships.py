"""Where somebody is a member: what it opens and until when, what they pay and when, for their account."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance import clock
from appliance.accounts.models import User
from appliance.memberships import granting
from appliance.memberships import subscriptions
from appliance.memberships.models import Origin
from web import addresses
from web.presentation import subscriptions as shown
from web.presentation import tiers
from web.presentation.subscriptions import SubscriptionView
from web.presentation.tiers import TierView


@dataclass(frozen=True, slots=True)
class OwnMembership:
    """A membership as its member sees it; without *until* it has no end."""

    artist: str
    url: str
    tier: TierView
    origin: str
    until: datetime | None


def own_subscriptions(who: User) -> list[SubscriptionView]:
    """What this person pays for, by the artist's name."""
    return [shown.subscription(row) for row in subscriptions.of_person(who)]


def own_memberships(who: User, *, paid: Iterable[SubscriptionView] = ()) -> list[OwnMembership]:
    """Where this person is a member now, by the artist's name, beside what is *paid* for."""
    without = {row.id for row in paid}
    return [
        OwnMembership(
            artist=row.artist.name,
            url=f"{addresses.artist_page(row.artist)}#tiers",
            tier=tiers.tier(row.tier),
            origin=str(tiers.ORIGINS[Origin(row.origin)]),
            until=row.paid_through,
        )
        for row in granting.of_person(who, now=clock.now())
        if row.id not in without
    ]
