"""Releases and tracks as the people behind them see them: how far each is, and what the forms hold."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from appliance import jobs
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.memberships.access import Access
from web.presentation.tracklists import qualities
from web.presentation.wording import duration
from web.presentation.wording import size


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


def _percent(row: Track, job: jobs.Job | None) -> int:
    if row.state == TrackState.READY:
        return 100
    return round(100 * job.progress) if job else 0


def _measured(row: Track) -> str:
    if row.loudness_lufs is None or row.true_peak_dbtp is None:
        return ""
    return f"{row.loudness_lufs:.1f} LUFS, peak {row.true_peak_dbtp:.1f} dBTP"
