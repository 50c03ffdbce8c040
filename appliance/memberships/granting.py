"""Memberships given by hand, as a gift, to the press or to the band: granted, extended, changed, ended."""

from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance import database
from appliance import revocations
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import members
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import tiers
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind

GIVEN = (Origin.GIFT, Origin.PRESS, Origin.BAND)
"""Where a membership can come from that is given by hand."""
FURTHEST = timedelta(days=20 * 365)
LONGEST_NOTE = 300


def grant(
    artist: Artist,
    email: str,
    *,
    tier_id: str,
    origin: str,
    through: datetime | None = None,
    note: object = "",
    actor: User,
    now: datetime,
) -> Membership:
    """Make the person with this address a member until *through*, or for good.

    ``NotFound`` when nobody has this address, ``Conflict`` when they were given one already: change that instead. Who pays for theirs
    may be given another, say a better one.
    """
    if origin not in GIVEN:
        raise Invalid("Choose why: a gift, the press or the band.", field="origin")
    _require_ahead(through, now=now)
    told = clean_line(note, field="note", longest=LONGEST_NOTE, required=False)
    with transaction():
        members.hold(artist)
        tiers.make(artist, now=now)
        tier = _open_tier(artist, tier_id)
        user = people.find(people.address(email))
        before = _given(artist, user)
        if before is not None and runs(before.paid_through, now):
            raise Conflict("{email} is a member already; change that membership.", email=user.email)
        if before is not None:
            # It ran out by itself; from now on the row says so too, and makes room for the next.
            _store(before, {"ended_at": before.paid_through}, now=now)
        made = Membership.create(
            user=user.id,
            artist=artist.id,
            tier=tier.id,
            origin=origin,
            paid_through=through,
            granted_by=actor.id,
            note=told,
            created_at=now,
            updated_at=now,
        )
        _note(Action.MEMBERSHIP_GRANTED, made, actor=actor, now=now, **_told(tier.id, origin, through))
    return find(artist, made.id)


def change(
    membership: Membership,
    fields: Mapping[str, object],
    *,
    actor: User,
    now: datetime,
    made_from: int | None = None,
) -> Membership:
    """Another *tier*, another end (*paid_through*), another *note*; what ran out runs again with a later end.

    ``Conflict`` when it was ended, or is paid for by its member. Whoever hears by the right they had asks anew.
    """
    for name in fields.keys() - {"tier", "paid_through", "note"}:
        raise Invalid("A membership has no field '{name}' that can be set.", name=name[:60], field=name[:60])
    values: dict[str, Any] = {}
    if "note" in fields:
        values["note"] = clean_line(fields["note"], field="note", longest=LONGEST_NOTE, required=False)
    if "paid_through" in fields:
        through = fields["paid_through"]
        if through is not None and not isinstance(through, datetime):
            raise Invalid("'paid_through' is an instant, or nothing.", field="paid_through")
        values["paid_through"] = through
    with transaction():
        held = _hold(membership, made_from=made_from)
        if "paid_through" in values and values["paid_through"] != held.paid_through:
            _require_ahead(values["paid_through"], now=now)
        if "tier" in fields and fields["tier"] != held.tier_id:
            values["tier"] = _open_tier(Artist.get_by_id(held.artist_id), str(fields["tier"])).id
        if values:
            _store(held, values, now=now)
            detail = _told(
                values.get("tier", held.tier_id),
                held.origin,
                values.get("paid_through", held.paid_through),
            )
            _note(Action.MEMBERSHIP_CHANGED, held, actor=actor, now=now, **detail)
            if values.keys() & {"tier", "paid_through"}:
                _shut(held, now=now)
    return Membership.get_by_id(membership.id)


def end(membership: Membership, *, actor: User, now: datetime) -> None:
    """End a membership now: what it opened is shut at once. Nothing happens when it is over."""
    with transaction():
        held: Membership = database.locked(Membership.select().where(Membership.id == membership.id)).get()
        if held.ended_at is not None:
            return
        _require_given(held)
        _store(held, {"ended_at": now}, now=now)
        _note(Action.MEMBERSHIP_ENDED, held, actor=actor, now=now, tier=held.tier_id)
        _shut(held, now=now)


def find(artist: Artist, membership_id: str) -> Membership:
    """The membership of this artist with this id, person and tier joined, or ``NotFound``."""
    found: Membership | None = (
        _joined().where(Membership.id == membership_id, Membership.artist == artist.id).first()
    )
    if found is None:
        raise NotFound("There is no such membership.")
    return found


