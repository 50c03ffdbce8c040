"""What is noted of a job while it runs: which request it goes back to, its steps in a trace, and an error that nobody expected."""

import time
from datetime import datetime
from typing import Any

from huey.signals import SIGNAL_ERROR

from appliance import observers
from appliance import traces
from appliance.errors import MusicConnectError
from appliance.jobs.models import Job
from appliance.jobs.queue import huey
from appliance.observed import ErrorFacts
from appliance.traces import Work


class Watch:
    """The time from a claim to the end of that attempt; a job within a job, as in tests, gives back what was worked on before."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._started_at_ns = time.time_ns()
        self._error, self._outcome = "", "done"
        came = traces.place_of(job.trace_parent)
        self._queued = observers.step(came)
        self._place = observers.step(self._queued)
        observers.span(
            "queue",
            job.kind,
            self._queued,
            before=came,
            started_at_ns=min(_ns(max(job.created_at, job.run_after)), self._started_at_ns),
            ended_at_ns=self._started_at_ns,
            attempt=job.attempts,
        )
        work = Work("job", job.kind, request_id=job.request_id, job_id=job.id, place=self._place)
        self._before = traces.take_up(work)

    def interrupted(self) -> None:
        """The worker let go of it; it goes on elsewhere."""
        self._outcome = "interrupted"

    def failed(self, error: Exception) -> None:
        """This attempt failed; what was raised on purpose is no error that nobody expected."""
        self._outcome, self._error = "failed", type(error).__name__
        if not isinstance(error, MusicConnectError):
            observers.error(error, _facts("job", self._job.kind, attempt=self._job.attempts))

    def end(self) -> None:
        """The attempt is over."""
        observers.span(
            "job",
            self._job.kind,
            self._place,
            before=self._queued,
            started_at_ns=self._started_at_ns,
            ended_at_ns=time.time_ns(),
            error=self._error,
            attempt=self._job.attempts,
            outcome=self._outcome,
        )
        traces.take_up(self._before)


@huey.pre_execute()  # type: ignore[untyped-decorator]
def begin_chore(task: Any) -> None:
    """Let the lines of a chore name it; a job says itself what it is."""
    if task.name != "run_job":
        traces.take_up(Work("chore", task.name))


@huey.post_execute()  # type: ignore[untyped-decorator]
def end_chore(task: Any, value: object, error: BaseException | None) -> None:
    """The chore is over."""
    if task.name != "run_job":
        traces.take_up(None)


@huey.signal(SIGNAL_ERROR)  # type: ignore[untyped-decorator]
def chore_failed(signal: str, task: Any, error: BaseException) -> None:
    """Tell of an error in a chore; those of jobs are caught where they run."""
    if not isinstance(error, MusicConnectError):
        observers.error(error, _facts("chore", task.name))


def _facts(kind: str, name: str, *, attempt: int = 0) -> ErrorFacts:
    work = traces.current()
    place = work.place if work else None
    return ErrorFacts(
        kind,
        name,
        request_id=traces.request_id(),
        trace_id=place.trace_id if place and place.sampled else "",
        attempt=attempt,
    )


def _ns(instant: datetime) -> int:
    return int(instant.timestamp() * 1_000_000) * 1000
