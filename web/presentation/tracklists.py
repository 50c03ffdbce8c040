"""The lines of a track list, and what the player is told of each."""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web.presentation.rights import reason
from web.presentation.rights import way_in
from web.presentation.wording import duration


@dataclass(frozen=True, slots=True)
class TrackView:
    """A line of a track list; *player* is what the player reads from the page. What was taken *down* stands there for its people alone."""

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
    plain_url: str
    lyrics: str
    playable: bool
    reason: str
    player: dict[str, Any]
    favourite: bool = False
    down: bool = False


def tracks(
    rows: Iterable[Track],
    rights: Mapping[str, Access],
    made: Mapping[str, Sequence[Rendition]],
    *,
    first: int = 1,
    kept: Collection[str] = (),
) -> list[TrackView]:
    """The lines of a list, numbered from *first*; *rights* are by the track's id, *kept* are the ids of favourites."""
    return [
        track(row, rights[row.id], made, number=number, kept=row.id in kept)
        for number, row in enumerate(rows, start=first)
    ]


def track(
    row: Track, right: Access, made: Mapping[str, Sequence[Rendition]], *, number: int, kept: bool = False
) -> TrackView:
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
        plain_url=f"/listen/tracks/{row.id}/plain.m4a" if player["mayPlay"] or player["preview"] else "",
        lyrics=row.lyrics,
        playable=player["mayPlay"],
        reason=player["reason"],
        player=player,
        favourite=kept,
        down=right.taken_down,
    )


def player_track(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]]) -> dict[str, Any]:
    """What the player needs of a track, as JSON; the release and artist of *row* are joined.

    *made* holds its renditions (``tracks.renditions_of``). Without a right to the whole, it says why and where the way in is.
    """
    release, artist = row.release, row.release.artist
    release_url = addresses.release_page(release)
    url = f"{release_url}/{row.slug}"
    may_play = bool(qualities(row, right, made))
    return {
        "id": row.id,
        "title": row.title,
        "artist": artist.name,
        "artistUrl": addresses.artist_page(artist),
        "release": release.title,
        "releaseUrl": release_url,
        "url": url,
        "cover": addresses.artwork(release, 600, "jpg"),
        "durationMs": row.duration_ms or 0,
        "loudnessLufs": row.loudness_lufs,
        "truePeakDbtp": row.true_peak_dbtp,
        "waveform": addresses.public(row.waveform_key) if row.waveform_key and right.may_preview else "",
        "preview": addresses.public(row.preview_key) if row.preview_key and right.may_preview else "",
        "mayPlay": may_play,
        "mayKeep": may_play and right.may_play_offline,
        "reason": "" if may_play else reason(right),
        "wayIn": None if may_play else way_in(right, back=url),
        "lyrics": lyrics_kind(row),
    }


def qualities(row: Track, right: Access, made: Mapping[str, Sequence[Rendition]]) -> list[str]:
    """What this person can play of a track now."""
    return list(access.playable(row, right, [rung.quality for rung in made.get(row.id, [])]))


def lyrics_kind(row: Track) -> str:
    """``synced`` for lyrics with times, ``plain`` for others, empty without any."""
    return "synced" if row.synced_lyrics else "plain" if row.lyrics else ""


def summary(rows: Sequence[TrackView]) -> str:
    """What *rows* come to: ``9 tracks, 41 min``."""
    return extent(len(rows), sum(row.duration_ms for row in rows))


def extent(count: int, duration_ms: int) -> str:
    """``9 tracks, 41 min``, and ``104 tracks, 5 h 12 min``."""
    hours, minutes = divmod(round(duration_ms / 60_000), 60)
    told = ngettext("%(num)d track", "%(num)d tracks", count)
    if hours:
        return _("%(count)s, %(hours)d h %(minutes)d min", count=told, hours=hours, minutes=minutes)
    return _("%(count)s, %(minutes)d min", count=told, minutes=minutes) if minutes else str(told)


def waiting(count: int) -> str:
    """How many tracks are still on their way to being heard, as a sentence; empty when none is."""
    if not count:
        return ""
    return str(
        ngettext("One more track is being prepared.", "%(num)d more tracks are being prepared.", count)
    )
