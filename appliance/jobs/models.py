"""The job row."""

from enum import StrEnum

import peewee

from appliance.database import Identified
from appliance.database import UtcDateTimeField


class JobState(StrEnum):
    """Where a job stands; only ``appliance.jobs`` moves it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(Identified):
    """One piece of work that must not be lost: its kind, its subject's id, what it carries, and how far it came."""

    kind = peewee.CharField(max_length=40)
    subject = peewee.CharField(max_length=200)
    payload = peewee.TextField(default="")
    state = peewee.CharField(max_length=10, default=JobState.QUEUED)
    # 1 while queued or running, NULL when it ended: two NULLs differ, so this allows one active job for a subject.
    active = peewee.SmallIntegerField(null=True, default=1)
    attempts = peewee.IntegerField(default=0)
    max_attempts = peewee.IntegerField(default=5)
    run_after = UtcDateTimeField()
    lease_owner = peewee.CharField(max_length=120, null=True)
    lease_until = UtcDateTimeField(null=True)
    progress = peewee.FloatField(default=0.0)
    last_error = peewee.TextField(default="")
    # The request that gave reason for it, and its step of a trace (W3C traceparent); empty for what a chore or a command asked for.
    request_id = peewee.CharField(max_length=64, default="")
    trace_parent = peewee.CharField(max_length=55, default="")
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("kind", "subject", "active"), True),
            (("state", "run_after"), False),
        )
