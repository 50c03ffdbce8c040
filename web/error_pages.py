"""The page of an error: what happened in plain words, and the way on. It stands also when the database does not.

Only the pages for *not allowed* ask who is looking, to offer the sign-in to those who have not signed in.
"""

import peewee
from flask import render_template
from flask import request
from flask import url_for
from flask_babel import gettext

from appliance.errors import N_
from appliance.errors import MusicConnectError
from web.request_cycle import person

TITLES = {
    400: N_("This could not be understood"),
    401: N_("Sign in first"),
    403: N_("This door is closed"),
    404: N_("Nothing is here"),
    405: N_("This does not work here"),
    409: N_("Somebody was faster"),
    413: N_("This is too large"),
    421: N_("Not known by that name"),
    422: N_("Something in it cannot be taken"),
    429: N_("That was a lot at once"),
    500: N_("Something went wrong on our side"),
    503: N_("Just a moment"),
}
"""What happened, in the words of a page; what is not here happens to programs only."""


def page(status: int, detail: str, *, title: str, reference: str = "") -> str:
    """The page for *status*: *title* is what programs are told, for what has no words of its own here."""
    signed_in = _signed_in() if status == 403 else None
    return render_template(
        "error.html",
        status=status,
        title=gettext(TITLES.get(status, title)),
        detail=detail,
        reference=reference,
        sign_in=url_for("security.login", next=_here()) if signed_in is False else "",
        signed_in=signed_in,
        again=request.full_path.rstrip("?") if status == 503 and request.method == "GET" else "",
    )


def _signed_in() -> bool | None:
    """Whether somebody is signed in; ``None`` when that cannot be told just now."""
    try:
        return person() is not None
    except (MusicConnectError, peewee.PeeweeException):
        return None


def _here() -> str | None:
    return request.full_path.rstrip("?") if request.method == "GET" else None
