"""The job that lets events take effect: all that is due of one provider, each event wholly or not at all, and none that fails keeps another waiting."""

import logging
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import prepared
from appliance import processors
from appliance import turns
from appliance.billing import inbox
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.billing.processing import apply
from appliance.billing.processing import facts_of
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.payments import Fact
from appliance.prepared import Statement

log = logging.getLogger(__name__)

BACK_OFF_S = (5, 30, 120, 600, 1800, 3600)
MOST_ATTEMPTS = 30
"""Thirty tries last about a day; what failed until then, a reconciliation has found out by itself."""
AT_ONCE = 50
"""Events that a job takes in hand together."""
LONGEST_S = 0.05
"""So long others may have to wait until they can write."""

_held = Statement(
    lambda event: database.locked(
        ProviderEvent.select(ProviderEvent.state, ProviderEvent.attempts).where(ProviderEvent.id == event)
    ),
    1,
)


def process(waiting: "deque[ProviderEvent]") -> None:
    """Let the next of the events that wait take effect; one that fails is due again later, and in the end it is given up.

    SQLite makes a transaction safe in some milliseconds, however much is in it: there many events share one, until somebody else wants to write.
    """
    asked = _asked(waiting, most=AT_ONCE if database.file() else 1)
    while asked:
        with turns.taken(), transaction():
            until = time.monotonic() + LONGEST_S
            while asked:
                _take_effect(*asked.popleft(), now=clock.now())
                if turns.awaited() or time.monotonic() > until:
                    break


def _asked(waiting: "deque[ProviderEvent]", *, most: int) -> "deque[tuple[ProviderEvent, list[Fact]]]":
    """The next events with their facts: as many as are told in a moment, so that none is kept by a provider that is slow for another."""
    asked: deque[tuple[ProviderEvent, list[Fact]]] = deque()
    began = time.monotonic()
    while waiting and len(asked) < most and time.monotonic() <= began + LONGEST_S:
        event = waiting.popleft()
        try:
            asked.append((event, facts_of(processors.find(event.provider), event.body)))
        except Exception as error:
            # As at the top of a job: one event that cannot be processed must not keep the others waiting.
            _put_off(event, error, now=clock.now())
    return asked


def _take_effect(event: ProviderEvent, facts: Iterable[Fact], *, now: datetime) -> None:
    """Note what an event is about, all of it or nothing, whatever else the transaction around it holds."""
    try:
        with transaction():
            found = _held(event.id).fetchone()
            if found is None or found[0] != EventState.RECEIVED:
                return
            applied = apply(facts, provider=event.provider, now=now)
            state = EventState.PROCESSED if applied.marks else EventState.IGNORED
            prepared.update(
                ProviderEvent,
                event.id,
                state=state,
                attempts=found[1] + 1,
                marks=" ".join(applied.marks),
                problem="",
                taken_by=None,
                processed_at=now,
            )
    except Exception as error:
        _put_off(event, error, now=now)


def _put_off(event: ProviderEvent, error: Exception, *, now: datetime) -> None:
    known = isinstance(error, MusicConnectError)
    attempts = event.attempts + 1
    # What the input is to blame for does not get better by trying again.
    over = isinstance(error, Invalid) or attempts >= MOST_ATTEMPTS
    state = EventState.FAILED if over else EventState.RECEIVED
    log.log(
        logging.WARNING if known else logging.ERROR,
        "payment event failed",
        extra={"event": event.id, "provider": event.provider, "attempt": attempts, "for_good": over},
        exc_info=not known,
    )
    ProviderEvent.update(
        state=state,
        attempts=attempts,
        due_at=now + timedelta(seconds=BACK_OFF_S[min(attempts, len(BACK_OFF_S)) - 1]),
        taken_by=None,
        problem=str(error)[:500] if known else f"{type(error).__name__}: it stands in the log.",
    ).where(ProviderEvent.id == event.id, ProviderEvent.state == EventState.RECEIVED).execute()


@jobs.handles(inbox.JOB)
def drain(running: jobs.Running) -> None:
    """Process what is due for one provider, the oldest first, until nothing is."""
    try:
        while True:
            waiting = deque(_take(running, now=clock.now()))
            none = not waiting
            while waiting:
                running.progress(0)
                process(waiting)
            if none and inbox.close(running.job_id, running.payload, now=clock.now()):
                return
    finally:
        here = (ProviderEvent.taken_by == running.job_id) & (ProviderEvent.state == EventState.RECEIVED)
        ProviderEvent.update(taken_by=None).where(here).execute()


def _take(running: jobs.Running, *, now: datetime) -> list[ProviderEvent]:
    """Some of what is due, so that another job leaves it alone for as long as this one runs."""
    elsewhere = Job.select(Job.id).where(
        Job.kind == inbox.JOB, Job.state == JobState.RUNNING, Job.id != running.job_id
    )
    free = ProviderEvent.taken_by.is_null() | ProviderEvent.taken_by.not_in(elsewhere)
    due = (
        (ProviderEvent.state == EventState.RECEIVED)
        & (ProviderEvent.provider == running.payload)
        & (ProviderEvent.due_at <= now)
    )
    some = ProviderEvent.select(ProviderEvent.id).where(due, free).order_by(ProviderEvent.id).limit(AT_ONCE)
    with turns.taken(), transaction():
        # "free" once more: of two jobs that chose the same, the second waits for the first and then finds them taken.
        ids = [row.id for row in some]
        ProviderEvent.update(taken_by=running.job_id).where(ProviderEvent.id.in_(ids), due, free).execute()
        mine = ProviderEvent.select().where(
            ProviderEvent.id.in_(ids), ProviderEvent.taken_by == running.job_id, due
        )
        return list(mine.order_by(ProviderEvent.id))
