"""The level of the cache that all processes share, in Redis, which may be away at any time.

Values are JSON and are never run. Whoever changes something deletes it here and tells the others, who listen; a counter beside each key keeps a
value that was looked up before the change from being put there after it. When Redis was away something may have been missed: then an epoch that is
part of every key is counted up, and nothing from before is believed.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from appliance import failures
from appliance.errors import Unavailable

log = logging.getLogger(__name__)

CONNECT_S = 1
ANSWER_S = 1
LOOK_EVERY_S = 1.0
LOCK_S = 5
POLL_S = 0.05
VERSION_S = 24 * 3600
PREFIX = "musicconnect:cache"
STORE = """
if (redis.call('GET', KEYS[2]) or '0') == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
if redis.call('GET', KEYS[3]) == ARGV[4] then redis.call('DEL', KEYS[3]) end
"""
"""Keep a value unless its key was forgotten since, and open the door to whoever waits."""
FORGET = """
local place = KEYS[1] .. ':' .. (redis.call('GET', KEYS[1] .. ':epoch') or '0') .. ':' .. ARGV[1]
redis.call('INCR', place .. ':version')
redis.call('EXPIRE', place .. ':version', ARGV[2])
redis.call('DEL', place)
redis.call('PUBLISH', KEYS[1], ARGV[1])
"""
"""Delete a value and tell the others; by the epoch that holds at this moment, which a process that does not listen yet does not know."""
LEAVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
"""Open the door to whoever waits, when nothing was found."""


class Shared:
    """What is kept in the Redis at *url*."""

    def __init__(self, url: str) -> None:
        # Imported here because redis is an extra: one node runs without it.
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._away = redis.RedisError
        self._redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._store = self._redis.register_script(STORE)
        self._forget = self._redis.register_script(FORGET)
        self._leave = self._redis.register_script(LEAVE)
        self._epoch = ""
        self._listens = threading.Event()
        self._missed = threading.Event()
        self._over = threading.Event()
        self._drop: Callable[[str, str], None] = lambda namespace, key: None
        self._drop_all: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._go_on, name="cache", daemon=True)

    def start(self, *, drop: Callable[[str, str], None], drop_all: Callable[[], None]) -> None:
        """Listen to what others forget."""
        self._drop, self._drop_all = drop, drop_all
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._over.set()
        self._thread.join()
        self._redis.close()

    def listens(self) -> bool:
        """Whether this process would be told what is no longer true."""
        return self._listens.is_set()

    def get(self, namespace: str, key: str, *, ttl_s: int, make: Callable[[], str]) -> tuple[str, bool]:
        """What is kept under *key*, else what *make* finds; and whether it was kept. Of all processes one looks for it."""
        place = f"{PREFIX}:{self._epoch}:{namespace}:{key}"
        word = secrets.token_hex(8)
        try:
            found = self._redis.get(place)
            deadline = time.monotonic() + LOCK_S
            while found is None and not self._redis.set(f"{place}:lock", word, nx=True, ex=LOCK_S):
                if time.monotonic() > deadline:
                    break
                time.sleep(POLL_S)
                found = self._redis.get(place)
            if found is not None:
                return str(found), True
            version = self._redis.get(f"{place}:version") or "0"
        except self._away:
            self._lose()
            return make(), False
        try:
            text = make()
        except BaseException:
            try:
                self._leave(keys=[f"{place}:lock"], args=[word])
            except self._away:
                self._lose()
            raise
        try:
            self._store(keys=[place, f"{place}:version", f"{place}:lock"], args=[version, text, ttl_s, word])
        except self._away:
            self._lose()
        return text, False

    def forget(self, namespace: str, key: str) -> None:
        """Delete it, and tell the others."""
        try:
            self._forget(keys=[PREFIX], args=[f"{namespace}:{key}", VERSION_S])
        except self._away:
            self._lose()

    def forget_all(self) -> bool:
        """Let nobody believe anything that is kept here, and whether Redis could be told; for a process that does not listen."""
        try:
            self._redis.incr(f"{PREFIX}:epoch")
            self._redis.publish(PREFIX, "")
        except self._away:
            return False
        finally:
            self._redis.close()
        return True

    def check(self) -> None:
        """``Unavailable`` when Redis does not answer, or lets us in no more."""
        try:
            self._redis.ping()
        except self._away as error:
            raise Unavailable(f"Redis does not answer: {failures.told(error)}") from error
        finally:
            self._redis.close()

    def _lose(self) -> None:
        """Redis is away: believe nothing that is kept, and when it is back let nobody believe what was kept before."""
        if self._listens.is_set():
            log.warning("the shared cache is away")
        self._missed.set()
        self._listens.clear()

    def _go_on(self) -> None:
        while not self._over.is_set():
            try:
                self._listen()
            except (self._away, OSError):
                self._lose()
            self._drop_all()
            self._over.wait(LOOK_EVERY_S)

    def _listen(self) -> None:
        with self._redis.pubsub() as heard:  # type: ignore[no-untyped-call]
            heard.subscribe(PREFIX)
            # The answer to the subscription: from here on nothing is missed.
            heard.get_message(timeout=ANSWER_S)
            if self._missed.is_set():
                self._missed.clear()
                epoch: Any = self._redis.incr(f"{PREFIX}:epoch")
                self._redis.publish(PREFIX, "")
            else:
                epoch = self._redis.get(f"{PREFIX}:epoch") or 0
            self._epoch = str(epoch)
            self._drop_all()
            if not self._missed.is_set():
                self._listens.set()
            asked_at = time.monotonic()
            while not self._over.is_set() and not self._missed.is_set():
                message = heard.get_message(ignore_subscribe_messages=True, timeout=0.2)
                if message is not None and message["type"] == "message":
                    self._take(message["data"])
                if time.monotonic() - asked_at > LOOK_EVERY_S:
                    # Over the same connection would tell whether it still stands; over another whether Redis answers: it is both.
                    heard.ping()
                    self._redis.ping()
                    asked_at = time.monotonic()

    def _take(self, told: str) -> None:
        namespace, _, key = told.partition(":")
        if namespace:
            self._drop(namespace, key)
            return
        # Somebody missed something: all that was kept before counts no longer.
        self._epoch = str(self._redis.get(f"{PREFIX}:epoch") or 0)
        self._drop_all()
