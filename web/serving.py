"""Waitress, made impatient: it takes no more than a view does, and waits for nobody who sends a request drop by drop.

And made patient where it hangs up: who was told that there is nothing to tell (204) or nothing new (304) may ask on over the same connection.
"""

import threading
import time
from typing import Any

import waitress
from flask import Flask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

from appliance.monitoring.readers import FORWARDED
from web import bodies
from web import pacing
from web.metrics import FORWARDED_MARK

MOST_HEAD_BYTES = 32 * 1024
HEAD_S = 20
"""Seconds for the head of a request, from its first byte."""
IDLE_S = 120
"""Seconds until a connection is closed on which nothing is asked, or whose other end takes nothing of the answer."""
MOST_CONNECTIONS = 1000
DRAIN_S = 10
"""Seconds that requests in hand get when the server stops."""


class _Bounded:
    """The server's settings as one request sees them: with a limit of its own on the body."""

    def __init__(self, adjustments: Any, most: int) -> None:
        self._adjustments = adjustments
        # Waitress refuses what reaches the limit, we what is above it.
        self.max_request_body_size = most + 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adjustments, name)


class Task(WSGITask):  # type: ignore[misc]
    """An answer whose end is known also when it has no length, the last of its connection when the server stops; and that knows of a proxy."""

    def __init__(self, channel: Any, request: Any) -> None:
        if not channel.server.accepting:
            request.headers["CONNECTION"] = "close"
        super().__init__(channel, request)

    def get_environment(self) -> dict[str, Any]:
        """What the application is told; of a proxy that is not trusted only that there is one, for its headers are taken away."""
        told: dict[str, Any] = super().get_environment()
        if any(name.upper().replace("-", "_") in self.request.headers for name in FORWARDED):
            told[FORWARDED_MARK] = True
        return told

    def set_close_on_finish(self) -> None:
        """Close the connection after this answer; not where the answer is its head alone, unless the other end wants it."""
        wanted = self.version == "1.0" or self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or wanted:
            super().set_close_on_finish()


def channel_for(app: Flask) -> type[HTTPChannel]:
    """The connections of a server of *app*."""

    class Parser(HTTPRequestParser):
        """A request that knows when its head is here how much may follow, and is refused before it does."""

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            # What every view takes needs no look at which one it is.
            if self.chunked or self.content_length > bodies.EACH_TAKES_BYTES:
                path = self.path.encode("latin-1", "replace").decode("utf-8", "replace")
                self.adj = _Bounded(self.adj, bodies.most_bytes_at(app, self.command, path))

    class Channel(HTTPChannel):
        """A connection with a clock for each request."""

        parser_class = Parser
        task_class = Task
        began = 0.0

        def received(self, data: bytes) -> Any:
            if self.request is None:
                self.began = time.time()
            return super().received(data)

        def readable(self) -> bool:
            # The server's loop asks this of each connection at least once a second.
            if is_late(self, time.time()):
                self.will_close = True
            return bool(super().readable())

    return Channel


def is_late(channel: Any, now: float) -> bool:
    """Whether the other end of *channel* has had all the time that it gets."""
    coming = channel.request
    if coming is not None:
        taken = now - channel.began
        if not coming.headers_finished:
            return bool(taken > HEAD_S)
        return pacing.is_late(taken_s=taken, taken_bytes=coming.body_bytes_received)
    return bool(channel.total_outbufs_len and now - channel.last_activity > IDLE_S)


def server(app: Flask, **options: Any) -> Any:
    """A waitress for *app*, ready to run."""
    made = waitress.create_server(
        app,
        max_request_header_size=MOST_HEAD_BYTES,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
        channel_timeout=IDLE_S,
        connection_limit=MOST_CONNECTIONS,
        ident=None,
        **options,
    )
    made.channel_class = channel_for(app)
    return made


def run(made: Any, stopping: threading.Event, *, linger_s: float = 0.0) -> None:
    """Serve until *stopping*, and then answer what has been asked, without taking new connections.

    Where another process holds the listening socket too, new ones go there. A connection that is kept open for more requests
    is closed behind the next of them, or when none has come for *linger_s*: the proxy at its other end may be sending one just now.
    """
    while not stopping.is_set():
        _turn(made)
    made.accepting = False
    made.del_channel()
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_S:
        # A copy: threads of requests come and go.
        open_ones = list(made.active_channels.values())
        busy = any(one.requests or one.request or one.total_outbufs_len for one in open_ones)
        if not busy and (not open_ones or time.monotonic() - began >= linger_s):
            break
        _turn(made, timeout_s=0.1)
    made.task_dispatcher.shutdown()


def _turn(made: Any, *, timeout_s: float = 1.0) -> None:
    """One look at all connections; a signal does not end it early, so it is short."""
    made.asyncore.loop(timeout=timeout_s, map=made._map, use_poll=True, count=1)
