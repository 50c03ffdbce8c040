"""The Huey object: inert on import, connected by ``configure``; one queue for each lane."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import huey as huey_package
from huey import crontab
from huey.serializer import SignedSerializer
from huey.storage import BaseStorage
from huey.storage import BlackHoleStorage
from huey.storage import MemoryStorage
from huey.storage import PostgresStorage
from huey.storage import SqliteStorage

from appliance import failures
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.jobs import lanes
from appliance.jobs.lanes import Lane

log = logging.getLogger(__name__)

huey = huey_package.Huey(
    "musicconnect", results=False, storage_class=BlackHoleStorage, immediate_use_memory=False
)
FORMER = Lane.TRANSCODE
"""The lane that has the name of the one queue of earlier versions, so that their messages are still read in an upgrade."""
CONNECT_S = 2
ANSWER_S = 5
"""A request does not wait for a queue that does not answer. Longer than the second for which an idle worker listens."""

__all__ = ["Lanes", "check", "configure", "crontab", "huey"]


class Lanes:
    """A storage that is one for each lane; which one is meant is told by ``lanes.current``."""

    def __init__(self, of_lane: Mapping[Lane, BaseStorage]) -> None:
        self.of_lane = of_lane
        self._closing = threading.Lock()
        self.stand_in: Callable[[], bytes | None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of_lane[lanes.current()], name)

    def dequeue(self) -> bytes | None:
        """The next message of the lane; while the queue is away, one for a row that is due, so that work goes on without it."""
        try:
            found: bytes | None = self.of_lane[lanes.current()].dequeue()
        except Exception:
            # Every engine has errors of its own. What the stand-in finds is found in the database; if it is nothing, Huey tells.
            found = self.stand_in()
            if found is None:
                raise
        return found

    def peek_many(self, keys: list[str]) -> dict[str, bytes]:
        """Huey asks before each task whether it was revoked. Ours never are, and a queue that is away must not stop the work."""
        return {}

    def delete_data(self, key: str) -> bool:
        """As above, after each task."""
        return False

    def close_lane(self) -> None:
        """Let go of what this thread has open for its lane."""
        # Two at once would close one connection twice, which Huey's storages do not bear.
        with self._closing:
            self.of_lane[lanes.current()].close()

    def close(self) -> None:
        """Let go of all connections."""
        for storage in self.of_lane.values():
            storage.close()


def configure(url: str, *, secret: str, immediate: bool = False) -> None:
    """Connect the queue at *url*; messages are signed, so that who can write to a shared queue cannot run code.

    ``memory://`` keeps messages in this process. Raises ``Invalid`` for an unknown address, ``Unavailable`` when it does not answer.
    """
    huey.serializer = SignedSerializer(secret=secret, salt="musicconnect.queue")
    huey.immediate = immediate
    opened = _opener(url)
    huey.storage = Lanes(
        {lane: opened(huey.name if lane is FORMER else f"{huey.name}.{lane}") for lane in Lane}
    )


def _opener(url: str) -> Callable[[str], BaseStorage]:
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryStorage  # type: ignore[no-any-return]
    if url.startswith("sqlite:///"):
        return lambda name: _sqlite(name, url.removeprefix("sqlite:///"))
    try:
        if scheme in {"postgres", "postgresql"}:
            return lambda name: _postgresql(name, url)
        if scheme in {"redis", "rediss"}:
            return _redis(url)
    except Exception as error:
        # Every engine has errors of its own, and their packages need not be installed.
        raise _away() from error
    raise Invalid(
        "The setting 'queue_url' must begin with sqlite:///, postgresql:// or redis://.", field="queue_url"
    )


def _sqlite(name: str, path: str) -> BaseStorage:
    try:
        return SqliteStorage(name, filename=path, cache_mb=2, fsync=True, timeout=20)
    except sqlite3.DatabaseError as error:
        # The rows of the jobs hold the truth: a new queue is filled from them within a minute.
        raise Unavailable(
            f"The queue does not answer: {failures.told(error)}; move {path} away, and what waits is queued anew."
        ) from error


def _postgresql(name: str, url: str) -> BaseStorage:
    try:
        # Nothing is prepared: a pooler may stand between, and these statements are small.
        return PostgresStorage(
            name, dsn=url, connect_timeout=ANSWER_S, tcp_user_timeout=25_000, prepare_threshold=None
        )
    except Exception as error:
        raise _away() from error


def _redis(url: str) -> Callable[[str], BaseStorage]:
    # Imported here because redis is an extra: one node runs without it.
    from huey.storage import PriorityRedisStorage
    from redis import ConnectionPool
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = ConnectionPool.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )
    return lambda name: PriorityRedisStorage(name, connection_pool=pool)


def _away() -> Unavailable:
    return Unavailable("The queue does not answer; look at the setting 'queue_url'.")


def check() -> int:
    """How many messages wait; ``Unavailable`` when the queue does not answer."""
    waiting = 0
    try:
        for lane in Lane:
            with lanes.on(lane):
                waiting += int(huey.storage.queue_size())
    except Exception as error:
        raise Unavailable(f"The queue does not answer: {failures.told(error)}") from error
    return waiting
