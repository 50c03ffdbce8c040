"""How many recordings one person may be sending to one process at once.

Under gunicorn, whoever sends one has a thread for as long as it comes and is looked at. So nobody has more than a part of the threads:
what else they send is refused before it is read, and sent again a little later.
"""

import threading
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from flask import Flask
from flask import request

from appliance.errors import Conflict
from appliance.settings import Settings
from web import bodies
from web.request_cycle import NotSignedIn
from web.request_cycle import person

LEAST = 2
"""The page sends two at once."""
SHARE = 4
"""Nobody has more than a quarter of the threads of a process, unless that is less than ``LEAST``."""
AGAIN_S = 5
MARK = "musicconnect.sender"
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class TooMany(Conflict):
    """This person sends as many recordings as one may; nothing of this one was taken."""

    again_in_s = AGAIN_S

    def __init__(self, most: int) -> None:
        super().__init__(
            "You are sending {most} recordings at once already; send this one when one of them has arrived.",
            most=most,
        )


class Senders:
    """Who is sending, and how many each; it forgets whoever sends no more."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._sending: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, who: str) -> None:
        """One more; ``TooMany`` where that is too many."""
        with self._lock:
            if self._sending[who] >= self.most:
                raise TooMany(self.most)
            self._sending[who] += 1

    def leave(self, who: str) -> None:
        """One less."""
        with self._lock:
            self._sending[who] -= 1
            if not self._sending[who]:
                del self._sending[who]


def most_of(threads: int) -> int:
    """Pure: how many one person may be sending to a process that has so many threads."""
    return max(LEAST, threads // SHARE)


def register(app: Flask, settings: Settings) -> None:
    """Count who sends recordings to *app*; before anything reads a body, such as the protection against forged forms."""
    senders = Senders(most_of(settings.web_threads))
    inner: Wsgi = app.wsgi_app

    @app.before_request
    def enter() -> None:
        if not bodies.is_original() or not (who := _known()):
            return
        senders.enter(who)
        request.environ[MARK] = who

    def counted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return inner(environ, start_response)
        finally:
            # Here and not when the request is torn down: what fails there keeps others there from being called.
            if who := environ.pop(MARK, ""):
                senders.leave(who)

    app.wsgi_app = counted  # type: ignore[method-assign]


def _known() -> str:
    try:
        who = person()
    except NotSignedIn:
        return ""  # a token that is none: the view says so
    return who.id if who else ""
