"""A search over everything that is public, and lists of artists; the rows come with what is shown beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from appliance import search
from appliance.catalog import openness
from appliance.catalog import topics
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.topics import Topic
from appliance.database import Identified
from appliance.prepared import Prepared

M = TypeVar("M", bound=Identified)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, each kind by itself, best first."""

    artists: Sequence[Artist] = ()
    releases: Sequence[Release] = ()
    tracks: Sequence[Track] = ()
    topics: Sequence[Topic] = ()

    def __bool__(self) -> bool:
        return bool(self.artists or self.releases or self.tracks or self.topics)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each kind are wanted; none of a kind costs nothing."""

    artists: int = 0
    releases: int = 0
    tracks: int = 0
    topics: int = 0


_artists: Prepared[Artist] = Prepared(lambda *ids: Artist.select().where(Artist.id.in_(ids)))
_releases: Prepared[Release] = Prepared(
    lambda *ids: Release.select(Release, Artist).join(Artist).where(Release.id.in_(ids), openness.PUBLIC),
    Release.artist,
)
_tracks: Prepared[Track] = Prepared(
    lambda *ids: (
        Track.select(Track, Release, Artist)
        .join(Release)
        .join(Artist)
        .where(Track.id.in_(ids), openness.HEARD, openness.PUBLIC)
    ),
    Track.release,
    Release.artist,
)


def find(query: str, limits: Limits) -> Found:
    """What has all words of *query*, at most so many of each kind."""
    return Found(
        artists=_rows(_artists, _subjects(search.ARTISTS, query, limits.artists)),
        releases=_rows(_releases, _subjects(search.RELEASES, query, limits.releases)),
        tracks=_rows(_tracks, _subjects(search.TRACKS, query, limits.tracks)),
        topics=topics.named(_subjects(search.TAGS, query, limits.topics)),
    )


def artists(*, limit: int, after: tuple[str, int] | None = None) -> list[tuple[Artist, tuple[str, int]]]:
    """Artists of whom something is public, by name, each with its place in the list; *after* is the place of the last one seen (keyset)."""
    places = search.ARTISTS.by_title(limit=limit, after=after)
    rows = _by_id(_artists, [subject for subject, _ in places])
    return [(rows[subject], place) for subject, place in places if subject in rows]


def newest_artists(*, limit: int) -> list[Artist]:
    """Artists whose first release went public last, newest first."""
    return _rows(_artists, search.ARTISTS.newest(limit=limit))


def _subjects(index: search.SearchIndex, query: str, limit: int) -> list[str]:
    return index.find(query, limit=limit) if limit else []


def _rows(prepared: Prepared[M], ids: Sequence[str]) -> list[M]:
    found = _by_id(prepared, ids)
    return [found[key] for key in ids if key in found]


def _by_id(prepared: Prepared[M], ids: Sequence[str]) -> dict[str, M]:
    if not ids:
        return {}
    # Such a query is put into words once for each number of ids; so there are few numbers, and short lists name their last id again.
    size = 8
    while size < len(ids):
        size *= 3
    return {row.id: row for row in prepared(*ids, *[ids[-1]] * (size - len(ids)))}
