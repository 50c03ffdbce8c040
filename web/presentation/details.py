"""What stands beside the music: credits, lyrics, licences."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalog import lyrics as lrc
from appliance.catalog.models import Credit
from appliance.catalog.models import Track
from web.presentation.tracklists import TrackView


@dataclass(frozen=True, slots=True)
class CreditLine:
    """Somebody and what they did."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The words of a song: lines with their times in milliseconds, or a plain text."""

    lines: Sequence[tuple[int, str]]
    text: str


def credit_lines(rows: Iterable[Credit]) -> list[CreditLine]:
    """Who did what."""
    return [CreditLine(row.name, row.role) for row in rows]


def credits(
    rows: Mapping[str, Sequence[Credit]], tracks: Sequence[TrackView]
) -> list[tuple[TrackView | None, list[CreditLine]]]:
    """The credits of a release: those of the whole first, then those of the tracks that are shown."""
    groups: list[tuple[TrackView | None, list[CreditLine]]] = []
    if rows.get(""):
        groups.append((None, credit_lines(rows[""])))
    return groups + [(track, credit_lines(rows[track.id])) for track in tracks if rows.get(track.id)]


def lyrics(row: Track) -> Lyrics:
    """The words of a track; with times where it has them."""
    if row.synced_lyrics:
        return Lyrics([(line.at_ms, line.text) for line in lrc.lines(row.synced_lyrics)], "")
    return Lyrics([], row.lyrics)
