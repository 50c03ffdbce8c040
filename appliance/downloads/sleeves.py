"""What is written on a file: every tag a player may ask for, as values, and the digest that tells one version from the next."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalog import credits
from appliance.catalog import licences
from appliance.catalog import lyrics
from appliance.catalog import tracks
from appliance.catalog.models import Credit
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import Invalid

RECIPE = 1
"""Grows when files are made in another way: those that were made before are made anew."""
COVER_PX = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleeve:
    """The texts and numbers of one track; *credits* are (role, name). Loudness is in LUFS, the peak in dBTP, None for silence."""

    title: str
    artist: str
    album: str
    number: int
    total: int
    date: str
    genre: str
    isrc: str
    licence: str
    licence_url: str
    copyright: str
    url: str
    lyrics: str
    synced: tuple[tuple[int, str], ...]
    synced_text: str
    credits: tuple[tuple[str, str], ...]
    catalogue_number: str
    label: str
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    album_loudness_lufs: float | None
    album_true_peak_dbtp: float | None
    cover_key: str

    def digest(self) -> str:
        """Another one for every change of what is written."""
        text = json.dumps([RECIPE, dataclasses.asdict(self)], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def of(release: Release, *, public_url: str, label: str) -> dict[str, Sleeve]:
    """The sleeves of all tracks of *release* that can be heard, its artist joined, by the id of the track; by two queries."""
    rows = [row for row in tracks.of_release(release) if row.state == TrackState.READY]
    people = credits.of_release(release)
    loudness, peak = album_level(rows)
    shown = release.release_date or (release.published_at.date() if release.published_at else None)
    return {
        row.id: Sleeve(
            title=row.title,
            artist=release.artist.name,
            album=release.title,
            number=number,
            total=len(rows),
            date=shown.isoformat() if shown else "",
            genre=release.genre,
            isrc=row.isrc,
            **_licensed(row.licence or release.licence, release.artist.name, shown.year if shown else None),
            url=f"{public_url.rstrip('/')}/@{release.artist.slug}/{release.slug}/{row.slug}"
            if public_url
            else "",
            lyrics=row.lyrics or _plain(row.synced_lyrics),
            synced=_synced(row.synced_lyrics),
            synced_text=row.synced_lyrics,
            credits=_credits([*people.get(row.id, []), *people.get("", [])]),
            catalogue_number=release.catalogue_number,
            label=label,
            loudness_lufs=row.loudness_lufs,
            true_peak_dbtp=row.true_peak_dbtp,
            album_loudness_lufs=loudness,
            album_true_peak_dbtp=peak,
            cover_key=f"{release.artwork_key}/{COVER_PX}.jpg" if release.artwork_key else "",
        )
        for number, row in enumerate(rows, start=1)
    }


def album_level(rows: Sequence[Track]) -> tuple[float | None, float | None]:
    """Pure: loudness and peak of tracks heard as a whole: the mean of their energy by their length, and the highest peak."""
    heard = [
        (row.loudness_lufs, row.duration_ms)
        for row in rows
        if row.loudness_lufs is not None and row.duration_ms
    ]
    peaks = [row.true_peak_dbtp for row in rows if row.true_peak_dbtp is not None]
    if not heard:
        return None, max(peaks, default=None)
    energy = sum(10 ** (lufs / 10) * length for lufs, length in heard)
    return 10 * math.log10(energy / sum(length for _, length in heard)), max(peaks, default=None)


def _licensed(value: str, artist: str, year: int | None) -> dict[str, str]:
    """The licence by name and address, and the line of copyright."""
    found = licences.of(value)
    line = " ".join(filter(None, ("©", str(year or ""), artist)))
    name = found.name if found else ""
    return {
        "licence": name,
        "licence_url": found.url if found else "",
        "copyright": f"{line}. {name}" if name else line,
    }


def _credits(rows: Iterable[Credit]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys((row.role, row.name) for row in rows))


def _synced(text: str) -> tuple[tuple[int, str], ...]:
    try:
        return tuple((line.at_ms, line.text) for line in lyrics.lines(text)) if text else ()
    except Invalid:
        return ()  # Older than the rules; the text itself is on the sleeve all the same.


def _plain(text: str) -> str:
    try:
        return lyrics.plain(text) if text else ""
    except Invalid:
        return ""
