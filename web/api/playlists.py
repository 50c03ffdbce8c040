"""Playlists: listed, made, seen, changed, filled and deleted."""

from flask import Response
from flask import jsonify
from flask import url_for

from appliance import clock
from appliance.accounts.models import Scope
from appliance.errors import Invalid
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from web.api import kept
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import limit
from web.api.routing import made_from
from web.api.routing import versioned
from web.library.keeping import seen_track
from web.request_cycle import person
from web.request_cycle import require_person

ORDER = "entry_order"


@blueprint.get("/playlists")
def list_playlists() -> Response:
    """The caller's playlists, last changed first."""
    who, wanted = require_person(Scope.READ), limit()
    rows = playlists.of(who, before=cursor_instant(), limit=wanted + 1)
    more, rows = len(rows) > wanted, rows[:wanted]
    lengths = entries.counts(rows)
    following = cursor_for(rows[-1].updated_at.isoformat(), rows[-1].id) if more else None
    return jsonify(items=[kept.playlist(row, lengths.get(row.id, 0)) for row in rows], next_cursor=following)


@blueprint.post("/playlists")
def create_playlist() -> tuple[Response, int, dict[str, str]]:
    """Make a playlist."""
    who = require_person()
    made = playlists.create(who, body(required=("title",)), now=clock.now())
    where = url_for("api.show_playlist", playlist_id=made.id)
    return versioned(_shown(made)), 201, {"Location": where}


@blueprint.get("/playlists/<playlist_id>")
def show_playlist(playlist_id: str) -> Response:
    """A playlist and its entries."""
    return versioned(_shown(playlists.seen(person(), playlist_id)))


@blueprint.patch("/playlists/<playlist_id>")
def edit_playlist(playlist_id: str) -> Response:
    """Change what a playlist says, and with ``entry_order`` the order of its entries; all of it or nothing."""
    playlist = playlists.own(require_person(), playlist_id)
    sent = body()
    fields = {name: value for name, value in sent.items() if name != ORDER}
    order = _order(sent[ORDER]) if ORDER in sent else None
    entries.change(playlist, fields, order, made_from=made_from(), now=clock.now())
    return show_playlist(playlist_id)


@blueprint.delete("/playlists/<playlist_id>")
def delete_playlist(playlist_id: str) -> tuple[str, int]:
    """Delete a playlist."""
    playlists.delete(playlists.own(require_person(), playlist_id))
    return "", 204


@blueprint.post("/playlists/<playlist_id>/entries")
def add_entry(playlist_id: str) -> tuple[Response, int]:
    """Put a track at the end; the same one may stand there twice, and the answer tells it."""
    playlist = playlists.own(require_person(), playlist_id)
    sent = body(required=("track",))
    if not isinstance(sent["track"], str):
        raise Invalid("'track' must be the id of a track.", field="track")
    track = seen_track(sent["track"])
    entry, before = entries.add(playlist, track, now=clock.now())
    return jsonify({**kept.entry(entry, kept.seen_tracks([track])[track.id]), "there_before": before}), 201


@blueprint.delete("/playlists/<playlist_id>/entries/<entry_id>")
def remove_entry(playlist_id: str, entry_id: str) -> tuple[str, int]:
    """Take an entry out; doing it twice changes nothing."""
    entries.remove(playlists.own(require_person(), playlist_id), entry_id, now=clock.now())
    return "", 204


def _shown(playlist: Playlist) -> dict[str, object]:
    return kept.whole_playlist(playlist, entries.of(playlist))


def _order(sent: object) -> list[str]:
    if not isinstance(sent, list) or not all(isinstance(one, str) for one in sent):
        raise Invalid("'entry_order' must be the list of all ids in their new order.", field=ORDER)
    return sent
