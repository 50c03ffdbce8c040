"""Recording what was heard: retry-safe, in any order, and from two places at once."""

from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from datetime import date
from datetime import datetime
from typing import Any

import peewee

from appliance import database
from appliance import prepared
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.listening import rules
from appliance.listening.events import Event
from appliance.listening.events import good
from appliance.listening.models import DailyPlays
from appliance.listening.models import Play
from appliance.memberships import access
from appliance.memberships.access import NO_KEYS
from appliance.prepared import Prepared
from appliance.prepared import Statement

_MERGED = (
    Play.user,
    Play.started_at,
    Play.last_at,
    Play.claimed_ms,
    Play.heard_ms,
    Play.position_ms,
    Play.outcome,
    Play.quality,
    Play.context,
    Play.counted_at,
    Play.received_at,
    Play.updated_at,
)
_ADDED: dict[str, Any] = {
    "conflict_target": [DailyPlays.track, DailyPlays.day],
    "update": {DailyPlays.plays: DailyPlays.plays + peewee.EXCLUDED.plays},
}
# Every player reports every few seconds, mostly of one play: what is asked then is put into words once.
_tracks = Prepared(
    lambda *track_ids: (
        Track.select(Track, Release, Artist).join(Release).join(Artist).where(Track.id.in_(track_ids))
    ),
    Track.release,
    Release.artist,
)
_held = Prepared(
    lambda *play_ids: database.locked(Play.select().where(Play.id.in_(play_ids)).order_by(Play.id))
)
_count_day = Statement(
    lambda track, artist, day, plays: DailyPlays.insert(
        track=track, artist=artist, day=day, plays=plays
    ).on_conflict(**_ADDED),
    4,
)


def record(
    events: Iterable[object],
    user: User | None,
    *,
    client: str,
    sent_at_ms: int,
    now: datetime,
    roles: frozenset[str],
    keys: Collection[str] = NO_KEYS,
) -> None:
    """Take in what a player reports; what is rubbish, of another's play or of a track they may not see is dropped.

    Every report may come twice, late and out of order: the rows are the same in the end.
    """
    taken = good(events, sent_at_ms=sent_at_ms, now=now)
    tracks = _seen({event.track for event in taken}, user, roles=roles, keys=keys, now=now)
    told = _together(
        (event for event in taken if event.track in tracks), tracks, user=user, client=client, now=now
    )
    if told:
        with transaction():
            _store(told, tracks)


def _seen(
    track_ids: set[str],
    user: User | None,
    *,
    roles: frozenset[str],
    keys: Collection[str],
    now: datetime,
) -> dict[str, Track]:
    """Those of the tracks that this person may know of, their artists joined."""
    if not track_ids:
        return {}
    rows = _tracks(*sorted(track_ids))
    rights = access.to_tracks(user, rows, roles=roles, keys=keys, now=now)
    return {row.id: row for row in rows if rights[row.id].may_see}


def _together(
    events: Iterable[Event], tracks: Mapping[str, Track], *, user: User | None, client: str, now: datetime
) -> dict[str, Play]:
    """What the events of one batch say of each play, by its id."""
    plays: dict[str, Play] = {}
    user_id = user.id if user else None
    for event in events:
        artist_id = tracks[event.track].release.artist_id
        told = rules.first(event, artist_id=artist_id, user_id=user_id, client=client, now=now)
        known = plays.setdefault(event.play, told)
        if known is not told and rules.belongs(told, known):
            rules.merge(known, told)
    return plays


def _store(told: Mapping[str, Play], tracks: Mapping[str, Track]) -> None:
    # Two batches that tell of the same plays take them in the same order, so that neither waits for the other for ever.
    ids = sorted(told)
    # First the rows, uncounted, whoever of two makes them; then, held, what is told is put in and counted.
    _make([told[key].__data__ for key in ids])
    changed: list[dict[str, Any]] = []
    counted: Counter[tuple[str, str, date]] = Counter()
    for play in _held(*ids):
        if not rules.belongs(told[play.id], play):
            continue
        before = dict(play.__data__)
        _count(counted, play, -1)
        rules.merge(play, told[play.id])
        rules.weigh(play, tracks[play.track_id].duration_ms)
        _count(counted, play, 1)
        if play.__data__ != before:
            changed.append(dict(play.__data__))
    _change(changed)
    _add(counted)


def _make(rows: list[dict[str, Any]]) -> None:
    if len(rows) == 1:
        prepared.insert(Play, ignore=True, **rows[0])
    else:
        Play.insert_many(rows).on_conflict_ignore().execute()


def _change(rows: list[dict[str, Any]]) -> None:
    if len(rows) == 1:
        [row] = rows
        prepared.update(Play, row["id"], **{field.name: row[field.name] for field in _MERGED})
    elif rows:
        Play.insert_many(rows).on_conflict(conflict_target=[Play.id], preserve=_MERGED).execute()


def _count(counted: Counter[tuple[str, str, date]], play: Play, by: int) -> None:
    if play.counted_at is not None:
        counted[(play.track_id, play.artist_id, play.counted_at.date())] += by


def _add(counted: Counter[tuple[str, str, date]]) -> None:
    rows: list[dict[str, Any]] = [
        {"track": track, "artist": artist, "day": day, "plays": plays}
        for (track, artist, day), plays in sorted(counted.items())
        if plays
    ]
    if len(rows) == 1:
        _count_day(*rows[0].values())
    elif rows:
        DailyPlays.insert_many(rows).on_conflict(**_ADDED).execute()
