"""Every so many minutes, by a durable job: one backup at a time, on whichever node does the chores."""

import logging
from datetime import datetime
from datetime import timedelta

from appliance import jobs
from appliance import startup
from appliance.backup import runs
from appliance.backup import taking
from appliance.backup.models import RunState
from appliance.errors import MusicConnectError
from appliance.errors import Unavailable
from appliance.settings import Settings

log = logging.getLogger(__name__)

JOB = jobs.kind("backup", jobs.Lane.ANALYTICS)
"""The kind of the job; its subject is the node."""
LATE = 3
"""After so many times that are due without a good backup, something is wrong."""
SLACK = timedelta(seconds=30)
"""The chore that looks comes every minute, and not to the second."""


def ask_if_due(settings: Settings, *, now: datetime) -> str | None:
    """The id of a job that takes a backup, when one is due; ``send`` it."""
    if not settings.backup_url or not settings.backup_every_min:
        return None
    last = runs.last(runs.place_of(settings.backup_url))
    if last is not None and now - last.started_at < _every(settings) - SLACK:
        return None
    return str(jobs.add(JOB, "node", now=now).id)


@jobs.handles(JOB)
def back_up(running: jobs.Running) -> None:
    """The job itself."""
    try:
        taking.take(startup.appliance(), tick=lambda: running.progress(0.5))
    except MusicConnectError as error:
        # It is written down, and the doctor tells; the next one comes soon enough.
        log.error("no backup", extra={"why": str(error)})


def told(settings: Settings, *, now: datetime) -> str:
    """How the backups stand, in a sentence; ``Unavailable`` when the last good one is older than is wanted."""
    if not settings.backup_url:
        return "none is taken; set 'backup_url' to a folder on another disk, or a bucket"
    # One that was taken to elsewhere is none of these.
    place = runs.place_of(settings.backup_url)
    last = runs.last(place)
    good = runs.last_good(place) if last is not None else None
    why = last.problem if last is not None else ""
    late = _every(settings) * LATE
    if settings.backup_every_min and last is not None and (good is None or now - good > late):
        began = good.strftime("%Y-%m-%d %H:%M UTC") if good else "never"
        raise Unavailable("The last good backup: {began}. {why}", began=began, why=why or _WORKER)
    if not settings.backup_every_min and last is not None and last.state == RunState.FAILED:
        # How often others take one is not known here, so that it failed is all there is to go by.
        raise Unavailable("The last backup failed: {why}", why=why)
    if good is None:
        return "none was taken yet"
    if last is not None and last.state == RunState.GOOD and why:
        raise Unavailable("The last backup is good, but: {why}", why=why)
    encrypted = "encrypted" if settings.backup_key else "not encrypted"
    return f"the last good one is of {good:%Y-%m-%d %H:%M} UTC, {encrypted}"


_WORKER = "See that a worker runs that does the chores."


def _every(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.backup_every_min)
