"""The blueprint of these pages, and what all of them ask first: whose membership it is."""

from flask import Blueprint

from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.memberships import subscriptions
from appliance.memberships.subscription_models import Subscription
from web.request_cycle import require_person

blueprint = Blueprint("membership", __name__)


def payer() -> User:
    """Who is asking; a token that may not do everything must spend no money."""
    return require_person(Scope.ADMIN)


def own(subscription_id: str) -> Subscription:
    """The subscription with this id, if who asks is the one who pays for it."""
    return subscriptions.find(payer(), subscription_id)
