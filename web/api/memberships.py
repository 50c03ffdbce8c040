"""Memberships: one's own, and those an artist's people give by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts.models import Scope
from appliance.memberships import granting
from appliance.memberships import relations
from appliance.memberships.models import Membership
from web import rates
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_parts
from web.api.routing import instant
from web.api.routing import limit
from web.api.routing import made_from
from web.api.routing import versioned
from web.api.tiers import run
from web.api.tiers import told as told_tier
from web.request_cycle import require_person


@blueprint.get("/memberships")
def list_own_memberships() -> Response:
    """Where the caller is a member now."""
    rows = granting.of_person(require_person(Scope.READ), now=clock.now())
    return jsonify(items=[_own(row) for row in rows])


@blueprint.get("/artists/<slug>/memberships")
def list_memberships(slug: str) -> Response:
    """The members of an artist, newest first."""
    artist, _who = run(slug, Scope.READ)
    wanted = limit()
    parts = cursor_parts(1)
    rows = granting.of_artist(artist, limit=wanted + 1, before=parts[0] if parts else None)
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.post("/artists/<slug>/memberships")
@rates.limited("grants")
def grant_membership(slug: str) -> tuple[Response, int]:
    """Make somebody a member: a gift, for the press, or for the band."""
    artist, who = run(slug)
    sent = body(required=("email", "tier", "origin"))
    made = granting.grant(
        artist,
        str(sent["email"]),
        tier_id=str(sent["tier"]),
        origin=str(sent["origin"]),
        through=_through(sent),
        note=sent.get("note", ""),
        actor=who,
        now=clock.now(),
    )
    return versioned(_told(made)), 201


@blueprint.patch("/artists/<slug>/memberships/<membership_id>")
def change_membership(slug: str, membership_id: str) -> Response:
    """Another tier, another end, another note."""
    artist, who = run(slug)
    row, sent = granting.find(artist, membership_id), dict(body())
    if "paid_through" in sent:
        sent["paid_through"] = _through(sent)
    granting.change(row, sent, actor=who, now=clock.now(), made_from=made_from())
    return versioned(_told(granting.find(artist, membership_id)))


@blueprint.delete("/artists/<slug>/memberships/<membership_id>")
def end_membership(slug: str, membership_id: str) -> tuple[str, int]:
    """End a membership now."""
    artist, who = run(slug)
    granting.end(granting.find(artist, membership_id), actor=who, now=clock.now())
    return "", 204


def _through(sent: Mapping[str, Any]) -> datetime | None:
    return None if sent.get("paid_through") is None else instant(sent, "paid_through")


def _own(row: Membership) -> dict[str, Any]:
    return {
        "id": row.id,
        "artist": {"slug": row.artist.slug, "name": row.artist.name},
        "tier": told_tier(row.tier),
        **_facts(row),
    }


def _told(row: Membership) -> dict[str, Any]:
    return {
        "id": row.id,
        "person": {"name": row.user.display_name, "email": row.user.email},
        "tier": representation.offer(relations.offer_of(row.tier)),
        **_facts(row),
        "note": row.note,
        "version": row.version,
    }


def _facts(row: Membership) -> dict[str, Any]:
    return {
        "origin": row.origin,
        "since": row.created_at.isoformat(),
        "paid_through": row.paid_through.isoformat() if row.paid_through else None,
    }
