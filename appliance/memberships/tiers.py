"""The tiers of an artist: made with the artist, renamed, priced, put in order, added, archived."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance import currencies
from appliance import database
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.versions import Stale
from appliance.database import transaction
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.memberships import relations
from appliance.memberships import tier_fields
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind

MOST_TIERS = 12
_SUPPORTER = {
    "name": N_("Supporter"),
    "price_minor": 500,
    "top_quality": Quality.LOSSLESS,
    "early_access_hours": 24,
    "exclusives": True,
    "downloads_a_month": 10,
    "monthly_qa": True,
}
DEFAULTS: Mapping[TierKind, Mapping[str, object]] = {
    TierKind.FREE: {"name": N_("Free")},
    TierKind.SUPPORTER: _SUPPORTER,
    TierKind.SUPERFAN: {
        **_SUPPORTER,
        "name": N_("Superfan"),
        "price_minor": 1000,
        "top_quality": Quality.MASTER,
        "early_access_hours": 48,
        "downloads_a_month": None,
        "live_sessions": True,
        "virtual_backstage": True,
        "direct_messages_a_month": 5,
        "offline": True,
        "merchandise_discount_percent": 20,
    },
}
"""What every artist begins with; what nothing is said of is as in the model."""


def make(artist: Artist, *, now: datetime) -> None:
    """Give the artist the tiers that everyone begins with, those that are missing; in the transaction of the caller."""
    known = {row.kind for row in Tier.select(Tier.kind).where(Tier.artist == artist.id)}
    for position, (kind, values) in enumerate(DEFAULTS.items(), start=1):
        if kind not in known:
            Tier.create(
                artist=artist.id, kind=kind, position=position, created_at=now, updated_at=now, **values
            )


def of_artist(artist: Artist, *, archived: bool = False) -> list[Tier]:
    """The tiers in their order; with *archived* also those that take no new members, last."""
    query = Tier.select().where(Tier.artist == artist.id)
    if not archived:
        query = query.where(Tier.archived_at.is_null())
    return sorted(query, key=lambda row: (row.archived_at is not None, row.position, row.id))


def find(artist: Artist, tier_id: str) -> Tier:
    """The tier of this artist with this id, or ``NotFound``."""
    tier: Tier | None = Tier.get_or_none(Tier.id == tier_id, Tier.artist == artist.id)
    if tier is None:
        raise NotFound("There is no such tier.")
    return tier


def add(artist: Artist, fields: Mapping[str, object], *, actor: User, now: datetime) -> Tier:
    """One more tier, behind the others; *fields* as in ``edit``, of which name and price must be there."""
    values = tier_fields.checked({"name": "", **fields})
    with transaction():
        members.hold(artist)
        make(artist, now=now)
        rows = of_artist(artist)
        if len(rows) >= MOST_TIERS:
            raise Conflict("An artist has at most {most} tiers; archive one first.", most=MOST_TIERS)
        values = {"currency": rows[0].currency, **values}
        tier_fields.require_sound(TierKind.OWN, {**_described(Tier()), **values})
        last = max(row.position for row in rows)
        tier = Tier.create(artist=artist.id, position=last + 1, created_at=now, updated_at=now, **values)
        _one_currency(tier)
        _note(Action.TIER_ADDED, tier, actor=actor, now=now, name=tier.name)
    return Tier.get_by_id(tier.id)


def edit(
    tier: Tier, fields: Mapping[str, object], *, actor: User, now: datetime, made_from: int | None = None
) -> Tier:
    """Change what *fields* names and nothing else; a currency holds for all tiers of the artist.

    ``Stale`` unless it still is the version they were *made_from*. Who hears by a right that is no longer given is let out at once.
    """
    values = tier_fields.checked(fields)
    with transaction():
        held = _hold(tier, made_from=made_from)
        before = relations.perks_of(held)
        changed = {name: value for name, value in values.items() if getattr(held, name) != value}
        tier_fields.require_sound(held.kind, {**_described(held), **values})
        if changed:
            _store(held, changed, now=now)
            _one_currency(Tier.get_by_id(held.id))
            _note(Action.TIER_CHANGED, held, actor=actor, now=now, fields=sorted(changed))
            after = relations.perks_of(Tier.get_by_id(held.id))
            if after.joined(before) != after:
                revocations.revoke(f"artist:{held.artist_id}", now=now)
    return Tier.get_by_id(tier.id)


def archive(tier: Tier, *, actor: User, now: datetime) -> None:
    """Let the tier take no new members; those in it stay. ``Conflict`` for the free one, which is everybody's."""
    with transaction():
        held = _hold(tier)
        if held.kind == TierKind.FREE:
            raise Conflict("The free tier is what everybody has; it cannot be archived.")
        if held.archived_at is None:
            _store(held, {"archived_at": now}, now=now)
            _note(Action.TIER_ARCHIVED, held, actor=actor, now=now, name=held.name)


def restore(tier: Tier, *, actor: User, now: datetime) -> None:
    """Let an archived tier take members again."""
    with transaction():
        held = _hold(tier)
        if held.archived_at is None:
            return
        artist = Artist.get_by_id(held.artist_id)
        if len(of_artist(artist)) >= MOST_TIERS:
            raise Conflict("An artist has at most {most} tiers; archive one first.", most=MOST_TIERS)
        _store(held, {"archived_at": None}, now=now)
        _note(Action.TIER_RESTORED, held, actor=actor, now=now, name=held.name)


def move(tier: Tier, by: int, *, now: datetime) -> None:
    """Move the tier so many places, down where *by* is positive; it stops at the ends."""
    with transaction():
        artist = Artist.get_by_id(tier.artist_id)
        members.hold(artist)
        order = [row.id for row in of_artist(artist)]
        if tier.id not in order:
            raise Conflict("An archived tier has no place among the others.")
        here = order.index(tier.id)
        order.insert(min(max(0, here + by), len(order) - 1), order.pop(here))
        for position, tier_id in enumerate(order, start=1):
            Tier.update(position=position, updated_at=now).where(Tier.id == tier_id).execute()


def _hold(tier: Tier, *, made_from: int | None = None) -> Tier:
    held: Tier | None = database.locked(Tier.select().where(Tier.id == tier.id)).first()
    if held is None:
        raise NotFound("There is no such tier.")
    if made_from is not None and held.version != made_from:
        raise Stale
    return held


def _store(tier: Tier, values: Mapping[str, object], *, now: datetime) -> None:
    Tier.update(version=Tier.version + 1, updated_at=now, **values).where(Tier.id == tier.id).execute()


def _one_currency(tier: Tier) -> None:
    """An artist asks for one currency; a tier in another would be a price that cannot be compared."""
    here = (Tier.artist == tier.artist_id) & (Tier.currency != tier.currency)
    Tier.update(currency=tier.currency, version=Tier.version + 1).where(here).execute()


def _described(tier: Tier) -> dict[str, Any]:
    return {name: getattr(tier, name) for name in tier_fields.READERS} | {
        "currency": tier.currency or currencies.EURO
    }


def _note(action: Action, tier: Tier, *, actor: User, now: datetime, **detail: object) -> None:
    audit.record(
        action,
        actor=actor.id,
        subject=f"artist:{tier.artist_id}",
        now=now,
        detail={"tier": tier.id, **detail},
    )
