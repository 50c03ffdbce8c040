"""Tracks as files that stay where they are: what a podcast program needs, which keeps an address for years."""

from dataclasses import dataclass

from flask import redirect
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.catalog import directory
from appliance.catalog import tracks
from appliance.catalog.models import Quality
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.memberships import access
from web import addresses
from web.request_cycle import appliance
from web.request_cycle import note_epoch
from web.sharing import places
from web.sharing.routing import blueprint

AAC = (Quality.LOW, Quality.MEDIUM, Quality.HIGH)
"""The rungs that every program plays; lossless ones are for our own player."""
TYPE = "audio/mp4"
PREVIEW_S = 30


@dataclass(frozen=True, slots=True)
class Episode:
    """A file of a track: where it always is, its true size and length; *quality* is empty for the preview."""

    url: str
    size_bytes: int
    seconds: int
    quality: str


@blueprint.get("/listen/tracks/<key>/episode.m4a")
def episode(key: str) -> ResponseReturnValue:
    """Lead to the best AAC file that everybody may hear: the whole under a fresh, expiring permission, else the preview."""
    note_epoch(anew=True)
    track = directory.find_track(key)
    found = of_track(track, tracks.renditions_of([track]).get(track.id, []))
    if found is None:
        raise NotFound("There is nothing to hear at this address.")
    target = (
        addresses.file(track, found.quality, "") if found.quality else addresses.public(track.preview_key)
    )
    answer = redirect(target, 302)
    # The permission in it ends, so nobody may keep where it led.
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def of_track(track: Track, made: list[Rendition]) -> Episode | None:
    """What everybody may hear of a track as one file; ``None`` when there is nothing, such as before it has renditions."""
    right = access.to_track(None, track, roles=frozenset(), now=clock.now())
    # What is for members only is in no feed, whatever else is open to all.
    rungs = [] if track.exclusive else [rung.quality for rung in made]
    open_to_all = access.playable(track, right, rungs)
    url = places.whole(url_for("sharing.episode", key=track.id))
    whole_s = round((track.duration_ms or 0) / 1000)
    best = max(
        (rung for rung in made if rung.quality in AAC and rung.quality in open_to_all),
        key=lambda rung: AAC.index(Quality(rung.quality)),
        default=None,
    )
    if best is not None:
        return Episode(url, best.size_bytes, whole_s, best.quality)
    if not (right.may_preview and track.preview_key):
        return None
    size_bytes = appliance().store.stat(track.preview_key).size_bytes
    return Episode(url, size_bytes, min(whole_s, PREVIEW_S), "")
