"""Feeds: what is new, as Atom (RFC 4287) for readers and as RSS 2.0 for podcast programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from email.utils import format_datetime

from flask import Response
from flask import redirect
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup

from appliance.catalog import artists
from appliance.catalog import directory
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound
from web import addresses
from web import profiles
from web import rich_text
from web.sharing import episodes
from web.sharing import places
from web.sharing.episodes import Episode
from web.sharing.routing import blueprint
from web.sharing.routing import keepable
from web.sharing.routing import rendered
from web.sharing.routing import xml

MOST_ENTRIES = 50
MOST_EPISODES = 100
MAX_AGE_S = 600
LANGUAGE = "en"
"""A feed is the same for everybody; the texts of the artists stand in it as they wrote them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A release in a feed."""

    id: str
    title: str
    url: str
    artist: str
    artist_url: str
    published: str
    updated: str
    content: str
    tags: Sequence[str]
    previews: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Item:
    """A track in a podcast."""

    id: str
    title: str
    url: str
    published: str
    about: str
    season: str
    number: int
    cover: str
    episode: Episode


@blueprint.get("/feed.atom")
def collective_feed() -> Response:
    """What is new from all artists."""
    ours, rows = places.collective(), releases.published(limit=MOST_ENTRIES)
    return _atom(
        rows,
        id=places.whole(url_for("sharing.collective_feed")),
        title=ours.name,
        page=places.whole(url_for("storefront.index")),
        own=places.whole(url_for("sharing.collective_feed")),
        author=ours.name,
        since=None,
    )


@blueprint.get("/@<artist>/feed.atom")
def artist_feed(artist: str) -> ResponseReturnValue:
    """What is new from one artist."""
    try:
        found = profiles.artist(artist)
    except NotFound:
        return _moved(artist, "sharing.artist_feed")
    return _atom(
        releases.published(limit=MOST_ENTRIES, artist=found),
        id=places.tag("artist", found.id, found.created_at),
        title=found.name,
        page=places.of_artist(found),
        own=places.whole(url_for("sharing.artist_feed", artist=found.slug)),
        author=found.name,
        since=found.created_at,
    )


@blueprint.get("/@<artist>/podcast.xml")
def podcast(artist: str) -> ResponseReturnValue:
    """The tracks of one artist as episodes; each leads to an address that stays."""
    try:
        found = profiles.artist(artist)
    except NotFound:
        return _moved(artist, "sharing.podcast")
    rows = releases.published(limit=MOST_ENTRIES, artist=found)
    listed = directory.tracks_of(rows)
    with force_locale(LANGUAGE):
        text = rendered(
            "sharing/podcast.xml",
            title=found.name,
            url=places.of_artist(found),
            own=places.whole(url_for("sharing.podcast", artist=found.slug)),
            about=found.about or _("Music by %(artist)s.", artist=found.name),
            site=places.collective().name,
            language=LANGUAGE,
            cover=_picture(found, rows),
            items=_items(rows, listed),
        )
    return keepable(
        xml(text),
        "application/rss+xml",
        max_age_s=MAX_AGE_S,
        changed=_changed(rows, listed, found.created_at),
    )


def _moved(slug: str, endpoint: str) -> ResponseReturnValue:
    """Lead who subscribed under an artist's former address to the present one; ``NotFound`` when it was nobody's."""
    present = artists.moved_to(slug)
    if not present:
        raise NotFound("There is no such artist.")
    return redirect(url_for(endpoint, artist=present), 301)


def _atom(
    rows: list[Release], *, id: str, title: str, page: str, own: str, author: str, since: datetime | None
) -> Response:
    listed = directory.tracks_of(rows)
    changed = _changed(rows, listed, since)
    with force_locale(LANGUAGE):
        text = rendered(
            "sharing/feed.atom.xml",
            id=id,
            title=title,
            page=page,
            own=own,
            author=author,
            # A feed without anything in it has to say when it changed too (RFC 4287, 4.2.15).
            updated=(changed.isoformat() if changed else "1970-01-01T00:00:00+00:00"),
            entries=[_entry(row, listed[row.id]) for row in rows],
        )
    return keepable(xml(text), "application/atom+xml", max_age_s=MAX_AGE_S, changed=changed)


def _entry(row: Release, heard: Sequence[Track]) -> Entry:
    changed = _changed([row], {row.id: list(heard)}, row.created_at) or row.created_at
    return Entry(
        id=places.tag("release", row.id, row.created_at),
        title=row.title,
        url=places.of_release(row),
        artist=row.artist.name,
        artist_url=places.of_artist(row.artist),
        published=row.published_at.isoformat(),
        updated=changed.isoformat(),
        content=_content(row),
        tags=releases.tags_of(row),
        previews=[(track.title, addresses.public(track.preview_key)) for track in heard if track.preview_key],
    )


def _content(row: Release) -> str:
    """HTML for a reader, as a text that the feed escapes once more (RFC 4287, 3.1.1.2)."""
    cover = addresses.artwork(row, 600, "jpg")
    picture = Markup('<p><img src="{}" width="600" height="600" alt=""></p>').format(cover) if cover else ""
    return str(
        picture + (rich_text.rendered(row.about) if row.about else Markup("<p>{}</p>").format(row.title))
    )


def _items(rows: Sequence[Release], listed: dict[str, list[Track]]) -> list[Item]:
    chosen = [track for row in rows for track in listed[row.id]][:MOST_EPISODES]
    made = tracks.renditions_of(chosen)
    found = [(track, episodes.of_track(track, made.get(track.id, []))) for track in chosen]
    return [_item(track, episode) for track, episode in found if episode is not None]


def _item(track: Track, episode: Episode) -> Item:
    release = track.release
    return Item(
        id=places.tag("track", track.id, track.created_at),
        title=track.title,
        url=places.of_track(track),
        # A second apart: programs put episodes in the order of these, newest first, and an album begins with its first track.
        published=format_datetime(release.published_at - timedelta(seconds=track.position)),
        about=str(rich_text.rendered(release.about or release.title)),
        season=release.title,
        number=track.position,
        cover=addresses.artwork(release, 1200, "jpg"),
        episode=episode,
    )


def _changed(
    rows: Sequence[Release], listed: dict[str, list[Track]], since: datetime | None
) -> datetime | None:
    """When anything in a feed changed last."""
    moments = [since, *(row.updated_at for row in rows), *(row.published_at for row in rows)]
    moments += [track.updated_at for row in rows for track in listed[row.id]]
    return max((moment for moment in moments if moment is not None), default=None)


def _picture(artist: Artist, rows: Sequence[Release]) -> str:
    """The picture of a podcast: the artist's own, else the newest cover."""
    if artist.picture_key:
        return addresses.public(f"{artist.picture_key}/1200.jpg")
    return next((addresses.artwork(row, 1200, "jpg") for row in rows if row.artwork_key), "")
