"""Sign-in, registration and sessions by Flask-Security, on the models of ``accounts``."""

import hashlib
import secrets
from typing import Any

from flask import Flask
from flask import Request
from flask import Response
from flask import request
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionMixin
from flask_login.utils import _user_context_processor
from flask_security import PeeweeUserDatastore
from flask_security import RoleMixin
from flask_security import Security
from flask_security import UserMixin
from flask_security import user_authenticated
from itsdangerous import URLSafeTimedSerializer

from appliance import clock
from appliance import doctor
from appliance.accounts import audit
from appliance.accounts import models
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import UserRole
from appliance.collective import identity
from appliance.database import proxy
from appliance.database import transaction
from appliance.errors import N_
from appliance.errors import NotFound
from appliance.settings import Settings
from web.frame import TRANSLATIONS
from web.request_cycle import appliance

SPOKEN = (
    N_("Email not provided"),
    N_("Invalid email address"),
    N_("Password not provided"),
    N_("Password must be at least %(length)s characters"),
    N_("Password not complex enough"),
    N_("Passwords do not match"),
    N_("Invalid password"),
    N_("Specified user does not exist"),
    N_("Account is disabled."),
    N_("Email requires confirmation."),
    N_("%(email)s is already associated with an account."),
    N_("Value entered is not valid for the field"),
    N_("You must sign in to view this resource."),
    N_("You do not have permission to view this resource."),
    N_("Please log in to access this page."),
    N_("You can only access this endpoint when not logged in."),
)
"""What people meet of Flask-Security's sentences."""
WRONG = N_("This e-mail address and this password do not belong together.")
"""Instead of its own sentence, which speaks of identities and passcodes."""


class SessionRole(RoleMixin, models.Role):
    """A role as Flask-Security sees it."""

    class Meta:
        table_name = "role"


class SessionUser(UserMixin, models.User):
    """A user as Flask-Security sees it."""

    class Meta:
        table_name = "user"

    @property
    def roles(self) -> list[SessionRole]:
        """The roles, asked for when they are needed."""
        query = SessionRole.select().join(UserRole, on=(UserRole.role == SessionRole.id))
        return list(query.where(UserRole.user == self.id))


class Sessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie; the signer is made once, not for every request, a range of a song too."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of *app*, whose key does not change while it runs."""
        self._signer = self._signer or super().get_signing_serializer(app)
        return self._signer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing for a session nobody looked at: music and artwork carry no cookie, and are the same for everyone."""
        if session.accessed or session.modified:
            app.login_manager._update_remember_cookie(response)  # type: ignore[attr-defined]
            super().save_session(app, session, response)


class Accounts(PeeweeUserDatastore):
    """The hands of Flask-Security on our tables; *demo* lets the accounts in whose password everybody knows."""

    def __init__(self, *, demo: bool) -> None:
        super().__init__(proxy, SessionUser, SessionRole, UserRole)
        self.demo = demo

    def create_user(self, **values: Any) -> SessionUser:
        """A listener; the datastore's own way sets roles on the row and saves it as if it were there already."""
        known = {"active": True, "fs_uniquifier": secrets.token_hex(16), **values}
        known["email"] = str(known["email"]).lower()
        known.pop("roles", None)
        with transaction():
            user: SessionUser = SessionUser.create(created_at=clock.now(), **known)
            people.give_role(user.id, RoleName.LISTENER)
        return user

    def find_user(self, case_insensitive: bool = False, **values: Any) -> SessionUser | None:
        """The one user with this value, or ``None``; addresses are kept in lower case, so their index serves."""
        if "email" in values:
            values["email"] = str(values["email"]).lower()
        found: SessionUser | None = SessionUser.get_or_none(**values)
        # A demo can be made while the server runs, after it made sure that there is none.
        return found if found is None or self.demo or not found.demo else None


def register(app: Flask, settings: Settings) -> None:
    """Put Flask-Security onto *app*."""
    prefix = "__Host-" if app.config["SESSION_COOKIE_SECURE"] else ""
    app.config.update(
        # Always there, and shut by ``keep_closed``: an admin opens and closes it while the server runs.
        SECURITY_REGISTERABLE=True,
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_USE_REGISTER_V2=True,
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of an algorithm
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        # One argon2id is enough, and it lets the command line make accounts without Flask.
        SECURITY_PASSWORD_SINGLE_HASH={"argon2"},
        SECURITY_PASSWORD_SALT=hashlib.sha256(b"salt" + app.config["SECRET_KEY"].encode()).hexdigest(),
        SECURITY_PASSWORD_LENGTH_MIN=people.PASSWORD_LENGTH[0],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        # One answer for an unknown address and for a wrong password.
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_MSG_GENERIC_AUTHN_FAILED=(WRONG, "error"),
        SECURITY_LOGIN_URL="/sign-in",
        SECURITY_LOGOUT_URL="/sign-out",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_REGISTER_URL="/register",
        SECURITY_POST_LOGIN_VIEW="people.after_sign_in",
        SECURITY_POST_REGISTER_VIEW="people.welcome",
        SECURITY_POST_LOGOUT_VIEW="/",
        SECURITY_UNAUTHORIZED_VIEW=None,
        SECURITY_FLASH_MESSAGES=True,
        # Its own German is formal, and kept under a country's name; what people meet of its sentences stands in our catalogues.
        SECURITY_I18N_DOMAIN="messages",
        SECURITY_I18N_DIRNAME=[str(TRANSLATIONS)],
        # Its own says private=True, which is no directive (RFC 9111, section 5.2).
        SECURITY_CACHE_CONTROL={"private": None, "no-store": None},
        REMEMBER_COOKIE_NAME=f"{prefix}remember_token",
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SECURE=app.config["SESSION_COOKIE_SECURE"],
    )
    app.session_interface = Sessions()
    app.before_request(keep_closed)
    app.after_request(say_refused)
    user_authenticated.connect(note_sign_in, app)
    security = Security(app, Accounts(demo=doctor.is_loopback(settings.host)))
    # Flask-Security would look for a token of its own in the body of every request, reading what JSON there is into memory before
    # any limit of ours; and load user and roles for each, a range of a song too. Our tokens and ``person()`` ask when they need to.
    app.login_manager.request_loader(_nobody)  # type: ignore[attr-defined]
    security.principal.identity_loaders.clear()
    # Flask-Login would load the user into every page, the page of an error too, which must stand without the database.
    app.template_context_processors[None].remove(_user_context_processor)
    # Flask-Login would look into the session after every request, and thereby make each answer vary by cookie; see Sessions.
    app.after_request_funcs[None].remove(app.login_manager._update_remember_cookie)  # type: ignore[attr-defined]


def note_sign_in(app: Flask, user: SessionUser, **_unused: Any) -> None:
    """Tell the audit trail that somebody signed in who may change what others see."""
    if {RoleName.ADMIN, RoleName.MODERATOR} & people.roles_of(user):
        audit.record(Action.SIGN_IN, actor=user.id, subject=f"user:{user.id}", now=clock.now())


def keep_closed() -> None:
    """No page to register on while registration is closed."""
    if request.endpoint == "security.register" and not identity.current(appliance().settings).registration:
        raise NotFound("Registration is closed here.")


def say_refused(answer: Response) -> Response:
    """A form that Flask-Security shows again was refused: it says 200, at which Turbo leaves the old page, and no problem is seen."""
    if request.blueprint == "security" and request.method == "POST" and answer.mimetype == "text/html":
        answer.status_code = 422 if answer.status_code == 200 else answer.status_code
    return answer


def _nobody(request: Request) -> None:
    """Only a session signs somebody in by Flask-Security."""
