"""Tokens for programs: shown one time, with what they may do, until when, and when they were used."""

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

from appliance import clock
from appliance.accounts import tokens as programs
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog.wording import clean_line
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from web import rates
from web.people.account import owner
from web.people.routing import blueprint
from web.people.routing import show_once
from web.people.routing import shown_once
from web.request_cycle import roles
from web.security import step_up

SCOPES = {
    Scope.READ: lazy_gettext("See what you may see"),
    Scope.WRITE: lazy_gettext("Change what you may change"),
    Scope.MONEY_READ: lazy_gettext("See what was paid, by you and to your artists"),
    Scope.MONEY_WRITE: lazy_gettext("Buy, change memberships, set prices and shares"),
    Scope.MONEY_PAYOUT: lazy_gettext("Have your artists paid what they are owed, to the account that is set"),
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


@blueprint.get("/account/tokens")
def tokens() -> ResponseReturnValue:
    """The tokens there are, and the form for another one."""
    return _page(owner())


@blueprint.post("/account/tokens")
@rates.limited("tokens")
def make_token() -> ResponseReturnValue:
    """A token for a program, shown one time."""
    who = owner()
    days = request.form.get("days", str(programs.DEFAULT_DAYS))
    try:
        wanted = [scope for scope in request.form.getlist("scope") if scope in _offered()]
        if not wanted:
            raise Invalid("Choose at least one thing the program may do.", field="scope")
        name = clean_line(request.form.get("token_name", ""), field="token_name", longest=100)
        step_up.require()
        token = programs.mint(
            who,
            name=name,
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
        programs.revoke(owner(), token_id, now=clock.now())
    except NotFound:
        return _back()
    flash(_("The token is revoked; programs that use it are shut out from now on."))
    return _back()


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
            "people/tokens.html",
            tokens=[_view(row) for row in programs.of_user(who)],
            scopes=_offered(),
            lives=LIVES,
            usual=str(programs.DEFAULT_DAYS),
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
    return redirect(url_for("people.tokens"), 303)
