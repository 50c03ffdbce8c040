"""Events that providers send: checked, written down once, and left to a job.

The row of the event is the durable work. A job takes all that is due for one provider, so that a flood of events is one message and not ten
thousand; it is queued in the transaction that wrote the event, unless there is one that will look again.
"""

from collections.abc import Mapping
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance import database
from appliance import jobs
from appliance import prepared
from appliance import processors
from appliance import turns
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.billing.together import Together
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.payments import Delivery
from appliance.prepared import Statement

JOB = jobs.kind("provider_event", jobs.Lane.WEBHOOKS)
"""The kind of the jobs that process; their payload is a provider's name."""
ATTEMPTS = 50
"""How often a job may be lost with its worker; how often an event is tried is told on its own row."""
MOST_BYTES = 1024 * 1024
_will_look = Statement(
    lambda provider, now: database.locked(
        Job.select(Job.id)
        .where(
            Job.kind == JOB,
            Job.payload == provider,
            ((Job.state == JobState.QUEUED) & (Job.run_after <= now)) | (Job.state == JobState.RUNNING),
        )
        .limit(1)
    ),
    2,
)
KEPT = timedelta(days=90)
LONGEST_ID = 255


class TooLarge(Invalid):
    """The body is larger than any event of a provider."""

    def __init__(self) -> None:
        super().__init__("An event of a payment provider is at most {most} KiB.", most=MOST_BYTES // 1024)


def receive(provider: str, delivery: Delivery, *, now: datetime) -> bool:
    """Take an event whose signature and age hold, and see to it that it is processed; False when it was there.

    ``NotFound`` for an unknown provider, ``NotAllowed`` for a signature that does not hold, ``Invalid`` for rubbish: then nothing is stored.
    """
    if len(delivery.body) > MOST_BYTES:
        raise TooLarge
    found = processors.find(provider)
    notice = processors.ask(found.read_event, found.label, delivery, now=now)
    if not 0 < len(notice.id) <= LONGEST_ID:
        # By its id it is known again; without one every other would be taken for it.
        raise Invalid("This event has no id, or one that is too long.")
    row: dict[str, Any] = {
        "provider": provider,
        "event": notice.id,
        "kind": notice.kind[:120],
        "happened_at": notice.happened_at,
        "received_at": now,
        "due_at": now,
        "body": _text(delivery.body),
    }
    made, job_id = _write(row)
    if job_id:
        jobs.send(job_id)
    return made


def queue(provider: str, *, now: datetime) -> str:
    """The id of a new job for what is due, to be sent after the commit; empty when there is one that will look (again)."""
    # Held, so that it cannot close before what this transaction writes can be seen.
    if _will_look(provider, Job.run_after.db_value(now)).fetchone() is not None:
        return ""
    return str(jobs.add(JOB, f"{provider}:{new_id()}", now=now, max_attempts=ATTEMPTS, payload=provider).id)


def close(job_id: str, provider: str, *, now: datetime) -> bool:
    """Let a job that found nothing more end: True, and from now on it will not look again, unless something is due after all."""
    with transaction():
        held = database.locked(Job.select(Job.id).where(Job.id == job_id)).first()
        due = (ProviderEvent.state == EventState.RECEIVED) & (ProviderEvent.provider == provider)
        if (
            ProviderEvent.select()
            .where(due, ProviderEvent.due_at <= now, ProviderEvent.taken_by.is_null())
            .exists()
        ):
            return False
        if held is not None:
            Job.update(payload="").where(Job.id == job_id).execute()
    return True


def queue_due(*, now: datetime) -> list[str]:
    """Jobs for all providers with events that wait, such as those whose next try has come; to be sent after the commit."""
    with transaction():
        due = ProviderEvent.select(ProviderEvent.provider).where(
            ProviderEvent.state == EventState.RECEIVED, ProviderEvent.due_at <= now
        )
        names = [row.provider for row in due.distinct()]
        return [job_id for name in names if (job_id := queue(name, now=now))]


def replay(event_id: str, *, actor: str | None, now: datetime) -> None:
    """Process an event once more, whatever became of it; ``Conflict`` when that is about to happen anyway."""
    with transaction():
        event = find(event_id)
        waits = ProviderEvent.state == EventState.RECEIVED
        again = ProviderEvent.update(
            state=EventState.RECEIVED, attempts=0, due_at=now, taken_by=None, problem=""
        ).where(ProviderEvent.id == event_id, ~waits | (ProviderEvent.due_at > now))
        if not again.execute():
            raise Conflict("This event is about to be processed.")
        audit.record(
            Action.PAYMENT_EVENT_REPLAYED,
            actor=actor,
            subject=f"provider_event:{event_id}",
            detail={"provider": event.provider, "kind": event.kind},
            now=now,
        )
        job_id = queue(event.provider, now=now)
    if job_id:
        jobs.send(job_id)


def find(event_id: str) -> ProviderEvent:
    """The event with this id, or ``NotFound``."""
    found: ProviderEvent | None = ProviderEvent.get_or_none(ProviderEvent.id == event_id)
    if found is None:
        raise NotFound("There is no such event.")
    return found


def page(
    *, state: str = "", provider: str = "", before: str | None = None, limit: int = 50
) -> list[ProviderEvent]:
    """Events without their bodies, newest first."""
    columns = [
        column for name, column in ProviderEvent._meta.fields.items() if name != ProviderEvent.body.name
    ]
    query = ProviderEvent.select(*columns).order_by(ProviderEvent.id.desc()).limit(limit)
    if state:
        query = query.where(ProviderEvent.state == state)
    if provider:
        query = query.where(ProviderEvent.provider == provider)
    if before:
        query = query.where(ProviderEvent.id < before)
    return list(query)


def counts() -> Mapping[tuple[str, str], int]:
    """How many events are kept, by provider and state."""
    query: Any = ProviderEvent.select(
        ProviderEvent.provider, ProviderEvent.state, peewee.fn.COUNT(ProviderEvent.id)
    ).group_by(ProviderEvent.state, ProviderEvent.provider)
    return {(provider, state): int(number) for provider, state, number in query.tuples()}


def lag(*, now: datetime) -> timedelta:
    """For how long the oldest event that is not processed has been here."""
    waiting = ProviderEvent.select().where(ProviderEvent.state == EventState.RECEIVED)
    oldest = waiting.order_by(ProviderEvent.id).first()
    return max(now - oldest.received_at, timedelta()) if oldest is not None else timedelta()


def expire(*, now: datetime) -> int:
    """Forget events after a season; what they led to stays."""
    return int(ProviderEvent.delete().where(ProviderEvent.received_at < now - KEPT).execute())


def _write_all(rows: list[dict[str, Any]]) -> list[tuple[bool, str]]:
    """For each row whether it is new, and with the first new one of a provider the id of a job to be sent."""
    with turns.taken(), transaction():
        made = [bool(prepared.insert(ProviderEvent, ignore=True, **row)) for row in rows]
        # Asked for once for each provider: in this very transaction, the job that the first one made looks for all.
        first = {row["provider"]: row for row, new in zip(reversed(rows), reversed(made), strict=True) if new}
        sent = {id(row): queue(provider, now=row["received_at"]) for provider, row in first.items()}
    return [(new, sent.get(id(row), "")) for row, new in zip(rows, made, strict=True)]


_write: Together[dict[str, Any], tuple[bool, str]] = Together(_write_all)


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Invalid("This event is not text.") from error
    if "\0" in text:
        raise Invalid("This event is not text.")
    return text
