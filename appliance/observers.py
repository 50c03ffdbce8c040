"""Plugins that look on: told of errors and of steps of traces by a thread of their own, so that none disturbs a request or a job.

What waits to be told is bounded. A plugin that hangs costs what comes meanwhile, and nobody else.
"""

import logging
import os
import time
from collections.abc import Sequence
from queue import Empty
from queue import Full
from queue import Queue
from threading import Event
from threading import Lock
from threading import Thread
from typing import Any

from appliance import hooks
from appliance import traces
from appliance.observed import ErrorFacts
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.traces import Place

log = logging.getLogger(__name__)

MOST_ERRORS = 100
MOST_SPANS = 5000
MOST_AT_ONCE = 500
GATHERED_S = 1.0
"""How long steps are gathered, so that many are told at once."""
STOP_WITHIN_S = 3.0


class _Teller:
    """A thread that tells plugins what waits, begun when there is something."""

    def __init__(self, name: str, most: int, *, gathered_s: float) -> None:
        self._name, self._gathered_s = name, gathered_s
        self._waiting: Queue[Any] = Queue(most)
        self._hurry = Event()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._lost = 0

    def put(self, thing: object) -> None:
        try:
            self._waiting.put_nowait(thing)
        except Full:
            self._lost += 1
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = Thread(target=self._run, name=f"tell-{self._name}", daemon=True)
                    self._thread.start()

    def finish(self, deadline: float) -> None:
        """Wait until all is told, for as long as there is time."""
        self._hurry.set()
        waiting = self._waiting
        with waiting.all_tasks_done:
            waiting.all_tasks_done.wait_for(
                lambda: not waiting.unfinished_tasks, timeout=max(0.0, deadline - time.monotonic())
            )
        self._hurry.clear()

    def _run(self) -> None:
        while True:
            things = [self._waiting.get()]
            self._hurry.wait(self._gathered_s)
            try:
                while len(things) < MOST_AT_ONCE:
                    things.append(self._waiting.get_nowait())
            except Empty:
                pass
            try:
                _tell(things)
            except Exception:
                log.exception("could not tell plugins", extra={"what": self._name})
            if self._lost:
                log.warning(
                    "plugins that look on fall behind", extra={"what": self._name, "lost": self._lost}
                )
                self._lost = 0
            for _ in things:
                self._waiting.task_done()
            del things


def _tell(things: Sequence[Any]) -> None:
    spans = [thing for thing in things if isinstance(thing, Span)]
    if spans:
        hooks.announce("spans_ended", spans=spans)
    for thing in things:
        if not isinstance(thing, Span):
            error, facts = thing
            hooks.announce("error_noticed", error=error, facts=facts)


def _tellers() -> tuple[_Teller, _Teller]:
    return _Teller("errors", MOST_ERRORS, gathered_s=0), _Teller("spans", MOST_SPANS, gathered_s=GATHERED_S)


_errors, _spans = _tellers()
_wanted: SpansWanted | None = None


def _begin_anew() -> None:
    # The threads did not come along, and a lock of theirs may be held for good.
    global _errors, _spans
    _errors, _spans = _tellers()


os.register_at_fork(after_in_child=_begin_anew)


def ask() -> None:
    """Ask the plugins that run which steps they want; of several the one that wants more counts."""
    global _wanted
    answers: list[SpansWanted] = hooks.announce("spans_wanted")
    least = [one.queries_from_ms for one in answers if one.queries_from_ms is not None]
    _wanted = (
        SpansWanted(max(one.per_1000 for one in answers), min(least) if least else None) if answers else None
    )


def queries_from_ms() -> int | None:
    """From how many milliseconds on a statement of the database is a step; ``None``: never."""
    return _wanted.queries_from_ms if _wanted else None


def step(before: Place | None) -> Place | None:
    """The step after *before*, or the first of a trace; ``None`` when nobody looks on."""
    if _wanted is None:
        return None
    if before is not None:
        return traces.next_step(before)
    trace_id = traces.new_trace_id()
    # By the lower half of the id, as in other programs: the same trace is kept everywhere or nowhere.
    sampled = int(trace_id[16:], 16) * 1000 < _wanted.per_1000 << 64
    return Place(trace_id, traces.new_span_id(), sampled)


def span(
    kind: str,
    name: str,
    place: Place | None,
    *,
    before: Place | None,
    started_at_ns: int,
    ended_at_ns: int,
    error: str = "",
    **facts: str | int,
) -> None:
    """Tell of the step at *place*, which is over and came after *before*; nothing where its trace is not kept."""
    if place is None or not place.sampled:
        return
    parent_id = before.span_id if before else ""
    _spans.put(
        Span(kind, name, place.trace_id, place.span_id, parent_id, started_at_ns, ended_at_ns, facts, error)
    )


def error(error: BaseException, facts: ErrorFacts) -> None:
    """Tell of an error that nobody expected."""
    if hooks.has("error_noticed"):
        _errors.put((error, facts))


def stop() -> None:
    """Tell what waits before the process ends, for some seconds at most."""
    deadline = time.monotonic() + STOP_WITHIN_S
    for teller in (_errors, _spans):
        teller.finish(deadline)
