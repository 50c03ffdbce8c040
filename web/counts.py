"""Counts in the memory of this process, for Flask-Limiter: one dictionary and one lock.

The storage that comes with ``limits`` starts a thread for nearly every request, to throw away what is over, and a busy machine lets the request
wait until that thread runs.
"""

import threading
import time
from typing import Any

from limits.storage import Storage

SWEEP_S = 10
"""Seconds between two looks for what is over."""
MOST_COUNTS = 200_000
"""Some 40 MB. Whoever has so many addresses is not stopped by counting them; all begin anew."""


class Counts(Storage):  # type: ignore[misc]
    """How often what was asked for, each until its window ends."""

    STORAGE_SCHEME = ["musicconnect"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing of this can fail."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count *amount* more under *key*, for *expiry* seconds from the first."""
        now = time.time()
        with self._lock:
            if now >= self._sweep_at:
                self._sweep(now)
            count, ends = self._counts.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
            self._counts[key] = (count + amount, ends)
            return count + amount

    def get(self, key: str) -> int:
        """The count under *key*."""
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the count under *key* begins anew (Unix time)."""
        now = time.time()
        _, ends = self._counts.get(key, (0, now))
        return max(ends, now)

    def check(self) -> bool:
        """Memory is there."""
        return True

    def reset(self) -> int:
        """Forget all counts; how many there were."""
        with self._lock:
            forgotten = len(self._counts)
            self._counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forget the count under *key*."""
        with self._lock:
            self._counts.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + SWEEP_S
        kept = {key: entry for key, entry in self._counts.items() if entry[1] > now}
        self._counts = kept if len(kept) < MOST_COUNTS else {}
