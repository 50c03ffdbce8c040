"""Releases and tracks as the people behind them see them: how far each is, what it lacks, and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance import jobs
from appliance.catalog import readiness
from appliance.catalog.models import Artist
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Rendition
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.catalog.readiness import Need
from appliance.memberships.access import Access
from web.presentation.artists import ArtistCard
from web.presentation.artists import artist_card as public_card
from web.presentation.releases import ReleaseCard
from web.presentation.releases import release_card
from web.presentation.tracklists import player_track
from web.presentation.wording import duration
from web.presentation.wording import size

NEEDS = {
    Need.TRACK: lazy_gettext("a track"),
    Need.READY: lazy_gettext("a track that is ready"),
    Need.MENDED: lazy_gettext("another file for what failed"),
    Need.COVER: lazy_gettext("a cover"),
    Need.LICENCE: lazy_gettext("a licence"),
    Need.GENRE: lazy_gettext("a genre"),
}
STEPS = {
    Need.TRACK: lazy_gettext("Upload at least one track."),
    Need.READY: lazy_gettext("Wait until a track is ready."),
    Need.MENDED: lazy_gettext("Send a track that failed again, or remove it."),
    Need.COVER: lazy_gettext("Add a cover: it is what people see first."),
    Need.LICENCE: lazy_gettext("Choose a licence, so that people know what they may do."),
    Need.GENRE: lazy_gettext("Name a genre, so that people find it."),
}


AUDIENCES = {
    Audience.EVERYONE: lazy_gettext("Everybody"),
    Audience.LISTENERS: lazy_gettext("Listeners who are signed in"),
    Audience.MEMBERS: lazy_gettext("Members whose tier opens exclusive tracks"),
}
GENRES = (
    "Ambient",
    "Blues",
    "Classical",
    "Country",
    "Electronic",
    "Experimental",
    "Folk",
    "Funk",
    "Hip-hop",
    "House",
    "Indie",
    "Jazz",
    "Metal",
    "Noise",
    "Pop",
    "Punk",
    "Reggae",
    "Rock",
    "Singer-songwriter",
    "Soul",
    "Spoken word",
    "Techno",
)
"""Genres to choose from; any other word is as good."""


@dataclass(frozen=True, slots=True)
class DeskArtist:
    """An artist on the dashboard."""

    card: ArtistCard
    slug: str
    edit_url: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a release stands: its state, in a word and in a line; *instant* is what the line is about, if it is about one."""

    state: str
    word: str
    kind: str
    line: str
    instant: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class DeskRow:
    """A release on the dashboard."""

    card: ReleaseCard
    edit_url: str
    bench: Bench
    private: bool
    tracks: str
    plays: int
    missing: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is to be done before a release goes out; *must* where it hinders."""

    text: str
    must: bool


@dataclass(frozen=True, slots=True)
class MasterView:
    """A track as the people behind it see it: how far it is, and what it was made from; *player* is what the player reads."""

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
    player: dict[str, Any]
    plays: int
    next_master: NextMaster | None
    exclusive: bool
    down: bool
    edit_url: str
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class NextMaster:
    """A new master on its way, or why it cannot be."""

    name: str
    problem: str


def artist_card(row: Artist, *, may_edit: bool) -> DeskArtist:
    """An artist on the dashboard."""
    return DeskArtist(
        card=public_card(row),
        slug=row.slug,
        edit_url=url_for("people.edit_artist" if may_edit else "people.people_of", slug=row.slug),
    )


def row(row: Release, states: Mapping[TrackState, int], plays: int, *, now: datetime) -> DeskRow:
    """A release on the dashboard, which has so many tracks of each state and so many plays."""
    lacking = readiness.missing(row, states) if row.state != ReleaseState.PUBLISHED else []
    return DeskRow(
        card=release_card(row),
        edit_url=url_for("studio.release", release_id=row.id),
        bench=bench(row, now=now),
        private=bool(row.private_key) and row.state != ReleaseState.PUBLISHED,
        tracks=ngettext("%(num)d track", "%(num)d tracks", sum(states.values())),
        plays=plays,
        missing=", ".join(str(NEEDS[need]) for need in lacking),
    )


def bench(row: Release, *, now: datetime) -> Bench:
    """Where a release stands."""
    state = ReleaseState(row.state)
    if state is ReleaseState.PUBLISHED:
        return Bench(state, _("Published"), "good", _("Public since"), row.published_at, late=False)
    if state is ReleaseState.SCHEDULED:
        late = row.publish_at <= now
        line = _("It should have gone out on") if late else _("Goes out by itself on")
        return Bench(state, _("Scheduled"), "accent", line, row.publish_at, late=late)
    line = (
        _("Seen and heard by whoever has its private link.")
        if row.private_key
        else _("Only the people behind the artist see it.")
    )
    return Bench(state, _("Draft"), "", line, None, late=False)


def needs(lacking: Iterable[Need]) -> list[Step]:
    """What is to be done, what must be first."""
    return [Step(str(STEPS[need]), need in readiness.HINDERING) for need in lacking]


def masters(
    rows: Sequence[Track],
    rights: Mapping[str, Access],
    made: Mapping[str, Sequence[Rendition]],
    work: Mapping[str, jobs.Job],
    *,
    next_masters: Mapping[str, Replacement],
    plays: Mapping[str, int],
) -> list[MasterView]:
    """The lines of a release in the studio."""
    return [
        _master(row, number, len(rows), player_track(row, rights[row.id], made), work, next_masters, plays)
        for number, row in enumerate(rows, start=1)
    ]


def _master(
    row: Track,
    number: int,
    count: int,
    player: dict[str, Any],
    work: Mapping[str, jobs.Job],
    next_masters: Mapping[str, Replacement],
    plays: Mapping[str, int],
) -> MasterView:
    coming = next_masters.get(row.id)
    facts = (row.original_name, row.original_format, size(row.original_size_bytes))
    return MasterView(
        id=row.id,
        number=number,
        title=row.title,
        state=row.state,
        percent=_percent(row, work.get(row.id)),
        problem=row.problem,
        duration=duration(row.duration_ms),
        measured=_measured(row),
        original=", ".join(filter(None, facts)),
        isrc=row.isrc,
        lyrics=row.lyrics,
        playable=player["mayPlay"],
        player=player,
        plays=plays.get(row.id, 0),
        next_master=NextMaster(coming.original_name, coming.problem) if coming else None,
        exclusive=row.exclusive,
        down=row.taken_down_at is not None,
        edit_url=url_for("studio.track", track_id=row.id),
        first=number == 1,
        last=number == count,
    )


def _percent(row: Track, job: jobs.Job | None) -> int:
    if row.state == TrackState.READY:
        return 100
    return round(100 * job.progress) if job else 0


def _measured(row: Track) -> str:
    if row.loudness_lufs is None or row.true_peak_dbtp is None:
        return ""
    return f"{row.loudness_lufs:.1f} LUFS, peak {row.true_peak_dbtp:.1f} dBTP"
