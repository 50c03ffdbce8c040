"""Takedowns, for moderators and admins."""

from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts import permissions
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.accounts.permissions import Permission
from appliance.catalog import takedowns
from appliance.catalog.takedowns import Takedown
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_parts
from web.api.routing import limit
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.get("/takedowns")
def list_takedowns() -> Response:
    """What is down now, last first."""
    _moderator(Scope.READ)
    wanted = limit()
    parts = cursor_parts(1)
    rows = takedowns.standing(limit=wanted + 1, before=parts[0] if parts else None)
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.put("/releases/<release_id>/takedown")
def take_release_down(release_id: str) -> tuple[Response, int]:
    """Take a release down."""
    return _take_down("release", release_id)


@blueprint.delete("/releases/<release_id>/takedown")
def give_release_back(release_id: str) -> tuple[str, int]:
    """Give a release back."""
    return _give_back("release", release_id)


@blueprint.put("/tracks/<track_id>/takedown")
def take_track_down(track_id: str) -> tuple[Response, int]:
    """Take a track down."""
    return _take_down("track", track_id)


@blueprint.delete("/tracks/<track_id>/takedown")
def give_track_back(track_id: str) -> tuple[str, int]:
    """Give a track back."""
    return _give_back("track", track_id)


def _moderator(scope: Scope = Scope.WRITE) -> User:
    who = require_person(scope)
    permissions.require(roles(), Permission.TAKEDOWNS_MANAGE)
    return who


def _take_down(kind: str, key: str) -> tuple[Response, int]:
    who = _moderator()
    sent = body(required=("reason",))
    made = takedowns.take_down(takedowns.find(kind, key), sent["reason"], actor=who, now=clock.now())
    return jsonify(_told(made)), 201


def _give_back(kind: str, key: str) -> tuple[str, int]:
    who = _moderator()
    takedowns.restore(takedowns.find(kind, key), actor=who, now=clock.now())
    return "", 204


def _told(row: Takedown) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": "track" if row.track_id else "release",
        "subject": row.track_id or row.release_id,
        "reason": row.reason,
        "taken_at": row.taken_at.isoformat(),
    }
