"""Jobs, and how much room everything takes."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance import clock
from appliance import jobs as durable
from appliance.accounts.permissions import Permission
from appliance.collective import storage_use
from appliance.collective import work
from appliance.errors import Conflict
from appliance.jobs import JobState
from web.admin import entrance

STATES = {
    JobState.FAILED: lazy_gettext("Failed"),
    JobState.RUNNING: lazy_gettext("Running"),
    JobState.QUEUED: lazy_gettext("Waiting"),
    JobState.DONE: lazy_gettext("Done"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A job as the list shows it."""

    id: str
    kind: str
    subject: str
    state: str
    attempts: int
    most: int
    percent: int
    error: str
    changed: datetime
    due: datetime | None


@entrance.get("/jobs", Permission.JOBS_MANAGE)
def jobs() -> str:
    """The durable work of one state, newest first."""
    state = request.args.get("state", "")
    counts = work.counts()
    if state not in set(JobState):
        state = JobState.FAILED if counts[JobState.FAILED] else JobState.QUEUED
    found = durable.page(state=state, limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.jobs", state=state)
    return entrance.page(
        "jobs",
        "jobs",
        state=str(state),
        states=[
            (
                str(name),
                f"{text} ({counts[name]})" if name in counts else str(text),
                url_for("admin.jobs", state=name),
            )
            for name, text in STATES.items()
        ],
        lines=[_line(row) for row in rows],
        failed=counts[JobState.FAILED],
        older=older,
        first=request.args.get("before") is None,
    )


@entrance.post("/jobs/<job_id>/retry", Permission.JOBS_MANAGE)
def retry_job(job_id: str) -> ResponseReturnValue:
    """Try a failed job again."""
    try:
        job = work.retry(job_id, actor=entrance.actor().id, now=clock.now())
    except Conflict as error:
        return entrance.refused(error, "admin.jobs", state="failed")
    durable.send(job.id)
    return entrance.done(_("It is queued again."), "admin.jobs", state="failed")


@entrance.post("/jobs/retry", Permission.JOBS_MANAGE)
def retry_all_jobs() -> ResponseReturnValue:
    """Try everything again that failed."""
    queued = work.retry_all(actor=entrance.actor().id, now=clock.now())
    for job in queued:
        durable.send(job.id)
    told = ngettext("%(num)d job is queued again.", "%(num)d jobs are queued again.", len(queued))
    return entrance.done(told, "admin.jobs")


@entrance.get("/storage", Permission.STORAGE_MANAGE)
def storage() -> str:
    """The folders of the store and the artists that take most."""
    folders = storage_use.folders()
    return entrance.page(
        "storage",
        "storage",
        folders=folders,
        total=sum(row.size_bytes for row in folders),
        counted=folders[0].counted_at if folders else None,
        top=storage_use.top_artists(),
    )


@entrance.post("/storage/count", Permission.STORAGE_MANAGE)
def count_storage() -> ResponseReturnValue:
    """Count now instead of tonight."""
    durable.send(storage_use.ask(now=clock.now()))
    return entrance.done(_("It is being counted. Look again in a minute."), "admin.storage")


def _line(row: durable.Job) -> Line:
    return Line(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        state=row.state,
        attempts=row.attempts,
        most=row.max_attempts,
        percent=round(100 * row.progress),
        error=row.last_error,
        changed=row.updated_at,
        due=row.run_after if row.state == JobState.QUEUED else None,
    )
