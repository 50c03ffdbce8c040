"""Whose acts move money: asked by the rule that such people sign in with a second factor."""

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Purchase


def handles_money(user: User) -> bool:
    """True when an artist this person owns was ever paid: by a membership that somebody pays for, or by a purchase."""
    own = Artist.select(Artist.id).where(Artist.owner == user.id)
    paid = Membership.select().where(Membership.artist.in_(own), Membership.origin == Origin.PAID)
    return bool(paid.exists() or Purchase.select().where(Purchase.artist.in_(own)).exists())
