"""Tracks: found, edited, put in order, removed, made anew."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from appliance import jobs
from appliance import revocations
from appliance.catalog import codes
from appliance.catalog import credits
from appliance.catalog import findable
from appliance.catalog import licences
from appliance.catalog import lyrics
from appliance.catalog import rendition_keys
from appliance.catalog import versions
from appliance.catalog.models import MOVES
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Word
from appliance.prepared import Prepared

TRANSCODE = jobs.kind("transcode", jobs.Lane.TRANSCODE)
"""The kind of job that makes renditions; its subject is a track id."""
RESEAL = jobs.kind("reseal", jobs.Lane.TRANSCODE)
"""The kind of job that stores the rungs of a track encrypted or in clear, as the track says; its subject is a track id."""
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
_qualities = Prepared(
    lambda *track_ids: (
        Rendition.select(Rendition.track, Rendition.run_id, Rendition.quality)
        .where(Rendition.track.in_(track_ids))
        .order_by(Rendition.id)
    )
)


def find(track_id: str) -> Track:
    """The track with this id, its release and artist joined, or ``NotFound``."""
    rows = _by_id(track_id)
    if not rows:
        raise NotFound("There is no such track.")
    return rows[0]


def find_by_address(artist_slug: str, release_slug: str, slug: str) -> Track:
    """The track at ``/@artist/release/track``, its release and artist joined, or ``NotFound``."""
    query = Track.select(Track, Release, Artist).join(Release).join(Artist)
    track: Track | None = query.where(
        Artist.slug == artist_slug, Release.slug == release_slug, Track.slug == slug
    ).first()
    if track is None:
        raise NotFound("There is no such track.")
    return track


def of_release(release: Release) -> list[Track]:
    """The tracks in their order."""
    return _by_release(release.id)


def counts(releases: Iterable[Release]) -> dict[str, int]:
    """How many tracks each of these releases has, by one query; a release without any is not in it."""
    count = peewee.fn.COUNT(Track.id)
    query = Track.select(Track.release, count).where(Track.release.in_([row.id for row in releases]))
    return dict(query.group_by(Track.release).tuples())  # type: ignore[arg-type]  # tuples() changes what comes out


def states(releases: Iterable[Release]) -> dict[str, dict[TrackState, int]]:
    """How many tracks of each state each of these releases has, by one query; a release without any is not in it."""
    count = peewee.fn.COUNT(Track.id)
    query = Track.select(Track.release, Track.state, count).where(
        Track.release.in_([row.id for row in releases])
    )
    found: dict[str, dict[TrackState, int]] = {}
    rows: Any = query.group_by(Track.release, Track.state).tuples()
    for release_id, state, number in rows:
        found.setdefault(release_id, {})[TrackState(state)] = number
    return found


def renditions_of(tracks: Iterable[Track]) -> dict[str, list[Rendition]]:
    """For each track id the renditions of the run that counts, lowest first, by one query."""
    runs = {track.id: track.run_id for track in tracks if track.run_id}
    found: dict[str, list[Rendition]] = {track_id: [] for track_id in runs}
    for row in _renditions(*runs) if runs else ():
        if runs[row.track_id] == row.run_id:
            found[row.track_id].append(row)
    return found


def qualities_of(tracks: Iterable[Track]) -> dict[str, list[str]]:
    """For each track id the qualities that its run made, lowest first, by one query."""
    runs = {track.id: track.run_id for track in tracks if track.run_id}
    found: dict[str, list[str]] = {track_id: [] for track_id in runs}
    for track_id, run_id, quality in _qualities.tuples(*runs) if runs else ():
        if runs[track_id] == run_id:
            found[track_id].append(quality)
    return found


def edit(track: Track, fields: Mapping[str, object], *, now: datetime, made_from: int | None = None) -> Track:
    """Change what *fields* names and nothing else; ``Invalid`` names the field that cannot be taken.

    ``Stale`` tells that the track is no longer the version the change was *made_from*. Its address follows the title until somebody
    may have shared it: until the release goes out or gets a private link.
    """
    values = _checked(fields, track)
    queued: list[str] = []
    with transaction():
        if values or made_from is not None:
            people = values.pop("contributors", None)
            # Whoever it shuts out must not go on by the permission they were given before.
            if values.get("exclusive") and not Track.get_by_id(track.id).exclusive:
                revocations.revoke(f"track:{track.id}", now=now)
            versions.change(track, {"updated_at": now, **values}, made_from=made_from)
            if people is not None:
                credits.store(track.release_id, track.id, people)
        if values.get("isrc"):
            _require_own_isrc(track, values["isrc"])
        if "title" in values:
            release = Release.get_by_id(track.release_id)
            if release.published_at is None and not release.private_key:
                slug = free_slug(track.release_id, values["title"], but=track.id)
                Track.update(slug=slug).where(Track.id == track.id).execute()
            findable.track(track.id)
        if "exclusive" in values:
            queued = queue_reseal(track.id, now=now)
    for job_id in queued:
        jobs.send(job_id)
    return find(track.id)


def free_slug(release_id: str, title: str, *, but: str = "") -> str:
    """A slug made of *title* that no track of the release has, *but* one; inside the transaction of the caller."""
    taken = {row.slug for row in Track.select(Track.slug).where(Track.release == release_id, Track.id != but)}
    wanted = slugify(title)
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)


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


def remove(track: Track, *, now: datetime) -> None:
    """Take a track off its release: nobody hears it from now on; its bytes are removed by the weekly clean-up."""
    with transaction():
        Track.delete().where(Track.id == track.id).execute()
        revocations.revoke(f"track:{track.id}", now=now)
        findable.track(track.id)
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


def queue_reseal(track_id: str, *, now: datetime) -> list[str]:
    """Have the rungs stored anew where they are encrypted and should not be, or the other way round; jobs to ``send`` after the commit."""
    track = find(track_id)
    if track.state != TrackState.READY or rendition_keys.is_sealed(track) == track.exclusive:
        return []
    return [jobs.add(RESEAL, track.id, now=now).id]


def move(track: Track, state: TrackState, *, now: datetime, **values: object) -> None:
    """Change the state by the table of moves, and *values* with it; ``Conflict`` for a move that is not in it."""
    if state != track.state and state not in MOVES[TrackState(track.state)]:
        raise Conflict(
            "A track that is {state} cannot become {wanted}.", state=Word(track.state), wanted=Word(state)
        )
    Track.update(state=state, updated_at=now, **values).where(Track.id == track.id).execute()


def _require_own_isrc(track: Track, isrc: str) -> None:
    """``Invalid`` when another track of the release has this ISRC: it names one recording."""
    other = Track.get_or_none(Track.release == track.release_id, Track.isrc == isrc, Track.id != track.id)
    if other is not None:
        raise Invalid(
            "“{title}” has this ISRC already; each recording has its own.", title=other.title, field="isrc"
        )


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("'exclusive' is true or false.", field="exclusive")
    return value


def _checked(fields: Mapping[str, object], track: Track) -> dict[str, Any]:
    for name in fields:
        if name not in _READERS:
            raise Invalid(
                "A track has no field '{name}' that can be set; it has {names}.",
                name=name[:60],
                names=", ".join(_READERS),
                field=name[:60],
            )
    return {name: _READERS[name](value, track) for name, value in fields.items()}


_READERS: Mapping[str, Callable[[object, Track], object]] = {
    "title": lambda v, _: clean_line(v, field="title", longest=300),
    "isrc": lambda v, _: codes.isrc(v),
    "lyrics": lambda v, _: clean_text(v, field="lyrics", longest=50_000),
    "synced_lyrics": lambda v, track: lyrics.read(v, duration_ms=track.duration_ms),
    "licence": lambda v, _: licences.read(v),
    "exclusive": lambda v, _: _flag(v),
    "contributors": lambda v, _: credits.read(v),
}
