"""Connections to PostgreSQL: a pool of them, bounded in time, of which a broken one is never handed out.

A server that is restarted, or that is not the primary any more, breaks the connections of who works just then; the next one who asks gets a sound
one, so nothing needs to be started anew.
"""

import select
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import peewee

READS = frozenset(
    {"SELECT", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "SHOW", "EXPLAIN", "LISTEN"}
)
"""Statements that write nothing begin with these; all others count as writing."""
KNOWN = 1000
"""Of so many statements it is kept whether they write."""
NOT_PRIMARY = "25006"
"""SQLSTATE of a server that only reads: it was the primary when we connected."""
KEPT_S = 300.0
"""A connection is not kept for longer, so that after a while all go where the address leads now."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds; 0 for any time."""

    connect_s: int = 5
    statement_s: int = 0
    lock_s: int = 0
    idle_in_transaction_s: int = 0
    pooler: bool = False
    name: str = "musicconnect"

    def parameters(self, url: str) -> dict[str, object]:
        """What psycopg is told beside the address, which wins where it says the same."""
        options = {
            "statement_timeout": self.statement_s,
            "lock_timeout": self.lock_s,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_s,
        }
        found: dict[str, object] = {
            "connect_timeout": self.connect_s,
            # A server that vanished without a word is noticed within half a minute.
            "keepalives": 1,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 25_000,
            "application_name": self.name,
        }
        if self.pooler:
            # A pooler hands one session of the server to many: nothing may be left in it, neither statements nor settings.
            found["prepare_threshold"] = None
        else:
            found["options"] = " ".join(f"-c {name}={value}s" for name, value in options.items())
        said = parse_qs(urlsplit(url).query)
        return {name: value for name, value in found.items() if name not in said}


class Source:
    """Connections to one server: at most *size*, handed out to one thread each."""

    def __init__(self, url: str, *, size: int, wait_s: float, parameters: Mapping[str, Any]) -> None:
        self.size, self.wait_s = size, wait_s
        self._url, self._parameters = "postgresql://" + url.partition("://")[2], parameters
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Any]] = []
        self._taken = 0
        self._closed_at = 0.0

    def take(self) -> tuple[float, Any]:
        """A sound connection, and when it was made."""
        if not self._free.acquire(timeout=self.wait_s):
            raise peewee.OperationalError("every connection to the database is in use")
        try:
            found = self._sound() or (time.monotonic(), self._made())
        except BaseException:
            self._free.release()
            raise
        with self._lock:
            self._taken += 1
        return found

    def give_back(self, born: float, connection: Any, *, sound: bool) -> None:
        """Keep a connection for the next, or throw it away when it is broken or old."""
        try:
            if sound and born > self._closed_at and time.monotonic() - born < KEPT_S:
                with self._lock:
                    self._idle.append((born, connection))
            else:
                connection.close()
        finally:
            with self._lock:
                self._taken -= 1
            self._free.release()

    def close_idle(self) -> None:
        """Close what nobody uses; what somebody still uses is closed when it is given back."""
        self._closed_at = time.monotonic()
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def counts(self) -> tuple[int, int]:
        """How many connections are in use, and how many wait to be."""
        with self._lock:
            return self._taken, len(self._idle)

    def _sound(self) -> tuple[float, Any] | None:
        """The connection that was used last, of those that nobody closed at the other end."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                born, connection = self._idle.pop()
            if not connection.closed and not _has_something_to_say(connection):
                return born, connection
            connection.close()

    def _made(self) -> Any:
        # Imported here because psycopg is an extra: one node runs without it.
        import psycopg

        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            return psycopg.connect(self._url, autocommit=True, **self._parameters)


class Pool(peewee.PostgresqlDatabase):
    """PostgreSQL by psycopg: each thread has a connection while it works, to the primary or, if it is content with it, to a replica.

    Written anew instead of peewee's, which holds a lock while it connects or asks a server that may not answer: one thread that waits would make
    all wait.
    """

    _state: Any
    _adapter: Any
    _set_server_version: Any

    def __init__(self, primary: Source, replica: Source | None = None) -> None:
        self.primary, self.replica = primary, replica
        told: dict[str, Any] = {"prefer_psycopg3": True}
        super().__init__(primary._url, **told)

    def connect(self, reuse_if_open: bool = False, *, source: Source | None = None) -> bool:
        """Take a connection for this thread, of the primary unless another *source* is named."""
        if not self._state.closed:
            if reuse_if_open:
                return False
            raise peewee.OperationalError("Connection already opened.")
        chosen = source or self.primary
        born, connection = chosen.take()
        self._state.reset()
        self._state.set_connection(connection)
        self._state.born, self._state.source, self._state.wrote = born, chosen, False
        self._state.reader, self._state.reads = None, False
        if self.server_version is None:
            self._set_server_version(connection)
        return True

    def close(self) -> bool:
        """Give this thread's connection back."""
        if self.in_transaction():
            raise peewee.OperationalError("Attempting to close database while transaction is open.")
        if self._state.closed:
            return False
        connection, born, source = self._state.conn, self._state.born, self._state.source
        self._state.reset()
        self._state.reader = None
        # Also ends a transaction that was left open.
        source.give_back(born, connection, sound=self._adapter.is_connection_reusable(connection))
        return True

    def close_idle(self) -> None:
        """Close what nobody uses."""
        for source in filter(None, (self.primary, self.replica)):
            source.close_idle()

    def on_replica(self) -> bool:
        """Whether this thread reads from the replica."""
        return not self._state.closed and self._state.source is self.replica

    def is_broken(self) -> bool:
        """Whether this thread's connection was lost, or could not be had."""
        return self._state.closed or bool(self._state.conn.closed)

    def wrote(self) -> bool:
        """Whether this thread wrote anything since it took its connection."""
        return not self._state.closed and bool(self._state.wrote)

    def read(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a query at once, by one cursor for all that this thread reads so: to make one takes a third of the time of asking."""
        self._state.reads = True
        try:
            rows: list[tuple[Any, ...]] = self.execute_sql(sql, params).fetchall()
        finally:
            self._state.reads = False
        return rows

    def cursor(self, named_cursor: Any = None) -> Any:
        """A cursor of its own for each statement whose rows somebody goes through, as in peewee."""
        if self._state.closed:
            self.connect()
        if not self._state.reads:
            return self._state.conn.cursor()
        if self._state.reader is None:
            self._state.reader = self._state.conn.cursor()
        return self._state.reader

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; notes whether it writes, and throws a connection away that leads to no primary any more."""
        writes = _writes(sql)
        try:
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        except (peewee.InternalError, peewee.OperationalError) as error:
            # What broke off within a transaction was taken back; alone, it may be done although nobody heard of it.
            writes = writes and not self.in_transaction()
            if sqlstate(error) == NOT_PRIMARY:
                writes = False
                self._state.conn.close()
                raise peewee.OperationalError(error.__context__, *error.args) from error
            raise
        finally:
            if writes:
                self._state.wrote = True


@lru_cache(KNOWN)
def _writes(sql: str) -> bool:
    return sql.split(None, 1)[0].lstrip("(").upper() not in READS


def _has_something_to_say(connection: Any) -> bool:
    # Whom nobody asked says only that it is going: an error or the end of the stream. A look here costs no way there and back.
    looking = select.poll()
    looking.register(connection.fileno(), select.POLLIN)
    return bool(looking.poll(0))


def sqlstate(error: peewee.PeeweeException) -> str:
    """PostgreSQL's code for what went wrong; empty when it said none."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
