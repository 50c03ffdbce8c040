"""What a person is to artists by tiers and purchases: read in three queries at most, whatever the number of artists.

Of a membership that was given and one that is paid for, both count: perk by perk the better, until the first of them ends.
"""

from collections.abc import Collection
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Quality
from appliance.catalog.models import Track
from appliance.memberships.decision import Offer
from appliance.memberships.decision import Perks
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Purchase
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.prepared import Prepared

EVERYBODY = Perks()
"""What who is no member has with an artist whose tiers were not made yet."""
_tiers = Prepared(
    # Only what is needed here: every answer about a track asks for it.
    lambda *artist_ids: Tier.select(
        Tier.id,
        Tier.artist,
        Tier.kind,
        Tier.name,
        Tier.position,
        Tier.price_minor,
        Tier.currency,
        Tier.top_quality,
        Tier.early_access_hours,
        Tier.exclusives,
        Tier.downloads_a_month,
        Tier.offline,
        Tier.archived_at,
    ).where(Tier.artist.in_(artist_ids))
)
_memberships = Prepared(
    lambda user_id, *artist_ids: Membership.select(
        Membership.artist, Membership.tier, Membership.paid_through
    ).where(Membership.user == user_id, Membership.artist.in_(artist_ids), Membership.ended_at.is_null())
)
_purchases = Prepared(
    lambda user_id, *artist_ids: (
        Purchase.select(Purchase.artist, Purchase.release, Purchase.track, Purchase.bought_at, Track.release)
        .join(Track, peewee.JOIN.LEFT_OUTER)
        .where(Purchase.user == user_id, Purchase.artist.in_(artist_ids), Purchase.refunded_at.is_null())
    ),
    Purchase.track,
)


@dataclass(slots=True)
class Relation:
    """What one person is to one artist; *member* is joined with what is *free*, and lasts until *paid_through*.

    *bought* has the first time each release and track was bought, by its id, and *parts* that of a track of a release, by the release's.
    """

    free: Perks = EVERYBODY
    member: Perks | None = None
    paid_through: datetime | None = None
    opened_by: Offer | None = None
    bought: dict[str, datetime] = field(default_factory=dict)
    parts: dict[str, datetime] = field(default_factory=dict)


def of(user: User | None, artist_ids: Collection[str], *, now: datetime) -> dict[str, Relation]:
    """What *user* is now to each of these artists, by the artist's id."""
    found = {key: Relation() for key in artist_ids}
    if not found:
        return found
    tiers = {row.id: row for row in _tiers(*found)}
    _describe(found, tiers.values())
    if user is None:
        return found
    for membership in _memberships(user.id, *found):
        if not runs(membership.paid_through, now):
            continue
        relation = found[membership.artist_id]
        relation.member = perks_of(tiers[membership.tier_id]).joined(relation.member or relation.free)
        ends = [end for end in (relation.paid_through, membership.paid_through) if end]
        relation.paid_through = min(ends, default=None)
    for purchase in _purchases(user.id, *found):
        relation = found[purchase.artist_id]
        _note_first(relation.bought, purchase.release_id or purchase.track_id, purchase.bought_at)
        if purchase.track is not None:
            _note_first(relation.parts, purchase.track.release_id, purchase.bought_at)
    return found


def kinds_of(user: User, *, now: datetime) -> frozenset[str]:
    """Of which kinds the tiers are that this person is in now, of whatever artist; by one query."""
    running = Membership.paid_through.is_null() | (Membership.paid_through > now)
    query = Tier.select(Tier.kind).distinct().join(Membership)
    here = (Membership.user == user.id) & Membership.ended_at.is_null() & running
    return frozenset(row.kind for row in query.where(here))


def perks_of(tier: Tier) -> Perks:
    """What of this tier decides about hearing."""
    return Perks(
        top_quality=Quality(tier.top_quality),
        early_access=timedelta(hours=tier.early_access_hours),
        exclusives=tier.exclusives,
        downloads_a_month=tier.downloads_a_month,
        offline=tier.offline,
    )


def offer_of(tier: Tier) -> Offer:
    """This tier as something one could be in."""
    return Offer(tier.id, tier.name, tier.price_minor, tier.currency)


def _note_first(times: dict[str, datetime], key: str | None, at: datetime) -> None:
    if key is not None:
        times[key] = min(at, times.get(key, at))


def _describe(found: dict[str, Relation], tiers: Iterable[Tier]) -> None:
    """Put in what everybody has, and the least tier that opens what is for members."""
    for tier in sorted(tiers, key=lambda row: (row.price_minor, row.position)):
        relation = found[tier.artist_id]
        if tier.kind == TierKind.FREE:
            relation.free = perks_of(tier)
        elif tier.exclusives and tier.archived_at is None and relation.opened_by is None:
            relation.opened_by = offer_of(tier)
