"""oEmbed (oembed.com, version 1.0): other sites turn a link to a release or a track into its player."""

import re
from dataclasses import dataclass
from dataclasses import replace
from urllib.parse import unquote
from urllib.parse import urlsplit

from flask import Response
from flask import current_app
from flask import request
from flask import url_for
from markupsafe import escape

from appliance.catalog import directory
from appliance.catalog import openness
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.library.models import Playlist
from web import addresses
from web.errors import answer_with
from web.sharing import places
from web.sharing.embeds import look
from web.sharing.embeds import public_playlist
from web.sharing.routing import blueprint
from web.sharing.routing import keepable
from web.sharing.routing import rendered
from web.sharing.routing import xml

WIDTH_PX = 480
HEIGHTS_PX = {"list": 420, "large": 640, "small": 120}
COVER_PX = 600
MAX_AGE_S = 3600
PRIVATE = ("/studio", "/admin", "/library", "/account", "/settings", "/private", "/setup", "/invitations")
"""Whatever lies there belongs to somebody; said of the address alone, so that it tells nothing of what there is."""
_PLAYER = re.compile(r"/embed/(release|track|playlist)/([0-9A-Z]{1,26})")
_PLAYLIST = re.compile(r"/playlists/([0-9A-Z]{26})/?")
_PAGE = re.compile(r"/@([^/]+)/([^/]+)(?:/([^/]+))?/?")


@dataclass(frozen=True, slots=True)
class Found:
    """What an address leads to, as the answer tells it."""

    kind: str
    id: str
    title: str
    by: str
    by_url: str
    picture: str = ""


@blueprint.get("/oembed")
def oembed() -> Response:
    """The player of the page at *url*; 404 for a page that has none, 401 for one of the private rooms, 501 for another format."""
    form = request.args.get("format", "json")
    if form not in {"json", "xml"}:
        return answer_with(501, "The formats are json and xml.")
    path = _path(request.args.get("url", ""))
    if path.startswith(PRIVATE):
        return answer_with(401, "What is at this address is private.")
    values = _told(_found(path))
    if form == "xml":
        answer = keepable(xml(rendered("sharing/oembed.xml", values=values)), "text/xml", max_age_s=MAX_AGE_S)
    else:
        answer = keepable(current_app.json.dumps(values), "application/json", max_age_s=MAX_AGE_S)
    # Pages ask for it by script as well; there is nothing in it that is not public.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def _path(url: str) -> str:
    """The path of an address of ours; ``NotFound`` for any other."""
    try:
        parts, ours = urlsplit(url), urlsplit(addresses.root())
        if parts.scheme not in {"http", "https"} or parts.netloc.lower() not in {ours.netloc, request.host}:
            raise NotFound("This is no address of ours.")
    except ValueError as error:
        raise NotFound("This is no address of ours.") from error
    return unquote(parts.path)


def _found(path: str) -> Found:
    player = _PLAYER.fullmatch(path)
    if player and player[1] == "track":
        return _track(directory.find_track(player[2]))
    if player and player[1] == "release":
        return _release(directory.find_release(player[2]))
    playlist = _PLAYLIST.fullmatch(path)
    if player or playlist:
        return _playlist(public_playlist(player[2] if player else playlist[1]))  # type: ignore[index]
    page = _PAGE.fullmatch(path)
    if page is None:
        raise NotFound("There is no player for this address.")
    release = releases.find_by_address(page[1], page[2])
    if not openness.is_public(release):
        raise NotFound("There is no such release.")
    if page[3] is None:
        return _release(release)
    rows = directory.tracks_of([release])[release.id]
    track = next((row for row in rows if row.slug == page[3]), None)
    if track is None:
        raise NotFound("There is no such track.")
    return _track(track)


def _release(row: Release) -> Found:
    artist = row.artist
    picture = addresses.artwork(row, COVER_PX, "jpg")
    return Found("release", row.id, row.title, artist.name, places.of_artist(artist), picture)


def _track(row: Track) -> Found:
    return replace(_release(row.release), kind="track", id=row.id, title=row.title)


def _playlist(row: Playlist) -> Found:
    return Found("playlist", row.id, row.title, row.owner.display_name, "")


def _told(found: Found) -> dict[str, str | int]:
    """The answer, in the words of the specification."""
    width = min(WIDTH_PX, _most("maxwidth"))
    wanted = look(request.args)
    size = wanted.size if "size" in request.args else "small" if found.kind == "track" else "list"
    if HEIGHTS_PX[size] > _most("maxheight"):
        size = "small"
    height = min(HEIGHTS_PX[size], _most("maxheight"))
    query = {"size": size, "theme": wanted.theme, "accent": wanted.accent}
    query = {name: value for name, value in query.items() if value and value not in {"auto", "list"}}
    source = places.whole(url_for(f"sharing.{found.kind}_player", key=found.id, **query))
    values: dict[str, str | int] = {
        "version": "1.0",
        "type": "rich",
        "title": found.title,
        "author_name": found.by,
        "author_url": found.by_url,
        "provider_name": places.collective().name,
        "provider_url": places.whole(url_for("storefront.index")),
        "cache_age": MAX_AGE_S,
        "width": width,
        "height": height,
        "html": frame(source, f"{found.title} · {found.by}", width=width, height=height),
    }
    if found.picture and min(_most("maxwidth"), _most("maxheight")) >= COVER_PX:
        values["thumbnail_url"] = found.picture
        values["thumbnail_width"] = values["thumbnail_height"] = COVER_PX
    return {name: value for name, value in values.items() if value != ""}


def frame(source: str, title: str, *, width: int, height: int) -> str:
    """The HTML that puts a player into a page; for *share* boxes as well."""
    return (
        f'<iframe src="{escape(source)}" title="{escape(title)}" width="{width}" height="{height}" '
        'style="border:0" loading="lazy" allow="autoplay"></iframe>'
    )


def _most(name: str) -> int:
    text = request.args.get(name, "")
    return max(1, int(text)) if re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) else 100_000
