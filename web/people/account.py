"""One's own account: the name others see, the language, tokens for programs, and ending every session."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import logout_user

from appliance import clock
from appliance.accounts import people
from appliance.accounts import tokens
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog.wording import clean_line
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from web import rates
from web.people.routing import blueprint
from web.people.routing import show_once
from web.people.routing import shown_once
from web.request_cycle import require_person
from web.request_cycle import roles

SCOPES = {
    Scope.READ: lazy_gettext("See what you may see"),
    Scope.WRITE: lazy_gettext("Change what you may change"),
    Scope.ADMIN: lazy_gettext("Administer the collective"),
}
LIVES = {
    "30": lazy_gettext("30 days"),
    "90": lazy_gettext("90 days"),
    "365": lazy_gettext("One year"),
    "": lazy_gettext("Until you revoke it"),
}


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it: never its text."""

    id: str
    name: str
    scopes: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    over: bool


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    """What the collective knows of this person, and what they can change."""
    return _page(_owner())


@blueprint.post("/account")
def save_account() -> ResponseReturnValue:
    """Another name."""
    who = _owner()
    try:
        people.rename(
            who,
            clean_line(
                request.form.get("display_name", ""),
                field="display_name",
                longest=people.LONGEST_NAME,
                required=False,
            ),
        )
    except Invalid as error:
        return _page(who, problem=error, status=422)
    flash(_("Saved."))
    return _back()


@blueprint.post("/account/tokens")
@rates.limited("tokens")
def make_token() -> ResponseReturnValue:
    """A token for a program, shown one time."""
    who = _owner()
    days = request.form.get("days", "")
    try:
        wanted = [scope for scope in request.form.getlist("scope") if scope in _offered()]
        if not wanted:
            raise Invalid("Choose at least one thing the program may do.", field="scope")
        token = tokens.mint(
            who,
            name=clean_line(request.form.get("token_name", ""), field="token_name", longest=100),
            scopes=wanted,
            days=int(days) if days in LIVES and days else None,
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _page(who, problem=error, status=422)
    show_once("token", token)
    return _back()


@blueprint.post("/account/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """End a token."""
    try:
        tokens.revoke(_owner(), token_id, now=clock.now())
    except NotFound:
        return _back()
    flash(_("The token is revoked; programs that use it are shut out from now on."))
    return _back()


@blueprint.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """End every session, this one too."""
    people.sign_out_everywhere(_owner(), now=clock.now())
    logout_user()
    flash(_("You are signed out on all devices."))
    return redirect(url_for("security.login"), 303)


@blueprint.get("/welcome")
def welcome() -> str:
    """The first page after joining: next steps for who listens and for who makes music."""
    require_person(Scope.READ)
    return render_template("people/welcome.html")


@blueprint.app_template_global()
def onward(endpoint: str) -> str:
    """The address of the form of *endpoint*, with the way back to where one came from, if that is a page of ours."""
    there = request.args.get("next", "")
    # Two slashes begin the name of another host (RFC 3986, 4.2), and browsers read a backslash as a slash.
    ours = there.startswith("/") and not there.startswith(("//", "/\\")) and there.isprintable()
    return url_for(endpoint, next=there if ours else None)


@blueprint.get("/signed-in")
def after_sign_in() -> ResponseReturnValue:
    """Where one goes after signing in from nowhere in particular: to the studio who makes music, to the music who listens."""
    require_person(Scope.READ)
    makes_music = RoleName.ARTIST in roles()
    return redirect(url_for("studio.dashboard" if makes_music else "storefront.index"), 303)


def _owner() -> User:
    # A token that may not do everything must not make one that may.
    return require_person(Scope.ADMIN)


def _offered() -> dict[str, object]:
    admin = RoleName.ADMIN in roles()
    return {scope: text for scope, text in SCOPES.items() if scope is not Scope.ADMIN or admin}


def _view(row: ApiToken) -> TokenView:
    names = [str(SCOPES[Scope(scope)]) for scope in row.scopes.split() if scope in set(Scope)]
    return TokenView(
        id=row.id,
        name=row.name or _("Without a name"),
        scopes=", ".join(names),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        over=row.expires_at is not None and row.expires_at <= clock.now(),
    )


def _page(who: User, *, problem: Exception | None = None, status: int = 200) -> ResponseReturnValue:
    token = shown_once("token")
    answer = make_response(
        render_template(
            "people/account.html",
            person=who,
            tokens=[_view(row) for row in tokens.of_user(who)],
            scopes=_offered(),
            lives=LIVES,
            token=token,
            sent=request.form,
            problem=problem,
        ),
        status,
    )
    if token:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _back() -> ResponseReturnValue:
    return redirect(url_for("people.account"), 303)
