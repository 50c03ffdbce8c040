"""The one answer to every question of access: what this person may do with this release and its tracks, and why.

There are no paid tiers yet. Tiers, early access and exclusives will add inputs to ``decide``; callers keep asking in the same words.
"""

from collections.abc import Collection
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.models import Artist
from appliance.catalog.models import Audience
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import N_
from appliance.errors import NotAllowed
from appliance.errors import NotFound

NO_KEYS: frozenset[str] = frozenset()


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
REFUSALS = {
    Standing.CONTRIBUTOR: N_("Only the people behind this artist may do that."),
    Standing.MANAGER: N_("Only the owner and the managers of this artist may do that."),
    Standing.OWNER: N_("Only the owner of this artist may do that."),
    Standing.ADMIN: N_("Only an administrator may do that."),
}
"""What is told to whom it takes more, by what it takes."""


class WayIn(StrEnum):
    """What would open the whole; a page makes a link of it."""

    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is allowed, and the sentence a page can show with it, which is also the key of its translation.

    *may_play* is about the whole of a track, *may_preview* about its 30 seconds. *may_edit* is about the texts and masters of this
    release, *may_publish* about when and to whom it is open, *may_manage* about the people of its artist. *downloads_a_month* is how many
    downloads of this artist the right comes with, None for as many as one likes. *until* is when the right ends by itself.
    """

    may_see: bool = False
    may_preview: bool = False
    may_play: bool = False
    may_download: bool = False
    may_play_offline: bool = False
    may_edit: bool = False
    may_publish: bool = False
    may_manage: bool = False
    top_quality: Quality = Quality.LOW
    reason: str = N_("This release is not published yet.")
    way_in: WayIn | None = None
    downloads_a_month: int | None = 0
    until: datetime | None = None


NOTHING = Access()
"""What a stranger may do with a draft."""


def decide(
    standing: Standing,
    state: ReleaseState,
    *,
    audience: Audience = Audience.EVERYONE,
    key_shown: bool = False,
    signed_in: bool = False,
) -> Access:
    """Pure: the rights of someone of this *standing* on a release in this *state*.

    *key_shown* says that they came by the private link of the release. A contributor edits drafts; what is public or on its way there
    is changed by those who may publish.
    """
    ours = standing.reaches(Standing.CONTRIBUTOR)
    signed_in = signed_in or ours
    public = state is ReleaseState.PUBLISHED
    if not (ours or public or key_shown):
        return NOTHING
    whole = ours or key_shown or audience is Audience.EVERYONE or signed_in
    may_publish = standing.reaches(Standing.MANAGER)
    return Access(
        may_see=True,
        may_preview=True,
        may_play=whole,
        may_play_offline=whole and signed_in,
        may_edit=may_publish or (ours and state is ReleaseState.DRAFT),
        may_publish=may_publish,
        may_manage=standing.reaches(Standing.OWNER),
        top_quality=Quality.MASTER if whole else Quality.LOW,
        reason=_reason(ours=ours, public=public, audience=audience, whole=whole),
        way_in=None if whole else WayIn.SIGN_IN,
    )


def _reason(*, ours: bool, public: bool, audience: Audience, whole: bool) -> str:
    if ours:
        return N_("This is yours.")
    if not public:
        return N_("You were given a private link to this.")
    if not whole:
        return N_("Sign in to hear the whole of it.")
    return (
        N_("Free to hear.")
        if audience is Audience.EVERYONE
        else N_("Free to hear for listeners with an account.")
    )


def standing(user: User | None, artist: Artist, *, roles: frozenset[str]) -> Standing:
    """What *user*, who holds these *roles*, is to *artist*; by one query at most."""
    return standings(user, [artist], roles=roles)[artist.id]


def standings(user: User | None, artists: Iterable[Artist], *, roles: frozenset[str]) -> dict[str, Standing]:
    """What *user* is to each of *artists*, by the artist's id; by one query at most."""
    known = {artist.id: artist for artist in artists}
    if user is None:
        return dict.fromkeys(known, Standing.PUBLIC)
    if RoleName.ADMIN in roles:
        return dict.fromkeys(known, Standing.ADMIN)
    found = {key: Standing.OWNER for key, artist in known.items() if artist.owner_id == user.id}
    held = members.roles_of(user, [key for key in known if key not in found])
    return {key: found.get(key) or Standing(held.get(key, Standing.PUBLIC)) for key in known}


