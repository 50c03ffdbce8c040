"""Players for foreign pages: small, without cookies, and always as the public sees and hears it."""

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response
from flask import request
from flask import url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from appliance import clock
from appliance.catalog import directory
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import NotFound
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.library.models import Visibility
from appliance.memberships import access
from web import colours
from web import headers
from web import presentation
from web.frame import LANGUAGES
from web.presentation import tracklists
from web.sharing import places
from web.sharing.routing import blueprint
from web.sharing.routing import keepable
from web.sharing.routing import rendered

THEMES = ("auto", "light", "dark")
SIZES = ("list", "large", "small")
MAX_AGE_S = 300
ACCENT_S = 30 * 86_400
_HEX = re.compile(r"#?([0-9a-f]{6})")


@dataclass(frozen=True, slots=True)
class Look:
    """How a foreign page wants the player; *accent* is a checked ``rrggbb`` or empty, for the release's own."""

    theme: str
    size: str
    accent: str


@dataclass(frozen=True, slots=True)
class Player:
    """What the player shows and plays."""

    title: str
    url: str
    artist: str
    artist_url: str
    cover: presentation.Cover | None
    colour: str
    tracks: Sequence[presentation.TrackView]
    path: str


@blueprint.get("/embed/release/<key>")
def release_player(key: str) -> Response:
    """A release, its tracks one after the other."""
    return _answer(lambda: _of_release(directory.find_release(key)))


@blueprint.get("/embed/track/<key>")
def track_player(key: str) -> Response:
    """One track."""
    return _answer(lambda: _of_track(directory.find_track(key)))


@blueprint.get("/embed/playlist/<key>")
def playlist_player(key: str) -> Response:
    """A public playlist; an unlisted one belongs to those who were given its address, not to the readers of a page."""
    return _answer(lambda: _of_playlist(public_playlist(key)))


def public_playlist(key: str) -> Playlist:
    """The playlist that everybody may find, or ``NotFound``."""
    found = playlists.seen(None, key)
    if found.visibility != Visibility.PUBLIC:
        raise NotFound("There is no such playlist.")
    return found


@blueprint.get("/embed/accent-<colour>.css")
def embed_accent(colour: str) -> Response:
    """A colour as two that can be read, on the light page and on the dark; no style stands in the player's page itself."""
    if not _HEX.fullmatch(colour):
        raise NotFound("There is nothing at this address.")
    pair = colours.accent(f"#{colour.lstrip('#')}")
    sheet = f"@layer tokens{{:root{{--accent-on-light:{pair.on_light};--accent-on-dark:{pair.on_dark}}}}}\n"
    return keepable(sheet, "text/css", max_age_s=ACCENT_S)


def look(given: Mapping[str, str]) -> Look:
    """The look that a query asks for; what is no theme, size or colour is as if it were not there."""
    theme, size = given.get("theme", ""), given.get("size", "")
    accent = _HEX.fullmatch(given.get("accent", "").lower())
    return Look(
        theme if theme in THEMES else THEMES[0],
        size if size in SIZES else SIZES[0],
        accent[1] if accent else "",
    )


def _answer(find: Callable[[], Player]) -> Response:
    # Not the reader's cookie: in a foreign page there is none, and the answer is kept for everybody.
    chosen = request.args.get("lang", "")
    code = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")
    facts = {"look": look(request.args), "collective": places.collective().name}
    with force_locale(code):
        try:
            page, status = rendered("sharing/embed.html", player=find(), **facts), 200
        except NotFound:
            page, status = rendered("sharing/embed_gone.html", **facts), 404
    answer = keepable(page, "text/html", max_age_s=MAX_AGE_S)
    if status == 404:
        answer.status_code = 404
        answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Security-Policy"] = headers.policy_of_embeds()
    answer.vary.add("Accept-Language")
    return answer


def _of_release(row: Release) -> Player:
    return _player(row, directory.tracks_of([row])[row.id], title=row.title, url=places.of_release(row))


def _of_track(row: Track) -> Player:
    return _player(row.release, [row], title=row.title, url=places.of_track(row))


def _of_playlist(row: Playlist) -> Player:
    listed = [entry.track for entry in entries.of(row)]
    rights = access.to_tracks(None, listed, roles=frozenset(), now=clock.now())
    heard = [one for one in listed if one.state == TrackState.READY and rights[one.id].may_see]
    first = next((one.release for one in heard if one.release.artwork_key), None)
    made = tracks.renditions_of(heard)
    return Player(
        title=row.title,
        url=places.whole(url_for("library.show_playlist", playlist_id=row.id)),
        artist=row.owner.display_name,
        artist_url="",
        cover=presentation.cover(first) if first else None,
        colour=(first.colour if first else "").lstrip("#"),
        tracks=[
            tracklists.track(one, rights[one.id], made, number=number)
            for number, one in enumerate(heard, start=1)
        ],
        path=request.path,
    )


def _player(release: Release, rows: Sequence[Track], *, title: str, url: str) -> Player:
    rights = access.to_tracks(None, rows, roles=frozenset(), now=clock.now())
    return Player(
        title=title,
        url=url,
        artist=release.artist.name,
        artist_url=places.of_artist(release.artist),
        cover=presentation.cover(release),
        colour=(release.colour or "").lstrip("#"),
        tracks=presentation.tracks(rows, rights, tracks.renditions_of(rows)),
        path=request.path,
    )


def texts() -> dict[str, str]:
    """What the player says, in the reader's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "preview": _("Preview"),
        "lost": _("The connection was lost. Try again in a moment."),
        "cannot": _("This browser cannot play this track."),
    }


blueprint.add_app_template_global(texts, "embed_texts")
