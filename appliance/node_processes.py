"""Which processes run, since when, and with which settings of plugins: an admin who changes one is told who must start anew."""

import logging
from datetime import datetime

import peewee

from appliance import database
from appliance import failures
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.jobs.process import identity
from appliance.jobs.process import is_left_over

log = logging.getLogger(__name__)


class NodeProcess(Base):
    """A running web server or worker; its row goes when it stops in order, or when another of its machine sees it gone."""

    id = peewee.CharField(max_length=120, primary_key=True)
    kind = peewee.CharField(max_length=10)
    plugins = peewee.CharField(max_length=16)
    started_at = UtcDateTimeField()


def enter(kind: str, *, plugins: str, now: datetime) -> None:
    """Note that this process runs as *kind* with these settings of plugins, and forget those of this machine that are gone."""
    _clear()
    NodeProcess.delete().where(NodeProcess.id == identity()).execute()
    NodeProcess.create(id=identity(), kind=kind, plugins=plugins, started_at=now)


def leave() -> None:
    """This process stops in order; also when the database is away, for it has nothing more to do there."""
    try:
        _leave()
    except peewee.PeeweeException:
        try:
            # The connection may be a dead one of long ago; the next is new.
            database.close_thread()
            _leave()
        except peewee.PeeweeException as error:
            log.info("the database is not told that this process stops", extra={"why": failures.told(error)})


def _leave() -> None:
    NodeProcess.delete().where(NodeProcess.id == identity()).execute()


def running() -> list[NodeProcess]:
    """Those that run, oldest first."""
    _clear()
    return list(NodeProcess.select().order_by(NodeProcess.started_at, NodeProcess.id))


def _clear() -> None:
    gone = [row.id for row in NodeProcess.select(NodeProcess.id) if is_left_over(row.id)]
    if gone:
        NodeProcess.delete().where(NodeProcess.id.in_(gone)).execute()
