"""The step after the password, for who has a second factor: a code, a passkey, or a code from paper."""

import time
from typing import Any

from flask import Response
from flask import after_this_request
from flask import current_app
from flask import flash
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from flask_security import login_user

from appliance import clock
from appliance.accounts import passkeys as keys
from appliance.accounts import recovery_codes
from appliance.accounts import sessions
from appliance.accounts import totp
from appliance.accounts import trusted_devices
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from web import rates
from web.request_cycle import appliance
from web.request_cycle import needs_second_factor
from web.security import passkeys
from web.security import visitors
from web.security.datastore import SessionUser
from web.security.mailing import letters
from web.security.routing import blueprint
from web.security.routing import own_page
from web.security.routing import way_back

STATE = "second_step"
LASTS_S = 600
WRONG = N_("This code is not right. Use the one that the app shows now, or a recovery code.")


class SecondFactorFirst(NotAllowed):
    """These rights rest until there is a second factor; the answer leads to where one is set up."""

    def __init__(self) -> None:
        super().__init__("Your role needs a second factor. Set one up first.")


class SecondStep:
    """What Flask-Security asks once the password was right; in the place of its own way, which knows no list of devices."""

    def tf_enter(
        self, user: SessionUser, remember_me: bool | None, primary_authn_via: str, next_loc: str | None
    ) -> ResponseReturnValue | None:
        """Where to go on; nowhere when the password is enough."""
        device = request.cookies.get(device_cookie(), "")
        # Flask-Security names its own page where nobody named one.
        onward = way_back() or own_page(next_loc or "") or None
        if user.second_factor_since is None:
            if not needs_second_factor(user):
                return None
            # Signed in, but the rights that need a second factor rest until there is one.
            login_user(user, remember=bool(remember_me), authn_via=[primary_authn_via])
            return redirect(url_for("people.second_factor", next=onward), 303)
        if device and trusted_devices.is_trusted(user.id, device, now=clock.now()):
            return None
        session[STATE] = {
            "user": user.fs_uniquifier,
            "remember": bool(remember_me),
            "by": primary_authn_via,
            "at": int(time.time()),
        }
        return redirect(url_for("sign_in.second", next=onward), 303)


@blueprint.app_errorhandler(SecondFactorFirst)
def lead(error: SecondFactorFirst) -> ResponseReturnValue:
    """To where a second factor is set up, and from there back."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("people.second_factor", next=back), 303)


@blueprint.get("/sign-in/second")
def second() -> ResponseReturnValue:
    """Ask for the second factor."""
    user = _waiting()
    return _page(user) if user else _start_again()


@blueprint.post("/sign-in/second")
@rates.limited("sign-in")
def check_second() -> ResponseReturnValue:
    """Let in who has it."""
    user = _waiting()
    if user is None:
        return _start_again()
    try:
        way = shown_by(
            user, purpose=f"second:{user.id}", code=request.form.get("code", ""), passkey="passkey"
        )
    except MusicConnectError as error:
        sessions.note_failure(user, way="second", address=visitors.rough_address(), now=clock.now())
        return _page(user, problem=error, status=422)
    state = session.pop(STATE)
    login_user(user, remember=state["remember"], authn_via=[f"{state['by']}+{way}"])
    if "trust" in request.form:
        _trust(user)
    if way == "recovery":
        left = recovery_codes.left(user.id)
        told = ngettext("You have %(num)d recovery code left.", "You have %(num)d recovery codes left.", left)
        flash(told, "warning" if left < 4 else "info")
    return redirect(way_back() or url_for("people.after_sign_in"), 303)


def shown_by(user: Any, *, purpose: str, code: str, passkey: str) -> str:
    """By which second factor this person shows who they are; ``Invalid`` or ``Conflict`` when they do not."""
    now = clock.now()
    answer = request.form.get(passkey, "")
    if answer:
        keys.authenticate(
            answer, party=passkeys.party(), purpose=purpose, user_id=user.id, verified=False, now=now
        )
        return "passkey"
    if recovery_codes.looks_like_one(code):
        if recovery_codes.use(user, code, letters=letters(), now=now):
            return "recovery"
    elif totp.check(user.id, code, secret=appliance().secret, now=now):
        return "code"
    raise Invalid(WRONG, field="code")


def device_cookie() -> str:
    """What the cookie of a trusted device is called."""
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def _trust(user: SessionUser) -> None:
    token = trusted_devices.trust(user, browser=visitors.browser(), now=clock.now())

    @after_this_request
    def hand_out(answer: Response) -> Response:
        answer.set_cookie(
            device_cookie(),
            token,
            max_age=int(trusted_devices.TRUSTED.total_seconds()),
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return answer


def _waiting() -> SessionUser | None:
    """Who has given the password and is to show the second factor."""
    state = session.get(STATE)
    if not state or time.time() - state["at"] > LASTS_S:
        return None
    user: SessionUser | None = current_app.extensions["security"].datastore.find_user(
        fs_uniquifier=state["user"]
    )
    return user if user is not None and user.active and user.second_factor_since else None


def _start_again() -> ResponseReturnValue:
    session.pop(STATE, None)
    return redirect(url_for("security.login", next=way_back() or None), 303)


def _page(user: SessionUser, *, problem: Exception | None = None, status: int = 200) -> ResponseReturnValue:
    options = ""
    if passkeys.possible() and keys.of_user(user.id):
        options = keys.request_options(
            passkeys.party(), purpose=f"second:{user.id}", user_id=user.id, verified=False, now=clock.now()
        )
    if isinstance(problem, Conflict):
        flash_problem, problem = problem, None
    else:
        flash_problem = None
    answer = make_response(
        render_template(
            "security/second.html",
            has_app=totp.is_set_up(user.id),
            passkey_options=options,
            days=trusted_devices.TRUSTED.days,
            problem=problem,
            refused=flash_problem,
        ),
        status,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
