"""The lines of a track list, and what the player is told of each."""

import re
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web.presentation.wording import duration

WAYS_IN = {access.WayIn.SIGN_IN: ("security.login", lazy_gettext("Sign in"))}
"""The page, and the words of the link to it, where a right that is missing can be had."""
_TIMED = re.compile(r"^\s*\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TrackView:
    """A line of a track list; *player* is what the player reads from the page."""

    id: str
    number: int
    title: str
    url: str
    artist: str
    artist_url: str
    release: str
    release_url: str
    duration: str
    duration_ms: int
    loudness: str
    true_peak: str
    waveform_url: str
    preview_url: str
    lyrics: str
    playable: bool
    reason: str
    player: dict[str, Any]


def tracks(rows: Iterable[Track], right: Access, made: Mapping[str, Sequence[Rendition]]) -> list[TrackView]:
    """The lines of a list whose tracks all fall under the one *right*, numbered as they are shown."""
    return [track(row, right, made, number=number) for number, row in enumerate(rows, start=1)]


def track(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]], *, number: int) -> TrackView:
    """One line; the release and artist of *row* are joined."""
    player = player_track(row, right, made)
    return TrackView(
        id=row.id,
        number=number,
        title=row.title,
        url=player["url"],
        artist=player["artist"],
        artist_url=player["artistUrl"],
        release=player["release"],
        release_url=player["releaseUrl"],
        duration=duration(row.duration_ms),
        duration_ms=row.duration_ms or 0,
        loudness="" if row.loudness_lufs is None else f"{row.loudness_lufs:.2f}",
        true_peak="" if row.true_peak_dbtp is None else f"{row.true_peak_dbtp:.2f}",
        waveform_url=player["waveform"],
        preview_url=player["preview"],
        lyrics=row.lyrics,
        playable=player["mayPlay"],
        reason=player["reason"],
        player=player,
    )


def player_track(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]]) -> dict[str, Any]:
    """What the player needs of a track, as JSON; the release and artist of *row* are joined.

    *made* holds its renditions (``tracks.renditions_of``). Without a right to the whole, it says why and where the way in is.
    """
    release, artist = row.release, row.release.artist
    release_url = addresses.release_page(release)
    may_play = bool(qualities(row, right, made))
    return {
        "id": row.id,
        "title": row.title,
        "artist": artist.name,
        "artistUrl": url_for("storefront.artist", artist=artist.slug),
        "release": release.title,
        "releaseUrl": release_url,
        "url": release_url,
        "cover": addresses.artwork(release, 600, "jpg"),
        "durationMs": row.duration_ms or 0,
        "loudnessLufs": row.loudness_lufs,
        "truePeakDbtp": row.true_peak_dbtp,
        "waveform": addresses.public(row.waveform_key) if row.waveform_key else "",
        "preview": addresses.public(row.preview_key) if row.preview_key else "",
        "mayPlay": may_play,
        "reason": "" if may_play else _reason(right),
        "wayIn": None if may_play else _way_in(right),
        "lyrics": lyrics_kind(row.lyrics),
    }


def qualities(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]]) -> list[str]:
    """What this person can play of a track now."""
    return list(access.playable(row, right, [rung.quality for rung in made.get(row.id, [])]))


def lyrics_kind(text: str) -> str:
    """``synced`` for lyrics with times (LRC), ``plain`` for others, empty without any."""
    if not text.strip():
        return ""
    return "synced" if _TIMED.search(text) else "plain"


def summary(rows: Sequence[TrackView]) -> str:
    """``9 tracks, 41 min``."""
    minutes = round(sum(row.duration_ms for row in rows) / 60_000)
    count = ngettext("%(num)d track", "%(num)d tracks", len(rows))
    return _("%(count)s, %(minutes)d min", count=count, minutes=minutes) if minutes else str(count)


def waiting(rows: Iterable[Track]) -> str:
    """How many tracks are still on their way to being heard, as a sentence; empty when none is."""
    count = sum(row.state in {TrackState.UPLOADED, TrackState.PROCESSING} for row in rows)
    if not count:
        return ""
    return str(
        ngettext("One more track is being prepared.", "%(num)d more tracks are being prepared.", count)
    )


def _reason(right: Access) -> str:
    return _("This track is being prepared.") if right.may_play else _(right.reason)


def _way_in(right: Access) -> dict[str, str] | None:
    """The link that leads to the right, where there is one."""
    page = WAYS_IN.get(right.way_in) if right.way_in and not right.may_play else None
    return {"href": url_for(page[0]), "text": str(page[1])} if page else None
