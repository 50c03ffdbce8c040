"""What each part of the stack spends: processor time, statements, and bytes of the log that a replica would be sent."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import psutil

from tests.benchmarks.cluster.stack import Stack

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """Between two looks: processor seconds by part, transactions (a statement outside of one is one), and bytes of the write-ahead log.

    *busy_s* is what all processors did in *took_s*, whoever it was for: what others do on the machine is seen by it.
    """

    cpu_s: dict[str, float]
    transactions: int
    wal_bytes: int
    busy_s: float
    took_s: float

    @property
    def busy(self) -> str:
        """How busy the whole machine was, and with the stack alone."""
        whole_s = self.took_s * (os.cpu_count() or 1)
        shares = (100 * self.busy_s / whole_s, 100 * sum(self.cpu_s.values()) / whole_s)
        return "processors {:.0f} % busy, {:.0f} % with the stack".format(*shares)

    def each_ms(self, count: int) -> dict[str, float]:
        """Milliseconds of processor time by part, for one of so many."""
        return {part: 1000 * seconds / count for part, seconds in self.cpu_s.items()}


def spent(stack: Stack, act: Callable[[], T]) -> tuple[T, Spent]:
    """What *act* gives, and what the parts spent meanwhile."""
    before = _look(stack)
    found = act()
    after = _look(stack)
    return found, Spent(
        {part: after.cpu_s[part] - seconds for part, seconds in before.cpu_s.items()},
        after.transactions - before.transactions,
        after.wal_bytes - before.wal_bytes,
        after.busy_s - before.busy_s,
        after.took_s - before.took_s,
    )


def _look(stack: Stack) -> Spent:
    cpu_s = {part: sum(map(used_s, found)) for part, found in stack.processes().items()}
    [(transactions, wal)] = stack.postgresql.ask(
        "SELECT xact_commit, pg_current_wal_insert_lsn() - '0/0' FROM pg_stat_database WHERE datname = current_database()"
    )
    times = psutil.cpu_times()
    busy_s = sum(times) - times.idle - times.iowait - times.guest - times.guest_nice
    return Spent(cpu_s, int(str(transactions)), int(str(wal)), busy_s, time.monotonic())


def used_s(process: psutil.Process) -> float:
    """With what its children used that ended meanwhile."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
