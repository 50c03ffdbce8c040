"""Paying for a membership: begun, changed, cancelled, paused and taken up again by who pays for it.

An act is written down under a key of ours, then the provider is asked with that key, then its answer is noted like any other fact. Where the
process dies in between, the provider's next word on the subscription says what came of it, since it carries our mark; and asking again
with the same key does it once.
"""

from collections.abc import Callable
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance import database
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.memberships import granting
from appliance.memberships import subscription_asking as asking
from appliance.memberships import subscription_offers as offers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_offers import Offer
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import require
from appliance.memberships.subscription_states import stage
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import Feature
from appliance.payments import LineItem
from appliance.payments import PaymentProvider

Coming: Any = Tier.alias()
"""The tier of the next period, beside that of this one."""
TILL_OPEN = timedelta(hours=12)
"""How long one is led back to a till that was opened; after that a new one is."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told of it: the language they read, and the address by which they know this server."""

    locale: str = "en"
    root: str = ""


def begin(
    user: User,
    tier: Tier,
    *,
    interval: str,
    provider: str,
    return_to: Callable[[str], str],
    cancel_to: str,
    reader: Reader,
    now: datetime,
) -> Subscription:
    """Open a till for a membership in this tier; *return_to* makes an address of the subscription's id. Nothing is given by that.

    Begun twice, in two tabs say, it is one. ``Conflict`` for who is a member already; who was given a membership may pay for a better one.
    """
    offer = offers.find(tier, interval)
    way = offers.way(provider, offer)
    with transaction():
        row = _place(user, offer, way, reader=reader, now=now)
    if row.checkout_url:
        return row
    request = CheckoutRequest(
        mark=row.id,
        key=row.id,
        currency=row.currency,
        items=(LineItem(offers.price_of(offer, tier.artist).name, row.price_minor),),
        return_to=return_to(row.id),
        cancel_to=cancel_to,
        interval=offer.interval,
        trial_days=row.trial_days,
        email=user.email,
        customer=_customer(user, way),
        locale=reader.locale,
    )
    opened = processors.ask(way.begin_checkout, way.label, request)
    with transaction():
        Subscription.update(checkout=opened.reference, checkout_url=opened.url, updated_at=now).where(
            Subscription.id == row.id
        ).execute()
    return find(user, row.id)


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


def _place(user: User, offer: Offer, way: PaymentProvider, *, reader: Reader, now: datetime) -> Subscription:
    """The one subscription of this person and artist: the one that was begun just so, or a new one in its place."""
    tier = offer.tier
    database.locked(User.select(User.id).where(User.id == user.id)).first()
    artist = Artist.get_by_id(tier.artist_id)
    known = current(user, artist)
    if known is not None and stage(known.state, known.cancel_at) is not Stage.INCOMPLETE:
        raise Conflict("You are a member already; change that membership instead.")
    _require_better(user, offer, now=now)
    if known is not None:
        same = (known.tier_id, known.interval, known.provider, known.price_minor) == (
            tier.id,
            offer.interval,
            way.name,
            offer.price_minor,
        )
        paying = known.checkout_state == CheckoutState.COMPLETED
        if paying:
            raise Conflict("Your payment is on its way; look again in a few minutes.")
        if same and now - known.created_at < TILL_OPEN:
            return known
        Subscription.update(current=False, updated_at=now).where(Subscription.id == known.id).execute()
    row = Subscription.create(
        user=user.id,
        artist=artist.id,
        tier=tier.id,
        interval=offer.interval,
        price_minor=offer.price_minor,
        currency=tier.currency,
        trial_days=0 if _tried(user, artist) else tier.trial_days,
        provider=way.name,
        locale=reader.locale,
        root=reader.root,
        created_at=now,
        updated_at=now,
    )
    SubscriptionAct.create(
        subscription=row.id,
        kind=ActKind.BEGIN,
        state=ActState.DONE,
        tier=tier.id,
        interval=offer.interval,
        price_minor=offer.price_minor,
        currency=tier.currency,
        at_once=True,
        version=1,
        created_at=now,
    )
    audit.record(
        Action.SUBSCRIPTION_BEGUN,
        actor=user.id,
        subject=f"artist:{artist.id}",
        now=now,
        detail={"subscription": row.id, "tier": tier.id},
    )
    return row


def _require_better(user: User, offer: Offer, *, now: datetime) -> None:
    given = granting.current(user, Artist.get_by_id(offer.tier.artist_id), now=now)
    if given is not None and given.tier.price_minor >= offer.tier.price_minor:
        raise Conflict(
            "You are a member already, in {tier}, and it costs you nothing; you can pay for a higher tier.",
            tier=given.tier.name,
        )


def _tried(user: User, artist: Artist) -> bool:
    """Whether this person had a membership of this artist before: a trial is for who had none."""
    here = (Subscription.user == user.id) & (Subscription.artist == artist.id)
    return bool(Subscription.select().where(here, Subscription.state != Stage.INCOMPLETE).exists())


def _customer(user: User, way: PaymentProvider) -> str:
    """What the provider calls this person, who paid there before."""
    here = (
        (Subscription.user == user.id) & (Subscription.provider == way.name) & (Subscription.customer != "")
    )
    last = Subscription.select(Subscription.customer).where(here).order_by(Subscription.id.desc()).first()
    return str(last.customer) if last else ""


def _require_feature(way: PaymentProvider, feature: Feature) -> None:
    if feature not in way.features:
        raise Conflict("{label} cannot do that.", label=way.label)


def runs(row: Subscription) -> bool:
    """Whether this subscription was paid or tried, and is not over."""
    return stage(row.state, row.cancel_at) in RUNNING
