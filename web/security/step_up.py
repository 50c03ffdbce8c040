"""Proving it again: before something dangerous, whoever sits there shows anew who they are, unless they did so a moment ago.

A form that is asked for it comes back with all that was in it, and goes on once the proof is given. A program never gets through.
"""

from flask import Flask
from flask import flash
from flask import g
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import logout_user

from appliance import clock
from appliance.accounts import passkeys as keys
from appliance.accounts import passwords
from appliance.accounts import sessions
from appliance.accounts import totp
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.models import Scope
from appliance.errors import N_
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotAllowed
from web import kept_forms
from web import rates
from web import sentences
from web.request_cycle import by_token
from web.request_cycle import require_person
from web.security import passkeys
from web.security import second_step
from web.security.routing import blueprint
from web.security.routing import way_back

PASSWORD, CODE, PASSKEY = "step_up_password", "step_up_code", "step_up_passkey"
WRONG = N_("This does not show that it is you. Try again.")


class StepUpNeeded(NotAllowed):
    """They have to prove anew who they are; *problem* says why the proof they gave is none."""

    def __init__(self, problem: MusicConnectError | None = None) -> None:
        self.problem = problem
        super().__init__("Show again that it is you first.")


class SignedOut(NotAllowed):
    """Too many wrong proofs: the session is over."""

    def __init__(self) -> None:
        super().__init__("That was wrong too often, so this device is signed out. Sign in again.")


def register(app: Flask) -> None:
    """Answer who has to prove it."""
    app.register_error_handler(StepUpNeeded, ask)
    app.register_error_handler(SignedOut, show_the_door)


def require() -> None:
    """Let nobody on who did not prove a moment ago, or proves with this very form, who they are."""
    require_person(Scope.ADMIN)
    row = _session()
    if sessions.is_fresh(row, now=clock.now()):
        return
    if request.method == "POST" and any(request.form.get(name) for name in (PASSWORD, CODE, PASSKEY)):
        prove(row)
        return
    raise StepUpNeeded


def prove(row: AccountSession) -> None:
    """Take the proof that this form holds; ``StepUpNeeded`` when it is none, ``SignedOut`` after too many of these."""
    now = clock.now()
    password = request.form.get(PASSWORD, "")
    try:
        if password:
            if not passwords.matches(password, row.user.password):
                raise Invalid(WRONG, field=PASSWORD)
        else:
            second_step.shown_by(
                row.user,
                purpose=f"step-up:{row.user.id}",
                code=request.form.get(CODE, ""),
                passkey=PASSKEY,
            )
    except MusicConnectError as error:
        _count(row, way="password" if password else "second")
        raise StepUpNeeded(error) from error
    sessions.verified(row, now=now)


def watch(password: str) -> None:
    """A new password wants the old one: who guesses that is signed out as elsewhere. Flask-Security says that it was wrong."""
    row = _session()
    if password and not passwords.matches(password, row.user.password):
        _count(row, way="password")


@blueprint.get("/verify")
def verify() -> ResponseReturnValue:
    """Ask for the proof, on the way to a page that needs it."""
    require_person(Scope.ADMIN)
    return _page(_session())


@blueprint.post("/verify")
@rates.limited("sign-in")
def check() -> ResponseReturnValue:
    """Take it, and lead there."""
    require_person(Scope.ADMIN)
    try:
        prove(_session())
    except StepUpNeeded as error:
        return _page(_session(), problem=error.problem, status=422)
    return redirect(way_back() or url_for("people.account"), 303)


def ask(error: StepUpNeeded) -> ResponseReturnValue:
    """The page that asks for the proof: for a page one wants to see before it, for a form with all that it holds."""
    if request.method == "GET":
        return redirect(url_for("sign_in.verify", next=request.full_path.rstrip("?")), 303)
    return _page(_session(), problem=error.problem, status=403, form=True)


def show_the_door(error: SignedOut) -> ResponseReturnValue:
    """To the sign-in page, and why."""
    flash(sentences.told(error), "problem")
    return redirect(url_for("security.login"), 303)


def _count(row: AccountSession, *, way: str) -> None:
    if sessions.not_verified(row, way=way, now=clock.now()):
        logout_user()
        raise SignedOut


def _session() -> AccountSession:
    row: AccountSession | None = g.get("account_session")
    if row is None or by_token():
        raise NotAllowed("Only a person can do this here, no program with a token.")
    return row


def _page(
    row: AccountSession, *, problem: MusicConnectError | None = None, status: int = 200, form: bool = False
) -> ResponseReturnValue:
    options = ""
    if passkeys.possible() and keys.of_user(row.user.id):
        options = keys.request_options(
            passkeys.party(),
            purpose=f"step-up:{row.user.id}",
            user_id=row.user.id,
            verified=False,
            now=clock.now(),
        )
    answer = make_response(
        render_template(
            "security/verify.html",
            email=row.user.email,
            has_app=totp.is_set_up(row.user.id),
            passkey_options=options,
            minutes=int(sessions.FRESH.total_seconds() // 60),
            action=request.full_path.rstrip("?")
            if form
            else url_for("sign_in.check", next=way_back() or None),
            fields=kept_forms.fields() if form else [],
            problem=problem,
            what=_("Go on"),
        ),
        status,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
