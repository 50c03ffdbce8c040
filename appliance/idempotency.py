"""Idempotency keys: an act that is sent twice with the same key happens once, and both learn what came of it.

The idea and the name are those of the Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta

import peewee

from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.database import transaction
from appliance.errors import Conflict

KEPT = timedelta(days=2)
LOST_AFTER = timedelta(seconds=60)
"""An act that has not ended by then died with its process, and may be tried again."""
PATIENCE_S = 10.0
"""How long whoever sends something a second time waits for the first to end."""
LOOK_EVERY_S = 0.1


class IdempotencyKey(Base):
    """An act that was begun; *location* is where its result is, empty until it ended."""

    digest = peewee.CharField(max_length=64, primary_key=True)
    location = peewee.TextField(default="")
    created_at = UtcDateTimeField(index=True)


class StillRunning(Conflict):
    """The same act is being done just now by another request, or died with its process: at the latest in *again_in_s* it can be sent again."""

    def __init__(self, again_in_s: int) -> None:
        self.again_in_s = again_in_s
        super().__init__(
            "This was sent twice and the first one is still being worked on. Look again in a moment."
        )


def digest(key: str, *, owner: str, act: str) -> str:
    """The name under which *key* is kept: another person's equal key, or one for another act, is another key."""
    return hashlib.sha256("\0".join((owner, act, key)).encode()).hexdigest()


def begin(name: str, *, now: datetime) -> str:
    """Take the key for this act; an empty text means: do it. Otherwise it was done before, and this is where its result is.

    Raises ``StillRunning`` while the first one has not ended.
    """
    with transaction():
        row = IdempotencyKey.get_or_none(IdempotencyKey.digest == name)
        if row is None:
            # Of two that come at once on PostgreSQL the second waits here, and finds the first one's row.
            query = IdempotencyKey.insert(digest=name, created_at=now).on_conflict_ignore()
            if query.as_rowcount().execute():
                return ""
            row = IdempotencyKey.get_or_none(IdempotencyKey.digest == name)
        if row is None:
            # The first one failed in this moment: the key is free.
            raise StillRunning(1)
        if row.location:
            return str(row.location)
        if (left := LOST_AFTER - (now - row.created_at)) > timedelta():
            raise StillRunning(int(left.total_seconds()) + 1)
        # Of two that come at once after a crash one takes it.
        lost = (IdempotencyKey.digest == name) & (IdempotencyKey.created_at == row.created_at)
        if not IdempotencyKey.update(created_at=now).where(lost, IdempotencyKey.location == "").execute():
            raise StillRunning(int(LOST_AFTER.total_seconds()))
        return ""


def begin_or_wait(name: str, *, now: Callable[[], datetime]) -> tuple[str, datetime]:
    """As ``begin``, and when that was; whoever comes second waits a while for the first to end: most were sent by a finger that was too quick."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        begun_at = now()
        try:
            return begin(name, now=begun_at), begun_at
        except StillRunning:
            if time.monotonic() >= deadline:
                raise
            time.sleep(LOOK_EVERY_S)


def end(name: str, location: str) -> None:
    """Note where the result is, which is no empty text."""
    here = (IdempotencyKey.digest == name) & (IdempotencyKey.location == "")
    IdempotencyKey.update(location=location).where(here).execute()


def give_back(name: str, *, begun_at: datetime) -> None:
    """The act that was begun then failed: its key is free again, unless it counted as lost meanwhile and another took the key."""
    mine = (IdempotencyKey.digest == name) & (IdempotencyKey.created_at == begun_at)
    IdempotencyKey.delete().where(mine, IdempotencyKey.location == "").execute()


def expire(*, now: datetime) -> int:
    """Forget keys older than ``KEPT``; returns how many."""
    return int(IdempotencyKey.delete().where(IdempotencyKey.created_at < now - KEPT).execute())
