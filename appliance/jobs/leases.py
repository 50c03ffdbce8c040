"""A duty that one process has at a time: a lease in the database, reckoned by the database's own clock.

The clocks of the nodes do not matter, and a process that stood still for a while is told by the database that its time is over.
"""

from datetime import datetime

import peewee

from appliance import database
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.jobs.process import is_gone


class Lease(Base):
    """Who has a duty, and until when unless it is renewed; nobody when the time is over."""

    name = peewee.CharField(max_length=40, primary_key=True)
    holder = peewee.CharField(max_length=120, default="")
    until = UtcDateTimeField()


def take(name: str, holder: str, *, lasts_s: int) -> bool:
    """Have the duty *name* for *lasts_s* from now, anew or for longer; False while another has it.

    What a process of this machine held that is gone is taken over at once, all else when its time is up.
    """
    seen = Lease.get_or_none(Lease.name == name)
    if seen is None:
        Lease.insert(name=name, until=database.present()).on_conflict_ignore().execute()
    free = (Lease.until <= database.present()) | (Lease.holder == holder)
    if seen is not None and is_gone(seen.holder):
        free |= Lease.holder == seen.holder
    return bool(
        Lease.update(holder=holder, until=database.present(later_s=lasts_s))
        .where(Lease.name == name, free)
        .execute()
    )


def is_held(name: str, holder: str) -> peewee.Function:
    """The condition that *holder* has the duty at the moment at which the database looks."""
    return peewee.fn.EXISTS(
        Lease.select(peewee.SQL("1")).where(
            Lease.name == name, Lease.holder == holder, Lease.until > database.present()
        )
    )


def release(name: str, holder: str) -> None:
    """Give the duty up, so that another can have it at once."""
    Lease.update(holder="", until=database.present()).where(
        Lease.name == name, Lease.holder == holder
    ).execute()


def holder(name: str) -> tuple[str, datetime] | None:
    """Who has the duty, and until when; ``None`` when nobody has."""
    found = Lease.get_or_none(Lease.name == name, Lease.until > database.present())
    return (found.holder, found.until) if found else None
