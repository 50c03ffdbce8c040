"""Whether those who paid have what they paid for, and nobody else: asked of the rows as they stand, not by what would make them."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance.billing import gift_checking
from appliance.billing import order_checking
from appliance.ledger.checking import Difference
from appliance.ledger.models import Payment
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_rights import GRACE
from appliance.payments import SubscriptionState

LONGEST_PERIOD = timedelta(days=366)
"""What a payment can pay for at most when it does not say until when."""
MOST_NAMED = 100
OVER = (SubscriptionState.ENDED, SubscriptionState.INCOMPLETE)


def differences(now: datetime) -> Iterator[Difference]:
    """Each membership or order whose access and whose money disagree."""
    yield from unpaid_memberships(now)
    yield from subscriptions_without_membership(now)
    yield from order_checking.differences()
    yield from gift_checking.differences()


def unpaid_memberships(now: datetime) -> Iterator[Difference]:
    """Memberships that run as paid for and are not: by no payment that stayed, no trial and no grace."""
    stayed = Payment.select(Payment.id).where(
        Payment.mark == Membership.id,
        Payment.refunded_minor + Payment.lost_minor < Payment.amount_minor,
        (Payment.period_end >= Membership.paid_through)
        | (Payment.period_end.is_null() & (Payment.paid_at > now - LONGEST_PERIOD)),
    )
    paid = Membership.origin == Origin.PAID
    running = Membership.ended_at.is_null() & (
        Membership.paid_through.is_null() | (Membership.paid_through > now)
    )
    unpaid = Membership.select().where(paid, running, ~peewee.fn.EXISTS(stayed)).order_by(Membership.id)
    named = 0
    for membership in unpaid:
        subscription = Subscription.get_or_none(Subscription.id == membership.id)
        if subscription is not None and _excused(subscription, membership.paid_through):
            continue
        why = (
            "no payment that stayed reaches so far"
            if subscription is not None
            else "there is no subscription"
        )
        through = membership.paid_through.isoformat() if membership.paid_through else "for good"
        yield Difference("access", f"membership:{membership.id}", f"It runs until {through}, but {why}.")
        named += 1
        if named >= MOST_NAMED:
            return


def subscriptions_without_membership(now: datetime) -> Iterator[Difference]:
    """Those who paid for a time that is not over, and are no members."""
    member = Membership.select(Membership.id).where(
        Membership.id == Subscription.id,
        Membership.ended_at.is_null(),
        Membership.paid_through >= Payment.period_end,
    )
    paid: Any = (
        Subscription.select(Subscription.id, Payment.period_end)
        .join(Payment, on=(Payment.mark == Subscription.id))
        .where(
            Subscription.user.is_null(False),
            Subscription.state.not_in(OVER),
            Payment.period_end > now,
            Payment.refunded_minor + Payment.lost_minor < Payment.amount_minor,
            ~peewee.fn.EXISTS(member),
        )
        .order_by(Subscription.id)
        .limit(MOST_NAMED)
    )
    for subscription_id, through in paid.tuples():
        yield Difference(
            "access",
            f"subscription:{subscription_id}",
            f"It is paid until {through.isoformat()}, but its member is none until then.",
        )


def _excused(subscription: Subscription, through: datetime | None) -> bool:
    if through is None:
        return False
    trial = subscription.trial_end is not None and subscription.trial_end >= through
    late = subscription.state == SubscriptionState.PAST_DUE and subscription.past_due_since is not None
    return trial or (late and subscription.past_due_since + GRACE >= through)
