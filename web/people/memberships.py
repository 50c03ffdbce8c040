"""Where somebody is a member: what it opens and until when, for their account."""

from dataclasses import dataclass
from datetime import datetime

from appliance import clock
from appliance.accounts.models import User
from appliance.memberships import granting
from appliance.memberships.models import Origin
from web import addresses
from web.presentation import tiers
from web.presentation.tiers import TierView


@dataclass(frozen=True, slots=True)
class OwnMembership:
    """A membership as its member sees it; without *until* it has no end."""

    artist: str
    url: str
    tier: TierView
    origin: str
    until: datetime | None


def own_memberships(who: User) -> list[OwnMembership]:
    """Where this person is a member now, by the artist's name."""
    return [
        OwnMembership(
            artist=row.artist.name,
            url=f"{addresses.artist_page(row.artist)}#tiers",
            tier=tiers.tier(row.tier),
            origin=str(tiers.ORIGINS[Origin(row.origin)]),
            until=row.paid_through,
        )
        for row in granting.of_person(who, now=clock.now())
    ]
