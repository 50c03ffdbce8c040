"""Reading from a replica: for whoever is content with what was true a moment ago, and never before what they wrote themselves.

PostgreSQL numbers what is written to its log. A thread notes once a second how far the primary had come and how far the replica is; so whether
the replica is fresh enough costs a request nothing.
"""

import logging
import threading
import time
from collections import deque

import peewee

from appliance import database
from appliance.connections import Limits
from appliance.connections import Pool
from appliance.connections import Source
from appliance.errors import Invalid
from appliance.errors import Unavailable

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
BYTES = "(%s - '0/0'::pg_lsn)::bigint"
HERE = BYTES % "pg_current_wal_insert_lsn()"
THERE = "SELECT CASE WHEN pg_is_in_recovery() THEN " + BYTES % "pg_last_wal_replay_lsn()" + " END"


class Watch:
    """What is known of how far the replica is."""

    def __init__(self, pool: Pool, *, lag_s: float) -> None:
        assert pool.replica is not None
        self.pool, self.lag_s = pool, lag_s
        self.replayed = -1
        self._notes: deque[tuple[float, int]] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="replica", daemon=True)

    def start(self) -> None:
        """Look once, and from then on."""
        self.look(time.monotonic())
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def look(self, now: float) -> None:
        """Note how far both are."""
        assert self.pool.replica is not None
        written = _told(self.pool.primary, "SELECT " + HERE)
        if written is not None:
            self._notes.append((now, written))
        replayed = _told(self.pool.replica, THERE)
        was, self.replayed = self.replayed, -1 if replayed is None else replayed
        # The newest note that is old enough is what the replica must have reached; those before it say nothing more.
        while len(self._notes) > 1 and self._notes[1][0] <= now - self.lag_s:
            self._notes.popleft()
        if (was < 0) != (self.replayed < 0):
            log.warning("the replica answers" if was < 0 else "the replica is away")

    def is_fresh(self, *, written: int) -> bool:
        """Whether the replica has all that is older than the bound, and what is *written*, the asker's own."""
        # A replica that never was further behind than the bound has reached the oldest note of those kept.
        bound = self._notes[0][1] if self._notes else 0
        return self.replayed >= 0 and self.replayed >= max(bound, written)

    def _go_on(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self.look(time.monotonic())


def _told(source: Source, sql: str) -> int | None:
    """The one number that the server answers; ``None`` when it does not, or has none."""
    try:
        born, connection = source.take()
    except peewee.PeeweeException:
        return None
    sound = False
    try:
        [(number,)] = connection.execute(sql).fetchall()
        sound = True
    except Exception:
        # Every fault of the driver means one thing here: it does not answer.
        return None
    finally:
        source.give_back(born, connection, sound=sound)
    return None if number is None else int(number)


def behind(url: str, limits: Limits) -> int:
    """How many bytes of the log the server at *url* has not replayed yet; ``Unavailable`` when it does not answer, ``Invalid`` when it is no replica."""
    source = Source(url, size=1, wait_s=1, parameters=limits.parameters(url))
    try:
        # Asked first, so that what is written meanwhile does not count.
        written = position()
        if _told(source, "SELECT 1") is None:
            raise Unavailable("The replica does not answer; the primary is asked for everything.")
        replayed = _told(source, THERE)
        if replayed is None:
            raise Invalid(
                "The server at 'database_replica_url' is no replica: it replays nothing; the primary is asked for everything."
            )
    finally:
        source.close_idle()
    return max(0, written - replayed)


_watch: Watch | None = None


def follow(*, lag_s: float) -> None:
    """Watch the replica from now on, if there is one."""
    global _watch
    leave()
    pool = database.proxy.obj
    if isinstance(pool, Pool) and pool.replica is not None:
        _watch = Watch(pool, lag_s=lag_s)
        _watch.start()


def leave() -> None:
    """Ask the primary for everything."""
    global _watch
    if _watch is not None:
        _watch.stop()
        _watch = None


def is_there() -> bool:
    """Whether this process has a replica at all."""
    return _watch is not None


def kept_s() -> int:
    """For how long somebody's own writes must be remembered: until the replica surely has them, or is not asked."""
    return int(_watch.lag_s) + 60 if _watch is not None else 0


def hold_open(*, written: int) -> bool:
    """Give this thread a connection to the replica, if that is fresh enough and answers; whether it did."""
    if _watch is None or not _watch.is_fresh(written=written):
        return False
    try:
        return _watch.pool.connect(reuse_if_open=True, source=_watch.pool.replica)
    except peewee.PeeweeException:
        # From now on until it is seen again.
        _watch.replayed = -1
        return False


def is_read() -> bool:
    """Whether this thread reads from the replica."""
    return _watch is not None and _watch.pool.on_replica()


def position() -> int:
    """How far the log of the primary is now: at least as far as what this thread wrote."""
    [(number,)] = database.proxy.execute_sql("SELECT " + HERE).fetchall()
    return int(number)
