"""Reading and writing job rows."""

from collections.abc import Iterable
from datetime import datetime

from appliance import prepared
from appliance import traces
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.errors import Word
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.prepared import Prepared

_newest = Prepared(
    lambda kind, *subjects: Job.select().where(Job.kind == kind, Job.subject.in_(subjects)).order_by(Job.id)
)

_active = Prepared(
    lambda kind, subject: Job.select().where(Job.kind == kind, Job.subject == subject, Job.active == 1)
)


def add(kind: str, subject: str, *, now: datetime, max_attempts: int = 5, payload: str = "") -> Job:
    """The active job of this kind for this subject, made if there is none.

    *payload* is for what must stay as it was when the job was made, such as the text of a message; all else the job reads anew
    from its subject. Call it inside the transaction that gives the job its reason, and ``send`` its id after the commit.
    """
    # Insert first: of two that ask at once, the unique index lets one in, and the other finds its row (PostgreSQL waits for it).
    with transaction():
        prepared.insert(
            Job,
            ignore=True,
            kind=kind,
            subject=subject,
            payload=payload,
            max_attempts=max_attempts,
            run_after=now,
            created_at=now,
            updated_at=now,
            request_id=traces.request_id(),
            trace_parent=traces.parent(),
        )
        [found] = _active(kind, subject)
    return found


def latest(kind: str, subjects: Iterable[str]) -> dict[str, Job]:
    """The newest job of *kind* for each of *subjects*, by one query."""
    wanted = list(subjects)
    return {job.subject: job for job in _newest(kind, *wanted)} if wanted else {}


def page(
    *, state: str | None = None, kind: str | None = None, limit: int = 50, before: str | None = None
) -> list[Job]:
    """Jobs, newest first."""
    query = Job.select().order_by(Job.id.desc()).limit(limit)
    if state:
        query = query.where(Job.state == state)
    if kind:
        query = query.where(Job.kind == kind)
    if before:
        query = query.where(Job.id < before)
    return list(query)


def retry(job_id: str, *, now: datetime) -> Job:
    """Queue a failed job again with all its attempts; ``send`` it afterwards. ``Conflict`` when it is not failed."""
    with transaction():
        job = Job.get_or_none(Job.id == job_id)
        if job is None:
            raise NotFound("There is no job {id}.", id=job_id)
        if job.state != JobState.FAILED:
            raise Conflict("The job is {state}; only a failed job can be retried.", state=Word(job.state))
        if Job.select().where(Job.kind == job.kind, Job.subject == job.subject, Job.active == 1).exists():
            raise Conflict("The same work is already queued.")
        job.state, job.active, job.attempts = JobState.QUEUED, 1, 0
        job.run_after = job.updated_at = now
        job.save()
    return job
