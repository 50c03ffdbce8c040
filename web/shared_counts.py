"""Counts that all nodes share in Redis, for Flask-Limiter: one way there and back for each request.

The storage that comes with ``limits`` goes three times: it counts, and when the answer tells how much is left it asks for the count and for its end
again. Here counting tells both, and the request remembers them.
"""

import time
from typing import Any

from flask import g
from limits.storage import RedisStorage

OF_OURS = "musicconnect+"
_COUNT = """
local count = redis.call("incrby", KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call("expire", KEYS[1], ARGV[1]) end
return {count, redis.call("pttl", KEYS[1])}
"""


class SharedCounts(RedisStorage):
    """How often what was asked for, each until its window ends, in the Redis at ``musicconnect+redis://…``."""

    STORAGE_SCHEME = [f"{OF_OURS}redis", f"{OF_OURS}rediss"]

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri.removeprefix(OF_OURS), **options)
        self._count = self.get_connection().register_script(_COUNT)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count *amount* more under *key*, for *expiry* seconds from the first."""
        count, left_ms = self._count([self.prefixed_key(key)], [expiry, amount])
        _counted()[key] = int(count), time.time() + max(0, int(left_ms)) / 1000
        return int(count)

    def get(self, key: str) -> int:
        """The count under *key*: as this request left it, if it counted there."""
        known = _counted().get(key)
        return known[0] if known else int(super().get(key))

    def get_expiry(self, key: str) -> float:
        """When the count under *key* begins anew (Unix time)."""
        known = _counted().get(key)
        return known[1] if known else float(super().get_expiry(key))


def _counted() -> dict[str, tuple[int, float]]:
    """What this request counted."""
    found: dict[str, tuple[int, float]] = g.setdefault("counted", {})
    return found
