"""Whose acts move money: asked by the rule that such people sign in with a second factor."""

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Purchase


def handles_money(user: User) -> bool:
    """True when an artist this person owns was ever paid: by a membership that somebody pays for, by a purchase, or by a share of another's."""
    own = Artist.select(Artist.id).where(Artist.owner == user.id)
    paid = Membership.select().where(Membership.artist.in_(own), Membership.origin == Origin.PAID)
    shared = Account.select().where(Account.kind == AccountKind.PAYABLE, Account.owner.in_(own))
    bought = Purchase.select().where(Purchase.artist.in_(own))
    return bool(paid.exists() or bought.exists() or shared.exists())
