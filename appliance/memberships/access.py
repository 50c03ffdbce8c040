"""The one answer to every question of access: what this person may do with this release or track at this instant, and why.

Here the facts are fetched, in a number of queries that does not grow; what follows from them is decided in ``decision``.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

from appliance.accounts import permissions
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.accounts.permissions import Permission
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
from appliance.memberships import relations
from appliance.memberships.decision import LADDER
from appliance.memberships.decision import NOTHING
from appliance.memberships.decision import Access
from appliance.memberships.decision import Facts
from appliance.memberships.decision import Standing
from appliance.memberships.decision import WayIn
from appliance.memberships.decision import decide
from appliance.memberships.relations import Relation

__all__ = ["NOTHING", "NO_KEYS", "REFUSALS", "Access", "Facts", "Standing", "WayIn", "decide"]

NO_KEYS: frozenset[str] = frozenset()
REFUSALS = {
    Standing.CONTRIBUTOR: N_("Only the people behind this artist may do that."),
    Standing.MANAGER: N_("Only the owner and the managers of this artist may do that."),
    Standing.OWNER: N_("Only the owner of this artist may do that."),
    Standing.ADMIN: N_("Only an administrator may do that."),
}
"""What is told to whom it takes more, by what it takes."""
_NO_RELEASE = "There is no such release."
FROZEN = N_("The collective took this down; it cannot be changed until it is given back.")


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
    user: User | None,
    release: Release,
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> Access:
    """The rights of this person, who was shown these private *keys*, on this release at this instant.

    They are those on a track that is not exclusive; of a track itself, ask ``to_track``.
    """
    return to_releases(user, [release], roles=roles, keys=keys, now=now)[release.id]


def to_releases(
    user: User | None,
    releases: Iterable[Release],
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> dict[str, Access]:
    """The rights of this person on each of *releases*, their artists joined, by the release's id; by four queries at most."""
    rows = list(releases)
    asked = _Asked(user, {row.artist_id: row.artist for row in rows}, roles, keys, now)
    return {row.id: asked.right(row) for row in rows}


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
    """The rights of this person on each of *tracks*, releases and artists joined, by the track's id; by four queries at most."""
    rows = list(tracks)
    asked = _Asked(user, {row.release.artist_id: row.release.artist for row in rows}, roles, keys, now)
    return {row.id: asked.right(row.release, row) for row in rows}


def to_whole(
    user: User | None,
    release: Release,
    tracks: Iterable[Track],
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> tuple[Access, dict[str, Access]]:
    """As ``require_sight`` of a release and ``to_tracks`` of all that is on it, by one question for both."""
    asked = _Asked(user, {release.artist_id: release.artist}, roles, keys, now)
    right = asked.right(release)
    if not right.may_see:
        raise NotFound(_NO_RELEASE)
    return right, {row.id: asked.right(release, row) for row in tracks}


class _Asked:
    """One question about things of several artists: what is known of who asks, and what was answered already."""

    def __init__(
        self,
        user: User | None,
        artists: dict[str, Artist],
        roles: frozenset[str],
        keys: Collection[str],
        now: datetime,
    ) -> None:
        self.standings = standings(user, artists.values(), roles=roles)
        # To the people behind an artist everything is open, whatever they bought.
        public = [key for key, found in self.standings.items() if found is Standing.PUBLIC]
        self.relations = relations.of(user, public, now=now)
        self.moderates = user is not None and permissions.allows(roles, Permission.TAKEDOWNS_MANAGE)
        self.signed_in, self.keys, self.now = user is not None, keys, now
        self.answers: dict[tuple[object, ...], Access] = {}

    def right(self, release: Release, track: Track | None = None) -> Access:
        relation = self.relations.get(release.artist_id) or Relation()
        ids = (release.id, track.id) if track is not None else (release.id,)
        exclusive = track is not None and track.exclusive
        down = release.taken_down_at is not None or (track is not None and track.taken_down_at is not None)
        times = [relation.bought[one] for one in ids if one in relation.bought]
        kept = _kept(release, track, times)
        part = track is None and _kept(
            release, None, [relation.parts[one] for one in ids if one in relation.parts]
        )
        # The tracks of a release differ in so few ways that most of a long list is one answer.
        key = (release.id, exclusive, down, bool(times), kept, part)
        known = self.answers.get(key)
        if known is None:
            facts = self._facts(release, relation, exclusive, down, bool(times), kept, part)
            known = self.answers[key] = decide(facts)
        return known

    def _facts(
        self,
        release: Release,
        relation: Relation,
        exclusive: bool,
        down: bool,
        bought: bool,
        kept: bool,
        kept_part: bool,
    ) -> Facts:
        return Facts(
            standing=self.standings[release.artist_id],
            state=ReleaseState(release.state),
            now=self.now,
            publish_at=release.publish_at,
            audience=Audience(release.audience),
            exclusive=exclusive,
            taken_down=down,
            # An empty key is none: it must not open every release that has no private link.
            key_shown=bool(release.private_key) and release.private_key in self.keys,
            signed_in=self.signed_in,
            moderates=self.moderates,
            bought=bought,
            kept=kept,
            kept_part=kept_part,
            free=relation.free,
            member=relation.member,
            paid_through=relation.paid_through,
            opened_by=relation.opened_by,
        )


def _kept(release: Release, track: Track | None, bought: Sequence[datetime]) -> bool:
    """True when this was bought before its artist withdrew it; a track that was added since is not in what was bought."""
    withdrawn = release.withdrawn_at
    return (
        withdrawn is not None
        and any(at <= withdrawn for at in bought)
        and (track is None or track.created_at <= withdrawn)
    )


def require_sight(
    user: User | None,
    release: Release,
    *,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
    now: datetime,
) -> Access:
    """As ``to_release``; ``NotFound`` where they must not even know that it exists."""
    access = to_release(user, release, roles=roles, keys=keys, now=now)
    if not access.may_see:
        raise NotFound(_NO_RELEASE)
    return access


def require_edit(user: User | None, row: Release | Track, *, roles: frozenset[str], now: datetime) -> Access:
    """The rights on a release or a track, its release and artist joined; ``NotAllowed`` where they may look but not touch."""
    release = row if isinstance(row, Release) else row.release
    access = require_sight(user, release, roles=roles, now=now)
    if isinstance(row, Track):
        access = to_track(user, row, roles=roles, now=now)
    if not access.may_edit:
        ours = standing(user, release.artist, roles=roles).reaches(Standing.CONTRIBUTOR)
        frozen = access.taken_down and ours
        raise NotAllowed(FROZEN if frozen else REFUSALS[Standing.MANAGER if ours else Standing.CONTRIBUTOR])
    return access


def require_publish(user: User | None, release: Release, *, roles: frozenset[str], now: datetime) -> Access:
    """As ``require_sight``; ``NotAllowed`` where they may not decide when and to whom it is open."""
    access = require_sight(user, release, roles=roles, now=now)
    if not access.may_publish:
        raise NotAllowed(FROZEN if access.taken_down else REFUSALS[Standing.MANAGER])
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


def playable(track: Track, access: Access, qualities: Collection[str]) -> list[Quality]:
    """Of the *qualities* a track has, those this access opens, lowest first."""
    top = LADDER.index(access.top_quality)
    return [quality for quality in LADDER[: top + 1] if quality in qualities] if access.may_play else []
