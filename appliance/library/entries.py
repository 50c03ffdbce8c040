"""The entries of playlists: added at the end, moved, put in order, removed; and what stands for a playlist on its card."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

import peewee

from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry

MOST_ENTRIES = 1_000
COVERS_FROM = 12
"""A cover is made of the first tracks; of so many the first different releases are taken."""


def of(playlist: Playlist) -> list[PlaylistEntry]:
    """All entries in their order, each with track, release and artist joined."""
    return list(
        PlaylistEntry.select(PlaylistEntry, Track, Release, Artist)
        .join(Track)
        .join(Release)
        .join(Artist)
        .where(PlaylistEntry.playlist == playlist.id)
        .order_by(PlaylistEntry.position, PlaylistEntry.id)
    )


def add(playlist: Playlist, track: Track, *, now: datetime) -> tuple[PlaylistEntry, int]:
    """Put the track at the end; the entry, and how often the track was in the playlist before."""
    with transaction():
        held = playlists.hold(playlist)
        there = list(
            PlaylistEntry.select(PlaylistEntry.track, PlaylistEntry.position).where(
                PlaylistEntry.playlist == held.id
            )
        )
        if len(there) >= MOST_ENTRIES:
            raise Conflict("A playlist has at most {most:,} tracks.", most=MOST_ENTRIES)
        last = max((row.position for row in there), default=0)
        entry = PlaylistEntry.create(playlist=held.id, track=track.id, position=last + 1, added_at=now)
        playlists.touch(held, now=now)
    return entry, sum(row.track_id == track.id for row in there)


def remove(playlist: Playlist, entry_id: str, *, now: datetime) -> None:
    """Take an entry out; nothing happens when it is out already, such as when somebody presses twice."""
    with transaction():
        held = playlists.hold(playlist)
        here = (PlaylistEntry.playlist == held.id) & (PlaylistEntry.id == entry_id)
        gone: PlaylistEntry | None = PlaylistEntry.select().where(here).first()
        if gone is None:
            return
        PlaylistEntry.delete().where(here).execute()
        PlaylistEntry.update(position=PlaylistEntry.position - 1).where(
            PlaylistEntry.playlist == held.id, PlaylistEntry.position > gone.position
        ).execute()
        playlists.touch(held, now=now)


def move(playlist: Playlist, entry_id: str, by: int, *, now: datetime) -> None:
    """Move an entry by so many places, down where *by* is positive; it stops at the ends. ``NotFound`` when it is gone."""
    with transaction():
        held = playlists.hold(playlist)
        order = _order(held)
        if entry_id not in order:
            raise NotFound("This track is not in the playlist any more.")
        here = order.index(entry_id)
        there = min(max(0, here + by), len(order) - 1)
        if here != there:
            order.insert(there, order.pop(here))
            _put(held, order, now=now)


def reorder(
    playlist: Playlist, entry_ids: Sequence[str], *, made_from: int | None = None, now: datetime
) -> None:
    """Put the entries in this order; ``Conflict`` when the list is not exactly the entries there are."""
    with transaction():
        held = playlists.hold(playlist, made_from=made_from)
        order = _order(held)
        if sorted(order) != sorted(entry_ids):
            raise Conflict("The playlist has changed meanwhile; load it again and put it in order once more.")
        if order != list(entry_ids):
            _put(held, entry_ids, now=now)


def change(
    playlist: Playlist,
    fields: Mapping[str, object],
    order: Sequence[str] | None,
    *,
    made_from: int | None = None,
    now: datetime,
) -> None:
    """What the playlist says and, where it is given, its order: both or nothing; as ``playlists.edit`` and ``reorder``."""
    with transaction():
        playlists.edit(playlist, fields, made_from=made_from, now=now)
        if order is not None:
            reorder(playlist, order, now=now)


def counts(rows: Iterable[Playlist]) -> dict[str, int]:
    """How many tracks each of these playlists has, by one query; a playlist without any is not in it."""
    count = peewee.fn.COUNT(PlaylistEntry.id)
    query = PlaylistEntry.select(PlaylistEntry.playlist, count).where(
        PlaylistEntry.playlist.in_([row.id for row in rows])
    )
    return dict(query.group_by(PlaylistEntry.playlist).tuples())  # type: ignore[arg-type]  # tuples() changes what comes out


def covers(rows: Iterable[Playlist], *, most: int = 4) -> dict[str, list[Release]]:
    """For each playlist the first different releases that are public and have a picture, by one query."""
    keys = [row.id for row in rows]
    found: dict[str, list[Release]] = {key: [] for key in keys}
    if not keys:
        return found
    query = (
        PlaylistEntry.select(PlaylistEntry, Track, Release)
        .join(Track)
        .join(Release)
        .where(
            PlaylistEntry.playlist.in_(keys),
            PlaylistEntry.position <= COVERS_FROM,
            openness.PUBLIC,
            Release.artwork_key != "",
        )
        .order_by(PlaylistEntry.playlist, PlaylistEntry.position, PlaylistEntry.id)
    )
    for row in query:
        those = found[row.playlist_id]
        if len(those) < most and row.track.release_id not in {release.id for release in those}:
            those.append(row.track.release)
    return found


def holding(rows: Iterable[Playlist], track: Track) -> set[str]:
    """Which of these playlists hold the track already, by one query."""
    keys = [row.id for row in rows]
    query = PlaylistEntry.select(PlaylistEntry.playlist).where(
        PlaylistEntry.track == track.id, PlaylistEntry.playlist.in_(keys)
    )
    return {row.playlist_id for row in query.distinct()} if keys else set()


def _order(playlist: Playlist) -> list[str]:
    query = PlaylistEntry.select(PlaylistEntry.id).where(PlaylistEntry.playlist == playlist.id)
    return [row.id for row in query.order_by(PlaylistEntry.position, PlaylistEntry.id)]


def _put(playlist: Playlist, entry_ids: Sequence[str], *, now: datetime) -> None:
    """Number all entries anew by one statement: which also closes the gaps of tracks that left the catalogue."""
    places = {key: place for place, key in enumerate(entry_ids, start=1)}
    place = peewee.Case(PlaylistEntry.id, list(places.items()))
    PlaylistEntry.update(position=place).where(PlaylistEntry.playlist == playlist.id).execute()
    playlists.touch(playlist, now=now)
