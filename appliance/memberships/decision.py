"""The decision itself: from who asks, of what, and when, to what is allowed and why. Pure: it asks no clock and no database.

More of anything never takes a right away; a membership that has run out leaves what everybody has; and the hour from which members
hear a release before others only comes nearer.
"""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from enum import StrEnum

from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import ReleaseState
from appliance.errors import N_

LADDER = tuple(Quality)
_RUNG = {quality: number for number, quality in enumerate(Quality)}


class Standing(StrEnum):
    """What a person is to an artist, least first; the names in the middle are those of ``MemberRole``."""

    PUBLIC = "public"
    CONTRIBUTOR = "contributor"
    MANAGER = "manager"
    OWNER = "owner"
    ADMIN = "admin"

    def reaches(self, least: "Standing") -> bool:
        """True when this is at least *least*: each standing may all that those before it may."""
        return _RANK[self] >= _RANK[least]


_RANK = {standing: rank for rank, standing in enumerate(Standing)}


class WayIn(StrEnum):
    """What would open the whole; a page makes a link of it."""

    SIGN_IN = "sign_in"
    TIER = "tier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Perks:
    """What of a tier decides about hearing; what nothing is said of is what everybody has."""

    top_quality: Quality = Quality.MEDIUM
    early_access: timedelta = timedelta()
    exclusives: bool = False
    downloads_a_month: int | None = 0
    offline: bool = False

    def joined(self, other: "Perks") -> "Perks":
        """The better of both, perk by perk: who is a member keeps what everybody has."""
        numbers = (self.downloads_a_month, other.downloads_a_month)
        return Perks(
            top_quality=max(self.top_quality, other.top_quality, key=_RUNG.__getitem__),
            early_access=max(self.early_access, other.early_access),
            exclusives=self.exclusives or other.exclusives,
            downloads_a_month=None if None in numbers else max(number or 0 for number in numbers),
            offline=self.offline or other.offline,
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A tier that somebody could be in: its price is a month's, in minor units."""

    id: str
    name: str
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that decides about one person, one release or track of it, and one instant.

    *free* is what everybody has, *member* what this person's tier gives, already joined with it, while the membership is *paid_through*;
    *opened_by* is the tier that would open what is for members. *kept* is what was bought before its artist withdrew it, *kept_part* a release
    of which a track was.
    """

    standing: Standing = Standing.PUBLIC
    state: ReleaseState = ReleaseState.PUBLISHED
    now: datetime
    publish_at: datetime | None = None
    audience: Audience = Audience.EVERYONE
    exclusive: bool = False
    taken_down: bool = False
    key_shown: bool = False
    signed_in: bool = False
    moderates: bool = False
    bought: bool = False
    kept: bool = False
    kept_part: bool = False
    free: Perks = Perks()
    member: Perks | None = None
    paid_through: datetime | None = None
    opened_by: Offer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is allowed, and the sentence a page can show with it, which is also the key of its translation.

    *may_play* is about the whole of a track, *may_preview* about its 30 seconds. *may_edit* is about the texts and masters of this
    release, *may_publish* about when and to whom it is open, *may_manage* about the people of its artist. *downloads_a_month* is how many
    downloads of this artist the right comes with, None for as many as one likes. *until* is when the right ends by itself. *tier* is
    the one that would open the whole, where there is one.
    """

    may_see: bool = False
    may_preview: bool = False
    may_play: bool = False
    may_download: bool = False
    may_play_offline: bool = False
    may_edit: bool = False
    may_publish: bool = False
    may_manage: bool = False
    taken_down: bool = False
    top_quality: Quality = Quality.LOW
    reason: str = N_("This release is not published yet.")
    way_in: WayIn | None = None
    tier: Offer | None = None
    downloads_a_month: int | None = 0
    until: datetime | None = None


NOTHING = Access()
"""What a stranger may do with a draft."""
TAKEN_DOWN = Access(
    may_see=True,
    taken_down=True,
    reason=N_("The collective took this down. Nobody hears it until it is given back."),
)
"""What is left of a thing that was taken down, for those who must know of it."""
KEPT_PART = Access(may_see=True, reason=N_("You bought a part of this; its artist withdrew the rest."))
"""What is left of a withdrawn release for who bought a track of it: the place where that stands."""


def decide(facts: Facts) -> Access:
    """The rights that follow from *facts*.

    A contributor edits drafts; what is public or on its way there is changed by those who may publish. A private link shows and plays
    all of its release, and gives no files away. What was bought stays heard and downloaded when its artist withdraws it; what is
    taken down is shut for everybody.
    """
    ours = facts.standing is not Standing.PUBLIC
    if facts.taken_down:
        return TAKEN_DOWN if ours or facts.moderates else NOTHING
    member = facts.member if runs(facts.paid_through, facts.now) else None
    public = facts.state is ReleaseState.PUBLISHED
    early = not public and member is not None and _is_early(facts, member)
    kept = facts.kept and not public
    if not (ours or public or early or facts.key_shown or kept):
        return KEPT_PART if facts.kept_part else NOTHING
    perks = member or facts.free
    signed_in = facts.signed_in or ours
    for_members = facts.exclusive or facts.audience is Audience.MEMBERS
    bought = kept or (facts.bought and (public or early))
    opened = (public or early) and (
        perks.exclusives if for_members else facts.audience is Audience.EVERYONE or signed_in
    )
    given = ours or facts.key_shown
    whole = given or bought or opened
    may_publish = facts.standing.reaches(Standing.MANAGER)
    tier = facts.opened_by if for_members and not whole else None
    lasting = ours or kept or (bought and public) or not (public or early) or member in (None, facts.free)
    counted = opened and signed_in and perks.downloads_a_month != 0
    return Access(
        may_see=True,
        may_preview=True,
        may_play=whole,
        may_download=ours or bought or counted,
        may_play_offline=ours or bought or (signed_in and (facts.key_shown or (opened and perks.offline))),
        may_edit=may_publish or (ours and facts.state is ReleaseState.DRAFT),
        may_publish=may_publish,
        may_manage=facts.standing.reaches(Standing.OWNER),
        top_quality=Quality.MASTER if given or bought else perks.top_quality if whole else Quality.LOW,
        reason=_reason(facts, ours=ours, kept=kept, public=public, early=early, whole=whole),
        way_in=None if whole else WayIn.TIER if tier else None if signed_in else WayIn.SIGN_IN,
        tier=tier,
        downloads_a_month=None if ours or bought else perks.downloads_a_month if counted else 0,
        until=None if lasting else facts.paid_through,
    )


def runs(paid_through: datetime | None, now: datetime) -> bool:
    """True while a membership that is paid until then, or for good, is one."""
    return paid_through is None or now < paid_through


def _is_early(facts: Facts, member: Perks) -> bool:
    """True when the hour has come at which such a member hears what is on its way to the public."""
    return (
        facts.state is ReleaseState.SCHEDULED
        and facts.publish_at is not None
        and bool(member.early_access)
        and facts.now >= facts.publish_at - member.early_access
    )


def _reason(facts: Facts, *, ours: bool, kept: bool, public: bool, early: bool, whole: bool) -> str:
    for_members = facts.exclusive or facts.audience is Audience.MEMBERS
    if ours:
        return N_("This is yours.")
    if kept:
        return N_("You bought this, so it stays yours. Its artist has withdrawn it from everybody else.")
    if early and whole:
        return N_("As a member you hear this before everybody else.")
    if not public and not early:
        return N_("You were given a private link to this.")
    if not whole:
        return N_("Members hear the whole of it.") if for_members else N_("Sign in to hear the whole of it.")
    if facts.bought:
        return N_("You bought this.")
    if for_members:
        return N_("Open to you as a member.")
    return (
        N_("Free to hear.")
        if facts.audience is Audience.EVERYONE
        else N_("Free to hear for listeners with an account.")
    )
