"""Ask once more when the database broke off in the middle of a request that only reads.

When PostgreSQL is restarted or another server takes over, the connections of the moment break. Whoever was only looking need not know.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from flask import request

from appliance import database
from appliance import replica

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MARK = "musicconnect.database_broke_off"
ASKED_TWICE = "musicconnect.asked_twice"
Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


def once(app: Wsgi) -> Wsgi:
    """*app*, asked a second time when the first answer is marked."""

    def answer(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in SAFE_METHODS:
            return app(environ, start_response)
        told: list[tuple[Any, ...]] = []
        body = app(environ, lambda *head: told.append(head))
        if not environ.pop(MARK, False):
            start_response(*told[-1])
            return body
        if hasattr(body, "close"):
            body.close()
        environ[ASKED_TWICE] = True
        return app(environ, start_response)

    return answer


def mark(*, wrote: bool) -> None:
    """In the answer to a fault of the database: let the request be asked once more, if it lost its connection and wrote nothing."""
    # What the replica breaks off, such as what its own replaying gets in the way of, the primary can answer.
    if (database.is_broken() or replica.is_read()) and not wrote and not is_second():
        request.environ[MARK] = True


def is_second() -> bool:
    """Whether this is the second try."""
    return ASKED_TWICE in request.environ
