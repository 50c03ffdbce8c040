"""Releases: seen, listed, edited, published, and given tracks and artwork."""

from datetime import datetime

from flask import Response
from flask import jsonify
from flask import request
from flask import url_for
from werkzeug.exceptions import LengthRequired

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog import artwork
from appliance.catalog import originals
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.memberships import access
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_parts
from web.api.routing import limit
from web.request_cycle import appliance
from web.request_cycle import person
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.get("/releases")
def list_releases() -> Response:
    """Published releases, newest first, by keyset cursor."""
    parts, wanted = cursor_parts(2), limit()
    artist = artists.find(request.args["artist"]) if request.args.get("artist") else None
    rows = releases.published(limit=wanted + 1, before=_before(parts) if parts else None, artist=artist)
    more, rows = len(rows) > wanted, rows[:wanted]
    following = cursor_for(rows[-1].published_at.isoformat(), rows[-1].id) if more else None
    return jsonify(items=[representation.release(row) for row in rows], next_cursor=following)


def _before(parts: tuple[str, ...]) -> tuple[datetime, str]:
    try:
        instant = datetime.fromisoformat(parts[0])
    except ValueError as error:
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor") from error
    if instant.tzinfo is None:
        raise Invalid("This cursor is not valid; start from the first page.", field="cursor")
    return instant, parts[1]


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
    sent = dict(body())
    order = sent.pop("track_order", None)
    releases.edit(release, sent, now=clock.now())
    if order is not None:
        if not isinstance(order, list) or not all(isinstance(item, str) for item in order):
            raise Invalid("'track_order' must be a list of track ids.", field="track_order")
        tracks.reorder(release, order, now=clock.now())
    return show_release(release_id)


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
    picture = request.files["file"].stream if "file" in request.files else request.stream
    artwork.set_artwork(release, picture, store=appliance().store, now=clock.now())
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/tracks")
def add_track(release_id: str) -> tuple[Response, int, dict[str, str]]:
    """Take an original by one multipart request; larger files and weak connections are better off with tus."""
    release, owner = _editable(release_id)
    if request.content_length is None:
        raise LengthRequired("Say the length of the file, or send it by tus at /api/v1/uploads.")
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("Send the recording as the multipart field 'file'.", field="file")
    settings, track_id = appliance().settings, new_id()
    staging = appliance().staging
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / f"{track_id}.part"
    try:
        sent.save(path, buffer_size=1024 * 1024)
        originals.check_size(path.stat().st_size, max_upload_mb=settings.max_upload_mb)
        track, job_id = originals.receive(
            release,
            path,
            track_id=track_id,
            filename=sent.filename or "",
            store=appliance().store,
            attempts=settings.job_attempts,
            now=clock.now(),
        )
    finally:
        path.unlink(missing_ok=True)
    jobs.send(job_id)
    right = access.to_release(owner, release, roles=roles())
    shown = representation.track(track, right, [], {}, listener=owner.id)
    return jsonify(shown), 202, {"Location": url_for("api.show_track", track_id=track.id)}


def _editable(release_id: str) -> tuple[Release, User]:
    owner = require_person()
    release = releases.find(release_id)
    access.require_edit(owner, release, roles=roles())
    return release, owner
