"""How often music was played; every figure is read from sums a day, whose number does not grow with the listeners."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import peewee

from appliance import cache
from appliance import replica
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.listening.models import DailyPlays


def plays_by_day(artist: Artist, *, since: date) -> dict[date, int]:
    """How many plays of this artist's tracks count on each day (UTC) from *since*; days without any are not in it."""
    total = peewee.fn.SUM(DailyPlays.plays)
    query = (
        DailyPlays.select(DailyPlays.day, total)
        .where(DailyPlays.artist == artist.id, DailyPlays.day >= since)
        .group_by(DailyPlays.day)
        .order_by(DailyPlays.day)
    )
    return {day: plays for day, plays in _numbers(query).items() if plays}


def top_tracks(artist: Artist, *, since: date, limit: int = 10) -> list[tuple[Track, int]]:
    """The artist's most played tracks from *since*, most first, each with its plays and its release joined."""
    return _with_rows(_most_played(artist, since=since, limit=limit))


def trending(artist: Artist, *, since: date, limit: int) -> list[tuple[Track, int]]:
    """The same as it was a few minutes ago, for whoever passes by."""
    found: dict[str, int] = cache.get(
        cache.TRENDING,
        f"{artist.id}:{since.isoformat()}:{limit}",
        lambda: _most_played(artist, since=since, limit=limit),
        behind=replica.is_read(),
    )
    return _with_rows(found)


def _most_played(artist: Artist, *, since: date, limit: int) -> dict[str, int]:
    total = peewee.fn.SUM(DailyPlays.plays)
    sums = (
        DailyPlays.select(DailyPlays.track, total)
        .where(DailyPlays.artist == artist.id, DailyPlays.day >= since)
        .group_by(DailyPlays.track)
        .having(total > 0)
        .order_by(total.desc(), DailyPlays.track)
        .limit(limit)
    )
    return _numbers(sums)


def _with_rows(plays: dict[str, int]) -> list[tuple[Track, int]]:
    if not plays:
        return []
    query = Track.select(Track, Release, Artist).join(Release).join(Artist).where(Track.id.in_(list(plays)))
    rows = {row.id: row for row in query}
    return [(rows[key], count) for key, count in plays.items() if key in rows]


def totals(track_ids: Iterable[str]) -> dict[str, int]:
    """How many plays of each of these tracks count, ever; a track without any is not in it."""
    keys = list(track_ids)
    if not keys:
        return {}
    total = peewee.fn.SUM(DailyPlays.plays)
    query = DailyPlays.select(DailyPlays.track, total).where(DailyPlays.track.in_(keys))
    return _numbers(query.group_by(DailyPlays.track).having(total > 0))


def totals_of_artists(artists: Iterable[Artist], *, since: date) -> dict[str, int]:
    """How many plays of each of these artists' tracks count from *since*; by one query."""
    keys = [row.id for row in artists]
    if not keys:
        return {}
    total = peewee.fn.SUM(DailyPlays.plays)
    query = DailyPlays.select(DailyPlays.artist, total).where(
        DailyPlays.artist.in_(keys), DailyPlays.day >= since
    )
    return _numbers(query.group_by(DailyPlays.artist).having(total > 0))


def totals_of_releases(releases: Iterable[Release]) -> dict[str, int]:
    """How many plays of each of these releases count, ever; a release without any is not in it."""
    keys = [row.id for row in releases]
    if not keys:
        return {}
    total = peewee.fn.SUM(DailyPlays.plays)
    query = DailyPlays.select(Track.release, total).join(Track).where(Track.release.in_(keys))
    return _numbers(query.group_by(Track.release).having(total > 0))


def total_of(artist: Artist, *, since: date | None = None) -> int:
    """How many plays of this artist's tracks count, ever or from *since*."""
    query = DailyPlays.select(peewee.fn.SUM(DailyPlays.plays)).where(DailyPlays.artist == artist.id)
    if since is not None:
        query = query.where(DailyPlays.day >= since)
    return int(query.scalar() or 0)


def _numbers(query: "peewee.ModelSelect[DailyPlays]") -> dict[Any, int]:
    """A query of two columns as a mapping; PostgreSQL sums to a decimal."""
    rows: Any = query.tuples()
    return {key: int(count) for key, count in rows}
