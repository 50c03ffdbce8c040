"""Writing for many at once: who comes while something is being written waits, and then is written together with all others who did.

SQLite makes a transaction safe in some milliseconds, however much is in it, and lets one write at a time. So a flood of events is a few
transactions and not thousands, and none is acknowledged before it is safe.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Generic
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")

MOST_AT_ONCE = 200


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T, A]):
    """Somebody whose *thing* is to be written; *leads*: they write, for themselves and for all who wait."""

    thing: T
    turn: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    answer: A | None = None
    error: BaseException | None = None


class Together(Generic[T, A]):
    """Calls *write* with one or more things, in one thread at a time; it answers for each, in order."""

    def __init__(self, write: Callable[[list[T]], list[A]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[T, A]] = []
        self._busy = False

    def __call__(self, thing: T) -> A:
        """The answer for *thing*, once it is written; what *write* raises for it alone is raised here."""
        mine: _Waiting[T, A] = _Waiting(thing)
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._busy = not self._busy, True
        if not mine.leads:
            mine.turn.wait()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        answer: A = mine.answer  # type: ignore[assignment]
        return answer

    def _lead(self) -> None:
        """Write all that waits, and then let the next who came meanwhile lead."""
        with self._lock:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        try:
            self._settle(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for one in batch:
                one.leads = False
                one.turn.set()
            if following is not None:
                following.leads = True
                following.turn.set()

    def _settle(self, batch: list[_Waiting[T, A]]) -> None:
        try:
            for one, answer in zip(batch, self._write([one.thing for one in batch]), strict=True):
                one.answer = answer
        except Exception as error:
            # Whatever it is belongs to who sent the thing, and is raised in their thread.
            if len(batch) == 1:
                batch[0].error = error
                return
            # One of them is to blame, so each is written alone.
            for one in batch:
                self._settle([one])
