"""Giving what nobody holds to the next worker, and finding what is due whose message was lost."""

import logging
import random
from datetime import datetime
from typing import Any

from appliance import clock
from appliance import database
from appliance.jobs import lanes
from appliance.jobs import running
from appliance.jobs.hints import hint
from appliance.jobs.lanes import Lane
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.process import is_gone
from appliance.jobs.queue import huey
from appliance.jobs.running import run_job

log = logging.getLogger(__name__)

FIRST = 20
"""Of so many due rows a worker takes any, while the queue is away."""


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
            sent += hint(lane, lambda job_id=job.id: run_job(job_id))  # type: ignore[misc]
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
            if changed and job.kind in running.handlers():
                running.handlers()[job.kind].failed(
                    job.subject, "Our server gave up on this file after several tries."
                )
        return int(changed)
    return int(Job.update(state=JobState.QUEUED, run_after=now, **ended).where(still).execute())


def stand_in() -> bytes | None:
    """A message for one of the jobs of the current lane that are due, in place of a queue that is away."""
    if running.stopping():
        return None
    here = _is_due(clock.now()) & _is_on(lanes.current())
    # Of the first ones any: were all workers to take the oldest, all but one would be too late.
    first = [job.id for job in Job.select(Job.id).where(here).order_by(Job.run_after, Job.id).limit(FIRST)]
    database.let_go()
    return huey.serialize_task(run_job.s(random.choice(first))) if first else None  # noqa: S311 - no secret
