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
from appliance.catalog import private_links
from appliance.catalog import publishing
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.memberships import access
from web import bodies
from web import private_keys
from web import rates
from web import receiving
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import instant
from web.api.routing import limit
from web.api.routing import made_from
from web.api.routing import versioned
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
    return jsonify(items=representation.releases_told(rows), next_cursor=following)


@blueprint.get("/releases/<release_id>")
def show_release(release_id: str) -> Response:
    """One release with the tracks that the caller may know of."""
    who = person()
    release = releases.find(release_id)
    rows = tracks.of_release(release)
    right, rights = access.to_whole(
        who, release, rows, roles=roles(), keys=private_keys.shown(), now=clock.now()
    )
    return versioned(
        representation.whole_release(release, rows, right, rights, listener=who.id if who else "")
    )


@blueprint.patch("/releases/<release_id>")
def edit_release(release_id: str) -> Response:
    """Change fields of a release, and with ``track_order`` the order of its tracks."""
    release, _ = _editable(release_id)
    releases.edit(release, body(), now=clock.now(), made_from=made_from())
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
    _, queued = publishing.publish(_publishable(release_id), now=clock.now(), actor=require_person().id)
    for job_id in queued:
        jobs.send(job_id)
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/schedule")
def schedule_release(release_id: str) -> Response:
    """Let a release go public by itself."""
    release = _publishable(release_id)
    publishing.schedule(
        release, instant(body(required=("at",)), "at"), now=clock.now(), actor=require_person().id
    )
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/unpublish")
def unpublish_release(release_id: str) -> Response:
    """Make a draft of what is public or scheduled."""
    publishing.take_back(_publishable(release_id), now=clock.now(), actor=require_person().id)
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/private-link")
def make_private_link(release_id: str) -> Response:
    """Give a release a private link; the former one opens nothing any more."""
    private_links.make(_publishable(release_id), now=clock.now())
    return show_release(release_id)


@blueprint.delete("/releases/<release_id>/private-link")
def revoke_private_link(release_id: str) -> tuple[str, int]:
    """Close the private link."""
    private_links.revoke(_publishable(release_id), now=clock.now())
    return "", 204


@blueprint.put("/releases/<release_id>/artwork")
@bodies.takes_picture
def set_artwork(release_id: str) -> Response:
    """Give a release its picture: multipart ``file``, or the picture as the body."""
    release, _ = _editable(release_id)
    picture = request.files["file"].stream if "file" in request.files else request.stream
    crop = artwork.Crop.read(request.values)
    artwork.set_artwork(release, picture, store=appliance().store, now=clock.now(), crop=crop)
    return show_release(release_id)


@blueprint.post("/releases/<release_id>/tracks")
@rates.limited("uploads")
@bodies.takes_original
def add_track(release_id: str) -> tuple[Response, int, dict[str, str]]:
    """Take an original by one multipart request; larger files and weak connections are better off with tus."""
    release, owner = _editable(release_id)
    track = receiving.form_file(release)
    rights = access.to_tracks(owner, [tracks.find(track.id)], roles=roles(), now=clock.now())
    shown = representation.track_list([track], rights, {}, listener=owner.id)[0]
    return jsonify(shown), 202, {"Location": url_for("api.show_track", track_id=track.id)}


def _publishable(release_id: str) -> Release:
    owner = require_person()
    release = releases.find(release_id)
    access.require_publish(owner, release, roles=roles(), now=clock.now())
    return release


def _editable(release_id: str) -> tuple[Release, User]:
    owner = require_person()
    release = releases.find(release_id)
    access.require_edit(owner, release, roles=roles(), now=clock.now())
    return release, owner
