"""The room that made files may take: those that nobody used for the longest time go first, and are made again when somebody asks."""

import logging
from datetime import datetime
from datetime import timedelta

import peewee

from appliance.downloads import quotas
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.storage import ObjectStore

log = logging.getLogger(__name__)

FOLDER = "downloads/"
LISTED = timedelta(days=30)
"""How long a download stays in its person's list after its link has ended."""
GRACE = timedelta(days=1)
"""An object younger than this may belong to a file whose row is not written yet."""
_AT_ONCE = 100


def taken_bytes() -> int:
    """How much room the made files take."""
    return int(
        DownloadFile.select(peewee.fn.SUM(DownloadFile.size_bytes))
        .where(DownloadFile.state == FileState.READY)
        .scalar()
        or 0
    )


def make_room(store: ObjectStore, *, budget_bytes: int, now: datetime) -> int:
    """Remove files until the rest fits into the budget, and return how many.

    What was promised stays, since it may be on its way to somebody; for that the budget is overdrawn, for an hour or so.
    """
    removed, taken = 0, taken_bytes()
    while taken > budget_bytes:
        free = (DownloadFile.state == FileState.READY) & (DownloadFile.promised_until < now)
        rows = list(DownloadFile.select().where(free).order_by(DownloadFile.used_at).limit(_AT_ONCE))
        if not rows:
            log.info("downloads over budget", extra={"bytes": taken - budget_bytes})
            break
        for row in rows:
            if taken <= budget_bytes:
                break
            # The row first: from now on nobody is sent here. Who was promised it meanwhile keeps it.
            if DownloadFile.update(state=FileState.GONE).where(DownloadFile.id == row.id, free).execute():
                store.delete(row.key)
                removed += 1
            taken -= row.size_bytes
    return removed


def expire(*, now: datetime) -> int:
    """Forget downloads whose link ended a month ago, files that are gone and nobody's, and old months; how many downloads."""
    count = int(Download.delete().where(Download.expires_at < now - LISTED).execute())
    wanted = DownloadItem.select(DownloadItem.file)
    DownloadFile.delete().where(
        DownloadFile.state.in_([FileState.GONE, FileState.FAILED]),
        DownloadFile.used_at < now - LISTED,
        DownloadFile.id.not_in(wanted),
    ).execute()
    quotas.expire(now=now)
    return count


def sweep(store: ObjectStore, *, now: datetime) -> int:
    """Remove objects that no file speaks of: of tracks that are gone, and what killed workers left; how many."""
    old = [found.key for found in store.list(FOLDER) if now - found.modified_at > GRACE]
    removed = 0
    for key in old:
        named = DownloadFile.select().where(DownloadFile.key == key, DownloadFile.state == FileState.READY)
        if not named.exists():
            store.delete(key)
            removed += 1
    return removed
