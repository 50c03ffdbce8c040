"""Who is answered from a replica: visitors without an account, and who looks at a report; never before what they wrote themselves.

A browser that wrote keeps a cookie with the place of that in the log of the database, for as long as it matters.
"""

import peewee
from flask import Flask
from flask import Response
from flask import current_app
from flask import request
from flask import session

from appliance import database
from appliance import replica
from web import retrying

COOKIE = "written"
ANONYMOUS = frozenset({"storefront", "discovery", "sharing", "api", "about"})
"""Families whose pages may be as old as the replica, for who has no account; what opens music is not among them."""
BEYOND = "9" * 18
"""A place that no replica comes to: whoever has it reads from the primary."""
SIGNED_IN = "sid"
"""Where a browser's session keeps that somebody is signed in."""


def hold_open() -> None:
    """One connection for this request, to the replica if that is enough for it."""
    if not (replica.is_there() and _is_visitor() and replica.hold_open(written=_written())):
        database.hold_open()


def settle_for_replica() -> None:
    """From here on this request reads what may be a moment old; to be called when it is decided who may see it."""
    if not replica.is_there() or database.wrote() or retrying.is_second():
        return
    database.let_go()
    if not replica.hold_open(written=_written()):
        database.hold_open()


def leave_replica() -> None:
    """From here on this request reads what is true now."""
    if replica.is_read():
        database.let_go()
        database.hold_open()


def _position() -> str:
    try:
        return BEYOND if database.is_broken() else str(replica.position())
    except peewee.PeeweeException:
        # It is done, whatever happened since: who did it is told so.
        return BEYOND


def _is_visitor() -> bool:
    return (
        request.method in {"GET", "HEAD"}
        and not retrying.is_second()
        and request.blueprint in ANONYMOUS
        and "Authorization" not in request.headers
        and SIGNED_IN not in session
    )


def _written() -> int:
    told = request.cookies.get(COOKIE, "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 19 else 0


def register(app: Flask) -> None:
    """Let who wrote read it."""
    app.after_request(note)


def note(answer: Response) -> Response:
    """After a request that wrote: remember how far the database was."""
    if replica.is_there() and database.wrote():
        answer.set_cookie(
            COOKIE,
            _position(),
            max_age=replica.kept_s(),
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return answer
