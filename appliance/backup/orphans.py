"""Rows whose other half is missing: told by each backup, and no reason to take none, for all else is worth keeping.

A recording cannot be made again, so tracks whose original is gone are looked for; all other media are made of originals.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from appliance.backup.listing import Entry
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.errors import NotFound
from appliance.storage import ObjectStore

AT_ONCE = 1000
MOST = 100
"""So many are looked at once more and told; where all are gone, nobody needs the names of all."""


def rows(tables: Iterable[str]) -> str:
    """What to tell of rows, in these tables, that name a row which is not there; empty when there are none."""
    found = ", ".join(sorted(set(tables)))
    return f"The database has rows whose others are missing, in {found}." if found else ""


def media(entries: Iterable[Entry], store: ObjectStore) -> str:
    """What to tell of tracks whose original is neither among *entries* nor in *store*; empty when there are none."""
    there = {hash(entry.key) for entry in entries}
    lost: list[str] = []
    for key in _originals():
        if hash(key) not in there and _is_lost(store, key):
            lost.append(key)
            if len(lost) == MOST:
                break
    if not lost:
        return ""
    return f"{len(lost)}{' or more' if len(lost) == MOST else ''} track(s) have no original in the store any more, such as {lost[0]}."


def _originals() -> Iterator[str]:
    for model in (Track, Replacement):
        last = ""
        while True:
            query: Any = model.select(model.id, model.original_key).where(model.id > last)
            found = list(query.order_by(model.id).limit(AT_ONCE).tuples())
            if not found:
                break
            yield from (key for _, key in found if key)
            last = found[-1][0]


def _is_lost(store: ObjectStore, key: str) -> bool:
    """Whether it is gone though a row names it still: somebody may have uploaded or removed it while the backup was taken."""
    try:
        store.stat(key)
    except NotFound:
        return any(model.select().where(model.original_key == key).exists() for model in (Track, Replacement))
    return False
