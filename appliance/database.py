"""The database: one proxy that models bind to at import, one connection that ``startup`` gives it.

SQLite in WAL mode on one node, PostgreSQL by psycopg on a cluster. What differs between the two stands here
and nowhere else. Stored instants are UTC.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any
from typing import TypeVar

import peewee
from playhouse.migrations import Runner
from ulid import ULID

from appliance import afterwards
from appliance import engines
from appliance import failures
from appliance.connections import Limits
from appliance.connections import Pool
from appliance.connections import sqlstate
from appliance.errors import Unavailable

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x6D757369
"""Any number will do that nobody else locks in this database."""
MIGRATION_LOCK_S = 5
MIGRATION_STATEMENT_S = 3600
MIGRATION_TRIES = 6
MIGRATION_PAUSE_S = 2.0
LOCK_NOT_AVAILABLE = "55P03"
proxy = peewee.DatabaseProxy()
M = TypeVar("M", bound=peewee.Model)


def new_id() -> str:
    """A fresh identifier: 26 letters and digits that sort by the time they were made (ULID)."""
    return str(ULID())


class UtcDateTimeField(peewee.DateTimeField):
    """An instant, aware and in UTC in Python, naive UTC in the database."""

    def db_value(self, value: datetime | None) -> Any:
        """*value* as it is stored; a naive instant is a mistake of the caller and refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant must say its time zone")
        return super().db_value(value.astimezone(UTC).replace(tzinfo=None))  # type: ignore[no-untyped-call]

    def python_value(self, value: Any) -> datetime | None:
        """The stored instant, aware."""
        if value is None:
            return None
        # SQLite keeps a text; peewee would try one format after the other with strptime, which takes ten times as long.
        naive: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
        return naive.replace(tzinfo=UTC)


class ReadWhole(peewee.ModelSelect):
    """A query whose rows are all read before the first of them is looked at, as psycopg does it anyway.

    A result of SQLite that is half read holds on to the state it began with. Who then begins to write is refused at once, without
    waiting, if anybody else has written since (SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/isolation.html). ``iterator`` still reads row by row.
    """

    def __iter__(self) -> Iterator[Any]:
        """The rows."""
        len(self)
        return super().__iter__()


class Base(peewee.Model):
    """Parent of every model; binds it to the proxy."""

    @classmethod
    def select(cls: type[M], *fields: Any) -> "peewee.ModelSelect[M]":
        """As in peewee."""
        # The class is generic for the type checker alone.
        return ReadWhole(cls, fields or cls._meta.sorted_fields, is_default=not fields)  # type: ignore[return-value]

    class Meta:
        database = proxy
        legacy_table_names = False


class Identified(Base):
    """A model whose key is a ULID: it may cross a boundary, tells nothing of how many there are, and sorts by age."""

    id = peewee.CharField(max_length=26, primary_key=True, default=new_id)


def connect(
    url: str, *, pool_size: int = 16, limits: Limits | None = None, replica_url: str = ""
) -> peewee.Database:
    """Open the database at *url* and point every model at it; ``Invalid`` for a wrong address."""
    database = engines.opened(url, pool_size, limits or Limits(), replica_url)
    proxy.initialize(database)
    try:
        database.connect(reuse_if_open=True)
    except peewee.DatabaseError as error:
        raise unavailable(error) from error
    return database


@contextmanager
def transaction() -> Iterator[None]:
    """One act that happens wholly or not at all; on SQLite it takes the write lock at once.

    A deferred transaction that reads first and writes later fails with SQLITE_BUSY when another writer came
    between, without waiting; IMMEDIATE waits its turn.
    """
    database = proxy.obj
    if database.in_transaction():
        with database.atomic():
            yield
        return
    at_once = ("IMMEDIATE",) if isinstance(database, peewee.SqliteDatabase) else ()
    with afterwards.committed(), database.atomic(*at_once):
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """Many questions about one and the same state, whatever others write meanwhile; nothing is written within."""
    database = proxy.obj
    outermost = not database.in_transaction()
    with database.atomic():
        if outermost and not isinstance(database, peewee.SqliteDatabase):
            database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Questions of which each may take *seconds*, and then fails; on SQLite, whose file is at hand, as long as they take."""
    with proxy.obj.atomic():
        if not isinstance(proxy.obj, peewee.SqliteDatabase):
            proxy.execute_sql(f"SET LOCAL statement_timeout = {1000 * seconds:d}")
        yield


def connections() -> dict[str, int]:
    """How many connections the pool of this process has in use and idle, and how many it may have; nothing on SQLite, which has no pool."""
    if not isinstance(proxy.obj, Pool):
        return {}
    used, idle = proxy.obj.primary.counts()
    return {"in_use": used, "idle": idle, "most": proxy.obj.primary.size}


def locked(query: "peewee.ModelSelect[M]") -> "peewee.ModelSelect[M]":
    """*query* with its rows held until the transaction ends; on SQLite the transaction holds the whole database anyway."""
    return query if isinstance(proxy.obj, peewee.SqliteDatabase) else query.for_update()


def file() -> Path | None:
    """The file of SQLite, where one writes at a time; ``None`` on PostgreSQL, where many do."""
    return Path(proxy.obj.database) if isinstance(proxy.obj, peewee.SqliteDatabase) else None


def in_turn(number: int) -> None:
    """Until the transaction ends, let no other one pass here with the same *number*; on SQLite none can anyway."""
    if not isinstance(proxy.obj, peewee.SqliteDatabase):
        proxy.execute_sql("SELECT pg_advisory_xact_lock(%s)", (number,))


def present(*, later_s: int = 0) -> peewee.SQL:
    """The present instant by the clock of the database, or one a while later; where several nodes must agree what time it is."""
    if isinstance(proxy.obj, peewee.SqliteDatabase):
        # To the millisecond, in the form in which instants are stored, so that texts compare as what they say.
        return peewee.SQL("strftime('%Y-%m-%d %H:%M:%f', 'now', ?)", (f"{later_s:+d} seconds",))
    # Not now(), which is the beginning of the transaction.
    return peewee.SQL("(clock_timestamp() AT TIME ZONE 'UTC' + make_interval(secs => %s))", (later_s,))


def instant() -> datetime:
    """The present instant as the clock of the database tells it."""
    [(told,)] = proxy.execute(peewee.Select(columns=[present()])).fetchall()
    found = UtcDateTimeField().python_value(told)
    assert found is not None
    return found


def hold_open() -> None:
    """Make sure this thread has a connection; SQLite keeps it, a pool hands one out."""
    proxy.connect(reuse_if_open=True)


def let_go() -> None:
    """End a request's use of the connection: back to the pool on PostgreSQL, kept by the thread on SQLite."""
    if isinstance(proxy.obj, Pool) and not proxy.is_closed():
        proxy.close()


