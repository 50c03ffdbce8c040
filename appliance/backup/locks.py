"""One at a time writes to a repository: an object says who, and is renewed while they live.

An object store knows no lock, so each puts down an object of its own, then looks for others; of two that come at once both step back and
try again at different moments. A lock that was not renewed for some minutes, or whose process was one of this machine and is gone, holds nobody.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from appliance import clock
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.jobs.process import identity
from appliance.jobs.process import is_gone
from appliance.jobs.process import named
from appliance.storage import ObjectStore

log = logging.getLogger(__name__)

FOLDER = "locks/"
LIVES = timedelta(minutes=10)
RENEWED_S = 60.0
AT_ONCE = timedelta(seconds=5)
"""Of two locks that are not further apart, either may be the later one."""
_TRIES = 4
_MOST_BYTES = 1000


class Lock:
    """The lock that this process holds."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._key = FOLDER + new_id()
        self._renewed_at = clock.now()
        self._lost = False
        self._put()

    def _put(self) -> None:
        told = json.dumps({"holder": identity(), "since": clock.now().isoformat()}).encode()
        began_at = clock.now()
        self._store.put(self._key, io.BytesIO(told), content_type="application/json")
        self._renewed_at = began_at

    def renew(self) -> bool:
        """Renew it, unless others may have taken it over by now: then it is lost for good, since they work already; whether it is held."""
        if self._is_held():
            self._put()
        return not self._lost

    def require(self) -> None:
        """Raise ``Conflict`` when others may take it for over by now: this process was asleep, or the store was away."""
        if not self._is_held():
            raise Conflict("The lock on the backup could not be renewed in time, so this run ends.")

    def _is_held(self) -> bool:
        if not self._lost:
            try:
                self._store.stat(self._key)
            except NotFound:
                self._lost = True
            # Asked last, since the store may have taken its time.
            self._lost = self._lost or clock.now() - self._renewed_at > LIVES / 2
        return not self._lost

    def others(self) -> list[tuple[str, bool]]:
        """Who else holds the repository, and whether they came about now; locks that hold nobody are removed."""
        found = []
        now = clock.now()
        for seen in list(self._store.walk(FOLDER)):
            if seen.key == self._key:
                continue
            holder = _holder(self._store, seen.key)
            if now - seen.modified_at > LIVES or is_gone(holder):
                self._store.delete(seen.key)
            elif holder:
                found.append((holder, now - seen.modified_at < AT_ONCE))
        return found

    def release(self) -> None:
        """Let the next one in."""
        self._store.delete(self._key)


@contextlib.contextmanager
def held(store: ObjectStore) -> Iterator[Lock]:
    """The lock, for the block; ``Conflict`` when somebody else holds it."""
    lock = _taken(store)
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWED_S):
            try:
                if not lock.renew():
                    return
            except MusicConnectError:
                log.warning("the lock on the backup is not renewed", exc_info=True)

    renewing = threading.Thread(target=renew, name="backup-lock", daemon=True)
    renewing.start()
    try:
        yield lock
    finally:
        done.set()
        renewing.join()
        with contextlib.suppress(MusicConnectError):
            lock.release()


def _taken(store: ObjectStore) -> Lock:
    for tries_left in reversed(range(_TRIES)):
        lock = Lock(store)
        others = lock.others()
        if not others:
            return lock
        lock.release()
        holder, about_now = others[0]
        if not about_now or not tries_left:
            raise Conflict(
                "Another process writes to this backup just now ({holder}); wait until it ends.",
                holder=named(holder),
            )
        # By chance, so that two that came at once do not meet again.
        time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - nobody gains by guessing it
    raise AssertionError("not reached")


def _holder(store: ObjectStore, key: str) -> str:
    try:
        with store.open(key, length=_MOST_BYTES) as stream:
            return str(json.loads(stream.read())["holder"])
    except NotFound:
        return ""
    except (ValueError, KeyError, TypeError):
        return "?"
