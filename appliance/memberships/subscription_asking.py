"""Asking the provider of a subscription for something: written down first, asked with its key, and the answer noted like any fact."""

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta

from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions_settling as settling
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_noting import hold
from appliance.memberships.subscription_offers import Step
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import require
from appliance.memberships.subscription_states import stage
from appliance.payments import Change
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import PaymentProvider
from appliance.payments import Preview
from appliance.payments import Price
from appliance.payments import SubscriptionFact

FIGURES_HOLD = timedelta(minutes=30)
"""How long figures that were shown can be agreed to."""
ASKING = timedelta(seconds=60)
"""How long another act waits for the answer to one before: longer than a provider is waited for."""
NOTED = {
    ActKind.CHANGE: Action.SUBSCRIPTION_CHANGED,
    ActKind.CANCEL: Action.SUBSCRIPTION_CANCELLED,
    ActKind.END: Action.SUBSCRIPTION_CANCELLED,
    ActKind.RESUME: Action.SUBSCRIPTION_RESUMED,
    ActKind.PAUSE: Action.SUBSCRIPTION_PAUSED,
}


class FiguresChanged(Conflict):
    """What was shown no longer holds; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "Your membership changed since these figures were reckoned. Nothing was charged; look at the new ones."
        )


def provider_of(row: Subscription) -> PaymentProvider:
    """By whom this subscription is paid; ``Conflict`` while that plugin does not run."""
    try:
        return processors.find(row.provider)
    except NotFound as error:
        raise Conflict(
            "The way this membership is paid is switched off here; ask the collective to switch it on."
        ) from error


def show(row: Subscription, found: Step, way: PaymentProvider, *, now: datetime) -> SubscriptionAct:
    """Let the provider reckon what the change costs, and write down what is shown."""
    price = offers.price_of(found.offer, row.artist)
    act_id = new_id()
    reckons = Feature.PRORATION in way.features
    if reckons:
        wanted = Change(row.reference, row.id, price, found.at_once, key=act_id)
        preview = processors.ask(way.preview, way.label, wanted)
    else:
        # Nothing happens before the next period, so there is nothing that only the provider could reckon.
        preview = Preview(0, price.amount_minor, price.currency, row.period_end or row.trial_end, now)
    with transaction():
        return SubscriptionAct.create(
            id=act_id,
            subscription=row.id,
            kind=ActKind.CHANGE,
            state=ActState.SHOWN,
            tier=found.offer.tier.id,
            interval=found.offer.interval,
            price_minor=price.amount_minor,
            currency=price.currency,
            at_once=found.at_once,
            due_now_minor=preview.due_now_minor,
            next_minor=preview.next_minor,
            next_at=preview.next_at,
            # Without an instant these are our figures: the provider did not reckon them, and is not held to them.
            as_of=preview.as_of if reckons else None,
            version=row.version,
            created_at=now,
        )


def shown(row: Subscription, act_id: str) -> SubscriptionAct:
    """The figures that were shown for a change of this subscription, tier joined, or ``NotFound``."""
    here = (SubscriptionAct.id == act_id) & (SubscriptionAct.subscription == row.id)
    act: SubscriptionAct | None = (
        SubscriptionAct.select(SubscriptionAct, Tier)
        .join(Tier, on=SubscriptionAct.tier)
        .where(here, SubscriptionAct.kind == ActKind.CHANGE)
        .first()
    )
    if act is None:
        raise NotFound("There is no such change.")
    return act


def agree(row: Subscription, act_id: str, *, now: datetime) -> SubscriptionAct:
    """Note that the figures of this act are agreed to; agreeing twice is once. ``FiguresChanged`` when they no longer hold."""
    with transaction():
        held = _held(row)
        act: SubscriptionAct | None = SubscriptionAct.get_or_none(
            SubscriptionAct.id == act_id, SubscriptionAct.subscription == row.id
        )
        if act is None or act.kind != ActKind.CHANGE:
            raise NotFound("There is no such change.")
        if act.state in {ActState.ASKED, ActState.DONE}:
            return act
        _require_alone(held, now=now)
        require(stage(held.state, held.cancel_at), Move.CHANGE)
        if (
            act.state == ActState.REFUSED
            or held.version != act.version
            or now - act.created_at > FIGURES_HOLD
        ):
            raise FiguresChanged
        _set(act, ActState.ASKED, now=now)
        return act


def begin(row: Subscription, kind: ActKind, move: Move, *, now: datetime) -> SubscriptionAct:
    """Note that *move* is asked for; the same that was asked for before, and of whose answer nothing is known, is asked for again."""
    with transaction():
        held = _held(row)
        require(stage(held.state, held.cancel_at), move)
        here = (SubscriptionAct.subscription == row.id) & (SubscriptionAct.kind == kind)
        known: SubscriptionAct | None = SubscriptionAct.get_or_none(
            here, SubscriptionAct.state == ActState.ASKED, SubscriptionAct.version == held.version
        )
        if known is not None:
            return known
        _require_alone(held, now=now)
        return SubscriptionAct.create(
            subscription=row.id,
            kind=kind,
            state=ActState.ASKED,
            version=held.version,
            created_at=now,
            asked_at=now,
        )


def change_of(row: Subscription, act: SubscriptionAct) -> Change:
    """The change that was agreed to, as the provider is asked for it."""
    artist = Artist.get_by_id(row.artist_id)
    name = f"{artist.name}: {Tier.get_by_id(act.tier_id).name}"[: offers.LONGEST_INVOICE_NAME]
    price = Price(act.price_minor or 0, act.currency, Interval(act.interval), name)
    agreed = None
    if act.as_of is not None:
        agreed = Preview(act.due_now_minor or 0, act.next_minor or 0, act.currency, act.next_at, act.as_of)
    return Change(row.reference, row.id, price, bool(act.at_once), key=act.id, agreed=agreed)


def carry_out(
    row: Subscription, act: SubscriptionAct, ask: Callable[[], SubscriptionFact], *, now: datetime
) -> Subscription:
    """Ask the provider, outside of any transaction, and note its answer; what it refuses is noted too, and told."""
    try:
        fact = ask()
    except Unavailable:
        # Whether it did it is not known: the act stays asked for, and the next word of the provider tells.
        raise
    except MusicConnectError:
        with transaction():
            _set(act, ActState.REFUSED, now=now)
        raise
    with transaction():
        settling.note_subscription(fact, provider=row.provider, now=now)
        if _set(act, ActState.DONE, now=now):
            audit.record(
                NOTED[ActKind(act.kind)],
                actor=row.user_id,
                subject=f"artist:{row.artist_id}",
                now=now,
                detail={"subscription": row.id, "act": act.id},
            )
        settling.settle(row.id, now=now)
    return Subscription.get_by_id(row.id)


def _held(row: Subscription) -> Subscription:
    held = hold(row.id)
    if held is None:
        raise NotFound("There is no such membership.")
    return held


def _require_alone(held: Subscription, *, now: datetime) -> None:
    """``Conflict`` while the answer to another act is waited for."""
    here = (SubscriptionAct.subscription == held.id) & (SubscriptionAct.state == ActState.ASKED)
    if SubscriptionAct.select().where(here, SubscriptionAct.asked_at > now - ASKING).exists():
        raise Conflict("Another change of this membership is being made just now; look again in a minute.")


def _set(act: SubscriptionAct, state: ActState, *, now: datetime) -> int:
    values = {"state": state} | ({"asked_at": now} if state is ActState.ASKED else {})
    act.state = state
    return int(
        SubscriptionAct.update(**values)
        .where(SubscriptionAct.id == act.id, SubscriptionAct.state != ActState.DONE)
        .execute()
    )
