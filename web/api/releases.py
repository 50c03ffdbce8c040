"""Releases: seen, listed, edited, published, and given tracks and artwork."""

from flask import Response
from flask import jsonify
from flask import request
from flask import url_for

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.memberships import access
from web import receiving
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import limit
from web.request_cycle import appliance
from web.request_cycle import person
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.get("/releases")
def list_releases() -> Response:
    """Published releases, newest first, by keyset cursor."""
    wanted = limit()
    artist = artists.find(request.args["artist"]) if request.args.get("artist") else None
    rows = releases.published(limit=wanted + 1, before=cursor_instant(), artist=artist)
    more, rows = len(rows) > wanted, rows[:wanted]
    following = cursor_for(rows[-1].published_at.isoformat(), rows[-1].id) if more else None
    return jsonify(items=[representation.release(row) for row in rows], next_cursor=following)


@blueprint.get("/releases/<release_id>")
def show_release(release_id: str) -> Response:
    """One release with the tracks that the caller may know of."""
    who = person()
    release = releases.find(release_id)
    right = access.require_sight(who, release, roles=roles())
    rows = representation.track_list(tracks.of_release(release), right, listener=who.id if who else "")
    return jsonify(representation.release(release, tracks_of=rows))


@blueprint.patch("/releases/<release_id>")
def edit_release(release_id: str) -> Response:
    """Change fields of a release, and with ``track_order`` the order of its tracks."""
    release, _ = _editable(release_id)
    releases.edit(release, body(), now=clock.now())
    return show_release(release_id)


@blueprint.delete("/releases/<release_id>")
def remove_release(release_id: str) -> tuple[str, int]:
    """Remove a draft that holds no track."""
    release, _ = _editable(release_id)
    releases.delete_draft(release)
    return "", 204


@blueprint.post("/releases/<release_id>/publish")
def publish_release(release_id: str) -> Response:
    """Make a release public; doing it twice changes nothing."""
    release, _ = _editable(release_id)
    _, queued = publishing.publish(release, now=clock.now())
    for job_id in queued:
        jobs.send(job_id)
    return show_release(release_id)


@blueprint.put("/releases/<release_id>/artwork")
def set_artwork(release_id: str) -> Response:
    """Give a release its picture: multipart ``file``, or the picture as the body."""
    release, _ = _editable(release_id)
    request.max_content_length = artwork.MOST_BYTES + 1024 * 1024
    picture = request.files["file"].stream if "file" in request.files else request.stream
    artwork.set_artwork(release, picture, store=appliance().store, now=clock.now())
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/tracks")
def add_track(release_id: str) -> tuple[Response, int, dict[str, str]]:
    """Take an original by one multipart request; larger files and weak connections are better off with tus."""
    release, owner = _editable(release_id)
    track = receiving.form_file(release)
    right = access.to_release(owner, release, roles=roles())
    shown = representation.track(track, right, [], {}, listener=owner.id)
    return jsonify(shown), 202, {"Location": url_for("api.show_track", track_id=track.id)}


def _editable(release_id: str) -> tuple[Release, User]:
    owner = require_person()
    release = releases.find(release_id)
    access.require_edit(owner, release, roles=roles())
    return release, owner
