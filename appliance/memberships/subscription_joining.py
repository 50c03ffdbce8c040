"""Joining: the till that is opened for a membership, once for each person and artist, whatever is pressed twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance import database
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.memberships import granting
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships.models import Tier
from appliance.memberships.subscription_invoicing import NOBODY
from appliance.memberships.subscription_invoicing import Invoiced
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_offers import Offer
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import stage
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import LineItem
from appliance.payments import PaymentProvider

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
    invoiced: Invoiced = NOBODY,
    now: datetime,
) -> Subscription:
    """Open a till for a membership in this tier; *return_to* makes an address of the subscription's id. Nothing is given by that.

    Begun twice, in two tabs say, it is one. ``Conflict`` for who is a member already; who was given a membership may pay for a better one.
    """
    offer = offers.find(tier, interval)
    way = offers.way(provider, offer)
    invoiced = invoiced.checked()
    with transaction():
        row = _place(user, offer, way, reader=reader, invoiced=invoiced, now=now)
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
    return subscriptions.find(user, row.id)


def _place(
    user: User, offer: Offer, way: PaymentProvider, *, reader: Reader, invoiced: Invoiced, now: datetime
) -> Subscription:
    """The one subscription of this person and artist: the one that was begun just so, or a new one in its place."""
    tier = offer.tier
    database.locked(User.select(User.id).where(User.id == user.id)).first()
    artist = Artist.get_by_id(tier.artist_id)
    known = subscriptions.current(user, artist)
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
            Subscription.update(**invoiced.columns()).where(Subscription.id == known.id).execute()
            return known
        Subscription.update(current=False, given_up_at=now, updated_at=now).where(
            Subscription.id == known.id
        ).execute()
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
        **invoiced.columns(),
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
