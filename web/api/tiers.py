"""The tiers of an artist: told to everybody, changed by who runs it."""

from typing import Any

from flask import Response
from flask import jsonify

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.memberships import access
from appliance.memberships import tier_fields
from appliance.memberships import tiers
from appliance.memberships.access import Standing
from appliance.memberships.models import Tier
from web.api import money
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import made_from
from web.api.routing import versioned
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.get("/artists/<slug>/tiers")
def list_tiers(slug: str) -> Response:
    """What one can be to an artist, and what that opens."""
    return jsonify(items=[told(row) for row in tiers.of_artist(artists.find(slug))])


@blueprint.post("/artists/<slug>/tiers")
def add_tier(slug: str) -> tuple[Response, int]:
    """One more tier."""
    artist, who = run(slug)
    made = tiers.add(artist, body(required=("name", "price_minor")), actor=who, now=clock.now())
    return versioned(told(made)), 201


@blueprint.patch("/artists/<slug>/tiers/<tier_id>")
def edit_tier(slug: str, tier_id: str) -> Response:
    """Change what a tier costs and opens; with ``archived`` also whether it takes new members."""
    artist, who = run(slug)
    row, sent = tiers.find(artist, tier_id), dict(body())
    archived = sent.pop("archived", None)
    if archived is not None and not isinstance(archived, bool):
        raise Invalid("'archived' is true or false.", field="archived")
    with transaction():
        tiers.edit(row, sent, actor=who, now=clock.now(), made_from=made_from())
        if archived is not None:
            (tiers.archive if archived else tiers.restore)(row, actor=who, now=clock.now())
    return versioned(told(tiers.find(artist, tier_id)))


def run(slug: str, scope: Scope = Scope.WRITE) -> tuple[Artist, User]:
    """The artist, and who is asking; an error unless they decide about its tiers and members."""
    who = require_person(scope)
    artist = artists.find(slug)
    access.require_artist(who, artist, roles=roles(), least=Standing.MANAGER)
    if scope != Scope.READ:
        money.require_second_factor()
    return artist, who


def told(row: Tier) -> dict[str, Any]:
    """A tier as JSON."""
    return {
        "id": row.id,
        "kind": row.kind,
        **{name: getattr(row, name) for name in tier_fields.READERS},
        "archived": row.archived_at is not None,
        "version": row.version,
    }
