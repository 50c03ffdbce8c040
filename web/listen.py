"""What the player fetches to play something from anywhere: the tracks of a release or an artist, and the words of a track."""

from flask import Blueprint
from flask import Response
from flask import jsonify
from flask import redirect
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.catalog import directory
from appliance.catalog import releases
from appliance.catalog import track_pages
from appliance.catalog import tracks
from appliance.catalog.models import Quality
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import NotFound
from appliance.memberships import access
from appliance.memberships.access import Access
from web import addresses
from web import private_keys
from web import profiles
from web.presentation import tracklists
from web.request_cycle import note_epoch
from web.request_cycle import person
from web.request_cycle import roles

blueprint = Blueprint("listen", __name__, url_prefix="/listen")

MOST_OF_RELEASE = 500
MOST_OF_ARTIST = 100
RELEASES_OF_ARTIST = 50
AAC = (Quality.HIGH, Quality.MEDIUM, Quality.LOW)
"""The rungs whose one file every browser plays, the best first."""


@blueprint.get("/release/<release_id>.json")
def release(release_id: str) -> Response:
    """The tracks of a release that can be heard, in their order."""
    row = releases.find(release_id)
    access.require_sight(person(), row, roles=roles(), keys=private_keys.shown(), now=clock.now())
    return _queue(row.title, addresses.release_page(row), track_pages.page(row, limit=MOST_OF_RELEASE))


@blueprint.get("/artist/<slug>.json")
def artist(slug: str) -> Response:
    """What an artist published, newest release first."""
    found = profiles.artist(slug)
    shown = releases.published(limit=RELEASES_OF_ARTIST, artist=found)
    by_release = directory.tracks_of(shown)
    rows = [track for tracks_of_one in by_release.values() for track in tracks_of_one]
    return _queue(found.name, addresses.artist_page(found), rows[:MOST_OF_ARTIST])


@blueprint.get("/tracks/<track_id>/lyrics.json")
def lyrics(track_id: str) -> Response:
    """The words of a track, plain and with times (LRC); either may be empty."""
    row, _right = _seen(track_id)
    return jsonify(plain=row.lyrics, synced=row.synced_lyrics)


@blueprint.get("/tracks/<track_id>/plain.m4a")
def plain(track_id: str) -> ResponseReturnValue:
    """Lead a browser without scripts to one file: the best that this person may hear, else the preview."""
    note_epoch(anew=True)
    row, right = _seen(track_id)
    made = [rung.quality for rung in tracks.renditions_of([row]).get(row.id, [])]
    allowed = access.playable(row, right, made)
    quality = next((one for one in AAC if one in allowed), None)
    if quality is None and not (row.preview_key and right.may_preview):
        raise NotFound("There is nothing to hear at this address.")
    who = person()
    target = (
        addresses.file(row, quality, who.id if who else "", until=right.until)
        if quality
        else addresses.public(row.preview_key)
    )
    answer = redirect(target)
    # The permission in it ends, and is for this person.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _seen(track_id: str) -> tuple[Track, Access]:
    row = tracks.find(track_id)
    right = access.to_track(person(), row, roles=roles(), keys=private_keys.shown(), now=clock.now())
    if not (right.may_see and (right.may_edit or row.state == TrackState.READY)):
        raise NotFound("There is no such track.")
    return row, right


def _queue(name: str, url: str, rows: list[Track]) -> Response:
    rights = access.to_tracks(person(), rows, roles=roles(), keys=private_keys.shown(), now=clock.now())
    made = tracks.renditions_of(rows)
    told = [
        tracklists.player_track(row, rights[row.id], made)
        for row in rows
        if rights[row.id].may_see and not rights[row.id].taken_down
    ]
    return jsonify(name=name, url=url, tracks=told)
