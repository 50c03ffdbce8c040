"""The cycle of a request: who is asking, one database connection, protection against forged forms."""

import secrets
from collections.abc import Callable
from typing import Any
from typing import TypeVar

from flask import Flask
from flask import current_app
from flask import g
from flask import request
from flask_security import current_user
from flask_wtf.csrf import CSRFProtect

from appliance import clock
from appliance import database
from appliance import revocations
from appliance.accounts import people
from appliance.accounts import second_factor
from appliance.accounts import tokens
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.errors import NotAllowed
from appliance.memberships import money
from appliance.startup import Appliance
from web import reading
from web.retrying import SAFE_METHODS

WITHOUT_DATABASE = frozenset({"health.health", "health.ready", "prometheus_metrics"})
"""Views that answer also while the database is away; they ask it themselves, if at all."""
WIDER = {Scope.READ: Scope.WRITE, Scope.MONEY_READ: Scope.MONEY_WRITE}
"""Which scope reaches as far as another and farther."""
csrf = CSRFProtect()
V = TypeVar("V", bound=Callable[..., Any])


class NotSignedIn(NotAllowed):
    """The request needs a person and nobody is signed in; the answer asks to sign in."""

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class BadToken(NotSignedIn):
    """A bearer token that is unknown, expired or revoked; the answer must not fall back to the session."""

    def __init__(self) -> None:
        NotAllowed.__init__(self, "This API token is not valid.")


def register(app: Flask) -> None:
    """Hang the cycle onto *app*."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    # The session's life bounds the token's; an hour would lose the form that was open over lunch.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    csrf.init_app(app)
    app.before_request(begin)
    app.teardown_request(end)


def protect(app: Flask) -> None:
    """Let no forged form into *app*: that reads the form."""
    app.before_request(refuse_forged)


def begin() -> None:
    """Open the connection."""
    if request.endpoint not in WITHOUT_DATABASE:
        reading.hold_open()


def refuse_forged() -> None:
    """Refuse a forged form before any view sees it."""
    if request.method in SAFE_METHODS:
        return
    if request.routing_exception is not None:
        # There is no view to protect, and a wrong address should be told as what it is.
        return
    view = current_app.view_functions[str(request.endpoint)]
    if getattr(view, "by_origin", False):
        require_own_page()
        return
    if getattr(view, "by_signature", False):
        return
    # An API call that rides on no session cannot be forged by another site: there is nothing to ride on.
    if request.blueprint != "api" or (not _bearer() and current_user.is_authenticated):
        csrf.protect()


def by_origin(view: V) -> V:
    """A view that ``sendBeacon`` calls, which can carry no token of the page: who sent it is told by the browser instead."""
    view.by_origin = True  # type: ignore[attr-defined]
    return view


def by_signature(view: V) -> V:
    """A view that programs call whose signature over the body it checks itself: no browser's session is looked at."""
    view.by_signature = True  # type: ignore[attr-defined]
    return view


def require_own_page() -> None:
    """``NotAllowed`` unless the browser says that a page of ours sent this request (Fetch Metadata, else Origin)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
    ours = {f"{request.scheme}://{request.host}", appliance().settings.public_url.rstrip("/")}
    # Without TLS, browsers say Origin only.
    if not (site == "same-origin" if site else origin and origin in ours):
        raise NotAllowed("This is for the pages of this server.")


def end(error: BaseException | None) -> None:
    """Give the connection back."""
    database.let_go()


def nonce() -> str:
    """The random word of this request that lets a page's own inline style or script pass the policy."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def appliance() -> Appliance:
    """The appliance this application stands on."""
    found: Appliance = current_app.extensions["musicconnect"]
    return found


def person() -> User | None:
    """Who is asking: by bearer token, else by session, else nobody."""
    if "person" not in g:
        g.person = _recognise()
    found: User | None = g.person
    return found


def note_epoch(*, anew: bool = False) -> None:
    """Note the epoch of revocations, before anything is asked that a permission is made of; *anew* asks the primary for it.

    Every view that gives a permission asks *anew*: rights that a replica still has would be signed with an epoch that is past their end.
    """
    if anew:
        reading.leave_replica()
        revocations.forget()
    g.epoch = revocations.epoch()


def noted_epoch() -> int:
    """The epoch to give a permission with; a view that gives one notes it first, or this fails."""
    return int(g.epoch)


def roles() -> frozenset[str]:
    """The roles of who is asking; that of an admin rests for a token without its scope, and until there is a second factor."""
    who = person()
    if who is None:
        return frozenset()
    if "roles" not in g:
        names = people.roles_of(who)
        scopes = _scopes()
        if scopes is None:
            rests = _required_here(who) and second_factor.missing(who, names)
        else:
            rests = Scope.ADMIN not in scopes
        g.roles = names - {RoleName.ADMIN} if rests else names
    found: frozenset[str] = g.roles
    return found


def by_token() -> bool:
    """Whether a program asks, with a token."""
    return _scopes() is not None


def needs_second_factor(who: User) -> bool:
    """Whether this person must have a second factor on this node."""
    return _required_here(who) and second_factor.required(
        people.roles_of(who), handles_money=money.handles_money(who)
    )


def second_factor_missing() -> bool:
    """Whether rights of who is asking rest because they have no second factor."""
    who = person()
    return who is not None and not by_token() and who.second_factor_since is None and needs_second_factor(who)


def require_person(scope: Scope = Scope.WRITE) -> User:
    """Who is asking; ``NotSignedIn`` when nobody is, ``NotAllowed`` when their token lacks *scope*."""
    who = person()
    if who is None:
        raise NotSignedIn
    if not has_scope(scope):
        raise NotAllowed(f"This API token lacks the scope '{scope}'.")
    return who


def has_scope(scope: Scope) -> bool:
    """Whether who asks is a person, or a program whose token has *scope* or a wider one."""
    scopes = _scopes()
    return scopes is None or bool(scopes & {scope, WIDER.get(scope, scope)})


def _required_here(who: User) -> bool:
    # Everybody knows the passwords of the demo, which works on the machine itself only.
    return bool(appliance().settings.require_second_factor and not who.demo)


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _scopes() -> frozenset[str] | None:
    person()
    found: frozenset[str] | None = g.get("scopes")
    return found


def _recognise() -> User | None:
    token = _bearer()
    if token:
        row = tokens.recognise(token, clock.now())
        if row is None:
            raise BadToken
        g.scopes = frozenset(row.scopes.split())
        user: User = row.user
        return user
    # Without a cookie there is no session; Flask-Login would go and hash address and browser first.
    if "HTTP_COOKIE" in request.environ and current_user.is_authenticated:
        session = g.get("account_session")
        # Whoever was let in by this very request has a session that nobody looked up yet.
        return session.user if session else User.get_or_none(User.id == current_user.id)
    return None
