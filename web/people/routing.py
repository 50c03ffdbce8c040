"""The blueprint of these pages, and what all of them ask first: which artist, and may this person do that."""

from flask import Blueprint
from flask import session

from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.memberships import access
from appliance.memberships.access import Standing
from web.request_cycle import require_person
from web.request_cycle import roles
from web.request_cycle import second_factor_missing
from web.security.second_step import SecondFactorFirst

blueprint = Blueprint("people", __name__)


def artist_for(slug: str, least: Standing, scope: Scope = Scope.WRITE) -> tuple[Artist, User, Standing]:
    """The artist at *slug*, who is asking, and what they are to it; ``NotAllowed`` below *least*."""
    who = require_person(scope)
    artist = artists.find(slug)
    return artist, who, access.require_artist(who, artist, roles=roles(), least=least)


def artist_with_money(slug: str) -> tuple[Artist, User]:
    """As ``artist_for``, for who decides what fans pay for; once they do, whoever owns it has a second factor first.

    A token needs the scope that it needs for the same in the interface for programs.
    """
    artist, who, _standing = artist_for(slug, Standing.MANAGER, Scope.MONEY_WRITE)
    if second_factor_missing():
        raise SecondFactorFirst
    return artist, who


def show_once(name: str, value: str) -> None:
    """Keep what the next page may show one time, such as a link nobody sees again."""
    session[f"once.{name}"] = value


def shown_once(name: str) -> str:
    """What was kept to be shown one time; empty the second time."""
    return str(session.pop(f"once.{name}", ""))
