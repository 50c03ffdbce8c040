"""Putting a track into a playlist: one of those there are, or a new one."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog.models import Track
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.library import entries
from appliance.library import playlists
from web.frame import back
from web.library import lines
from web.library.keeping import seen_track
from web.library.routing import blueprint
from web.request_cycle import require_person
from web.sentences import told

SHOWN = 100


@blueprint.get("/library/add")
def choose_playlist() -> str:
    """The question which playlist; a page of its own, or a dialog on the page one is on."""
    who = require_person()
    return _page(who, seen_track(request.args.get("track", "")))


@blueprint.post("/library/add")
def add() -> ResponseReturnValue:
    """Put the track at the end of the playlist, or of a new one with this title."""
    who = require_person()
    track = seen_track(request.form.get("track", ""))
    now = clock.now()
    try:
        if request.form.get("playlist"):
            playlist = playlists.own(who, request.form["playlist"])
        else:
            playlist = playlists.create(who, {"title": request.form.get("title", "")}, now=now)
        _entry, before = entries.add(playlist, track, now=now)
    except (Invalid, Conflict) as error:
        return _page(who, track, problem=error), 422 if isinstance(error, Invalid) else 409
    facts = {"track": track.title, "playlist": playlist.title}
    if before:
        flash(_("“%(track)s” is in “%(playlist)s” once more: it was there already.", **facts))
    else:
        flash(_("“%(track)s” is in “%(playlist)s” now.", **facts))
    return redirect(back(url_for("library.show_playlist", playlist_id=playlist.id)), 303)


def _page(who: User, track: Track, *, problem: Invalid | Conflict | None = None) -> str:
    rows = playlists.of(who, limit=SHOWN)
    holding = entries.holding(rows, track)
    return render_template(
        "library/add.html",
        track=lines.of([track])[0],
        playlists=[(card, card.id in holding) for card in lines.playlist_cards(rows, own=True)],
        back=back(url_for("library.overview")),
        title=request.form.get("title", ""),
        problem=problem,
        said="" if problem is None or getattr(problem, "field", None) else told(problem),
    )
