"""Tracks: seen, played, edited, retried, removed."""

from datetime import UTC
from datetime import datetime

from flask import Response
from flask import jsonify

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import credits
from appliance.catalog import tracks
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships.access import Access
from appliance.shop import delivery
from web import addresses
from web import private_keys
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import made_from
from web.api.routing import versioned
from web.request_cycle import appliance
from web.request_cycle import note_epoch
from web.request_cycle import person
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.get("/tracks/<track_id>")
def show_track(track_id: str) -> Response:
    """One track: how far it is, what it sounds like, where its pictures are."""
    who = person()
    track, right = _visible(track_id, who)
    people = {track.id: credits.of_track(track)}
    return versioned(
        representation.track_list([track], {track.id: right}, people, listener=who.id if who else "")[0]
    )


@blueprint.post("/tracks/<track_id>/play")
def play(track_id: str) -> Response:
    """A signed address of the stream, for as long as ``expires_at`` says; ask again to go on."""
    # As it is this moment: a permission from some seconds ago would be refused by whoever knows better.
    note_epoch(anew=True)
    who = person()
    track, right = _visible(track_id, who)
    made = tracks.renditions_of([track]).get(track.id, [])
    qualities = access.playable(track, right, [rung.quality for rung in made])
    if not right.may_play:
        raise NotAllowed(right.reason)
    if not qualities:
        raise Conflict("This track is not ready to be played yet.")
    hls_url, expires_at_s = addresses.stream(track, list(qualities), who.id if who else "", until=right.until)
    expires_at = datetime.fromtimestamp(expires_at_s, UTC).isoformat()
    return jsonify(hls_url=hls_url, expires_at=expires_at, qualities=list(qualities))


@blueprint.patch("/tracks/<track_id>")
def edit_track(track_id: str) -> Response:
    """Change title, ISRC, lyrics, licence, credits, or whether it is exclusive."""
    tracks.edit(_editable(track_id), body(), now=clock.now(), made_from=made_from())
    return show_track(track_id)


@blueprint.post("/tracks/<track_id>/retry")
def retry_track(track_id: str) -> tuple[Response, int]:
    """Make the renditions again, after a failure or for a better ladder."""
    _editable(track_id)
    job = tracks.queue_transcode(track_id, now=clock.now(), attempts=appliance().settings.job_attempts)
    jobs.send(job.id)
    return show_track(track_id), 202


@blueprint.delete("/tracks/<track_id>")
def remove_track(track_id: str) -> tuple[str, int]:
    """Take a track off its release."""
    track = _editable(track_id)
    delivery.require_unsold(track)
    tracks.remove(track, now=clock.now())
    return "", 204


def _visible(track_id: str, who: User | None) -> tuple[Track, Access]:
    track = tracks.find(track_id)
    right = access.to_track(who, track, roles=roles(), keys=private_keys.shown(), now=clock.now())
    # Who may not see the release, or only its finished tracks, learns nothing of this one.
    if not right.may_see or not (right.may_edit or track.state == TrackState.READY):
        raise NotFound("There is no such track.")
    return track, right


def _editable(track_id: str) -> Track:
    owner = require_person()
    track = tracks.find(track_id)
    access.require_edit(owner, track, roles=roles(), now=clock.now())
    return track
