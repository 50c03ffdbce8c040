"""What the player plays when a playlist or the favourites are put on from anywhere."""

from flask import Response
from flask import jsonify
from flask import url_for
from flask_babel import gettext as _

from appliance.library import entries
from appliance.library import favourites
from appliance.library import playlists
from web.library import lines
from web.library.routing import blueprint
from web.request_cycle import person
from web.request_cycle import require_person

MOST_TRACKS = 500


@blueprint.get("/listen/playlist/<playlist_id>.json")
def playlist_queue(playlist_id: str) -> Response:
    """The tracks of a playlist that this person may know of."""
    playlist = playlists.seen(person(), playlist_id)
    heard = lines.seen_tracks([row.track for row in entries.of(playlist)])
    return jsonify(
        name=playlist.title,
        url=url_for("library.show_playlist", playlist_id=playlist.id),
        tracks=[line.player for line in heard],
    )


@blueprint.get("/listen/favourites.json")
def favourites_queue() -> Response:
    """The tracks one keeps, last kept first."""
    who = require_person()
    heard = lines.seen_tracks([row.track for row in favourites.tracks(who, limit=MOST_TRACKS)])
    return jsonify(
        name=_("Favourites"),
        url=url_for("library.favourite_tracks"),
        tracks=[line.player for line in heard],
    )
