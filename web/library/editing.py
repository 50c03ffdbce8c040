"""Changing a playlist: what it says, the order of its music, and the end of it. Only for who made it."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from web.errors import wants_json
from web.library import lines
from web.library.playlists import FIELDS
from web.library.playlists import places_of
from web.library.playlists import sent_fields
from web.library.playlists import view_of
from web.library.routing import blueprint
from web.request_cycle import require_person

STEPS = {"up": -1, "down": 1}


@blueprint.get("/playlists/<playlist_id>/edit")
def edit_playlist(playlist_id: str) -> str:
    """The forms of a playlist."""
    return _page(playlists.own(require_person(), playlist_id))


@blueprint.post("/playlists/<playlist_id>/edit")
def save_playlist(playlist_id: str) -> ResponseReturnValue:
    """Change title, text and who may see it; who has an older version before them sees both."""
    who = require_person()
    playlist = playlists.own(who, playlist_id)
    version = request.form.get("version", "")
    made_from = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    sent = sent_fields()
    try:
        playlists.edit(playlist, sent, made_from=made_from, now=clock.now())
    except Stale as error:
        return _page(playlists.own(who, playlist_id), sent=sent, stale=error), 409
    except Invalid as error:
        return _page(playlist, sent=sent, problem=error), 422
    flash(_("Saved."))
    return redirect(url_for("library.show_playlist", playlist_id=playlist.id), 303)


@blueprint.post("/playlists/<playlist_id>/entries")
def change_entries(playlist_id: str) -> ResponseReturnValue:
    """Move an entry ``up`` or ``down``, ``remove`` it, or put all in the ``order`` that was dragged."""
    playlist = playlists.own(require_person(), playlist_id)
    now = clock.now()
    for name, by in STEPS.items():
        if name in request.form:
            entries.move(playlist, request.form[name], by, now=now)
    if "remove" in request.form:
        entries.remove(playlist, request.form["remove"], now=now)
    if "order" in request.form:
        entries.reorder(playlist, request.form["order"].split(), now=now)
    if wants_json():
        return "", 204
    return redirect(url_for("library.edit_playlist", playlist_id=playlist.id), 303)


@blueprint.get("/playlists/<playlist_id>/delete")
def ask_to_delete(playlist_id: str) -> str:
    """The question before a playlist is deleted."""
    playlist = playlists.own(require_person(), playlist_id)
    number = entries.counts([playlist]).get(playlist.id, 0)
    return render_template("library/delete.html", playlist=lines.playlist(playlist, number, [], own=True))


@blueprint.post("/playlists/<playlist_id>/delete")
def delete_playlist(playlist_id: str) -> ResponseReturnValue:
    """Delete it."""
    playlist = playlists.own(require_person(), playlist_id)
    playlists.delete(playlist)
    flash(_("“%(title)s” is deleted.", title=playlist.title))
    return redirect(url_for("library.own_playlists"), 303)


def _page(
    playlist: Playlist,
    *,
    sent: dict[str, str] | None = None,
    problem: Invalid | None = None,
    stale: Conflict | None = None,
) -> str:
    rows = entries.of(playlist)
    places = places_of(rows, own=True)
    stored = {name: getattr(playlist, name) for name in FIELDS}
    return render_template(
        "library/edit.html",
        playlist=view_of(playlist, rows, [], own=True),
        places=places,
        form={**stored, **(sent or {})},
        version=playlist.version,
        now=stored if stale else {},
        address=url_for("library.show_playlist", playlist_id=playlist.id, _external=True),
        visibilities=lines.VISIBILITIES,
        problem=problem,
        stale=stale,
    )
