"""Counts in the memory of this process: one dictionary and one lock.

Also what a count is, wherever it is kept: so many of one name in so many seconds, which begin with the first.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SWEEP_S = 10
"""Seconds between two looks for what is over."""
MOST_COUNTS = 200_000
"""Some 40 MB. Whoever has so many addresses is not stopped by counting them; all begin anew."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many under this name in so many seconds."""

    name: str
    most: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Count:
    """How far it is with a limit, and when it begins anew (Unix time)."""

    limit: Limit
    used: int
    ends_at_s: float

    @property
    def is_over(self) -> bool:
        """Whether more was counted than may be."""
        return self.used > self.limit.most

    @property
    def left(self) -> int:
        """How many more may come."""
        return max(0, self.limit.most - self.used)


class Counting(Protocol):
    """Whoever counts."""

    def count(self, limits: Sequence[Limit], *, amount: int = 1) -> list[Count]:
        """Count *amount* more under each in turn (0 only looks), up to the first that is over, which is the last that is told of."""


class Counts:
    """How often what was asked for, each until its window ends."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._sweep_at = 0.0

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, limits: Sequence[Limit], *, amount: int = 1) -> list[Count]:
        """As every counting does."""
        now, found = time.time(), []
        with self._lock:
            if now >= self._sweep_at:
                self._sweep(now)
            for limit in limits:
                used, ends = self._counts.get(limit.name, (0, 0.0))
                if ends <= now:
                    used, ends = 0, now + limit.window_s
                self._counts[limit.name] = (used + amount, ends)
                found.append(Count(limit, used + amount, ends))
                if found[-1].is_over:
                    break
        return found

    def _sweep(self, now: float) -> None:
        self._sweep_at = now + SWEEP_S
        kept = {key: entry for key, entry in self._counts.items() if entry[1] > now}
        self._counts = kept if len(kept) < MOST_COUNTS else {}
