"""All that is public, for machines that read it: the latest with its tracks for feeds, everything in steps for search engines."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import peewee

from appliance.catalog import openness
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound

MOST_IN_A_STEP = 10_000
"""So many addresses a page of a sitemap holds at most."""
STEP = 8_000
"""Rows of a step when the steps are counted; ids are no strict order of time, and what comes later must have room."""
AT_ONCE = 1_000
KINDS: dict[str, type[Artist] | type[Release] | type[Track]] = {
    "artists": Artist,
    "releases": Release,
    "tracks": Track,
}


def find_artist(artist_id: str) -> Artist:
    """The artist with this id, or ``NotFound``."""
    row: Artist | None = Artist.get_or_none(Artist.id == artist_id)
    if row is None:
        raise NotFound("There is no such artist.")
    return row


def find_release(release_id: str) -> Release:
    """The public release with this id, its artist joined, or ``NotFound``."""
    query = Release.select(Release, Artist).join(Artist)
    row: Release | None = query.where(Release.id == release_id, openness.PUBLIC).first()
    if row is None:
        raise NotFound("There is no such release.")
    return row


def find_track(track_id: str) -> Track:
    """The public track with this id, its release and artist joined, or ``NotFound``."""
    row = tracks.find(track_id)
    if not (openness.is_public(row.release) and openness.is_heard(row)):
        raise NotFound("There is no such track.")
    return row


def tracks_of(releases: Sequence[Release]) -> dict[str, list[Track]]:
    """For each of these releases, by its id, the tracks that can be heard, in their order; by one query."""
    known = {row.id: row for row in releases}
    found: dict[str, list[Track]] = {key: [] for key in known}
    query = Track.select().where(Track.release.in_(list(known)), openness.HEARD)
    for row in query.order_by(Track.position, Track.id) if known else ():
        row.release = known[row.release_id]
        found[row.release_id].append(row)
    return found


def steps(kind: str) -> list[str]:
    """Where each step of *kind* begins: the id before its first row, and an empty text for the first.

    All rows are counted and not only the public ones, so that walking the key of the table is enough; a step may come out short.
    """
    model = KINDS[kind]
    begins = [""]
    while True:
        query = model.select(model.id).where(model.id > begins[-1]).order_by(model.id)
        # From the last step on, never from the start: a step costs the same whatever came before it.
        row = query.limit(1).offset(STEP - 1).tuples().first()
        if row is None:
            return begins
        begins.append(row[0])


def public_in(kind: str, *, after: str, until: str | None) -> Iterator[Artist | Release | Track]:
    """Everything public of *kind* with an id above *after* and not above *until*, at most ``MOST_IN_A_STEP``, its artist joined.

    Read by the keyset and a thousand at once: what lies in memory does not grow with what there is.
    """
    left = MOST_IN_A_STEP
    while left > 0:
        rows = list(_rows(kind, after=after, until=until).limit(AT_ONCE))
        public = [row for row in rows if _is_public(row)][:left]
        yield from public
        if len(rows) < AT_ONCE:
            return
        left, after = left - len(public), rows[-1].id


def _rows(kind: str, *, after: str, until: str | None) -> Any:
    """In the order of the key. What is public is told afterwards: asked for in SQL, it would have SQLite begin with the releases of that
    state and sort all of their tracks for every thousand."""
    model = KINDS[kind]
    query: Any
    if model is Artist:
        out = Release.select(peewee.SQL("1")).where(Release.artist == Artist.id, openness.PUBLIC)
        query = Artist.select().where(peewee.fn.EXISTS(out))
    elif model is Release:
        query = Release.select(Release, Artist).join(Artist)
    else:
        query = Track.select(Track, Release, Artist).join(Release).join(Artist)
    query = query.where(model.id > after).order_by(model.id)
    return query if until is None else query.where(model.id <= until)


def _is_public(row: Artist | Release | Track) -> bool:
    if isinstance(row, Artist):
        return True
    if isinstance(row, Track):
        return openness.is_heard(row) and openness.is_public(row.release)
    return openness.is_public(row)
