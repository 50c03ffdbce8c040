"""Forgetting snapshots whose time is over, and then the pieces that none of the others needs; and seeing whether all are there that one needs.

Snapshots go first: one that is killed in between leaves pieces that nobody needs, and never a snapshot without its pieces. Whoever calls
holds the lock, so no snapshot is being made of the pieces that go; and young ones stay all the same, for whoever had the lock taken away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance.backup import listing
from appliance.backup import manifest
from appliance.backup import retention
from appliance.backup.locks import Lock
from appliance.backup.pieces import Pieces
from appliance.backup.repository import Repository

log = logging.getLogger(__name__)

GRACE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What went, and how many pieces are missing that a snapshot needs."""

    pieces: int = 0
    bytes: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many snapshots went, and what the sweep came to."""

    snapshots: int = 0
    swept: Swept = Swept()


def forget(repository: Repository, rules: dict[str, int], *, lock: Lock) -> int:
    """Remove the snapshots that the rules do not keep, and return how many; one that cannot be read stays, for people to look at."""
    listed = [(name, manifest.moment_of(name)) for name in repository.names()]
    stay = retention.kept(listed, rules)
    gone = [name for name, _ in listed if name not in stay]
    for name in gone:
        lock.require()
        repository.forget(name)
    return len(gone)


def sweep(
    repository: Repository, *, lock: Lock, now: datetime, tick: Callable[[], None] = lambda: None
) -> Swept:
    """Remove the pieces that no snapshot needs. Raises ``Damaged`` rather than guess what a snapshot needs."""
    pieces = repository.pieces()
    needed = _needed(repository, pieces, tick)
    count = size_bytes = there = 0
    for name, seen in pieces.stored():
        if name in needed:
            there += 1
        elif now - seen.modified_at > GRACE:
            lock.require()
            pieces.store.delete(seen.key)
            count, size_bytes = count + 1, size_bytes + seen.size_bytes
            tick()
    return Swept(count, size_bytes, missing=len(needed) - there)


def prune(
    repository: Repository,
    rules: dict[str, int],
    *,
    lock: Lock,
    now: datetime,
    tick: Callable[[], None] = lambda: None,
) -> Pruned:
    """Both."""
    snapshots = forget(repository, rules, lock=lock)
    swept = sweep(repository, lock=lock, now=now, tick=tick)
    log.info("backup pruned", extra={"snapshots": snapshots, "pieces": swept.pieces, "bytes": swept.bytes})
    return Pruned(snapshots, swept)


def _needed(repository: Repository, pieces: Pieces, tick: Callable[[], None]) -> set[bytes]:
    found: set[bytes] = set()
    pages: set[str] = set()
    for snapshot in repository.snapshots():
        found.update(map(pieces.short_name, snapshot.database.digests))
        found.update(map(pieces.short_name, listing.each_piece(pieces, snapshot.pages, pages.__contains__)))
        pages.update(digest for digest, _ in snapshot.pages)
        tick()
    return found
