"""Accounts that were deactivated: their person can neither hear what they pay for nor cancel it, so it is cancelled for them."""

import logging
from datetime import datetime

from appliance.accounts.models import User
from appliance.errors import MusicConnectError
from appliance.memberships import subscriptions
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import may
from appliance.memberships.subscription_states import stage
from appliance.payments import SubscriptionState

log = logging.getLogger(__name__)

CHARGED = (SubscriptionState.TRIALING, SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE)


def cancel_all(*, now: datetime) -> int:
    """Cancel every subscription that would charge a deactivated account again, at the end of what is paid; returns how many."""
    query = (
        Subscription.select(Subscription, User)
        .join(User, on=Subscription.user)
        .where(~User.active, Subscription.state.in_(CHARGED), Subscription.cancel_at.is_null())
    )
    cancelled = 0
    for row in list(query):
        # Where a payment is due there is nothing paid whose end could be waited for.
        at_once = not may(stage(row.state, row.cancel_at), Move.CANCEL)
        try:
            subscriptions.cancel(row, at_once=at_once, now=now)
        except MusicConnectError as error:
            # The next run tries again, with the same key.
            log.warning(
                "a subscription could not be cancelled", extra={"subscription": row.id, "why": str(error)}
            )
        else:
            cancelled += 1
    return cancelled
