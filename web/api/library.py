"""Favourites, follows and history of the caller."""

from datetime import datetime
from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.library import favourites
from appliance.library import follows
from appliance.listening import history
from appliance.memberships import access
from web.api import kept
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import cursor_for
from web.api.routing import cursor_instant
from web.api.routing import limit
from web.library.keeping import seen_track
from web.request_cycle import require_person
from web.request_cycle import roles

GONE = ("", 204)


@blueprint.get("/favourites/tracks")
def list_favourite_tracks() -> Response:
    """The tracks the caller keeps, last kept first."""
    who, wanted = require_person(Scope.READ), limit()
    rows = favourites.tracks(who, before=cursor_instant(), limit=wanted + 1)
    seen = kept.seen_tracks([row.track for row in rows[:wanted]])
    items = [
        {"track": seen[row.track_id], "added_at": row.added_at.isoformat()}
        for row in rows[:wanted]
        if row.track_id in seen
    ]
    return _page(items, [(row.added_at, row.track_id) for row in rows], wanted)


@blueprint.put("/favourites/tracks/<track_id>")
def keep_track(track_id: str) -> tuple[str, int]:
    """Keep a track; doing it twice changes nothing."""
    who = require_person()
    favourites.keep_track(who, seen_track(track_id), now=clock.now())
    return GONE


@blueprint.delete("/favourites/tracks/<track_id>")
def drop_track(track_id: str) -> tuple[str, int]:
    """Keep a track no longer."""
    favourites.drop_track(require_person(), track_id)
    return GONE


@blueprint.get("/favourites/releases")
def list_favourite_releases() -> Response:
    """The releases the caller keeps, last kept first."""
    who, wanted = require_person(Scope.READ), limit()
    rows = favourites.releases(who, before=cursor_instant(), limit=wanted + 1)
    seen = kept.seen_releases([row.release for row in rows[:wanted]])
    shown = [row for row in rows[:wanted] if row.release_id in seen]
    told = representation.releases_told([row.release for row in shown])
    items = [
        {"release": release, "added_at": row.added_at.isoformat()}
        for row, release in zip(shown, told, strict=True)
    ]
    return _page(items, [(row.added_at, row.release_id) for row in rows], wanted)


@blueprint.put("/favourites/releases/<release_id>")
def keep_release(release_id: str) -> tuple[str, int]:
    """Keep a release; doing it twice changes nothing."""
    who = require_person()
    release = releases.find(release_id)
    access.require_sight(who, release, roles=roles(), now=clock.now())
    favourites.keep_release(who, release, now=clock.now())
    return GONE


@blueprint.delete("/favourites/releases/<release_id>")
def drop_release(release_id: str) -> tuple[str, int]:
    """Keep a release no longer."""
    favourites.drop_release(require_person(), release_id)
    return GONE


@blueprint.get("/follows")
def list_follows() -> Response:
    """The artists the caller follows, last one first."""
    who, wanted = require_person(Scope.READ), limit()
    rows = follows.artists(who, before=cursor_instant(), limit=wanted + 1)
    items = [
        {"artist": representation.artist(row.artist), "since": row.added_at.isoformat()}
        for row in rows[:wanted]
    ]
    return _page(items, [(row.added_at, row.artist_id) for row in rows], wanted)


@blueprint.put("/follows/<slug>")
def follow_artist(slug: str) -> tuple[str, int]:
    """Follow an artist; doing it twice changes nothing."""
    who = require_person()
    follows.follow(who, artists.find(slug), now=clock.now())
    return GONE


@blueprint.delete("/follows/<slug>")
def unfollow_artist(slug: str) -> tuple[str, int]:
    """Follow an artist no longer."""
    who = require_person()
    follows.unfollow(who, artists.find(slug))
    return GONE


@blueprint.get("/history")
def list_history() -> Response:
    """What the caller heard, newest first."""
    who, wanted = require_person(Scope.READ), limit()
    rows = history.of(who, before=cursor_instant(), limit=wanted + 1)
    seen = kept.seen_tracks([row.track for row in rows[:wanted]])
    items: list[dict[str, Any]] = []
    for row in rows[:wanted]:
        shown = {
            "id": row.id,
            "started_at": row.started_at.isoformat(),
            "heard_ms": row.heard_ms,
            "outcome": row.outcome,
            "quality": row.quality or None,
        }
        items.append({**shown, "track": seen[row.track_id]} if row.track_id in seen else shown)
    return _page(items, [(row.started_at, row.id) for row in rows], wanted)


@blueprint.delete("/history")
def forget_all() -> tuple[str, int]:
    """Forget everything the caller heard."""
    history.forget_all(require_person())
    return GONE


@blueprint.delete("/history/<play_id>")
def forget_play(play_id: str) -> tuple[str, int]:
    """Forget one play."""
    history.forget(require_person(), play_id)
    return GONE


def _page(items: list[dict[str, Any]], keys: list[tuple[datetime, str]], wanted: int) -> Response:
    """A page, and where the next begins if one more row was found than was wanted."""
    last = keys[wanted - 1] if len(keys) > wanted else None
    return jsonify(items=items, next_cursor=cursor_for(last[0].isoformat(), last[1]) if last else None)
