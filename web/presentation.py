"""What templates are given: finished texts and addresses, made from rows that are already there."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import url_for

from appliance import jobs
from appliance.catalog import artwork
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web import colours

KINDS = {"album": "Album", "ep": "EP", "single": "Single"}


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture in the sizes a browser may choose from."""

    src: str
    srcset: str
    jpeg: str


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release, for a card in a grid as for the head of its page."""

    id: str
    title: str
    kind: str
    url: str
    edit_url: str
    artist: str
    artist_url: str
    cover: Cover | None
    colour: str
    accent: colours.Accent
    draft: bool
    date: str
    about: str
    credits: str
    licence: str
    genre: str
    catalogue_number: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class TrackView:
    """A line of a track list; the numbers are what the player needs."""

    id: str
    number: int
    title: str
    duration: str
    duration_ms: int
    loudness: str
    true_peak: str
    waveform_url: str
    preview_url: str
    lyrics: str
    playable: bool


@dataclass(frozen=True, slots=True)
class MasterView:
    """A track as the people behind it see it: how far it is, and what it was made from."""

    id: str
    number: int
    title: str
    state: str
    percent: int
    problem: str
    duration: str
    measured: str
    original: str
    isrc: str
    lyrics: str
    playable: bool
    first: bool
    last: bool


def release(row: Release) -> ReleaseView:
    """A release whose artist is joined."""
    shown = row.release_date or (row.published_at.date() if row.published_at else None)
    return ReleaseView(
        id=row.id,
        title=row.title,
        kind=KINDS.get(row.kind, row.kind),
        url=addresses.release_page(row),
        edit_url=url_for("studio.release", release_id=row.id),
        artist=row.artist.name,
        artist_url=url_for("storefront.artist", artist=row.artist.slug),
        cover=cover(row),
        colour=row.colour or colours.of_name(row.id),
        accent=colours.accent(row.colour),
        draft=row.state == ReleaseState.DRAFT,
        date=day(shown) if shown else "",
        about=row.about,
        credits=row.credits,
        licence=row.licence,
        genre=row.genre,
        catalogue_number=row.catalogue_number,
        tags=releases.tags_of(row),
    )


def cover(row: Release) -> Cover | None:
    """The cover of a release that has one."""
    if not row.artwork_key:
        return None
    sizes = {px: addresses.artwork(row, px) for px in sorted(artwork.SIZES_PX)}
    srcset = ", ".join(f"{address} {px}w" for px, address in sizes.items())
    return Cover(src=sizes[600], srcset=srcset, jpeg=addresses.artwork(row, 600, "jpg"))


def release_form(row: Release, sent: Mapping[str, str]) -> dict[str, str]:
    """What the form of a release holds: what was sent and not taken, else what is stored."""
    stored = {
        "title": row.title,
        "kind": row.kind,
        "about": row.about,
        "genre": row.genre,
        "tags": ", ".join(releases.tags_of(row)),
        "credits": row.credits,
        "licence": row.licence,
        "catalogue_number": row.catalogue_number,
        "release_date": row.release_date.isoformat() if row.release_date else "",
    }
    return {name: sent.get(name, value) for name, value in stored.items()}


def tracks(rows: Iterable[Track], right: Access, made: Mapping[str, Sequence[Rendition]]) -> list[TrackView]:
    """The lines of a release's page, numbered as they are shown."""
    return [
        TrackView(
            id=row.id,
            number=number,
            title=row.title,
            duration=duration(row.duration_ms),
            duration_ms=row.duration_ms or 0,
            loudness="" if row.loudness_lufs is None else f"{row.loudness_lufs:.2f}",
            true_peak="" if row.true_peak_dbtp is None else f"{row.true_peak_dbtp:.2f}",
            waveform_url=addresses.public(row.waveform_key) if row.waveform_key else "",
            preview_url=addresses.public(row.preview_key) if row.preview_key else "",
            lyrics=row.lyrics,
            playable=bool(qualities(row, right, made)),
        )
        for number, row in enumerate(rows, start=1)
    ]


def masters(
    rows: Sequence[Track],
    right: Access,
    made: Mapping[str, Sequence[Rendition]],
    work: Mapping[str, jobs.Job],
) -> list[MasterView]:
    """The lines of a release in the studio."""
    return [
        MasterView(
            id=row.id,
            number=number,
            title=row.title,
            state=row.state,
            percent=_percent(row, work.get(row.id)),
            problem=row.problem,
            duration=duration(row.duration_ms),
            measured=_measured(row),
            original=", ".join(
                filter(None, (row.original_name, row.original_format, size(row.original_size_bytes)))
            ),
            isrc=row.isrc,
            lyrics=row.lyrics,
            playable=bool(qualities(row, right, made)),
            first=number == 1,
            last=number == len(rows),
        )
        for number, row in enumerate(rows, start=1)
    ]


def qualities(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]]) -> list[str]:
    """What this person can play of a track now."""
    return list(access.playable(row, right, [rung.quality for rung in made.get(row.id, [])]))


def duration(milliseconds: int | None) -> str:
    """A length as people write it: ``3:45`` or ``1:02:03``; empty while it is unknown."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def summary(rows: Sequence[TrackView]) -> str:
    """``9 tracks, 41 min``."""
    minutes = round(sum(row.duration_ms for row in rows) / 60_000)
    count = "1 track" if len(rows) == 1 else f"{len(rows)} tracks"
    return f"{count}, {minutes} min" if minutes else count


def waiting(rows: Iterable[Track]) -> str:
    """How many tracks are still on their way to being heard, as a sentence; empty when none is."""
    count = sum(row.state in {TrackState.UPLOADED, TrackState.PROCESSING} for row in rows)
    if not count:
        return ""
    return "One more track is being prepared." if count == 1 else f"{count} more tracks are being prepared."


def size(size_bytes: int) -> str:
    """A size as people write it."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.2f} GB"


def day(instant: date) -> str:
    """A date with its month in letters, which no country reads the other way round."""
    return f"{instant.day} {instant:%B %Y}"


def _percent(row: Track, job: jobs.Job | None) -> int:
    if row.state == TrackState.READY:
        return 100
    return round(100 * job.progress) if job else 0


def _measured(row: Track) -> str:
    if row.loudness_lufs is None or row.true_peak_dbtp is None:
        return ""
    return f"{row.loudness_lufs:.1f} LUFS, peak {row.true_peak_dbtp:.1f} dBTP"