def is_broken() -> bool:
    """Whether this thread lost its connection to PostgreSQL, or cannot have one."""
    return isinstance(proxy.obj, Pool) and proxy.obj.is_broken()


def mend() -> None:
    """Throw this thread's connection away if it is broken, so that the next question gets another."""
    if is_broken():
        let_go()


def bounds_statements() -> bool:
    """Whether PostgreSQL ends a statement that takes too long; SQLite has no such bound and needs none."""
    return not isinstance(proxy.obj, Pool) or proxy.execute_sql("SHOW statement_timeout").fetchone()[0] != "0"


def wrote() -> bool:
    """Whether this thread wrote to PostgreSQL since it was given its connection."""
    return isinstance(proxy.obj, Pool) and proxy.obj.wrote()


def close_thread(served: peewee.Database | None = None) -> None:
    """Close the connection of a thread that ends, of the database that *served* it if that is not the one of now."""
    served = served or proxy.obj
    if served is not None and not served.is_closed():
        served.close()


def close() -> None:
    """Close this thread's connection and the pool."""
    close_thread()
    if isinstance(proxy.obj, Pool):
        proxy.obj.close_idle()


def check() -> None:
    """Ask the database for one row; ``Unavailable`` when it does not answer or lacks a migration."""
    try:
        proxy.execute_sql("SELECT 1").fetchone()
        waiting = pending()
    except peewee.PeeweeException as error:
        raise unavailable(error) from error
    if waiting:
        raise Unavailable(f"The database waits for {len(waiting)} migration(s); run 'musicconnect migrate'.")


def migrate() -> list[str]:
    """Apply what is missing, in order and wholly or not at all, and return the names; safe to run twice, also at once.

    Of two processes that start together the second waits, and then finds nothing to do.
    """
    for attempt in range(MIGRATION_TRIES):
        try:
            return _migrate_once()
        except peewee.OperationalError as error:
            if sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            if attempt + 1 == MIGRATION_TRIES:
                raise Unavailable(
                    "A migration waits for what others hold in the database; nothing was changed. Run it again in a quiet minute."
                ) from error
            # Who queues for a table makes all others queue behind: so it steps back, and lets them through.
            time.sleep(MIGRATION_PAUSE_S)
    raise AssertionError("unreachable")


def _migrate_once() -> list[str]:
    with transaction():
        if isinstance(proxy.obj, Pool):
            # However long the one before takes; then no server that runs is to stand still behind us.
            _only_here(lock_timeout=0, statement_timeout=0, idle_in_transaction_session_timeout=0)
            in_turn(MIGRATION_LOCK)
            _only_here(lock_timeout=MIGRATION_LOCK_S, statement_timeout=MIGRATION_STATEMENT_S)
        # SQLite's write lock is held by now; PostgreSQL would let both look, and both create.
        return list(Runner(proxy.obj, str(MIGRATIONS)).up())


def _only_here(**seconds: int) -> None:
    for name, value in seconds.items():
        # Until the transaction ends: a pooler gives the session to others then.
        proxy.execute_sql(f"SET LOCAL {name} = '{value}s'")


def pending() -> list[str]:
    """Names of the migrations that have not run yet."""
    return [m.name for m in Runner(proxy.obj, str(MIGRATIONS)).status() if m.path and not m.applied]


def unavailable(error: peewee.PeeweeException) -> Unavailable:
    """What the driver says, as a sentence; a damaged file says what to do."""
    line = failures.told(error)
    damaged = "not a database" in line or "malformed" in line
    mend = "; its file is damaged: put a backup of it in its place" if damaged else ""
    return Unavailable(f"The database does not answer: {line}{mend}.")
