"""Rights that ended before their time: whoever was given a signed permission earlier is shut out within seconds.

A permission carries the *epoch* at which it was given: the number of the last revocation known then. It stands as long as nothing that it
is about was revoked since. So a permission is checked without asking the database, which each process does every few seconds for all.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

import peewee

from appliance import database
from appliance import replica
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.database import proxy
from appliance.prepared import Prepared

POLL_S = 5.0
"""How long another process may not know of a revocation."""
KEPT = timedelta(days=2)
"""Longer than any permission lives: the longest ``media_token_ttl_s`` is a day."""

TURN = 0x7265766F
"""Any number will do that nobody else takes turns by."""


class Revocation(Base):
    """All permissions about *subject*, such as ``listener:ID`` or ``track:ID``, that were given before end here."""

    id = peewee.BigAutoField()
    subject = peewee.CharField(max_length=60)
    at = UtcDateTimeField(index=True)


_since = Prepared(
    lambda top: (
        Revocation.select(Revocation.id, Revocation.subject)
        .where(Revocation.id > top)
        .order_by(Revocation.id)
    )
)


@dataclass(slots=True)
class _Known:
    database: object = None
    epoch: int = 0
    latest: dict[str, int] = field(default_factory=dict)
    until_s: float = 0.0


_known = _Known()
_storing = threading.Lock()


def revoke(*subjects: str, now: datetime) -> None:
    """End every permission about *subjects* that was given until now; call it inside the transaction of the act."""
    # Numbers become visible in their order, or a process that saw the higher one would never look for the lower.
    database.in_turn(TURN)
    for subject in subjects:
        Revocation.insert(subject=subject, at=now).execute()
    forget()


def epoch() -> int:
    """The epoch to give a permission with; ask for it before you look at the rights that it is made of."""
    return _current().epoch


def ended(subjects: Iterable[str], *, since: int) -> bool:
    """True when any of *subjects* was revoked after the epoch *since*."""
    latest = _current().latest
    return any(latest.get(subject, 0) > since for subject in subjects)


def forget() -> None:
    """Ask the database anew the next time."""
    _known.until_s = 0.0


def expire(*, now: datetime) -> int:
    """Remove what no living permission can be older than, and return how many; the last stays, since the epoch is its number."""
    last = Revocation.select(peewee.fn.MAX(Revocation.id)).scalar() or 0
    return int(Revocation.delete().where(Revocation.at < now - KEPT, Revocation.id < last).execute())


def _current() -> _Known:
    same = _known.database is proxy.obj
    if same and (time.monotonic() < _known.until_s or proxy.in_transaction()):
        # Inside a transaction rows may be seen that are taken back; their numbers would come again.
        return _known
    with _storing:
        # Both of one moment: another thread's newer number beside older facts would let its revocations be overlooked for good.
        latest, top = (dict(_known.latest), _known.epoch) if _known.database is proxy.obj else ({}, 0)
    for row in _since(top):
        latest[row.subject] = top = int(row.id)
    found = _Known(proxy.obj, top, latest)
    # What a replica does not know yet may have been known here: others must not be told less than before.
    if proxy.in_transaction() or replica.is_read():
        return found
    with _storing:
        if _known.database is not proxy.obj or top >= _known.epoch:
            _known.latest, _known.epoch = latest, top
            _known.database, _known.until_s = proxy.obj, time.monotonic() + POLL_S
    return found
