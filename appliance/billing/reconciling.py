"""Asking providers for the truth about all that changed, noting it, and stating what had been missed.

It is the same noting as of events: what is known already changes nothing, so whatever changed by it was missed, and is a repair.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import islice
from typing import Any

import peewee

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.billing import pictures
from appliance.billing import processing
from appliance.billing.models import Reconciliation
from appliance.billing.models import Repaired
from appliance.billing.models import RunState
from appliance.database import transaction
from appliance.errors import MusicConnectError
from appliance.payments import Fact
from appliance.payments import PaymentProvider

log = logging.getLogger(__name__)

JOB = jobs.kind("reconcile_payments", jobs.Lane.WEBHOOKS)
"""The kind of the jobs that reconcile; their subject is a provider's name."""
OVERLAP = timedelta(days=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the first run begins."""
AT_ONCE = 20
"""Facts that a provider tells within the patience of one question."""
LOST_AFTER = timedelta(hours=3)
MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Repair:
    """A thing that stood otherwise than at its provider: what of it changed, from what to what; of one that was missing there is no before."""

    provider: str
    what: str
    subject: str
    before: dict[str, str]
    after: dict[str, str]


def reconcile(
    provider_name: str | None, *, since: datetime | None, now: datetime, asked_by: str = ""
) -> list[Repair]:
    """Ask one provider, or all, for what changed *since*, or since its last complete run and a day before; what was repaired.

    One that fails does not keep the others from being asked; its run says so, and it is raised at the end.
    """
    wanted = [processors.find(provider_name)] if provider_name else list(processors.every())
    repairs: list[Repair] = []
    failed: MusicConnectError | None = None
    for provider in wanted:
        run = _begin(provider.name, since or since_last(provider.name), asked_by=asked_by, now=now)
        try:
            repairs += _run(provider, run)
        except MusicConnectError as error:
            failed = error
    if failed is not None:
        raise failed
    return repairs


def since_last(provider: str) -> datetime:
    """From when on a provider is asked: a day before its last complete run began."""
    complete = (Reconciliation.provider == provider) & (Reconciliation.state == RunState.COMPLETE)
    last = Reconciliation.select().where(complete).order_by(Reconciliation.started_at.desc()).first()
    return last.started_at - OVERLAP if last is not None else BEGINNING


def ask(provider: str, *, actor: str | None, now: datetime) -> str:
    """The id of a job that reconciles with this provider, to be sent after the commit."""
    processors.find(provider)
    with transaction():
        job = jobs.add(JOB, provider, now=now, payload=actor or "")
        if actor is not None:
            audit.record(
                Action.PAYMENTS_RECONCILED, actor=actor, subject=f"payment_provider:{provider}", now=now
            )
    return str(job.id)


@jobs.handles(JOB)
def reconcile_one(running: jobs.Running) -> None:
    """The job itself."""
    running.progress(0)
    reconcile(running.subject, since=None, now=clock.now(), asked_by=running.payload)


def runs(*, before: str | None = None, limit: int = 50) -> list[Reconciliation]:
    """Reconciliations, newest first."""
    query = Reconciliation.select().order_by(Reconciliation.id.desc()).limit(limit)
    if before:
        query = query.where(Reconciliation.id < before)
    return list(query)


def repairs_of(shown: list[Reconciliation]) -> dict[str, list[str]]:
    """What each of these runs repaired, by its id, a line each, by one query."""
    rows = Repaired.select().where(Repaired.run.in_([run.id for run in shown])).order_by(Repaired.id)
    told: dict[str, list[str]] = {}
    for row in rows if shown else ():
        line = pictures.told(row, json.loads(row.before), json.loads(row.after))
        told.setdefault(row.run_id, []).append(line)
    return told


def expire(*, now: datetime, kept: timedelta) -> int:
    """Forget runs that are older than *kept*, save the last complete one of each provider, on which the next builds."""
    newest: Any = (
        Reconciliation.select(peewee.fn.MAX(Reconciliation.id))
        .where(Reconciliation.state == RunState.COMPLETE)
        .group_by(Reconciliation.provider)
    )
    ids = [number for (number,) in newest.tuples()]
    old = (Reconciliation.started_at < now - kept) & Reconciliation.id.not_in(ids)
    return int(Reconciliation.delete().where(old).execute())


def _begin(provider: str, since: datetime, *, asked_by: str, now: datetime) -> Reconciliation:
    with transaction():
        lost = (
            (Reconciliation.provider == provider)
            & (Reconciliation.state == RunState.RUNNING)
            & (Reconciliation.started_at < now - LOST_AFTER)
        )
        Reconciliation.update(state=RunState.FAILED, ended_at=now, problem="Its process was lost.").where(
            lost
        ).execute()
        made: Reconciliation = Reconciliation.create(
            provider=provider, since=since, started_at=now, asked_by=asked_by
        )
    return made


def _run(provider: PaymentProvider, run: Reconciliation) -> list[Repair]:
    repairs: list[Repair] = []
    problems: list[str] = []
    facts = strangers = 0
    failed: MusicConnectError | None = None
    try:
        for fact in _told(provider, run.since):
            facts += 1
            try:
                found, known = _take(fact, provider.name, run)
            except Exception as error:
                # As where events take effect: the others are taken all the same, and that it failed keeps the next run from beginning later.
                problems.append(f"{type(fact).__name__}: {_said(error)}")
                continue
            repairs += found
            strangers += not known
    except MusicConnectError as error:
        problems.append(str(error))
        failed = error
    now = clock.now()
    state = RunState.FAILED if problems else RunState.COMPLETE
    Reconciliation.update(
        state=state,
        facts=facts,
        strangers=strangers,
        problem="\n".join(problems[:MOST_PROBLEMS])[:2000],
        ended_at=now,
    ).where(Reconciliation.id == run.id).execute()
    log.log(
        logging.WARNING if repairs or problems else logging.INFO,
        "payments reconciled",
        extra={
            "provider": provider.name,
            "facts": facts,
            "repairs": len(repairs),
            "problems": len(problems),
        },
    )
    if failed is not None:
        raise failed
    return repairs


def _said(error: Exception) -> str:
    if isinstance(error, MusicConnectError):
        return str(error)
    log.error("a fact was not taken", exc_info=error)
    return f"{type(error).__name__}: it stands in the log."


def _take(fact: Fact, provider: str, run: Reconciliation) -> tuple[list[Repair], bool]:
    """Note one fact; what that changed, and whether it is about anything of ours."""
    now = clock.now()
    with transaction():
        before = pictures.of(fact, provider=provider)
        applied = processing.apply([fact], provider=provider, now=now)
        repairs = [
            Repair(provider, what, subject, was, became)
            for (what, subject), was, became in pictures.changes(before, pictures.of(fact, provider=provider))
        ]
        for repair in repairs:
            Repaired.create(
                run=run.id,
                what=repair.what,
                subject=repair.subject,
                before=json.dumps(repair.before),
                after=json.dumps(repair.after),
            )
    return repairs, bool(applied.marks)


def _told(provider: PaymentProvider, since: datetime) -> Iterator[Fact]:
    """What the provider tells, asked for in parts: all of it may take longer than one answer may."""
    found: list[Iterator[Fact]] = []

    def changed_since() -> list[Fact]:
        if not found:
            found.append(iter(provider.changed_since(since)))
        return list(islice(found[0], AT_ONCE))

    while part := processors.ask(changed_since, provider.label):
        yield from part
