"""Running jobs: claim by lease, heartbeat, back-off; ``sweeping`` gives what nobody holds to the next worker."""

import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

from appliance import afterwards
from appliance import clock
from appliance import database
from appliance import failures
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.jobs import counting
from appliance.jobs import lanes
from appliance.jobs.hints import hint
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.process import identity
from appliance.jobs.queue import huey
from appliance.jobs.watching import Watch
from appliance.prepared import Prepared

log = logging.getLogger(__name__)

BACK_OFF_S = (5, 30, 120, 600, 3600)
PROGRESS_EVERY_S = 0.5
_stop = threading.Event()
_lease_s = 30
_kind_of = Prepared(lambda job_id: Job.select(Job.kind).where(Job.id == job_id))


class Interrupted(Exception):
    """The worker is to stop, or lost its lease: leave at once, the job goes on elsewhere."""


@dataclass(slots=True)
class Running:
    """A job in the hands of this worker; report progress often, it is also how the job learns to stop."""

    job_id: str
    kind: str
    subject: str
    attempt: int
    payload: str = ""
    lost: threading.Event = field(default_factory=threading.Event)
    _told_at: float = 0.0

    def progress(self, fraction: float) -> None:
        """Say how far the work is, 0 to 1; raises ``Interrupted`` when the worker must let go."""
        if _stop.is_set() or self.lost.is_set():
            raise Interrupted
        if time.monotonic() - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = time.monotonic()
            Job.update(progress=min(1.0, max(0.0, fraction))).where(_held(self)).execute()


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs a kind of job, and what is told when it failed for good (subject, sentence)."""

    run: Callable[[Running], None]
    failed: Callable[[str, str], None]


_handlers: dict[str, Handler] = {}


def handles(
    kind: str, *, failed: Callable[[str, str], None] = lambda subject, sentence: None
) -> Callable[[Callable[[Running], None]], Callable[[Running], None]]:
    """Declare the function that runs jobs of *kind*; it must be able to run twice."""

    def register(run: Callable[[Running], None]) -> Callable[[Running], None]:
        _handlers[kind] = Handler(run, failed)
        return run

    return register


def handlers() -> Mapping[str, Handler]:
    """What runs each kind of job in this process."""
    return _handlers


def stopping() -> bool:
    """Whether this process begins no more jobs."""
    return _stop.is_set()


def use_lease(seconds: int) -> None:
    """Set how long a lease lasts without a heartbeat."""
    global _lease_s
    _lease_s = seconds


def send(job_id: str, *, priority: int = 0) -> None:
    """Put a message for this job on the queue of its lane, after the commit that made its row; a higher *priority* goes first.

    The message is a hint: while the queue is away none is sent, and workers find the row without it.
    """
    for job in _kind_of(job_id):
        hint(lanes.of(job.kind), lambda: run_job(job_id, priority=priority))


def send_when_committed(job: Job) -> None:
    """As ``send``, called inside the transaction that makes the row: where nobody who knows of the commit hears of the job."""
    afterwards.give(lambda: hint(lanes.of(job.kind), lambda: run_job(job.id)))


@huey.task(name="run_job")  # type: ignore[untyped-decorator]
def run_job(job_id: str) -> None:
    """Claim the job and run it; leave quietly if it is gone, ended, not due, or held by another."""
    if _stop.is_set():
        return  # Its row stays due: the sweep of the next worker sends it again.
    job = _claim(job_id, clock.now())
    if job is None:
        return
    with counting.counted(job.kind) as run:
        run.outcome = _run(job)


def _run(job: Job) -> str:
    """Run it, keep what came of it, and say that in a word."""
    running = Running(job.id, job.kind, job.subject, job.attempts, job.payload)
    watch = Watch(job)
    started = time.monotonic()
    try:
        with _heartbeat(running):
            _handlers[job.kind].run(running)
    except Interrupted:
        watch.interrupted()
        _hand_back(running)
        return "interrupted"
    except Exception as error:
        watch.failed(error)
        log.log(
            logging.WARNING if isinstance(error, MusicConnectError) else logging.ERROR,
            "job failed",
            extra={"job": job.id, "kind": job.kind, "attempt": job.attempts},
            exc_info=True,
        )
        database.mend()
        return _fail(running, error)
    else:
        _end(running, JobState.DONE, progress=1.0, last_error="")
        log.info(
            "job done",
            extra={"job": job.id, "kind": job.kind, "seconds": round(time.monotonic() - started, 3)},
        )
        return "done"
    finally:
        watch.end()


def _claim(job_id: str, now: datetime) -> Job | None:
    """Take the lease by one UPDATE, so that of two workers exactly one gets it."""
    taken = (
        Job.update(
            state=JobState.RUNNING,
            attempts=Job.attempts + 1,
            lease_owner=identity(),
            lease_until=now + timedelta(seconds=_lease_s),
            updated_at=now,
        )
        .where(Job.id == job_id, Job.state == JobState.QUEUED, Job.run_after <= now)
        .execute()
    )
    job = Job.get_or_none(Job.id == job_id) if taken else None
    if job is not None and job.kind not in _handlers:
        # A plugin that was switched off left work behind: keep it for the day it comes back.
        later = now + timedelta(seconds=BACK_OFF_S[-1])
        Job.update(
            state=JobState.QUEUED,
            run_after=later,
            attempts=Job.attempts - 1,
            lease_owner=None,
            lease_until=None,
        ).where(Job.id == job_id, Job.state == JobState.RUNNING, Job.lease_owner == identity()).execute()
        return None
    return job


@contextmanager
def _heartbeat(running: Running) -> Iterator[None]:
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_lease_s / 4):
            try:
                until = clock.now() + timedelta(seconds=_lease_s)
                kept = Job.update(lease_until=until).where(_held(running)).execute()
                if not kept:
                    running.lost.set()
            except Exception:
                # The database may come back before the lease ends; if not, another worker takes over.
                log.warning("heartbeat failed", extra={"job": running.job_id}, exc_info=True)
            finally:
                # For one question in seconds no connection is kept from those who work.
                database.let_go()
        database.close_thread()

    told = copy_context()  # Its lines of the log name the job, too.
    thread = threading.Thread(target=told.run, args=(beat,), name=f"heartbeat-{running.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _held(running: Running) -> object:
    return (
        (Job.id == running.job_id)
        & (Job.state == JobState.RUNNING)
        & (Job.lease_owner == identity())
        & (Job.attempts == running.attempt)
    )


def _end(running: Running, state: JobState, **values: object) -> bool:
    changed = (
        Job.update(
            state=state, active=None, lease_owner=None, lease_until=None, updated_at=clock.now(), **values
        )
        .where(_held(running))
        .execute()
    )
    return bool(changed)


def _hand_back(running: Running) -> None:
    # An orderly stop is nobody's fault, so it costs no attempt.
    now = clock.now()
    Job.update(
        state=JobState.QUEUED,
        lease_owner=None,
        lease_until=None,
        attempts=Job.attempts - 1,
        run_after=now,
        updated_at=now,
    ).where(_held(running)).execute()


def _fail(running: Running, error: Exception) -> str:
    """Try it again later, or never; says which."""
    sentence = str(error) if isinstance(error, MusicConnectError) else "Something went wrong on our side."
    job = Job.get_or_none(_held(running))
    if job is None:
        return "interrupted"
    # What the input is to blame for does not get better by trying again.
    if isinstance(error, Invalid) or job.attempts >= job.max_attempts:
        with database.transaction():
            if _end(
                running, JobState.FAILED, last_error=f"{type(error).__name__}: {failures.told(error)}"[:2000]
            ):
                _handlers[job.kind].failed(job.subject, sentence)
        return "failed"
    now = clock.now()
    wait = timedelta(seconds=BACK_OFF_S[min(job.attempts, len(BACK_OFF_S)) - 1])
    Job.update(
        state=JobState.QUEUED,
        lease_owner=None,
        lease_until=None,
        run_after=now + wait,
        updated_at=now,
        last_error=f"{type(error).__name__}: {failures.told(error)}"[:2000],
    ).where(_held(running)).execute()
    hint(lanes.of(running.kind), lambda: run_job.schedule((running.job_id,), delay=wait.total_seconds()))
    return "retried"


def interrupt_all() -> None:
    """Ask every running job of this process to leave; each is handed back at its next report of progress."""
    _stop.set()


def resume() -> None:
    """Let jobs run again in this process."""
    _stop.clear()
