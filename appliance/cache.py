"""What is costly to find out, kept for a while: in this process, and in Redis for all processes together.

Only what may be as old as its namespace says is kept here, and never who may do or hear what. Without Redis, each process has what it found itself for
half a minute at most. With Redis (``cache_url``) it keeps it for longer, for it is told what is no longer true; while it cannot be told, it keeps nothing.
"""

import json
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from cachetools import TTLCache

from appliance import measures
from appliance.shared_cache import Shared

ALONE_S = 30.0
"""For how long a process that is told nothing by others believes what it found."""
LOCAL_S = 60.0
"""The same for one that is told."""
WAIT_S = 5.0
"""Whoever waits for another to find something out looks for itself after so long."""
BEHIND_S = 10
"""How long what was read from a replica is kept: by itself, for it may have been forgotten already, and only for those who read from there."""
MOST = 2_000


@dataclass(frozen=True, slots=True)
class Namespace:
    """A kind of thing that is kept, for how long, and how many of them a process keeps.

    What may never be old, *told_only*, is kept only by a process that others tell what is no longer true.
    """

    name: str
    ttl_s: int
    most: int = MOST
    told_only: bool = False


FEATURED = Namespace("featured", 3600)
TRENDING = Namespace("trending", 300)
PROFILES = Namespace("profiles", 3600, told_only=True)


class Cache:
    """The level of this process, above the shared one if there is one."""

    def __init__(self, shared: Shared | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.shared, self._clock = shared, clock
        self._lock = threading.Lock()
        self._local: dict[str, TTLCache[str, str]] = {}
        self._forgotten: dict[tuple[str, str], int] = {}
        self._all_forgotten = 0
        self._under_way: dict[tuple[str, str], threading.Lock] = {}

    def get(self, namespace: Namespace, key: str, make: Callable[[], Any]) -> Any:
        """What is kept under *key*, else what *make* finds (JSON's own kinds of values); one at a time looks for it."""
        if namespace.told_only and self.shared is None:
            return make()
        kept = self._kept(namespace, key)
        if kept is not None:
            _count(namespace, "process", "hit")
            return json.loads(kept)
        with self._alone(namespace, key):
            kept = self._kept(namespace, key)
            if kept is not None:
                _count(namespace, "process", "hit")
                return json.loads(kept)
            return json.loads(self._found(namespace, key, make))

    def forget(self, namespace: Namespace, key: str) -> None:
        """This is no longer true; to be called after the commit of what made it so."""
        self.drop(namespace.name, key)
        if self.shared:
            self.shared.forget(namespace.name, key)

    def drop(self, namespace: str, key: str) -> None:
        """Forget it in this process, and do not keep what somebody is about to find."""
        with self._lock:
            self._forgotten[namespace, key] = self._forgotten.get((namespace, key), 0) + 1
            if namespace in self._local:
                self._local[namespace].pop(key, None)

    def drop_all(self) -> None:
        """Forget everything in this process, such as when something may have been missed."""
        with self._lock:
            self._all_forgotten += 1
            self._local.clear()
            self._forgotten.clear()

    def _found(self, namespace: Namespace, key: str, make: Callable[[], Any]) -> str:
        before = self._state(namespace, key)
        if self.shared is None or not self.shared.listens():
            text = json.dumps(make())
            _count(namespace, "none", "miss")
        else:
            text, shared = self.shared.get(
                namespace.name, key, ttl_s=namespace.ttl_s, make=lambda: json.dumps(make())
            )
            _count(namespace, "shared" if shared else "none", "hit" if shared else "miss")
        with self._lock:
            if self._now(namespace, key) == before and (self.shared is None or self.shared.listens()):
                self._of(namespace)[key] = text
        return text

    def _kept(self, namespace: Namespace, key: str) -> str | None:
        if self.shared is not None and not self.shared.listens():
            return None
        with self._lock:
            found: str | None = self._of(namespace).get(key)
            return found

    def _of(self, namespace: Namespace) -> "TTLCache[str, str]":
        if namespace.name not in self._local:
            lasts_s = min(namespace.ttl_s, LOCAL_S if self.shared else ALONE_S)
            self._local[namespace.name] = TTLCache(namespace.most, lasts_s, timer=self._clock)
        return self._local[namespace.name]

    def _state(self, namespace: Namespace, key: str) -> tuple[int, int]:
        with self._lock:
            if len(self._forgotten) > MOST:
                self._forgotten.clear()
                self._all_forgotten += 1
            return self._now(namespace, key)

    def _now(self, namespace: Namespace, key: str) -> tuple[int, int]:
        return self._all_forgotten, self._forgotten.get((namespace.name, key), 0)

    @contextmanager
    def _alone(self, namespace: Namespace, key: str) -> Iterator[None]:
        """Let one thread look for it; the others wait, and find it."""
        place = (namespace.name, key)
        with self._lock:
            door = self._under_way.setdefault(place, threading.Lock())
        entered = door.acquire(timeout=WAIT_S)
        try:
            yield
        finally:
            if entered:
                with self._lock:
                    self._under_way.pop(place, None)
                door.release()


def _count(namespace: Namespace, level: str, outcome: str) -> None:
    measures.CACHE_REQUESTS.labels(namespace.name, level, outcome).inc()


_cache = Cache()


def configure(url: str = "") -> None:
    """Begin with nothing kept; with *url*, share it with others by the Redis there, which may be away."""
    global _cache
    close()
    shared = Shared(url) if url else None
    _cache = Cache(shared)
    if shared:
        shared.start(drop=_cache.drop, drop_all=_cache.drop_all)


def close() -> None:
    """Keep nothing, and let go of Redis."""
    global _cache
    if _cache.shared:
        _cache.shared.stop()
    _cache = Cache()


def get(namespace: Namespace, key: str, make: Callable[[], Any], *, behind: bool = False) -> Any:
    """What is kept under *key*, else what *make* finds; *behind* when it reads from a replica, which may not know what was changed."""
    if behind:
        namespace = replace(namespace, name=f"{namespace.name}_behind", ttl_s=min(namespace.ttl_s, BEHIND_S))
    return _cache.get(namespace, key, make)


def forget(namespace: Namespace, key: str) -> None:
    """This is no longer true; to be called after the commit of what made it so."""
    _cache.forget(namespace, key)


def forget_all(url: str) -> bool:
    """All that is kept in the Redis at *url* is of another world, such as before a restore; whether Redis was told."""
    return Shared(url).forget_all()
