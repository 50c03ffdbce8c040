"""Paying for a membership: begun, changed, cancelled, paused and taken up again by who pays for it.

An act is written down under a key of ours, then the provider is asked with that key, then its answer is noted like any other fact. Where the
process dies in between, the provider's next word on the subscription says what came of it, since it carries our mark; and asking again
with the same key does it once.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import peewee

from appliance import processors
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.memberships import subscription_asking as asking
from appliance.memberships import subscription_offers as offers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import require
from appliance.memberships.subscription_states import stage
from appliance.payments import Feature
from appliance.payments import PaymentProvider

Coming: Any = Tier.alias()
"""The tier of the next period, beside that of this one."""


def preview_change(row: Subscription, tier_id: str, interval: str, *, now: datetime) -> SubscriptionAct:
    """What it would cost to change to this tier: figures to agree to, with ``change``."""
    require(stage(row.state, row.cancel_at), Move.CHANGE)
    way = asking.provider_of(row)
    found = offers.step(row, way, tier_id, interval)
    return asking.show(row, found, way, now=now)


def change(row: Subscription, act_id: str, *, now: datetime) -> Subscription:
    """Change as was shown: what is charged is what was shown, or nothing happens and ``Conflict`` is told."""
    way = asking.provider_of(row)
    act = asking.agree(row, act_id, now=now)
    if act.state == ActState.DONE:
        return find_any(row.id)
    wanted = asking.change_of(row, act)
    return asking.carry_out(row, act, lambda: processors.ask(way.change, way.label, wanted), now=now)


def cancel(row: Subscription, *, at_once: bool, now: datetime) -> Subscription:
    """End it at the end of what is paid, or now; no money goes back by that."""
    way = asking.provider_of(row)
    kind, move = (ActKind.END, Move.END) if at_once else (ActKind.CANCEL, Move.CANCEL)
    act = asking.begin(row, kind, move, now=now)
    return asking.carry_out(
        row,
        act,
        lambda: processors.ask(
            way.cancel, way.label, row.reference, mark=row.id, at_once=at_once, key=act.id
        ),
        now=now,
    )


def resume(row: Subscription, *, now: datetime) -> Subscription:
    """Take back a cancellation or a pause."""
    way = asking.provider_of(row)
    act = asking.begin(row, ActKind.RESUME, Move.RESUME, now=now)
    return asking.carry_out(
        row,
        act,
        lambda: processors.ask(way.resume, way.label, row.reference, mark=row.id, key=act.id),
        now=now,
    )


def pause(row: Subscription, *, now: datetime) -> Subscription:
    """Pay nothing until it is taken up again; what is paid for is heard to its end."""
    way = asking.provider_of(row)
    _require_feature(way, Feature.PAUSE)
    act = asking.begin(row, ActKind.PAUSE, Move.PAUSE, now=now)
    return asking.carry_out(
        row,
        act,
        lambda: processors.ask(way.pause, way.label, row.reference, mark=row.id, key=act.id),
        now=now,
    )


def portal(row: Subscription, *, return_to: str) -> str:
    """Where who pays changes their card, at the provider."""
    require(stage(row.state, row.cancel_at), Move.MEND)
    way = asking.provider_of(row)
    _require_feature(way, Feature.PORTAL)
    if not row.customer:
        raise Conflict("{label} has not told yet who you are there; try again in a minute.", label=way.label)
    return processors.ask(way.portal, way.label, row.customer, return_to=return_to)


def find(user: User, subscription_id: str) -> Subscription:
    """This person's own subscription with this id, tier and artist joined, or ``NotFound``."""
    found = find_any(subscription_id)
    if found.user_id != user.id:
        raise NotFound("There is no such membership.")
    return found


def find_any(subscription_id: str) -> Subscription:
    """The subscription with this id, whoever's, tier and artist joined, or ``NotFound``."""
    found: Subscription | None = _joined().where(Subscription.id == subscription_id).first()
    if found is None:
        raise NotFound("There is no such membership.")
    return found


def of_person(user: User) -> list[Subscription]:
    """What this person pays for, or began to and can go on with, by the artist's name."""
    query = _joined().where(Subscription.user == user.id, Subscription.current)
    return list(query.order_by(Artist.name, Artist.id))


def current(user: User, artist: Artist) -> Subscription | None:
    """What this person pays for at this artist, or began to; tier and artist joined."""
    here = (Subscription.user == user.id) & (Subscription.artist == artist.id) & Subscription.current
    found: Subscription | None = _joined().where(here).first()
    return found


def stages(subscription_ids: Collection[str]) -> dict[str, Stage]:
    """Where each of these subscriptions is, by its id; by one query."""
    if not subscription_ids:
        return {}
    query = Subscription.select(Subscription.id, Subscription.state, Subscription.cancel_at)
    return {
        row.id: stage(row.state, row.cancel_at)
        for row in query.where(Subscription.id.in_(list(subscription_ids)))
    }


def asked_for(subscription_ids: Collection[str]) -> dict[str, PaymentAsked]:
    """What the members of these subscriptions are asked to pay by themselves, by the subscription's id; by one query."""
    if not subscription_ids:
        return {}
    here = PaymentAsked.subscription.in_(list(subscription_ids)) & PaymentAsked.open
    query = PaymentAsked.select().where(here).order_by(PaymentAsked.due_at.desc(), PaymentAsked.id.desc())
    return {row.subscription_id: row for row in query}


def _joined() -> "peewee.ModelSelect[Subscription]":
    return (
        Subscription.select(Subscription, Tier, Coming, Artist)
        .join(Tier, on=Subscription.tier)
        .switch(Subscription)
        .join(
            Coming, peewee.JOIN.LEFT_OUTER, on=(Subscription.pending_tier == Coming.id), attr="pending_tier"
        )
        .switch(Subscription)
        .join(Artist, on=Subscription.artist)
    )


def _require_feature(way: PaymentProvider, feature: Feature) -> None:
    if feature not in way.features:
        raise Conflict("{label} cannot do that.", label=way.label)


def runs(row: Subscription) -> bool:
    """Whether this subscription was paid or tried, and is not over."""
    return stage(row.state, row.cancel_at) in RUNNING
