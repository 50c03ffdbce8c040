"""Sessions: a signed cookie that holds, for who is signed in, the secret of a row that can be seen and ended."""

from typing import Any

from flask import Flask
from flask import Request
from flask import Response
from flask import g
from flask import session
from flask.sessions import SecureCookieSession
from flask.sessions import SecureCookieSessionInterface
from flask.sessions import SessionMixin
from flask_login import user_logged_out
from flask_security import user_authenticated
from flask_security.utils import set_request_attr
from itsdangerous import URLSafeTimedSerializer

from appliance import clock
from appliance.accounts import sessions
from web.security import visitors
from web.security.datastore import SessionUser

SECRET = "sid"  # noqa: S105 - the name of a place in the session


class Sessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie; the signer is made once, not for every request, a range of a song too."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of *app*, whose key does not change while it runs."""
        self._signer = self._signer or super().get_signing_serializer(app)
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of this request; without any cookie an empty one, for which none is looked for."""
        return (
            super().open_session(app, request) if "HTTP_COOKIE" in request.environ else self.session_class()
        )

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing for a session nobody looked at: music and artwork carry no cookie, and are the same for everyone."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)


def register(app: Flask) -> None:
    """Keep the sessions of *app*."""
    app.session_interface = Sessions()
    app.login_manager.user_loader(recognise)  # type: ignore[attr-defined]
    user_authenticated.connect(begin, app)
    user_logged_out.connect(end, app)


def recognise(uniquifier: str) -> SessionUser | None:
    """Who sits there, by one query for the session and its person; nobody when it was ended, or was from before there were any."""
    now = clock.now()
    row = sessions.recognise(str(session.get(SECRET, "")), now=now)
    if row is None or row.user.fs_uniquifier != uniquifier:
        return None
    if sessions.touch(row, browser=visitors.browser(), address=visitors.rough_address(), now=now):
        # Send the cookie again, whose life is counted from when it was sent.
        session.modified = True
    g.account_session = row
    # By which Flask-Security knows that it was no token of its own.
    set_request_attr("fs_authn_via", "session")
    who = SessionUser(__no_default__=1)
    who.__data__ = dict(row.user.__data__)
    return who


def begin(app: Flask, user: SessionUser, authn_via: list[str] | None = None, **_unused: Any) -> None:
    """Somebody was let in."""
    # What Flask-Login would keep in a cookie of its own, which no list could show and nobody could end.
    if session.pop("_remember", None) == "set":
        session.permanent = True
    for known in ("person", "roles", "account_session"):
        g.pop(known, None)
    sessions.sign_out(str(session.get(SECRET, "")), now=clock.now())
    session[SECRET] = sessions.begin(
        user,
        browser=visitors.browser(),
        address=visitors.rough_address(),
        remembered=session.permanent,
        way=(authn_via or ["setup"])[0],
        now=clock.now(),
    )


def end(app: Flask, **_unused: Any) -> None:
    """Somebody left."""
    sessions.sign_out(str(session.pop(SECRET, "")), now=clock.now())
    session.pop("_remember", None)
    session.permanent = False
    for known in ("person", "roles", "account_session"):
        g.pop(known, None)
