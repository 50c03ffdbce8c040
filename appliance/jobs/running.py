"""Running jobs: claim by lease, heartbeat, back-off, and giving what nobody holds to the next worker."""

import logging
import random
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance import clock
from appliance import database
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.jobs import counting
from appliance.jobs import lanes
from appliance.jobs.lanes import Lane
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.process import identity
from appliance.jobs.process import is_gone
from appliance.jobs.queue import huey
from appliance.jobs.watching import Watch
from appliance.prepared import Prepared

log = logging.getLogger(__name__)

BACK_OFF_S = (5, 30, 120, 600, 3600)
PROGRESS_EVERY_S = 0.5
QUIET_S = 5.0
"""How long no message is sent after one could not be: whoever waits for an answer does not wait for a queue that is away, time after time."""
FIRST = 20
_stop = threading.Event()
_lease_s = 30
_quiet_until = 0.0
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


def use_lease(seconds: int) -> None:
    """Set how long a lease lasts without a heartbeat."""
    global _lease_s
    _lease_s = seconds


def send(job_id: str, *, priority: int = 0) -> None:
    """Put a message for this job on the queue of its lane, after the commit that made its row; a higher *priority* goes first.

    The message is a hint: while the queue is away none is sent, and workers find the row without it.
    """
    for job in _kind_of(job_id):
        _hint(lanes.of(job.kind), lambda: run_job(job_id, priority=priority))


def _hint(lane: Lane, enqueue: Callable[[], object]) -> bool:
    """Whether a message could be sent."""
    global _quiet_until
    if time.monotonic() < _quiet_until and not huey.immediate:
        return False
    with lanes.on(lane):
        try:
            try:
                enqueue()
            except Exception:
                if huey.immediate:
                    raise
                # The server may have been restarted, which only shows at the first try; every engine has errors of its own.
                enqueue()
        except Exception:
            if huey.immediate:
                raise
            _quiet_until = time.monotonic() + QUIET_S
            log.warning("the queue is away", extra={"lane": lane}, exc_info=True)
            return False
    return True


def stand_in() -> bytes | None:
    """A message for one of the jobs of the current lane that are due, in place of a queue that is away."""
    if _stop.is_set():
        return None
    here = _is_due(clock.now()) & _is_on(lanes.current())
    # Of the first ones any: were all workers to take the oldest, all but one would be too late.
    first = [job.id for job in Job.select(Job.id).where(here).order_by(Job.run_after, Job.id).limit(FIRST)]
    database.let_go()
    return huey.serialize_task(run_job.s(random.choice(first))) if first else None  # noqa: S311 - no secret


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
            if _end(running, JobState.FAILED, last_error=f"{type(error).__name__}: {error}"[:2000]):
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
        last_error=f"{type(error).__name__}: {error}"[:2000],
    ).where(_held(running)).execute()
    _hint(lanes.of(running.kind), lambda: run_job.schedule((running.job_id,), delay=wait.total_seconds()))
    return "retried"


def sweep(now: datetime) -> int:
    """Give back the jobs nobody holds any more and send again the messages that were lost; how many were touched.

    A lease is over when its time is up, or at once when its owner was a process of this host that is gone.
    """
    touched = 0
    for job in list(Job.select().where(Job.state == JobState.RUNNING)):
        if (job.lease_until and job.lease_until < now) or is_gone(job.lease_owner or ""):
            touched += _release(job, now)
    return touched + sum(_send_lost(lane, now) for lane in Lane)


def _is_due(now: datetime) -> Any:
    return (Job.state == JobState.QUEUED) & (Job.run_after <= now)


def _is_on(lane: Lane) -> Any:
    return Job.kind.in_(lanes.kinds(lane)) if lane is not lanes.REST else Job.kind.not_in(lanes.kinds())


def _send_lost(lane: Lane, now: datetime) -> int:
    """Send again the messages of *lane* that were lost; how many."""
    here = _is_due(now) & _is_on(lane)
    waiting = Job.select().where(here).count()
    if not waiting:
        return 0
    # Fewer messages on the way than rows that are due: some were lost. The queue is first in, first out, so the oldest are
    # missing. A duplicate does no harm, since one claim wins; and sending no more than are missing keeps the queue from growing.
    # Chores of earlier versions are on the way too, and must not pass for messages of jobs.
    try:
        with lanes.on(lane):
            on_the_way = sum(task.name == run_job.task_class.__name__ for task in huey.pending())
    except Exception:
        # Every engine has errors of its own. Workers find the rows without it.
        log.warning("the queue is away", extra={"lane": lane}, exc_info=True)
        return 0
    missing, sent = waiting - on_the_way, 0
    if missing > 0:
        for job in list(Job.select(Job.id).where(here).order_by(Job.run_after, Job.id).limit(missing)):
            sent += _hint(lane, lambda job_id=job.id: run_job(job_id))  # type: ignore[misc]
    return sent


def _release(job: Job, now: datetime) -> int:
    # The lease as it was seen: a heartbeat that came meanwhile keeps the job where it is.
    still = (
        (Job.id == job.id)
        & (Job.state == JobState.RUNNING)
        & (Job.attempts == job.attempts)
        & (Job.lease_owner == job.lease_owner)
        & (Job.lease_until == job.lease_until)
    )
    ended = {
        "lease_owner": None,
        "lease_until": None,
        "updated_at": now,
        "last_error": "Its worker was lost.",
    }
    if job.attempts >= job.max_attempts:
        with database.transaction():
            changed = Job.update(state=JobState.FAILED, active=None, **ended).where(still).execute()
            if changed and job.kind in _handlers:
                _handlers[job.kind].failed(
                    job.subject, "Our server gave up on this file after several tries."
                )
        return int(changed)
    return int(Job.update(state=JobState.QUEUED, run_after=now, **ended).where(still).execute())


def interrupt_all() -> None:
    """Ask every running job of this process to leave; each is handed back at its next report of progress."""
    _stop.set()


def resume() -> None:
    """Let jobs run again in this process."""
    _stop.clear()
