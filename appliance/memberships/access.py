"""The one answer to every question of access: what this person may do with this track, and why.

There are no paid tiers yet: what is published is for everyone in every quality, a draft is for those who make it. Tiers, early access and
exclusives will add inputs to ``decide``; callers keep asking in the same words.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.errors import NotAllowed
from appliance.errors import NotFound


class Standing(StrEnum):
    """What a person is to an artist."""

    PUBLIC = "public"
    OWNER = "owner"
    ADMIN = "admin"


class WayIn(StrEnum):
    """Where a right that is missing can be had."""

    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Access:
    """What is allowed, the sentence a page can show with it, and the way in for whom it is not."""

    may_see: bool
    may_play: bool
    may_edit: bool
    top_quality: Quality
    reason: str
    way_in: WayIn | None = None


def decide(standing: Standing, state: ReleaseState) -> Access:
    """Pure: the rights of someone of this *standing* on a release in this *state*."""
    ours = standing is not Standing.PUBLIC
    public = state is ReleaseState.PUBLISHED
    if not (ours or public):
        return Access(False, False, False, Quality.LOW, "This release is not published yet.")
    return Access(True, True, ours, Quality.MASTER, "This is yours." if ours else "Free to hear.")


def standing(user: User | None, artist: Artist, *, roles: frozenset[str]) -> Standing:
    """What *user*, who holds these *roles*, is to *artist*."""
    if user is None:
        return Standing.PUBLIC
    if artist.owner_id == user.id:
        return Standing.OWNER
    return Standing.ADMIN if RoleName.ADMIN in roles else Standing.PUBLIC


def to_release(user: User | None, release: Release, *, roles: frozenset[str]) -> Access:
    """The rights of this person on this release."""
    return decide(standing(user, release.artist, roles=roles), ReleaseState(release.state))


def require_sight(user: User | None, release: Release, *, roles: frozenset[str]) -> Access:
    """As ``to_release``; ``NotFound`` where they must not even know that it exists."""
    access = to_release(user, release, roles=roles)
    if not access.may_see:
        raise NotFound("There is no such release.")
    return access


def require_edit(user: User | None, release: Release, *, roles: frozenset[str]) -> Access:
    """As ``require_sight``; ``NotAllowed`` where they may look but not touch."""
    access = require_sight(user, release, roles=roles)
    if not access.may_edit:
        raise NotAllowed("Only the people behind this artist may do that.")
    return access


def require_artist(user: User | None, artist: Artist, *, roles: frozenset[str]) -> None:
    """``NotAllowed`` unless this person runs the artist or the platform."""
    if standing(user, artist, roles=roles) is Standing.PUBLIC:
        raise NotAllowed("Only the people behind this artist may do that.")


def playable(track: Track, access: Access, qualities: list[str]) -> list[Quality]:
    """Of the *qualities* a track has, those this access opens, lowest first."""
    ladder = list(Quality)
    top = ladder.index(access.top_quality)
    return [quality for quality in ladder[: top + 1] if quality in qualities] if access.may_play else []
