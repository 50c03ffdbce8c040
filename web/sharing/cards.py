"""Cards: the picture that stands beside a shared link, made when somebody first asks for it and kept in the store."""

import hashlib
import io
import threading
from dataclasses import astuple

from flask import Response
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance.catalog import directory
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.storage import StoredObject
from web.byte_ranges import serve
from web.request_cycle import appliance
from web.sharing import drawing
from web.sharing import places
from web.sharing.drawing import Card
from web.sharing.routing import blueprint

OURS = "ours"
"""The key of the one card that is the collective's."""
YEAR_S = 365 * 86_400
COVER_PX = 1200
LOOK = "1"
"""Another word here lets every card be drawn anew."""
# A drawing takes some tenths of a second; a crawler with many hands shall not have them all.
_one_at_a_time = threading.Lock()


@blueprint.get("/cards/<kind>/<name>.png")
def card(kind: str, name: str) -> ResponseReturnValue:
    """The card of something public; an address that was given out before the last change leads to what is right now."""
    key, _, _ = name.rpartition("-")
    wanted = address(kind, key, of(kind, key))
    if not wanted.endswith(f"/{name}.png"):
        answer = redirect(wanted)
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer
    return _served(kind, name, of(kind, key))


def address(kind: str, key: str, made: Card) -> str:
    """Where a card is; the address changes with what it shows, so that it can be kept for ever."""
    digest = hashlib.sha256(repr((LOOK, *astuple(made))).encode()).hexdigest()[:16]
    return places.whole(url_for("sharing.card", kind=kind, name=f"{key}-{digest}"))


def of(kind: str, key: str) -> Card:
    """What the card shows; ``NotFound`` for what is not public."""
    if kind == "release":
        return of_release(directory.find_release(key))
    if kind == "track":
        return of_track(directory.find_track(key))
    if kind == "artist":
        return of_artist(directory.find_artist(key))
    if (kind, key) == ("collective", OURS):
        return of_collective()
    raise NotFound("There is nothing at this address.")


def of_release(release: Release) -> Card:
    """The card of a release, whose artist is joined."""
    return _card(release.title, release.artist.name, release.artwork_key, release.colour)


def of_track(track: Track) -> Card:
    """The card of a track, whose release and artist are joined."""
    release = track.release
    return _card(track.title, release.artist.name, release.artwork_key, release.colour)


def of_artist(artist: Artist) -> Card:
    """The card of an artist."""
    return _card(artist.name, "", artist.picture_key, artist.accent or artist.colour)


def of_collective() -> Card:
    """The card of the site itself."""
    ours = places.collective()
    return Card(ours.name, ours.tagline, "", ours.logo_key, ours.accent)


def _card(title: str, by: str, folder: str, colour: str) -> Card:
    return Card(title, by, places.collective().name, folder, colour)


def _served(kind: str, name: str, made: Card) -> Response:
    key = f"artwork/cards/{kind}/{name}.png"
    store = appliance().store
    with _one_at_a_time:
        if not _is_there(key):
            data = drawing.draw(made, _cover(made.artwork))
            store.put(key, io.BytesIO(data), content_type="image/png")
    cache = f"public, max-age={YEAR_S}, immutable"
    return serve(store, key, request=request, cache_control=cache)


def _is_there(key: str) -> StoredObject | None:
    try:
        return appliance().store.stat(key)
    except NotFound:
        return None


def _cover(folder: str) -> bytes | None:
    if not folder:
        return None
    try:
        with appliance().store.open(f"{folder}/{COVER_PX}.jpg") as stream:
            return stream.read()
    except NotFound:
        return None
