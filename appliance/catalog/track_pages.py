"""The tracks of a release as listeners see them: page by page, however many there are."""

from dataclasses import dataclass
from typing import Any

import peewee

from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.prepared import Prepared


def _plain(value: object) -> peewee.Value:
    """*value* as it is, also where the field it is compared with would make a number of it: a query in the making has markers there."""
    return peewee.Value(value, converter=lambda given: given)


_page = Prepared(
    lambda release_id, after, limit: (
        Track.select(Track, Release, Artist)
        .join(Release)
        .join(Artist)
        .where(Track.release == release_id, Track.state == TrackState.READY, Track.position > _plain(after))
        .order_by(Track.position)
        .limit(limit)
    ),
    Track.release,
    Release.artist,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a release holds: tracks that can be heard, their length together, and tracks still on their way."""

    ready: int = 0
    duration_ms: int = 0
    waiting: int = 0


def page(release: Release, *, limit: int, after: int = 0) -> list[Track]:
    """Tracks that are ready, in their order; *after* is the position of the last one seen (keyset).

    Those that were taken down too: who may know of one is for ``memberships.access`` to say.
    """
    return _page(release.id, after, limit)


def extent(release: Release) -> Extent:
    """How much the release holds, by one query."""
    query = Track.select(Track.state, peewee.fn.COUNT(Track.id), peewee.fn.SUM(Track.duration_ms)).where(
        Track.release == release.id, Track.taken_down_at.is_null()
    )
    ready = duration_ms = waiting = 0
    rows: Any = query.group_by(Track.state).tuples()
    for state, count, total_ms in rows:
        if state == TrackState.READY:
            ready, duration_ms = count, int(total_ms or 0)
        elif state in {TrackState.UPLOADED, TrackState.PROCESSING}:
            waiting += count
    return Extent(ready, duration_ms, waiting)


def number(track: Track) -> int:
    """The number that *track* has among those of its release that can be heard."""
    before = (Track.release == track.release_id) & openness.HEARD & (Track.position < track.position)
    return 1 + Track.select().where(before).count()


def beside(track: Track) -> tuple[Track | None, Track | None]:
    """The track before *track* and the one after it, of those that can be heard."""
    here = (Track.release == track.release_id) & openness.HEARD
    before = Track.select().where(here, Track.position < track.position)
    after = Track.select().where(here, Track.position > track.position)
    return (
        before.order_by(Track.position.desc()).first(),
        after.order_by(Track.position).first(),
    )
