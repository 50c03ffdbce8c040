"""Tracks: found, edited, put in order, removed, made anew."""

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime

import peewee

from appliance import jobs
from appliance.catalog.models import MOVES
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.prepared import Prepared

TRANSCODE = "transcode"
"""The kind of job that makes renditions; its subject is a track id."""
_by_id = Prepared(
    lambda track_id: (
        Track.select(Track, Release, Artist).join(Release).join(Artist).where(Track.id == track_id)
    ),
    Track.release,
    Release.artist,
)
_by_release = Prepared(
    lambda release_id: (
        Track.select(Track, Release, Artist)
        .join(Release)
        .join(Artist)
        .where(Track.release == release_id)
        .order_by(Track.position, Track.id)
    ),
    Track.release,
    Release.artist,
)
_renditions = Prepared(
    lambda *track_ids: Rendition.select().where(Rendition.track.in_(track_ids)).order_by(Rendition.id)
)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")


def find(track_id: str) -> Track:
    """The track with this id, its release and artist joined, or ``NotFound``."""
    rows = _by_id(track_id)
    if not rows:
        raise NotFound("There is no such track.")
    return rows[0]


def of_release(release: Release) -> list[Track]:
    """The tracks in their order."""
    return _by_release(release.id)


def counts(releases: Iterable[Release]) -> dict[str, int]:
    """How many tracks each of these releases has, by one query; a release without any is not in it."""
    count = peewee.fn.COUNT(Track.id)
    query = Track.select(Track.release, count).where(Track.release.in_([row.id for row in releases]))
    return dict(query.group_by(Track.release).tuples())  # type: ignore[arg-type]  # tuples() changes what comes out


def renditions_of(tracks: Iterable[Track]) -> dict[str, list[Rendition]]:
    """For each track id the renditions of the run that counts, lowest first, by one query."""
    runs = {track.id: track.run_id for track in tracks if track.run_id}
    found: dict[str, list[Rendition]] = {track_id: [] for track_id in runs}
    for row in _renditions(*runs) if runs else ():
        if runs[row.track_id] == row.run_id:
            found[row.track_id].append(row)
    return found


def edit(track: Track, fields: Mapping[str, object], *, now: datetime) -> Track:
    """Change what *fields* names (title, isrc, lyrics); ``Invalid`` names the field that cannot be taken."""
    for name in fields:
        if name not in _READERS:
            raise Invalid(
                f"A track has no field '{name[:60]}' that can be set; it has {', '.join(_READERS)}.",
                field=name[:60],
            )
    values = {name: _READERS[name](value) for name, value in fields.items()}
    if values:
        Track.update(updated_at=now, **values).where(Track.id == track.id).execute()
    return find(track.id)


def reorder(release: Release, track_ids: Sequence[str], *, now: datetime) -> None:
    """Put the tracks in this order; ``Conflict`` when the list is not exactly the tracks there are."""
    with transaction():
        present = {row.id for row in Track.select(Track.id).where(Track.release == release.id)}
        if len(track_ids) != len(present) or set(track_ids) != present:
            raise Conflict(
                "The tracks have changed meanwhile; load the page again and put them in order once more."
            )
        for position, track_id in enumerate(track_ids, start=1):
            Track.update(position=position, updated_at=now).where(Track.id == track_id).execute()


def remove(track: Track) -> None:
    """Take a track off its release; its bytes are removed by the weekly clean-up."""
    with transaction():
        Track.delete().where(Track.id == track.id).execute()
        rest = (
            Track.select(Track.id).where(Track.release == track.release_id).order_by(Track.position, Track.id)
        )
        for position, row in enumerate(list(rest), start=1):
            Track.update(position=position).where(Track.id == row.id).execute()


def queue_transcode(track_id: str, *, now: datetime, attempts: int) -> jobs.Job:
    """Make renditions anew, after a failure or for a better ladder; ``send`` the job afterwards.

    What listeners hear now stays until the new run is finished and verified.
    """
    with transaction():
        track = find(track_id)
        if track.state == TrackState.FAILED:
            Track.update(state=TrackState.PROCESSING, problem="", updated_at=now).where(
                Track.id == track.id
            ).execute()
        return jobs.add(TRANSCODE, track.id, now=now, max_attempts=attempts)


def move(track: Track, state: TrackState, *, now: datetime, **values: object) -> None:
    """Change the state by the table of moves, and *values* with it; ``Conflict`` for a move that is not in it."""
    if state != track.state and state not in MOVES[TrackState(track.state)]:
        raise Conflict(f"A track that is {track.state} cannot become {state}.")
    Track.update(state=state, updated_at=now, **values).where(Track.id == track.id).execute()


def _isrc(value: object) -> str:
    # ISO 3901: country, registrant, year and designation; hyphens are for people only.
    text = (
        clean_line(value, field="isrc", longest=20, required=False).upper().replace("-", "").replace(" ", "")
    )
    if text and not _ISRC.fullmatch(text):
        raise Invalid("An ISRC has 12 characters, such as DE-A12-26-00001 (ISO 3901).", field="isrc")
    return text


_READERS: Mapping[str, Callable[[object], object]] = {
    "title": lambda v: clean_line(v, field="title", longest=300),
    "isrc": _isrc,
    "lyrics": lambda v: clean_text(v, field="lyrics", longest=50_000),
}
