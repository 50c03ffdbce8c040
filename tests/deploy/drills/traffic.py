"""A constant load on one address, as the application would put it there, noted line by line.

``python traffic.py postgres|redis URL FILE`` works until its standard input closes. Each line of FILE is one attempt:
when it began and ended, whether it wrote or read, whether it was acknowledged, and the row's id. Every attempt is made
once: what is told as failed is what an application that never tries again would have shown to people.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from typing import TextIO

sys.path.insert(0, str(Path(__file__).parents[3]))

WRITERS, READERS, PACE_S = 4, 2, 0.05
ENDED = threading.Event()


def postgres(url: str) -> tuple[Callable[[str], object], Callable[[], object], Callable[[], object]]:
    """Rows by way of the application's own pool."""
    from appliance import database
    from appliance.connections import Limits

    # As the setting database_pooler has it: PgBouncer is in between.
    pool = database.connect(url, pool_size=WRITERS + READERS + 2, limits=Limits(pooler=True))
    pool.execute_sql("CREATE TABLE IF NOT EXISTS traffic (id text PRIMARY KEY)")
    pool.close()

    def forget() -> None:
        # What the pool does with a connection that broke: it is closed, and the next request takes another.
        if not pool.is_closed():
            pool.close()

    def write(row: str) -> None:
        pool.connect(reuse_if_open=True)
        with database.transaction():
            pool.execute_sql("INSERT INTO traffic (id) VALUES (%s)", (row,))

    def read() -> None:
        pool.connect(reuse_if_open=True)
        pool.execute_sql("SELECT id FROM traffic LIMIT 1").fetchone()

    return write, read, forget


def redis(url: str) -> tuple[Callable[[str], object], Callable[[], object], Callable[[], object]]:
    """Messages by way of the application's own queue."""
    from huey.storage import PriorityRedisStorage

    queue = PriorityRedisStorage("traffic", url=url)
    return lambda row: queue.enqueue(row.encode(), 1), queue.queue_size, lambda: None


@dataclass
class Worker:
    """One thread that attempts the same thing at a constant pace."""

    number: int
    kind: str
    write: Callable[[str], object] | None
    read: Callable[[], object]
    forget: Callable[[], object]
    notes: TextIO
    lock: threading.Lock

    def work(self) -> None:
        count, due = 0, time.monotonic()
        while not ENDED.is_set():
            row = f"{self.kind}-{self.number}-{count}-{time.time():.6f}"
            count += 1
            note: dict[str, Any] = {"began": time.time(), "kind": self.kind, "id": row}
            try:
                self.write(row) if self.write else self.read()
                note["ok"] = True
            except Exception as error:  # every way of failing counts
                note |= {"ok": False, "error": f"{type(error).__name__}: {error}"[:200]}
            try:
                self.forget()
            except Exception as error:
                note["forgetting"] = repr(error)[:200]
            note["ended"] = time.time()
            with self.lock:
                self.notes.write(json.dumps(note) + "\n")
                self.notes.flush()
            # Behind time after a hang: go on from now, and do not make up for it by a burst.
            due = max(due + PACE_S, time.monotonic())
            ENDED.wait(max(0.0, due - time.monotonic()))


def main(engine: str, url: str, path: str) -> None:
    write, read, forget = {"postgres": postgres, "redis": redis}[engine](url)
    lock = threading.Lock()
    with Path(path).open("w", encoding="utf-8") as notes:
        workers = [Worker(n, "write", write, read, forget, notes, lock) for n in range(WRITERS)]
        workers += [Worker(n, "read", None, read, forget, notes, lock) for n in range(READERS)]
        threads = [threading.Thread(target=worker.work, daemon=True) for worker in workers]
        for thread in threads:
            thread.start()
        sys.stdin.buffer.read()
        ENDED.set()
        for thread in threads:
            thread.join(30)


@dataclass(frozen=True)
class Attempts:
    """What was noted of one run."""

    notes: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, path: Path) -> Attempts:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return cls(tuple(json.loads(line) for line in lines if line.endswith("}")))

    def acknowledged(self) -> set[str]:
        return {note["id"] for note in self.notes if note["ok"] and note["kind"] == "write"}

    def gap(self, kind: str = "write") -> tuple[float, float]:
        """The longest time in which nothing of *kind* was acknowledged, from when to when."""
        ended = sorted(note["ended"] for note in self.notes if note["ok"] and note["kind"] == kind)
        return max(pairwise(ended), key=lambda pair: pair[1] - pair[0], default=(0.0, 0.0))

    def outage_s(self, kind: str = "write") -> float:
        """How long that was."""
        before, after = self.gap(kind)
        return after - before

    def failed(self) -> int:
        return sum(not note["ok"] for note in self.notes)

    def share_failed(self) -> float:
        return self.failed() / len(self.notes)

    def acknowledged_since(self, moment: float) -> bool:
        return any(note["ok"] and note["kind"] == "write" and note["began"] > moment for note in self.notes)


if __name__ == "__main__":
    main(*sys.argv[1:])