def to_release(
    user: User | None, release: Release, *, roles: frozenset[str], keys: Collection[str] = NO_KEYS
) -> Access:
    """The rights of this person, who was shown these private *keys*, on this release."""
    return to_releases(user, [release], roles=roles, keys=keys)[release.id]


def to_releases(
    user: User | None,
    releases: Iterable[Release],
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
) -> dict[str, Access]:
    """The rights of this person on each of *releases*, their artists joined, by the release's id; by one query at most."""
    rows = list(releases)
    known = standings(user, {row.artist_id: row.artist for row in rows}.values(), roles=roles)
    return {
        row.id: decide(
            known[row.artist_id],
            ReleaseState(row.state),
            audience=Audience(row.audience),
            # An empty key is none: it must not open every release that has no private link.
            key_shown=bool(row.private_key) and row.private_key in keys,
            signed_in=user is not None,
        )
        for row in rows
    }


def to_track(
    user: User | None,
    track: Track,
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> Access:
    """The rights of this person on this track, its release and artist joined, at this instant."""
    return to_tracks(user, [track], roles=roles, keys=keys, now=now)[track.id]


def to_tracks(
    user: User | None,
    tracks: Iterable[Track],
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> dict[str, Access]:
    """The rights of this person on each of *tracks*, their releases and artists joined, by the track's id."""
    rows = list(tracks)
    by_release = to_releases(
        user, {row.release_id: row.release for row in rows}.values(), roles=roles, keys=keys
    )
    return {row.id: by_release[row.release_id] for row in rows}


def require_sight(
    user: User | None, release: Release, *, roles: frozenset[str], keys: Collection[str] = NO_KEYS
) -> Access:
    """As ``to_release``; ``NotFound`` where they must not even know that it exists."""
    access = to_release(user, release, roles=roles, keys=keys)
    if not access.may_see:
        raise NotFound("There is no such release.")
    return access


def require_edit(user: User | None, release: Release, *, roles: frozenset[str]) -> Access:
    """As ``require_sight``; ``NotAllowed`` where they may look but not touch."""
    access = require_sight(user, release, roles=roles)
    if not access.may_edit:
        ours = standing(user, release.artist, roles=roles).reaches(Standing.CONTRIBUTOR)
        raise NotAllowed(REFUSALS[Standing.MANAGER if ours else Standing.CONTRIBUTOR])
    return access


def require_publish(user: User | None, release: Release, *, roles: frozenset[str]) -> Access:
    """As ``require_sight``; ``NotAllowed`` where they may not decide when and to whom it is open."""
    access = require_sight(user, release, roles=roles)
    if not access.may_publish:
        raise NotAllowed(REFUSALS[Standing.MANAGER])
    return access


def require_artist(
    user: User | None,
    artist: Artist,
    *,
    roles: frozenset[str],
    least: Standing = Standing.CONTRIBUTOR,
) -> Standing:
    """What this person is to the artist; ``NotAllowed`` unless that is at least *least*."""
    found = standing(user, artist, roles=roles)
    if not found.reaches(least):
        raise NotAllowed(REFUSALS[least])
    return found


def playable(track: Track, access: Access, qualities: list[str]) -> list[Quality]:
    """Of the *qualities* a track has, those this access opens, lowest first."""
    ladder = list(Quality)
    top = ladder.index(access.top_quality)
    return [quality for quality in ladder[: top + 1] if quality in qualities] if access.may_play else []
