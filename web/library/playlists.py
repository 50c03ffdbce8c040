"""Playlists as pages: one's own, a new one, and one as its listeners see it."""

from dataclasses import dataclass

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.errors import Invalid
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.library.models import PlaylistEntry
from web import presentation
from web.api.routing import cursor_instant
from web.library import lines
from web.library.lines import PlaylistView
from web.library.routing import blueprint
from web.library.routing import page_of
from web.presentation.tracklists import TrackView
from web.request_cycle import person
from web.request_cycle import require_person

ON_A_PAGE = 48
FIELDS = ("title", "about", "visibility")


@dataclass(frozen=True, slots=True)
class EntryView:
    """A place in a playlist; without a track where what stood there cannot be seen any more."""

    id: str
    number: int
    track: TrackView | None


@blueprint.get("/library/playlists")
def own_playlists() -> str:
    """The playlists one made."""
    who = require_person()
    rows, older = page_of(
        playlists.of(who, before=cursor_instant(), limit=ON_A_PAGE + 1),
        ON_A_PAGE,
        lambda row: (row.updated_at, row.id),
    )
    return render_template(
        "library/playlists.html", playlists=lines.playlist_cards(rows, own=True), older=older
    )


@blueprint.get("/playlists/new")
def new_playlist() -> str:
    """The form of a new playlist."""
    require_person()
    return _new_page({"visibility": "private"})


@blueprint.post("/playlists/new")
def create_playlist() -> ResponseReturnValue:
    """Make a playlist; empty at first."""
    who = require_person()
    sent = sent_fields()
    try:
        playlist = playlists.create(who, sent, now=clock.now())
    except Invalid as error:
        return _new_page(sent, problem=error), 422
    flash(_("The playlist is there. Now put music in it: each track has a menu for that."))
    return redirect(url_for("library.show_playlist", playlist_id=playlist.id), 303)


@blueprint.get("/playlists/<playlist_id>")
def show_playlist(playlist_id: str) -> str:
    """A playlist and its music."""
    who = person()
    playlist = playlists.seen(who, playlist_id)
    own = playlists.is_owner(who, playlist)
    rows = entries.of(playlist)
    places = places_of(rows, own=own)
    heard = [place.track for place in places if place.track]
    return render_template(
        "library/playlist.html",
        playlist=view_of(playlist, rows, heard, own=own),
        places=places,
        tracks=heard,
        summary=presentation.summary(heard),
        own=own,
    )


def places_of(rows: list[PlaylistEntry], *, own: bool) -> list[EntryView]:
    """The places of a playlist; those whose track one may not see are for its owner alone, who can take them out."""
    places = [
        EntryView(row.id, number, track)
        for number, (row, track) in enumerate(
            zip(rows, lines.of([row.track for row in rows]), strict=True), start=1
        )
    ]
    return [place for place in places if own or place.track]


def view_of(
    playlist: Playlist, rows: list[PlaylistEntry], heard: list[TrackView], *, own: bool
) -> PlaylistView:
    """The head of a playlist; others are told the number of the tracks that they see."""
    covers = entries.covers([playlist])[playlist.id]
    return lines.playlist(playlist, len(rows) if own else len(heard), covers, own=own)


def sent_fields() -> dict[str, str]:
    """What the form says of a playlist."""
    return {name: request.form[name] for name in FIELDS if name in request.form}


def _new_page(form: dict[str, str], problem: Invalid | None = None) -> str:
    return render_template("library/new.html", form=form, visibilities=lines.VISIBILITIES, problem=problem)
