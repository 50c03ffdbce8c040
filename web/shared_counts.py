"""Counts that all nodes share in Redis: one way there and back for all counts of a request; in memory while Redis is away.

It is asked without most layers of its client: counting is part of every request, and these take more time than the way there and back.
"""

import hashlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from web.counts import Count
from web.counts import Counts
from web.counts import Limit

log = logging.getLogger(__name__)

PREFIX = "musicconnect:counts:"
ANSWER_S = 1
AWAY_S = 5.0
"""For how long nobody asks a Redis that did not answer: each who does waits for it."""
_COUNT = """
local told = {}
for number, key in ipairs(KEYS) do
  local used = redis.call('INCRBY', key, ARGV[1])
  local left_ms = redis.call('PTTL', key)
  if left_ms < 0 then
    left_ms = 1000 * ARGV[2 * number + 1]
    redis.call('PEXPIRE', key, left_ms)
  end
  told[2 * number - 1], told[2 * number] = used, left_ms
  if used > tonumber(ARGV[2 * number]) then break end
end
return told
"""
_NAME = hashlib.sha1(_COUNT.encode(), usedforsecurity=False).hexdigest()
"""By which Redis knows the script, once it was sent."""


class SharedCounts:
    """How often what was asked for, each until its window ends, in the Redis at *url*."""

    def __init__(self, url: str) -> None:
        # Imported here because redis is an extra: one node runs without it.
        import redis
        from redis.backoff import NoBackoff
        from redis.exceptions import NoScriptError
        from redis.retry import Retry

        self._away, self._broken, self._unknown = redis.RedisError, redis.ConnectionError, NoScriptError
        self._connections = redis.ConnectionPool.from_url(
            url, socket_connect_timeout=ANSWER_S, socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
        )
        self._idle: deque[Any] = deque()
        self._meanwhile = Counts()
        self._ask_at = 0.0

    def count(self, limits: Sequence[Limit], *, amount: int = 1) -> list[Count]:
        """As every counting does."""
        if self._ask_at:
            if time.monotonic() < self._ask_at:
                return self._meanwhile.count(limits, amount=amount)
            # One looks whether it is back; the others go on meanwhile.
            self._ask_at = time.monotonic() + AWAY_S
        try:
            told = self._told(limits, amount)
        except self._away as error:
            self._lose(error)
            return self._meanwhile.count(limits, amount=amount)
        if self._ask_at:
            self._ask_at = 0.0
            log.info("requests are counted for all nodes together again")
        now = time.time()
        return [
            Count(limit, used, now + left_ms / 1000)
            for limit, used, left_ms in zip(limits, told[::2], told[1::2], strict=False)
        ]

    def _told(self, limits: Sequence[Limit], amount: int) -> list[int]:
        arguments = [len(limits), *(PREFIX + limit.name for limit in limits), amount]
        for limit in limits:
            arguments += [limit.most, limit.window_s]
        try:
            return self._asked(arguments)
        except self._broken:
            # As it is after a restart: the connection is from before.
            return self._asked(arguments)

    def _asked(self, arguments: Sequence[str | int]) -> list[int]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connections.make_connection()
        try:
            connection.send_command("EVALSHA", _NAME, *arguments)
            told: list[int] = connection.read_response()
        except self._unknown:
            connection.send_command("EVAL", _COUNT, *arguments)
            told = connection.read_response()
        finally:
            # Also one that broke: it connects anew when it is used again.
            self._idle.append(connection)
        return told

    def _lose(self, error: Exception) -> None:
        if not self._ask_at:
            log.warning(
                "requests are counted in memory, for the Redis that counts for all is away",
                extra={"why": str(error)},
            )
        self._ask_at = time.monotonic() + AWAY_S
