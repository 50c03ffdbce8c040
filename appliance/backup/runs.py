"""What is known of the runs of the backup: when the last good one was, and what was wrong with the last.

A backup is also taken before the very migration that makes this table, so each question begins with whether it is there.
"""

from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance.backup import schema
from appliance.backup.models import BackupRun
from appliance.backup.models import RunState
from appliance.storage.opening import masked

KEPT = timedelta(days=30)
MOST_OF_A_PLACE = 200
_GOOD = BackupRun.state == RunState.GOOD


def place_of(url: str) -> str:
    """How a run that goes to *url* is told from those that go elsewhere: the address without its secrets."""
    return masked(url)[:MOST_OF_A_PLACE]


def begin(place: str, *, now: datetime) -> str:
    """Note that a run begins; its id."""
    if not schema.has(BackupRun):
        return ""
    last = BackupRun.select(peewee.fn.MAX(BackupRun.id)).where(_GOOD).group_by(BackupRun.place)
    BackupRun.delete().where(BackupRun.started_at < now - KEPT, BackupRun.id.not_in(last)).execute()
    return str(BackupRun.create(place=place, started_at=now).id)


def end(run: str, state: RunState, *, now: datetime, **facts: object) -> None:
    """Note how the run ended."""
    if run:
        BackupRun.update(state=state, ended_at=now, **facts).where(BackupRun.id == run).execute()


def last_good(place: str | None = None) -> datetime | None:
    """When the last good backup to *place*, or to any, began: the moment that a restore goes back to; ``None`` when there was none.

    Asked of a database that has all migrations.
    """
    found = _newest(_GOOD, place)
    return found.started_at if found is not None else None


def first_failed(place: str) -> datetime | None:
    """When the oldest run to *place* began that failed; ``None`` when none did."""
    failed = BackupRun.select().where(BackupRun.state == RunState.FAILED, BackupRun.place == place)
    found = failed.order_by(BackupRun.id).first()
    return found.started_at if found is not None else None


def problem(place: str) -> str:
    """What the newest good run to *place* told all the same; empty when that was nothing."""
    found = _newest(_GOOD, place) if schema.has(BackupRun) else None
    return str(found.problem) if found is not None else ""


def last(place: str | None = None) -> BackupRun | None:
    """The newest run to *place*, or to any, however it stands."""
    return _newest(None, place) if schema.has(BackupRun) else None


def _newest(which: Any, place: str | None) -> BackupRun | None:
    wanted = [one for one in (which, None if place is None else BackupRun.place == place) if one is not None]
    query = BackupRun.select().where(*wanted) if wanted else BackupRun.select()
    found: BackupRun | None = query.order_by(BackupRun.id.desc()).first()
    return found
