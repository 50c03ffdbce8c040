"""After a restore: payment providers are asked what happened since the backup, and what could pay or write by mistake waits until then.

The first worker that does the chores asks; when each provider has told all since, the node is settled. A provider that cannot be asked any more
keeps it open, until a person says that it is well (``musicconnect restored --settle``).
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta

from appliance import jobs
from appliance import processors
from appliance.backup import mending
from appliance.backup.models import Restoration
from appliance.billing import reconciling
from appliance.billing.models import Reconciliation
from appliance.billing.models import RunState
from appliance.database import transaction

log = logging.getLogger(__name__)

PAYING_DAYS = 3
PAYING_HOUR = 4
"""Artists are paid on the first days of a month at this hour; see ``appliance.chores.pay_out``."""


def unsettled() -> Restoration | None:
    """The restore after which providers have not told everything yet, if there is one."""
    found: Restoration | None = (
        Restoration.select().where(Restoration.settled_at.is_null()).order_by(Restoration.id.desc()).first()
    )
    return found


def settled(chore: Callable[[], None]) -> Callable[[], None]:
    """Leave *chore* out while providers are asked: it pays, writes or gives up by what is known of payments."""

    @functools.wraps(chore)
    def waiting() -> None:
        if unsettled() is None:
            chore()

    return waiting


def look(*, now: datetime) -> list[str]:
    """Settle what can be, and return the ids of jobs to be sent: those that ask providers, or the payouts that waited for the answers."""
    restored = unsettled()
    if restored is None:
        return []
    open_ = outstanding(restored)
    if not open_:
        return settle(now=now)
    latest = jobs.latest(reconciling.JOB, open_)
    # One that failed for good is asked again every six hours, with all others.
    fresh = [name for name in open_ if name not in latest or latest[name].created_at < restored.restored_at]
    return [reconciling.ask(name, actor=None, now=now) for name in fresh]


def outstanding(restored: Restoration) -> list[str]:
    """The providers that have not told yet what happened since."""
    complete = Reconciliation.select(Reconciliation.provider).where(
        Reconciliation.state == RunState.COMPLETE, Reconciliation.started_at >= restored.restored_at
    )
    told = {row.provider for row in complete}
    return [provider.name for provider in processors.every() if provider.name not in told]


def settle(*, now: datetime) -> list[str]:
    """Let everything go on; the ids of the payouts' jobs, to be sent after the commit."""
    with transaction():
        Restoration.update(settled_at=now).where(Restoration.settled_at.is_null()).execute()
        released = mending.release_payouts(now=now)
    log.info("the restored node is settled", extra={"payouts": len(released)})
    return released


def month_may_be_paid(*, now: datetime) -> bool:
    """Whether artists may have been paid for this month by payouts that a restore forgot: then only a person can tell."""
    for row in Restoration.select().where(Restoration.restored_at >= now - timedelta(days=31)):
        first = now.replace(day=1, hour=PAYING_HOUR, minute=0, second=0, microsecond=0)
        times = (first + timedelta(days=days) for days in range(PAYING_DAYS))
        if any(row.taken_at <= at <= row.restored_at for at in times):
            return True
    return False
