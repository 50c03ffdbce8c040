"""One's passkeys: making one, and removing it."""

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

from appliance import clock
from appliance.accounts import passkeys as keys
from appliance.accounts.models import User
from appliance.catalog.wording import clean_line
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from web import sentences
from web.people.account import owner
from web.people.routing import blueprint
from web.people.second_factors import give_first_codes
from web.people.second_factors import needed
from web.security import step_up
from web.security import visitors
from web.security.mailing import letters
from web.security.passkeys import party
from web.security.passkeys import possible


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@blueprint.get("/account/passkeys")
def passkeys() -> ResponseReturnValue:
    """The passkeys there are."""
    return _page(owner())


@blueprint.get("/account/passkeys/new")
def new_passkey() -> ResponseReturnValue:
    """Ask the browser for a passkey: the one page that needs a script, for browsers make them by script alone."""
    who = owner()
    step_up.require()
    return _form(who)


@blueprint.post("/account/passkeys/new")
def add_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made."""
    who = owner()
    step_up.require()
    first = who.second_factor_since is None
    try:
        name = clean_line(
            request.form.get("passkey_name", ""), field="passkey_name", longest=keys.LONGEST_NAME
        )
        keys.register(
            who,
            request.form.get("passkey", ""),
            name=name,
            party=party(),
            letters=letters(),
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _form(who, problem=error, status=422)
    flash(_("The passkey opens your account from now on."))
    give_first_codes(who, first)
    return redirect(url_for("people.second_factor" if first else "people.passkeys"), 303)


@blueprint.post("/account/passkeys/<passkey_id>/remove")
def remove_passkey(passkey_id: str) -> ResponseReturnValue:
    """Let a passkey open nothing any more."""
    who = owner()
    step_up.require()
    try:
        keys.remove(who, passkey_id, needed=needed(who), letters=letters(), now=clock.now())
        flash(_("The passkey is removed. Delete it from your device as well."))
    except (Conflict, NotFound) as error:
        flash(sentences.told(error), "problem")
    return redirect(url_for("people.passkeys"), 303)


def _page(who: User) -> ResponseReturnValue:
    rows = [PasskeyView(row.id, row.name, row.created_at, row.last_used_at) for row in keys.of_user(who.id)]
    return make_response(render_template("people/passkeys.html", passkeys=rows, possible=possible()))


def _form(who: User, *, problem: Exception | None = None, status: int = 200) -> ResponseReturnValue:
    answer = make_response(
        render_template(
            "people/new_passkey.html",
            options=keys.creation_options(who, party(), now=clock.now()) if possible() else "",
            name=request.form.get("passkey_name", visitors.browser()),
            problem=problem,
        ),
        status,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
