"""Runs of the backup, and that this node was restored."""

from enum import StrEnum

import peewee

from appliance.database import Identified
from appliance.database import UtcDateTimeField


class RunState(StrEnum):
    """How a run of the backup stands."""

    RUNNING = "running"
    GOOD = "good"
    FAILED = "failed"


class BackupRun(Identified):
    """One run to one *place*, an address without its secrets; a good one made a snapshot."""

    place = peewee.CharField(max_length=200)
    state = peewee.CharField(max_length=10, default=RunState.RUNNING)
    snapshot = peewee.CharField(max_length=40, default="")
    objects_new = peewee.IntegerField(default=0)
    objects_known = peewee.IntegerField(default=0)
    bytes_new = peewee.BigIntegerField(default=0)
    bytes_total = peewee.BigIntegerField(default=0)
    problem = peewee.TextField(default="")
    started_at = UtcDateTimeField(index=True)
    ended_at = UtcDateTimeField(null=True)


class Restoration(Identified):
    """This database came out of *snapshot*; *settled_at* is when payment providers had told what happened since."""

    snapshot = peewee.CharField(max_length=40)
    taken_at = UtcDateTimeField()
    restored_at = UtcDateTimeField()
    settled_at = UtcDateTimeField(null=True)
