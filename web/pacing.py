"""How slowly a body may come: the same under both servers. Under gunicorn one that comes takes a thread, so who is too slow is cut off."""

import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

BODY_S = 60
LEAST_BYTES_PER_S = 1024
"""A body may take a minute, and a second more for each of these: the slowest phone is faster."""
BLOCK_BYTES = 16 * 1024
"""So much is read at once, so that what has come is known before its time is over."""
LOOK_S = 1.0
LINGER_S = 2.0
"""So long what comes of a body that was refused is let go by behind the answer. Closed at once, whoever sends fast would hear of a broken
connection and not of the answer; nginx hears it and closes by itself."""
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def is_late(*, taken_s: float, taken_bytes: int, body_s: float | None = None) -> bool:
    """Pure: whether a body of which so much has come had all the time that it gets."""
    return taken_s > (BODY_S if body_s is None else body_s) + taken_bytes / LEAST_BYTES_PER_S


class Body:
    """What comes over *connection*, from *stream*, *most* bytes where that is known; among *coming* from its first reading to its end.

    What the view does with it after that takes its time. A body that ends too early raises ``OSError``, as a connection that was cut.
    """

    def __init__(
        self, stream: Any, connection: socket.socket, coming: "set[Body]", *, most: int | None
    ) -> None:
        self._stream, self._connection, self._coming, self._most = stream, connection, coming, most
        self.began_s, self.taken_bytes = 0.0, 0
        self.until_s: float | None = None

    def read(self, size: int = -1) -> bytes:
        """At most *size* bytes, all that is left without it."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        if not size:
            return b""
        return self._taken(lambda: self._stream.read(min(size, BLOCK_BYTES)))

    def readline(self, size: int = -1) -> bytes:
        """A line, or a part of it."""
        return self._taken(
            lambda: self._stream.readline(min(size, BLOCK_BYTES) if size and size > 0 else BLOCK_BYTES)
        )

    def readlines(self, hint: int = -1) -> list[bytes]:
        """All that is left, by lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def hang_up(self) -> None:
        """Wait for no more of it: whoever reads it is told."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RD)

    def is_late(self, now_s: float, *, body_s: float) -> bool:
        """Whether it had all the time that it gets."""
        if self.until_s is not None:
            return now_s > self.until_s
        return is_late(taken_s=now_s - self.began_s, taken_bytes=self.taken_bytes, body_s=body_s)

    def let_go(self) -> None:
        """Read on for a moment what the view left, for nobody."""
        if self._most is None or self.taken_bytes >= self._most:
            return
        self.until_s = time.monotonic() + LINGER_S
        self._coming.add(self)
        with suppress(OSError):
            while self.read(BLOCK_BYTES):
                pass
        self.is_over()

    def is_over(self) -> None:
        """It is read, or nobody reads it any more."""
        self._coming.discard(self)

    def _taken(self, read: Callable[[], bytes]) -> bytes:
        if not self.began_s:
            self.began_s = time.monotonic()
            self._coming.add(self)
        block = read()
        self.taken_bytes += len(block)
        missing = self._most is not None and self.taken_bytes < self._most
        if not block or (not missing and self._most is not None):
            self.is_over()
        if not block and missing:
            raise OSError("the body ended before its time")
        return block


class Answer:
    """What the view says, and behind it what it left of *body*."""

    def __init__(self, said: Iterable[bytes], body: Body) -> None:
        self._said, self._body = said, body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._said)

    def close(self) -> None:
        """All is said."""
        if hasattr(self._said, "close"):
            self._said.close()
        self._body.let_go()


class Paced:
    """*app* under gunicorn, with a clock for each body that comes."""

    def __init__(self, app: Application, *, body_s: float = BODY_S, look_s: float = LOOK_S) -> None:
        self._app, self._body_s, self._look_s = app, body_s, look_s
        self._coming: set[Body] = set()
        self._watched = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer, and watch the body while the view reads it."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if length == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._app(environ, start_response)
        body = Body(environ["wsgi.input"], environ["gunicorn.socket"], self._coming, most=int(length) or None)
        environ["wsgi.input"] = body
        # By the first body, not before: a thread does not come along when a process parts.
        if self._watched.acquire(blocking=False):
            threading.Thread(target=self._watch, name="bodies", daemon=True).start()
        try:
            return Answer(self._app(environ, start_response), body)
        finally:
            body.is_over()

    def _watch(self) -> None:
        while True:
            time.sleep(self._look_s)
            now_s = time.monotonic()
            # A copy: threads of requests come and go.
            for body in list(self._coming):
                if body.is_late(now_s, body_s=self._body_s):
                    body.hang_up()
