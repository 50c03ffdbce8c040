"""A collective nobody would make on purpose: names too long, scripts from right to left, markup everywhere, and far too much of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from appliance import clock
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.database import transaction
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry
from appliance.startup import Appliance
from tests.servers.site import Person
from tests.servers.site import make_artist
from tests.servers.site import make_release
from tests.servers.site import make_track

MARKUP = "</title><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&amp;"
LONG = ("An Inventory of Everything the Tide Took and What It Gave Back " * 5)[:300].strip()
UNBROKEN = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle" * 4
ARABIC = "فرقة البحر والليل للموسيقى الجديدة"
HEBREW = ("אור ראשון", "הים לא שואל", "שיר לערב", "Blue Train (גרסה חיה)", "רכבת אחרונה לפני הזריחה")
EMOJI = "🌊🌊🌊 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 Zalgo t̷̢̛e̵x̶t 🎹🎻🥁"
ACCENTS = ("#ffff00", "#000000", "#ffffff")
MANY_RELEASES, MANY_TRACKS, MANY_ENTRIES = 300, 100, 1000


@dataclass(frozen=True)
class Extremes:
    """Where each of them is shown."""

    releases: dict[str, str]
    artists: dict[str, str]
    playlists: dict[str, str]

    @property
    def pages(self) -> dict[str, str]:
        return self.releases | self.artists | self.playlists


def fill(appliance: Appliance, owner: Person, reader: Person) -> Extremes:
    """All of it: run by *owner*, with a playlist of *reader*."""
    made = {
        "long": _release(appliance, make_artist(owner, LONG[:200]), LONG, [LONG, "Short", LONG[:280]]),
        "unbroken": _release(appliance, make_artist(owner, UNBROKEN[:200]), UNBROKEN[:300], [UNBROKEN[:300]]),
        "right to left": _release(appliance, make_artist(owner, ARABIC), "ליל קיץ בחוף הצפוני", HEBREW),
        "emoji": _release(appliance, make_artist(owner, EMOJI), EMOJI, [EMOJI, "🎷", "👋🏽"]),
        "markup": _release(appliance, _marked(owner), MARKUP, [MARKUP, MARKUP], marked=True),
        "many tracks": _release(appliance, make_artist(owner, "Everything Ever"), "The Complete Works", []),
    }
    many = made["many tracks"]
    _more_tracks(many, MANY_TRACKS)
    _more_releases(many.artist, MANY_RELEASES)
    for accent in ACCENTS:
        made[accent] = _release(
            appliance, make_artist(owner, f"Colour {accent}"), f"All of {accent}", ["One", "Two"]
        )
        Artist.update(accent=accent).where(Artist.id == made[accent].artist_id).execute()
    return Extremes(
        {name: f"/@{row.artist.slug}/{row.slug}" for name, row in made.items()},
        {f"artist: {name}": f"/@{row.artist.slug}" for name, row in made.items()},
        {"long playlist": f"/playlists/{_playlist(reader, many).id}"},
    )


def _marked(owner: Person) -> Artist:
    artist = make_artist(owner, MARKUP)
    Artist.update(about=f"{MARKUP}\n\n[a link](javascript:alert(1)) **bold**", location=MARKUP[:100]).where(
        Artist.id == artist.id
    ).execute()
    return artist


def _release(
    appliance: Appliance,
    artist: Artist,
    title: str,
    tracks: tuple[str, ...] | list[str],
    *,
    marked: bool = False,
) -> Release:
    """A published release of *artist* with these tracks."""
    fields = (
        {"about": MARKUP, "genre": MARKUP[:40], "tags": [MARKUP[:30], "plain"], "licence": MARKUP[:60]}
        if marked
        else {}
    )
    fields["contributors"] = [{"name": title[:200], "role": title[:100]}]
    release = make_release(None, artist=artist, title=title, published=True, **fields)
    for name in tracks:
        make_track(release, appliance, title=name)
    return release


def _more_tracks(release: Release, count: int) -> None:
    """Rows alone: nobody plays them."""
    now = clock.now()
    rows = [
        {
            "id": new_id(), "release": release.id, "position": number, "slug": f"piece-{number}",
            "title": f"Piece {number}", "state": TrackState.READY, "duration_ms": 61_000 * number,
            "original_key": f"originals/{number}", "original_name": "x.flac", "original_type": "audio/flac",
            "original_size_bytes": 1, "original_sha256": "0" * 64, "created_at": now, "updated_at": now,
        }
        for number in range(1, count + 1)
    ]  # fmt: skip
    with transaction():
        Track.insert_many(rows).execute()


def _more_releases(artist: Artist, count: int) -> None:
    now = clock.now() - timedelta(days=400)
    rows = [
        {
            "id": new_id(), "artist": artist.id, "slug": f"number-{number}", "title": f"Number {number}",
            "state": ReleaseState.PUBLISHED, "published_at": now + timedelta(days=number), "created_at": now,
            "updated_at": now,
        }
        for number in range(1, count + 1)
    ]  # fmt: skip
    with transaction():
        Release.insert_many(rows).execute()


def _playlist(reader: Person, release: Release) -> Playlist:
    """The tracks of *release* again and again."""
    made = playlists.create(
        reader.user, {"title": LONG[:200], "about": MARKUP, "visibility": "public"}, now=clock.now()
    )
    tracks = list(Track.select(Track.id).where(Track.release == release.id))
    rows = [
        {
            "id": new_id(),
            "playlist": made.id,
            "track": tracks[number % len(tracks)].id,
            "position": number,
            "added_at": clock.now(),
        }
        for number in range(MANY_ENTRIES)
    ]
    with transaction():
        for start in range(0, len(rows), 200):
            PlaylistEntry.insert_many(rows[start : start + 200]).execute()
    return made
