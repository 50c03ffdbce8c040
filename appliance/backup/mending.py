"""What must not go on where it stood when a database comes out of a backup: the world went on since.

All of it in one transaction, before anybody can use the database. What is told to whom, and why, is in docs/backup.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance.accounts.factor_models import AccountSession
from appliance.accounts.factor_models import TrustedDevice
from appliance.backup import schema
from appliance.backup.models import BackupRun
from appliance.backup.models import Restoration
from appliance.backup.models import RunState
from appliance.database import transaction
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import FileState
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.mail import sending as mail
from appliance.mail.models import Message
from appliance.mail.models import MessageState
from appliance.node_processes import NodeProcess
from appliance.payouts import requesting as payouts
from appliance.revocations import Revocation

HELD = "Held, since it may have been sent after the backup that this server was restored from; send it again if it was not."
LEAP = 1_000_000_000
"""Further than revocations were made since the backup, so that none of their numbers comes a second time."""
FAR = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Mended:
    """How many of each."""

    sessions: int
    letters: int
    payouts: int
    files: int


def mend(snapshot: str, *, taken_at: datetime, now: datetime) -> Mended:
    """Settle the connected database, which came out of *snapshot* just now."""
    with transaction():
        Restoration.create(snapshot=snapshot, taken_at=taken_at, restored_at=now)
        # A session that was ended since would be open again.
        sessions = AccountSession.delete().execute()
        TrustedDevice.delete().execute()
        found = Mended(sessions, _hold_letters(now), _hold_payouts(now), _forget_files())
        _leap_epoch(now)
        NodeProcess.delete().execute()
        BackupRun.delete().where(BackupRun.state == RunState.RUNNING).execute()
    return found


def _hold_letters(now: datetime) -> int:
    """A letter that waited then was most likely sent since: nobody wants it twice, and an admin can send it all the same."""
    waiting = Message.state == MessageState.WAITING
    ids: Any = Message.select(Message.id).where(waiting)
    Job.update(state=JobState.FAILED, active=None, last_error=HELD, updated_at=now).where(
        Job.kind == mail.JOB, Job.active == 1, Job.subject.in_(ids)
    ).execute()
    return int(Message.update(state=MessageState.KEPT, problem=HELD).where(waiting).execute())


def _hold_payouts(now: datetime) -> int:
    """Providers are asked what became of them before they are asked to pay: see ``aftermath``."""
    return int(
        Job.update(
            state=JobState.QUEUED,
            run_after=now + FAR,
            lease_owner=None,
            lease_until=None,
            updated_at=now,
        )
        .where(Job.kind == payouts.JOB, Job.active == 1)
        .execute()
    )


def release_payouts(*, now: datetime) -> list[str]:
    """Let payouts that were held go on; the ids of their jobs, to be sent after the commit."""
    here = (Job.kind == payouts.JOB) & (Job.state == JobState.QUEUED) & (Job.run_after > now + FAR / 2)
    ids = [job.id for job in Job.select(Job.id).where(here)]
    Job.update(run_after=now, updated_at=now).where(Job.id.in_(ids)).execute()
    return ids


def _forget_files() -> int:
    """Files made for download are not backed up, and are made again when somebody asks."""
    made = DownloadFile.state == FileState.READY
    return int(DownloadFile.update(state=FileState.GONE).where(made).execute())


def _leap_epoch(now: datetime) -> None:
    """A permission that was signed since the backup carries a higher epoch than what is revoked next would have."""
    last = Revocation.select(peewee.fn.MAX(Revocation.id)).scalar() or 0
    number = last + LEAP
    Revocation.insert(id=number, subject="restored", at=now).execute()
    schema.continue_from(Revocation, number)
