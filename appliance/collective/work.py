"""The durable work as admins see it: how much waits, what failed, and trying it again with a note of who did."""

from datetime import datetime
from typing import Any

import peewee

from appliance import jobs
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.jobs import Job
from appliance.jobs import JobState

MOST_AT_ONCE = 1000


def counts() -> dict[str, int]:
    """How many jobs stand in each state, save those that are done, whose number nobody needs and which only grows."""
    shown = [state for state in JobState if state is not JobState.DONE]
    query: Any = (
        Job.select(Job.state, peewee.fn.COUNT(Job.id)).where(Job.state.in_(shown)).group_by(Job.state)
    )
    found: dict[str, int] = dict(query.tuples())
    return {str(state): found.get(str(state), 0) for state in shown}


def retry(job_id: str, *, actor: str | None, now: datetime) -> Job:
    """Queue a failed job again; ``send`` it afterwards."""
    with transaction():
        job = jobs.retry(job_id, now=now)
        audit.record(
            Action.JOB_RETRIED,
            actor=actor,
            subject=f"job:{job.id}",
            detail={"kind": job.kind, "of": job.subject},
            now=now,
        )
    return job


def retry_all(*, actor: str | None, now: datetime) -> list[Job]:
    """Queue what failed again, the newest thousand at once; what cannot be, since the same work is queued, stays as it is."""
    queued: list[Job] = []
    for failed in jobs.page(state=JobState.FAILED, limit=MOST_AT_ONCE):
        try:
            queued.append(retry(failed.id, actor=actor, now=now))
        except (Conflict, NotFound):
            continue
    return queued
