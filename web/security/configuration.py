"""Flask-Security put onto the application: which of its pages there are, where, and in whose words."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Flask
from flask import Request
from flask import Response
from flask import flash
from flask import g
from flask import request
from flask import url_for
from flask_babel import gettext
from flask_login.utils import _user_context_processor
from flask_security import Security

from appliance import clock
from appliance import doctor
from appliance.accounts import passwords
from appliance.accounts import sessions
from appliance.collective import identity
from appliance.database import transaction
from appliance.errors import NotFound
from appliance.settings import Settings
from web.frame import TRANSLATIONS
from web.request_cycle import appliance
from web.request_cycle import person
from web.security import forms
from web.security import keeping
from web.security import mailing
from web.security import sentences
from web.security import step_up
from web.security import trail
from web.security.datastore import Accounts
from web.security.second_step import SecondStep

TOGETHER = ("change_password", "reset_password", "confirm_email", "change_email_confirm")
"""Acts of several steps, of which all are kept or none: the change, the end of sessions, the trail, the letter."""


def register(app: Flask, settings: Settings) -> None:
    """Put Flask-Security onto *app*."""
    app.config.update(
        # Always there, and shut by ``before``: an admin opens and closes it while the server runs.
        SECURITY_DATETIME_FACTORY=clock.now,
        SECURITY_REGISTERABLE=True,
        SECURITY_CONFIRMABLE=True,
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_CHANGE_EMAIL=True,
        SECURITY_USE_REGISTER_V2=True,
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of an algorithm
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        # One argon2id is enough, and it lets the command line make accounts without Flask.
        SECURITY_PASSWORD_SINGLE_HASH={"argon2"},
        SECURITY_PASSWORD_SALT=hashlib.sha256(b"salt" + app.config["SECRET_KEY"].encode()).hexdigest(),
        SECURITY_PASSWORD_LENGTH_MIN=passwords.LENGTH[0],
        # What it hashes into its links is random or an address, and sealed: a slow hash would only tell who has an account.
        SECURITY_HASHING_SCHEMES=["hex_sha256"],
        SECURITY_DEPRECATED_HASHING_SCHEMES=[],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        # The letters are ours, see ``mailing``.
        SECURITY_EMAIL_PLAINTEXT=False,
        SECURITY_EMAIL_HTML=False,
        SECURITY_CONFIRM_EMAIL_WITHIN=timedelta(days=mailing.CONFIRM_DAYS),
        SECURITY_RESET_PASSWORD_WITHIN=timedelta(hours=mailing.RECOVER_HOURS),
        SECURITY_CHANGE_EMAIL_WITHIN=timedelta(hours=mailing.CHANGE_HOURS),
        SECURITY_API_ENABLED_METHODS=["session"],
        # One answer for an unknown address and for a wrong password.
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        **{f"SECURITY_MSG_{name}": told for name, told in sentences.OURS.items()},
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_REGISTER_URL="/register",
        SECURITY_CONFIRM_URL="/confirm",
        SECURITY_RESET_URL="/recover",
        SECURITY_CHANGE_URL="/account/password",
        SECURITY_CHANGE_EMAIL_URL="/account/email",
        SECURITY_POST_LOGIN_VIEW="people.after_sign_in",
        SECURITY_POST_REGISTER_VIEW="sign_in.letter",
        SECURITY_POST_CONFIRM_VIEW="sign_in.confirmed",
        SECURITY_POST_CHANGE_VIEW="security.change_password",
        SECURITY_POST_CHANGE_EMAIL_VIEW="people.account",
        SECURITY_POST_LOGOUT_VIEW="/",
        SECURITY_UNAUTHORIZED_VIEW=None,
        SECURITY_FLASH_MESSAGES=True,
        # Proving it again is ours, see ``step_up``.
        SECURITY_FRESHNESS=timedelta(-1),
        # Its own German is formal, and kept under a country's name; what people meet of its sentences stands in our catalogues.
        SECURITY_I18N_DOMAIN="messages",
        SECURITY_I18N_DIRNAME=[str(TRANSLATIONS)],
        # Its own says private=True, which is no directive (RFC 9111, section 5.2).
        SECURITY_CACHE_CONTROL={"private": None, "no-store": None},
        PERMANENT_SESSION_LIFETIME=sessions.REMEMBERED,
        SESSION_REFRESH_EACH_REQUEST=False,
        # Sessions are rows that can be ended; what address and browser they come from may change on the way.
        SESSION_PROTECTION=None,
    )
    app.before_request(before)
    app.after_request(finish)
    security = Security(
        app,
        Accounts(demo=doctor.is_loopback(settings.host)),
        login_form=forms.SignInForm,
        register_form=forms.JoinForm,
        forgot_password_form=forms.RecoverForm,
        send_confirmation_form=forms.ConfirmForm,
        change_email_form=forms.NewAddressForm,
        mail_util_cls=mailing.Mailbox,
        password_util_cls=forms.PasswordRules,
    )
    security.two_factor_plugins = SecondStep()
    keeping.register(app)
    mailing.register(app)
    trail.register(app)
    step_up.register(app)
    for name in TOGETHER:
        app.view_functions[f"security.{name}"] = together(app.view_functions[f"security.{name}"])
    # Flask-Security would look for a token of its own in the body of every request, reading what JSON there is into memory before
    # any limit of ours; and load user and roles for each, a range of a song too. Our tokens and ``person()`` ask when they need to.
    app.login_manager.request_loader(_nobody)  # type: ignore[attr-defined]
    security.principal.identity_loaders.clear()
    # Flask-Login would load the user into every page, the page of an error too, which must stand without the database.
    app.template_context_processors[None].remove(_user_context_processor)
    # Flask-Login would look into the session after every request, and thereby make each answer vary by cookie; see ``keeping``.
    app.after_request_funcs[None].remove(app.login_manager._update_remember_cookie)  # type: ignore[attr-defined]


def before() -> None:
    """No page to register on while registration is closed; another address only for who proves to be who they are."""
    asked = request.endpoint
    if asked == "security.register" and not identity.current(appliance().settings).registration:
        raise NotFound("Registration is closed here.")
    if asked == "security.change_email":
        step_up.require()
    if asked == "security.change_password" and request.method == "POST" and person():
        step_up.watch(request.form.get("password", ""))


def finish(answer: Response) -> Response:
    """A form that Flask-Security shows again was refused: it says 200, at which Turbo leaves the old page, and no problem is seen."""
    if request.blueprint != "security":
        return answer
    if "letter_asked" in g:
        return told_of_letter(*g.letter_asked)
    if request.method == "POST" and answer.mimetype == "text/html" and answer.status_code == 200:
        answer.status_code = 422
    if (
        request.endpoint == "security.register"
        and request.method == "POST"
        and answer.location
        and not person()
    ):
        # Whoever wanted to go elsewhere goes there by the letter.
        answer.location = url_for("sign_in.letter")
    if "token" in (request.view_args or {}):
        # The address holds a key: no other site may learn it. Our own must see where a form comes from.
        answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def told_of_letter(said: str, email: str) -> Response:
    """The answer to who asked for a letter; Flask-Security shows the form again, as if it were to be sent once more."""
    flash(gettext(sentences.OURS[said][0], email=email), sentences.OURS[said][1])
    return Response(status=303, headers={"Location": request.path})


def together(view: Callable[..., Any]) -> Callable[..., Any]:
    """*view* in one transaction: Flask-Security commits step by step."""

    @wraps(view)
    def act(*arguments: Any, **named: Any) -> Any:
        with transaction():
            return view(*arguments, **named)

    return act


def _nobody(request: Request) -> None:
    """Only a session signs somebody in by Flask-Security."""
