"""What is known of the runs of the backup: when the last good one was, and what was wrong with the last.

A backup is also taken before the very migration that makes this table, so each question begins with whether it is there.
"""

from datetime import datetime
from datetime import timedelta

import peewee

from appliance.backup import schema
from appliance.backup.models import BackupRun
from appliance.backup.models import RunState
from appliance.storage.opening import masked

KEPT = timedelta(days=30)
MOST_OF_A_PLACE = 200


def place_of(url: str) -> str:
    """How a run that goes to *url* is told from those that go elsewhere: the address without its secrets."""
    return masked(url)[:MOST_OF_A_PLACE]


def begin(place: str, *, now: datetime) -> str:
    """Note that a run begins; its id."""
    if not schema.has(BackupRun):
        return ""
    last = BackupRun.select(peewee.fn.MAX(BackupRun.id)).where(BackupRun.state == RunState.GOOD)
    BackupRun.delete().where(BackupRun.started_at < now - KEPT, BackupRun.id.not_in(last)).execute()
    return str(BackupRun.create(place=place, started_at=now).id)


def end(run: str, state: RunState, *, now: datetime, **facts: object) -> None:
    """Note how the run ended."""
    if run:
        BackupRun.update(state=state, ended_at=now, **facts).where(BackupRun.id == run).execute()


def last_good() -> datetime | None:
    """When the last good backup began, which is the moment that a restore goes back to; ``None`` when there was none.

    Asked of a database that has all migrations.
    """
    good = BackupRun.select().where(BackupRun.state == RunState.GOOD)
    found = good.order_by(BackupRun.id.desc()).first()
    return found.started_at if found is not None else None


def problem(place: str) -> str:
    """What the newest good run to *place* told all the same; empty when that was nothing."""
    if not schema.has(BackupRun):
        return ""
    good = BackupRun.select().where(BackupRun.state == RunState.GOOD, BackupRun.place == place)
    found = good.order_by(BackupRun.id.desc()).first()
    return str(found.problem) if found is not None else ""


def last() -> BackupRun | None:
    """The newest run, however it stands."""
    if not schema.has(BackupRun):
        return None
    found: BackupRun | None = BackupRun.select().order_by(BackupRun.id.desc()).first()
    return found
