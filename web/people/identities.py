"""Accounts elsewhere that open one's own: linking one, and unlinking it."""

from flask import flash
from flask import make_response
from flask import redirect
from flask import render_template
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts import identities as linked
from appliance.errors import NotFound
from appliance.errors import Unavailable
from web import sentences
from web.people.account import owner
from web.people.routing import blueprint
from web.security import elsewhere
from web.security import step_up
from web.security.mailing import letters


@blueprint.get("/account/identities")
def identities() -> str:
    """What opens this account, and what could."""
    return render_template(
        "people/identities.html", rows=linked.of_user(owner()), ways=elsewhere.ways_elsewhere()
    )


@blueprint.post("/account/identities/with/<way>")
def link_identity(way: str) -> ResponseReturnValue:
    """Go there, and come back with it."""
    who = owner()
    step_up.require()
    try:
        there = elsewhere.depart(way, user_id=who.id, onward="")
    except Unavailable as error:
        flash(sentences.told(error), "problem")
        return redirect(url_for("people.identities"), 303)
    # A page, not a redirect: browsers hold what a form leads to against form-action, which names this server alone.
    label = elsewhere.ways()[way].label
    answer = make_response(render_template("security/elsewhere.html", there=there, label=label))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/account/identities/<identity_id>/remove")
def unlink_identity(identity_id: str) -> ResponseReturnValue:
    """Let it open this account no more."""
    who = owner()
    step_up.require()
    try:
        linked.unlink(who, identity_id, letters=letters(), now=clock.now())
    except NotFound:
        return redirect(url_for("people.identities"), 303)
    flash(_("It does not open your account any more."))
    return redirect(url_for("people.identities"), 303)
