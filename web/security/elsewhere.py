"""Signing in with an account elsewhere: there and back again, for who signs in and for who links it to the account here."""

import hmac
import logging
import re
import time

from flask import current_app
from flask import flash
from flask import redirect
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import login_user

from appliance import clock
from appliance import hooks
from appliance.accounts import identities
from appliance.accounts import sessions
from appliance.collective import identity
from appliance.errors import N_
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.hookspecs import ForeignAccount
from appliance.hookspecs import SignInWay
from web import addresses
from web import sentences
from web.request_cycle import appliance
from web.request_cycle import person
from web.security import visitors
from web.security.mailing import letters
from web.security.routing import blueprint
from web.security.routing import way_back
from web.security.second_step import SecondStep

log = logging.getLogger(__name__)

STATE = "elsewhere"
LASTS_S = 600
NAME = re.compile(r"[a-z0-9_-]{1,30}")
STALE = N_("You were away too long, or this answer is not yours. Start again.")


@blueprint.app_template_global()
def ways_elsewhere() -> dict[str, str]:
    """What the places are called where people may have an account, by the names of the ways there."""
    return {name: str(way.label) for name, way in ways().items()}


def ways() -> dict[str, SignInWay]:
    """Every way there is, by its name; of two with the same, the first."""
    found: dict[str, SignInWay] = {}
    for offered in hooks.announce("sign_in_ways"):
        for way in offered:
            name = getattr(way, "name", None)
            if isinstance(name, str) and NAME.fullmatch(name) and hasattr(way, "label"):
                found.setdefault(name, way)
            else:
                log.error("a way to sign in has no name", extra={"way": repr(way)[:100]})
    return found


@blueprint.get("/sign-in/with/<way>")
def elsewhere(way: str) -> ResponseReturnValue:
    """Go there to sign in."""
    if person() is not None:
        return redirect(way_back() or url_for("people.account"), 303)
    try:
        return redirect(depart(way, user_id="", onward=way_back()), 303)
    except Unavailable as error:
        flash(sentences.told(error), "problem")
        return redirect(url_for("security.login", next=way_back() or None), 303)


@blueprint.get("/sign-in/with/<way>/back")
def back(way: str) -> ResponseReturnValue:
    """Come back from there: what was begun in this browser goes on, once."""
    begun = session.pop(STATE, None)
    links = bool(begun and begun["user"])
    try:
        foreign = _proved(way, begun)
        return _link(way, foreign, begun["user"]) if links else _let_in(way, foreign, begun["onward"])
    except MusicConnectError as error:
        if isinstance(error, NotFound):
            raise
        if not links and isinstance(error, Invalid | NotAllowed):
            sessions.note_failure(None, way=way[:30], address=visitors.rough_address(), now=clock.now())
        flash(sentences.told(error), "problem")
        onward = begun["onward"] if begun else ""
        if links:
            return redirect(url_for("people.identities"), 303)
        return redirect(url_for("security.login", next=onward or None), 303)


def depart(name: str, *, user_id: str, onward: str) -> str:
    """The address to go to; *user_id* says whose account is to be linked, and nobody's when somebody signs in."""
    way = _way(name)
    departure = way.begin(_return_to(name))
    session[STATE] = {
        "way": name,
        "user": user_id,
        "onward": onward,
        "state": departure.state,
        "kept": dict(departure.kept),
        "at": int(time.time()),
    }
    return departure.url


def _proved(name: str, begun: dict[str, str] | None) -> ForeignAccount:
    way = _way(name)
    if (
        not begun
        or begun["way"] != name
        or time.time() - int(begun["at"]) > LASTS_S
        or not hmac.compare_digest(begun["state"].encode(), request.args.get("state", "").encode())
    ):
        raise Invalid(STALE)
    return way.finish(request.args.to_dict(), begun["kept"], return_to=_return_to(name))  # type: ignore[arg-type]


def _let_in(way: str, foreign: ForeignAccount, onward: str) -> ResponseReturnValue:
    registration = identity.current(appliance().settings).registration
    found, fresh = identities.person_of(foreign, way=way, registration=registration, now=clock.now())
    user = current_app.extensions["security"].datastore.find_user(fs_uniquifier=found.fs_uniquifier)
    if user is None:
        raise NotAllowed("This account is deactivated.")
    step = SecondStep().tf_enter(user, False, way, onward)
    if step is not None:
        return step
    login_user(user, remember=False, authn_via=[way])
    return redirect(onward or url_for("people.welcome" if fresh else "people.after_sign_in"), 303)


def _link(way: str, foreign: ForeignAccount, user_id: str) -> ResponseReturnValue:
    who = person()
    if who is None or who.id != user_id:
        raise Invalid(STALE)
    label = _way(way).label
    identities.link(who, foreign, way=way, label=label, letters=letters(), now=clock.now())
    flash(_("Your account at %(label)s opens this one from now on.", label=label))
    return redirect(url_for("people.identities"), 303)


def _way(name: str) -> SignInWay:
    found = ways().get(name)
    if found is None:
        raise NotFound("There is no such way to sign in.")
    return found


def _return_to(name: str) -> str:
    return addresses.root() + url_for("sign_in.back", way=name)
