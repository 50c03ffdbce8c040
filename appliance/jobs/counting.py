"""Counting what a worker does: runs of jobs, and chores."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huey.api import PeriodicTask
from huey.signals import SIGNAL_COMPLETE
from huey.signals import SIGNAL_ERROR

from appliance import measures
from appliance.jobs.queue import huey


class Run:
    """A run of a job; its outcome is what was said last."""

    outcome = "done"


@contextmanager
def counted(kind: str) -> Iterator[Run]:
    """Count what is done within as one run of a job of *kind*."""
    run, began = Run(), time.monotonic()
    yield run
    measures.JOB_SECONDS.labels(kind).observe(time.monotonic() - began)
    measures.JOB_RUNS.labels(kind, run.outcome).inc()


@huey.signal(SIGNAL_COMPLETE, SIGNAL_ERROR)  # type: ignore[untyped-decorator]
def count_chore(signal: str, task: Any, error: BaseException | None = None) -> None:
    """A task of the queue ended; of those that are periodic it is kept when that was."""
    if not isinstance(task, PeriodicTask):
        return
    done = signal == SIGNAL_COMPLETE
    measures.CHORE_RUNS.labels(task.name, "done" if done else "failed").inc()
    if done:
        measures.CHORE_LAST_DONE.labels(task.name).set_to_current_time()
