"""Setting up an authenticator app and recovery codes, and taking them away."""

import qrcode
from flask import flash
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts import passkeys as keys
from appliance.accounts import people
from appliance.accounts import recovery_codes
from appliance.accounts import second_factor as factors
from appliance.accounts import totp
from appliance.accounts.models import User
from appliance.collective import identity
from appliance.errors import Conflict
from appliance.errors import Invalid
from web import sentences
from web.people.account import owner
from web.people.routing import blueprint
from web.people.routing import show_once
from web.people.routing import shown_once
from web.request_cycle import appliance
from web.request_cycle import second_factor_missing
from web.security import step_up
from web.security.mailing import letters
from web.security.routing import way_back

OFFER = "totp_offer"


@blueprint.get("/account/second-factor")
def second_factor() -> ResponseReturnValue:
    """Which second factors there are, and how to get one."""
    who = owner()
    codes = shown_once("recovery_codes").split()
    answer = make_response(
        render_template(
            "people/second_factor.html",
            has_app=totp.is_set_up(who.id),
            passkeys=len(keys.of_user(who.id)),
            codes=codes,
            left=recovery_codes.left(who.id),
            has_any=who.second_factor_since is not None,
            must=second_factor_missing(),
            onward=way_back(),
        )
    )
    if codes:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/account/second-factor/app")
def authenticator() -> ResponseReturnValue:
    """The picture that an app reads, and the field for the code it then shows."""
    who = owner()
    step_up.require()
    session[OFFER] = session.get(OFFER) or totp.new_key()
    return _app_page(who)


@blueprint.post("/account/second-factor/app")
def add_authenticator() -> ResponseReturnValue:
    """Take the app as the second factor once it has shown that it knows the key."""
    who = owner()
    step_up.require()
    if OFFER not in session:
        return redirect(url_for("people.authenticator", next=way_back() or None), 303)
    first = who.second_factor_since is None
    try:
        totp.enrol(
            who,
            session[OFFER],
            request.form.get("code", ""),
            secret=appliance().secret,
            letters=letters(),
            now=clock.now(),
        )
    except Invalid as error:
        return _app_page(who, problem=error, status=422)
    session.pop(OFFER)
    flash(_("The app is your second factor from now on."))
    give_first_codes(who, first)
    return redirect(url_for("people.second_factor", next=way_back() or None), 303)


@blueprint.post("/account/second-factor/app/remove")
def remove_authenticator() -> ResponseReturnValue:
    """Take the app away."""
    who = owner()
    step_up.require()
    try:
        totp.remove(who, needed=needed(who), letters=letters(), now=clock.now())
        flash(_("The app is your second factor no more."))
    except Conflict as error:
        flash(sentences.told(error), "problem")
    return redirect(url_for("people.second_factor"), 303)


@blueprint.post("/account/second-factor/codes")
def renew_codes() -> ResponseReturnValue:
    """New recovery codes, shown one time."""
    who = owner()
    step_up.require()
    try:
        show_once("recovery_codes", " ".join(recovery_codes.renew(who, letters=letters(), now=clock.now())))
    except Conflict as error:
        flash(sentences.told(error), "problem")
    return redirect(url_for("people.second_factor"), 303)


def needed(who: User) -> bool:
    """Whether this person may not be without a second factor."""
    must = factors.required(people.roles_of(who))
    return must and appliance().settings.require_second_factor and not who.demo


def give_first_codes(who: User, first: bool) -> None:
    """With the first second factor come the codes for the day it is lost."""
    if first:
        show_once("recovery_codes", " ".join(recovery_codes.renew(who, letters=letters(), now=clock.now())))


def _app_page(who: User, *, problem: Exception | None = None, status: int = 200) -> ResponseReturnValue:
    key = session[OFFER]
    name = identity.current(appliance().settings).name
    answer = make_response(
        render_template(
            "people/authenticator.html",
            picture=_picture(totp.address(key, email=who.email, collective=name)),
            key=" ".join(key[start : start + 4] for start in range(0, len(key), 4)),
            replaces=totp.is_set_up(who.id),
            problem=problem,
        ),
        status,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _picture(text: str) -> tuple[int, str]:
    """*text* as a QR code: how many fields it is wide, and the dark ones as the outline of an SVG."""
    code = qrcode.QRCode(border=0)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, on in enumerate(row) if on)
    return len(rows), dark
