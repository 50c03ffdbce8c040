"""What providers sent, and what was found out by asking them."""

from enum import StrEnum

import peewee

from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class EventState(StrEnum):
    """Where an event stands; only ``appliance.billing`` moves it."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    """It is about nothing of ours."""
    FAILED = "failed"
    """It was tried for long; a reconciliation finds out what it was about, and an admin can replay it."""


class RunState(StrEnum):
    """How a reconciliation ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class AskedState(StrEnum):
    """What became of a refund that an admin asked for."""

    ASKED = "asked"
    """The provider is being asked; when that did not end, it is asked again under the same key."""
    DONE = "done"
    REFUSED = "refused"


class ProviderEvent(Identified):
    """A webhook as it came, once for each *event* of a provider; what followed from it is in *marks*, the ids of ours that it was about.

    It is due from *due_at* on, and *taken_by* the job that has it in hand.
    """

    provider = peewee.CharField(max_length=30)
    event = peewee.CharField(max_length=255)
    kind = peewee.CharField(max_length=120)
    happened_at = UtcDateTimeField()
    received_at = UtcDateTimeField(index=True)
    body = peewee.TextField()
    state = peewee.CharField(max_length=10, default=EventState.RECEIVED)
    attempts = peewee.IntegerField(default=0)
    due_at = UtcDateTimeField()
    taken_by = peewee.CharField(max_length=26, null=True)
    marks = peewee.TextField(default="")
    problem = peewee.TextField(default="")
    processed_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "provider_event"
        indexes = (
            (("provider", "event"), True),
            (("state", "provider", "due_at"), False),
            (("state", "id"), False),
        )


class Reconciliation(Identified):
    """One time that a provider was asked for all that changed *since*, and how many *facts* it told."""

    provider = peewee.CharField(max_length=30)
    since = UtcDateTimeField()
    state = peewee.CharField(max_length=10, default=RunState.RUNNING)
    facts = peewee.IntegerField(default=0)
    strangers = peewee.IntegerField(default=0)
    problem = peewee.TextField(default="")
    asked_by = peewee.CharField(max_length=26, default="")
    started_at = UtcDateTimeField()
    ended_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "reconciliation"
        indexes = ((("provider", "state", "started_at"), False),)


class Repaired(Base):
    """What a reconciliation changed: a thing (*what* and its id, the *subject*), as it stood before and after."""

    id = peewee.BigAutoField()
    run = peewee.ForeignKeyField(Reconciliation, backref="repairs", on_delete="CASCADE")
    run_id: str
    what = peewee.CharField(max_length=20)
    subject = peewee.CharField(max_length=120)
    before = peewee.TextField(default="")
    after = peewee.TextField(default="")

    class Meta:
        table_name = "repaired"


class RefundAsked(Identified):
    """An admin wants *amount_minor* of a *payment* (its id) to go back; the id is the key under which the provider is asked, so it goes once."""

    payment = peewee.CharField(max_length=26, index=True)
    amount_minor = peewee.BigIntegerField()
    reason = peewee.CharField(max_length=300, default="")
    asked_by = peewee.CharField(max_length=26)
    state = peewee.CharField(max_length=10, default=AskedState.ASKED)
    reference = peewee.CharField(max_length=120, default="")
    problem = peewee.TextField(default="")
    asked_at = UtcDateTimeField()
    ended_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "refund_asked"
        indexes = ((("state", "asked_at"), False),)


MODELS: tuple[type[Base], ...] = (ProviderEvent, Reconciliation, Repaired, RefundAsked)
