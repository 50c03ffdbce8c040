"""What the head of a public page tells machines: canonical address, Open Graph, cards, structured data, feeds and oEmbed."""

import json
import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseKind
from appliance.catalog.models import Track
from web import addresses
from web.sharing import cards
from web.sharing import places

LONGEST = 200
KINDS = {
    ReleaseKind.ALBUM: "AlbumRelease",
    ReleaseKind.EP: "EPRelease",
    ReleaseKind.SINGLE: "SingleRelease",
}
"""The words of schema.org."""
LOCALES = {"en": "en_US", "de": "de_DE"}
"""Open Graph wants a country too."""
SCHEMA = "https://schema.org"
_MARKS = re.compile(r"[*_`>#~]+|!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Head:
    """Finished values for ``components/head_meta.html``; *hidden* is what no search engine shall keep."""

    url: str
    title: str
    description: str
    type: str = "website"
    image: str = ""
    site: str = ""
    locale: str = ""
    hidden: bool = False
    properties: Sequence[tuple[str, str]] = ()
    alternates: Sequence[tuple[str, str, str]] = ()
    data: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def scripts(self) -> list[Markup]:
        """The structured data as they stand inside a script element."""
        return [_inside_script(one) for one in self.data]


def of_collective() -> Head:
    """The front page."""
    ours = places.collective()
    url = places.whole(url_for("storefront.index"))
    site = {"@context": SCHEMA, "@type": "WebSite", "name": ours.name, "url": url}
    return _head(
        url,
        title=ours.name,
        description=_short(ours.tagline or ours.about)
        or _("Music by the artists of %(name)s.", name=ours.name),
        image=cards.address("collective", cards.OURS, cards.of_collective()),
        alternates=[_feed(ours.name, url_for("sharing.collective_feed"))],
        data=[site],
    )


def of_artist(artist: Artist, rows: Sequence[Release] = ()) -> Head:
    """The page of an artist; *rows* are their newest public releases."""
    url = places.of_artist(artist)
    group = {
        "@context": SCHEMA,
        **_group(artist),
        "description": _short(artist.about),
        "album": [{**_named("MusicAlbum", row.title, places.of_release(row))} for row in rows[:10]],
    }
    return _head(
        url,
        title=artist.name,
        description=_short(artist.about) or _("Music by %(artist)s.", artist=artist.name),
        type="profile",
        image=cards.address("artist", artist.id, cards.of_artist(artist)),
        alternates=_feeds(artist),
        data=[_filled(group), _trail((artist.name, url))],
    )


def of_release(release: Release, tracks: Sequence[Track] = ()) -> Head:
    """The page of a release, whose artist is joined; *tracks* are those that can be heard."""
    url, artist = places.of_release(release), release.artist
    if not openness.is_public(release):
        return _not_public(url, release.title)
    album = {
        "@context": SCHEMA,
        **_named("MusicAlbum", release.title, url),
        "@id": url,
        "albumReleaseType": f"{SCHEMA}/{KINDS[ReleaseKind(release.kind)]}",
        "byArtist": _group(artist),
        "image": addresses.artwork(release, 1200, "jpg"),
        "datePublished": _day(release),
        "genre": release.genre,
        "keywords": ", ".join(releases.tags_of(release)),
        "numTracks": len(tracks),
        "track": [_recording(track) for track in tracks],
    }
    properties = [("music:musician", places.of_artist(artist)), ("music:release_date", _day(release))]
    return _head(
        url,
        title=_by(release.title, artist),
        description=_short(release.about) or _by(release.title, artist),
        type="music.album",
        image=cards.address("release", release.id, cards.of_release(release)),
        properties=properties + [("music:song", places.of_track(track)) for track in tracks],
        alternates=[*_feeds(artist), *_oembed(url)],
        data=[_filled(album), _trail((artist.name, places.of_artist(artist)), (release.title, url))],
    )


def of_track(track: Track) -> Head:
    """The page of a track, whose release and artist are joined."""
    release, artist, url = track.release, track.release.artist, places.of_track(track)
    if not (openness.is_public(release) and openness.is_heard(track)):
        return _not_public(url, track.title)
    recording = {
        "@context": SCHEMA,
        **_recording(track),
        "byArtist": _group(artist),
        "inAlbum": _named("MusicAlbum", release.title, places.of_release(release)),
        "isrcCode": track.isrc,
        "image": addresses.artwork(release, 1200, "jpg"),
    }
    seconds = round((track.duration_ms or 0) / 1000)
    trail = [
        (artist.name, places.of_artist(artist)),
        (release.title, places.of_release(release)),
        (track.title, url),
    ]
    return _head(
        url,
        title=_by(track.title, artist),
        description=_(
            "%(track)s, from %(release)s by %(artist)s.",
            track=track.title,
            release=release.title,
            artist=artist.name,
        ),
        type="music.song",
        image=cards.address("track", track.id, cards.of_track(track)),
        properties=[
            ("music:duration", str(seconds) if seconds else ""),
            ("music:album", places.of_release(release)),
            ("music:musician", places.of_artist(artist)),
        ],
        alternates=[*_feeds(artist), *_oembed(url)],
        data=[_filled(recording), _trail(*trail)],
    )


def _head(url: str, *, title: str, description: str, **values: Any) -> Head:
    return Head(
        url,
        title,
        description,
        site=places.collective().name,
        locale=LOCALES.get(str(get_locale()), "en_US"),
        **values,
    )


def _not_public(url: str, title: str) -> Head:
    """A draft, a scheduled release or one behind a private link: nothing is told that could be passed on."""
    return Head(url, title, "", hidden=True)


def _by(title: str, artist: Artist) -> str:
    return str(_("%(title)s by %(artist)s", title=title, artist=artist.name))


def _day(release: Release) -> str:
    shown = release.release_date or (release.published_at.date() if release.published_at else None)
    return shown.isoformat() if shown else ""


def _named(kind: str, name: str, url: str) -> dict[str, Any]:
    return {"@type": kind, "name": name, "url": url}


def _group(artist: Artist) -> dict[str, Any]:
    url = places.of_artist(artist)
    return {**_named("MusicGroup", artist.name, url), "@id": url}


def _recording(track: Track) -> dict[str, Any]:
    seconds = round((track.duration_ms or 0) / 1000)
    url = places.of_track(track)
    shown = {**_named("MusicRecording", track.title, url), "@id": url}
    return {**shown, "duration": f"PT{seconds // 60}M{seconds % 60}S"} if seconds else shown


def _trail(*steps: tuple[str, str]) -> dict[str, Any]:
    home = (places.collective().name, places.whole(url_for("storefront.index")))
    items = [
        {"@type": "ListItem", "position": number, "name": name, "item": url}
        for number, (name, url) in enumerate((home, *steps), start=1)
    ]
    return {"@context": SCHEMA, "@type": "BreadcrumbList", "itemListElement": items}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty: a search engine takes an empty text for a fault."""
    return {name: value for name, value in values.items() if value}


def _feed(title: str, path: str) -> tuple[str, str, str]:
    return "application/atom+xml", title, places.whole(path)


def _feeds(artist: Artist) -> list[tuple[str, str, str]]:
    podcast = places.whole(url_for("sharing.podcast", artist=artist.slug))
    return [
        _feed(artist.name, url_for("sharing.artist_feed", artist=artist.slug)),
        ("application/rss+xml", _("%(artist)s as a podcast", artist=artist.name), podcast),
    ]


def _oembed(url: str) -> list[tuple[str, str, str]]:
    def address(form: str) -> str:
        return places.whole(url_for("sharing.oembed")) + "?" + urlencode({"url": url, "format": form})

    return [
        ("application/json+oembed", "oEmbed", address("json")),
        ("text/xml+oembed", "oEmbed", address("xml")),
    ]


def _short(text: str) -> str:
    """The beginning of a Markdown text as one plain line."""
    line = " ".join(_MARKS.sub(r"\1", text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _inside_script(data: Mapping[str, Any]) -> Markup:
    """JSON that no text in it can end early or turn into markup: ``<`` and its like stand as escapes, which JSON allows."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that HTML would read
