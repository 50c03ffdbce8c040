"""The door of all that is about money: a token needs a scope that was given for it, and whoever is paid a second factor."""

from appliance.accounts import permissions
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.accounts.permissions import Permission
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.errors import NotAllowed
from appliance.memberships import access
from appliance.memberships.access import Standing
from web.request_cycle import by_token
from web.request_cycle import has_scope
from web.request_cycle import require_person
from web.request_cycle import roles
from web.request_cycle import second_factor_missing
from web.security import step_up
from web.security.step_up import StepUpNeeded


def payer(scope: Scope = Scope.MONEY_WRITE) -> User:
    """Who asks about money of their own."""
    return require_person(scope)


def seller(
    slug: str, scope: Scope = Scope.MONEY_WRITE, *, least: Standing = Standing.MANAGER
) -> tuple[Artist, User]:
    """The artist and who is asking; an error unless they decide what fans pay for and see what was paid."""
    who = require_person(scope)
    return behind(artists.find(slug), who, least=least), who


def behind(artist: Artist, who: User, *, least: Standing = Standing.MANAGER) -> Artist:
    """The artist; an error unless *who*, whose scope was looked at, decides about its money."""
    access.require_artist(who, artist, roles=roles(), least=least)
    require_second_factor()
    return artist


def decider(slug: str) -> tuple[Artist, User]:
    """The artist and its owner, who may send money on its way: by a token made for that, or right after proving who they are."""
    artist, who = seller(slug, Scope.MONEY_PAYOUT, least=Standing.OWNER)
    if not by_token():
        try:
            step_up.require()
        except StepUpNeeded as error:
            # The page that asks for the proof is for people; a program is told where it is.
            raise NotAllowed("Show again that it is you first, at the address /verify.") from error
    return artist, who


def admin(scope: Scope = Scope.MONEY_WRITE) -> User:
    """Who asks, if they look after the payments of the whole platform; a token needs the scope ``admin`` beside the other."""
    who = require_person(scope)
    require_person(Scope.ADMIN)
    require_second_factor()
    permissions.require(roles(), Permission.PAYMENTS_MANAGE)
    return who


def may_spend() -> bool:
    """Whether who asks may also see what is as good as money, such as a code that nobody redeemed: a person, or a program with ``money.write``."""
    return has_scope(Scope.MONEY_WRITE)


def require_second_factor() -> None:
    """``NotAllowed`` for who must have one and has none, as on the pages."""
    if second_factor_missing():
        raise NotAllowed("Your role needs a second factor. Set one up first.")
