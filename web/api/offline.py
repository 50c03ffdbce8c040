"""Keeping tracks in the browser: the permission, and the key to keep them under."""

import base64
from datetime import datetime

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import rendition_keys
from appliance.catalog import tracks
from appliance.catalog.models import TrackState
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships import offline
from web import addresses
from web.api.routing import blueprint
from web.installed.listener import session_word
from web.request_cycle import appliance
from web.request_cycle import note_epoch
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.post("/tracks/<track_id>/offline")
def keep_offline(track_id: str) -> Response:
    """What may be kept of a track and under which key; ask again while online, and it may be heard longer."""
    note_epoch(anew=True)
    who = require_person(Scope.READ)
    track = tracks.find(track_id)
    right = access.to_track(who, track, roles=roles(), now=clock.now())
    if not right.may_see or track.state != TrackState.READY:
        raise NotFound("There is no such track.")
    made = tracks.renditions_of([track]).get(track.id, [])
    found = offline.offer(
        who,
        track,
        right,
        made,
        session=session_word(),
        secret=appliance().secret,
        now=clock.now(),
    )
    hls_url, expires_at_s = addresses.stream(track, [found.quality], who.id, until=right.until)
    folder = hls_url.rpartition("/")[0]
    answer = jsonify(
        hls_url=hls_url,
        file_url=f"{folder}/{found.quality}.mp4",
        key_url=f"{folder}/{found.quality}.key" if rendition_keys.is_sealed(track) else "",
        address_expires_at=datetime.fromtimestamp(expires_at_s, clock.now().tzinfo).isoformat(),
        quality=found.quality,
        size_bytes=found.size_bytes,
        run=track.run_id,
        key=base64.b64encode(found.key).decode(),
        owner=found.owner,
        expires_at=found.expires_at.isoformat(timespec="seconds"),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
