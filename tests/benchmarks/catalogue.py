"""A large catalogue made of nothing: rows as they would be after years, written past the product, since a million uploads take long."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance.search.index import Entry
from appliance.search.index import row_of

START = datetime(2020, 1, 1, tzinfo=UTC)
TRACKS_A_RELEASE = 10
RELEASES_AN_ARTIST = 5
QUALITIES = ("low", "high", "lossless")
GENRES = ("Ambient", "Electronic", "Folk", "Jazz", "House", "Techno", "Indie", "Dub", "Hip Hop", "Drone")
TAGS = ("sea", "night", "calm", "drums", "live", "home", "mono", "field recording", "dance", "piano", "voice")


_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
VOCABULARY = [
    (first + second + third).title()
    for first in _SYLLABLES
    for second in _SYLLABLES
    for third in ("", "lo", "ra", "ne")
]


@dataclass(frozen=True)
class Place:
    """Addresses of what is in the catalogue, and words that are found there."""

    artists: int
    releases: int

    @property
    def tracks(self) -> int:
        return self.releases * TRACKS_A_RELEASE

    def artist(self, number: int) -> str:
        return f"/@a{number % self.artists}"

    def release(self, number: int) -> str:
        number %= self.releases
        return f"/@a{number // RELEASES_AN_ARTIST}/r{number}"


def place_of(tracks: int) -> Place:
    """Where things are in a catalogue of so many tracks, ten a release and fifty an artist."""
    releases = tracks // TRACKS_A_RELEASE
    return Place(max(1, releases // RELEASES_AN_ARTIST), releases)


@functools.lru_cache(maxsize=4)
def words(number: int) -> str:
    """A title of one to four words, the same for the same number; a few words are in many titles, most are rare."""
    told = []
    for step in range(1 + number % 4):
        # Knuth's multiplicative hash, and a power that makes small numbers frequent.
        fraction = ((number * 4 + step) * 2_654_435_761 % 2**32) / 2**32
        told.append(VOCABULARY[int(len(VOCABULARY) ** fraction) - 1])
    return " ".join(told)


def tables(place: Place) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """The rows of each table, in an order in which keys point at what is there already; a track has three renditions."""
    yield (
        "user",
        [
            {
                "id": id_of("u", 0),
                "email": "house@example.com",
                "password": "-",
                "fs_uniquifier": "-",
                "active": True,
            }
        ],
    )
    yield "artist", (_artist(number) for number in range(place.artists))
    yield "release", (_release(number) for number in range(place.releases))
    yield "track", (_track(number) for number in range(place.tracks))
    yield (
        "rendition",
        (_rendition(number, quality) for number in range(place.tracks) for quality in QUALITIES),
    )
    yield (
        "daily_plays",
        (
            {
                "track_id": id_of("t", number),
                "artist_id": _artist_id(number),
                "day": date.today().isoformat(),
                "plays": 1 + number % 7,
            }
            for number in range(0, place.tracks, 5)
        ),
    )
    yield (
        "topic",
        (
            {"id": id_of("g", number), "kind": kind, "slug": name.lower().replace(" ", "-"), "name": name}
            for number, (kind, name) in enumerate(_topics())
        ),
    )
    topics = {name: id_of("g", number) for number, (_, name) in enumerate(_topics())}
    yield (
        "topic_release",
        (
            {"topic_id": topics[name], "release_id": id_of("r", number), "published_at": _at(number)}
            for number in range(place.releases)
            for name in {_genre(number), *_tags(number)}
        ),
    )
    yield (
        "featured",
        (
            {
                "release_id": id_of("r", place.releases - 1 - number),
                "position": number,
                "note": "Listen to this",
            }
            for number in range(min(7, place.releases))
        ),
    )
    yield "search_artist", (row_of(Entry(id_of("a", n), _name(n))) for n in range(place.artists))
    yield (
        "search_release",
        (
            row_of(Entry(id_of("r", n), words(n), _name(n // RELEASES_AN_ARTIST), _about(n)))
            for n in range(place.releases)
        ),
    )
    yield "search_track", (_indexed(number) for number in range(place.tracks))
    yield (
        "search_tag",
        (row_of(Entry(f"{kind}:{name.lower().replace(' ', '-')}", name)) for kind, name in _topics()),
    )


def _artist(number: int) -> dict[str, Any]:
    return {
        "id": id_of("a", number),
        "slug": f"a{number}",
        "name": _name(number),
        "about": "Two people, one *harbour*.",
        "owner_id": id_of("u", 0),
        "version": 1,
    }


def _release(number: int) -> dict[str, Any]:
    return {
        "id": id_of("r", number),
        "artist_id": id_of("a", number // RELEASES_AN_ARTIST),
        "slug": f"r{number}",
        "title": words(number),
        "kind": ("album", "ep", "single")[number % 3],
        "state": "published",
        "audience": "everyone",
        "about": "Made **at night**, with the window open.",
        "genre": _genre(number),
        "tags": "\n".join(_tags(number)),
        "licence": "CC-BY-4.0",
        "artwork_key": f"artwork/{id_of('r', number)}/picture",
        "colour": f"#{number % 0xFFFFFF:06x}",
        "published_at": _at(number),
        "version": 1,
    }


def _track(number: int) -> dict[str, Any]:
    release = number // TRACKS_A_RELEASE
    key = f"{id_of('t', number)}/{id_of('n', number)}"
    return {
        "id": id_of("t", number),
        "release_id": id_of("r", release),
        "position": 1 + number % TRACKS_A_RELEASE,
        "slug": f"t{number % TRACKS_A_RELEASE}",
        "title": words(-number),
        "state": "ready",
        "original_key": f"originals/{id_of('t', number)}",
        "original_name": "song.flac",
        "original_type": "audio/flac",
        "run_id": id_of("n", number),
        "duration_ms": 180_000 + number % 60_000,
        "loudness_lufs": -14.0,
        "true_peak_dbtp": -1.0,
        "waveform_key": f"waveforms/{key}.json",
        "preview_key": f"previews/{key}.m4a",
        "version": 1,
    }


def _rendition(number: int, quality: str) -> dict[str, Any]:
    return {
        "track_id": id_of("t", number),
        "run_id": id_of("n", number),
        "quality": quality,
        "codecs": "mp4a.40.2",
        "bandwidth": 140_000,
        "average_bandwidth": 130_000,
        "sample_rate_hz": 44_100,
        "channels": 2,
        "size_bytes": 5_000_000,
    }


def _indexed(number: int) -> dict[str, str]:
    release = number // TRACKS_A_RELEASE
    near = f"{_name(release // RELEASES_AN_ARTIST)} {words(release)}"
    return row_of(Entry(id_of("t", number), words(-number), near, _about(release)))


def id_of(kind: str, number: int) -> str:
    """The id of the artist, release, track or run with this number."""
    return f"{kind.upper()}{number:025d}"


def _artist_id(track: int) -> str:
    return id_of("a", track // TRACKS_A_RELEASE // RELEASES_AN_ARTIST)


def _name(number: int) -> str:
    return words(1_000_000_000 + number)


def _genre(number: int) -> str:
    return GENRES[number % len(GENRES)]


def _tags(number: int) -> list[str]:
    return [TAGS[(number + step) % len(TAGS)] for step in (0, 3, 7)]


def _about(number: int) -> str:
    return " ".join([_genre(number), *_tags(number)])


def _topics() -> list[tuple[str, str]]:
    return [("genre", name) for name in GENRES] + [("tag", name) for name in TAGS]


def _at(number: int) -> str:
    return (START + timedelta(minutes=number)).replace(tzinfo=None).isoformat(sep=" ")