def current(user: User, artist: Artist, *, now: datetime) -> Membership | None:
    """This person's membership of this artist, if there is one now, tier joined; of several that in the dearest tier which lasts longest."""
    here = (Membership.artist == artist.id) & (Membership.user == user.id) & Membership.ended_at.is_null()
    rows = [
        row
        for row in Membership.select(Membership, Tier).join(Tier).where(here)
        if runs(row.paid_through, now)
    ]
    return max(
        rows,
        key=lambda row: (
            row.tier.price_minor,
            row.paid_through is None,
            row.paid_through or row.created_at,
            row.id,
        ),
        default=None,
    )


def of_artist(artist: Artist, *, limit: int, before: str | None = None) -> list[Membership]:
    """Who is a member, also those whose time has run out and who were not ended by hand; newest first (keyset by id)."""
    query = _joined().where(Membership.artist == artist.id, Membership.ended_at.is_null())
    if before is not None:
        query = query.where(Membership.id < before)
    return list(query.order_by(Membership.id.desc()).limit(limit))


def of_person(user: User, *, now: datetime) -> list[Membership]:
    """Where this person is a member now, tier and artist joined, by the artist's name."""
    query = (
        Membership.select(Membership, Tier, Artist)
        .join(Tier)
        .switch(Membership)
        .join(Artist)
        .where(Membership.user == user.id, Membership.ended_at.is_null())
    )
    return [row for row in query.order_by(Artist.name, Artist.id) if runs(row.paid_through, now)]


def counts(artist: Artist, *, now: datetime) -> dict[str, int]:
    """How many members each tier of the artist has now, by its id; a tier without any is not in it."""
    count = peewee.fn.COUNT(Membership.user.distinct())
    here = (Membership.artist == artist.id) & Membership.ended_at.is_null()
    here &= Membership.paid_through.is_null() | (Membership.paid_through > now)
    rows: Any = Membership.select(Membership.tier, count).where(here).group_by(Membership.tier).tuples()
    return {tier_id: int(number) for tier_id, number in rows}


def _joined() -> "peewee.ModelSelect[Membership]":
    return (
        Membership.select(Membership, User, Tier).join(User, on=Membership.user).switch(Membership).join(Tier)
    )


def _given(artist: Artist, user: User) -> Membership | None:
    here = (Membership.artist == artist.id) & (Membership.user == user.id) & Membership.ended_at.is_null()
    here &= Membership.origin.in_(GIVEN)
    found: Membership | None = Membership.select().where(here).first()
    return found


def _hold(membership: Membership, *, made_from: int | None) -> Membership:
    held: Membership = database.locked(Membership.select().where(Membership.id == membership.id)).get()
    if held.ended_at is not None:
        raise Conflict("This membership is over; give a new one.")
    if made_from is not None and held.version != made_from:
        raise Stale
    _require_given(held)
    return held


def _require_given(membership: Membership) -> None:
    if membership.origin not in GIVEN:
        raise Conflict("This membership is paid for; who pays for it decides about it.")


def _require_ahead(through: datetime | None, *, now: datetime) -> None:
    if through is not None and through <= now:
        raise Invalid("This day has passed. Choose a later one.", field="paid_through")
    if through is not None and through > now + FURTHEST:
        raise Invalid("This is more than twenty years away; look at the year.", field="paid_through")


def _open_tier(artist: Artist, tier_id: str) -> Tier:
    tier: Tier | None = Tier.get_or_none(Tier.id == tier_id, Tier.artist == artist.id)
    if tier is None or tier.kind == TierKind.FREE:
        raise Invalid("Choose a tier; the free one is what everybody has.", field="tier")
    if tier.archived_at is not None:
        raise Invalid("This tier is archived and takes no new members.", field="tier")
    return tier


def _store(membership: Membership, values: Mapping[str, object], *, now: datetime) -> None:
    Membership.update(version=Membership.version + 1, updated_at=now, **values).where(
        Membership.id == membership.id
    ).execute()


def _shut(membership: Membership, *, now: datetime) -> None:
    revocations.revoke(f"member:{membership.user_id}:{membership.artist_id}", now=now)


def _told(tier_id: str, origin: str, through: datetime | None) -> dict[str, object]:
    return {"tier": tier_id, "origin": origin, "through": through.isoformat() if through else None}


def _note(action: Action, membership: Membership, *, actor: User, now: datetime, **detail: object) -> None:
    audit.record(
        action,
        actor=actor.id,
        subject=f"artist:{membership.artist_id}",
        now=now,
        detail={"person": membership.user_id, **detail},
    )
