"""Media that the store lost, out of a snapshot: for a node that runs and whose rows are newer than those of the backup.

No row is touched. What no row names was removed on purpose since, or would be soon; it stays away. An object that is there and is another one
than in the backup may be newer, so it is left and told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from appliance.backup import bringing
from appliance.backup import orphans
from appliance.backup.listing import Entry
from appliance.backup.manifest import Snapshot
from appliance.backup.pieces import Damaged
from appliance.backup.repository import Repository
from appliance.catalog import cleaning
from appliance.collective import identity
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.shop.merchandise import articles
from appliance.startup import Appliance
from appliance.storage import ObjectStore

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Refilled:
    """What it came to; *left_out* are damaged in the backup, *lacking* is what rows still lack."""

    snapshot: Snapshot
    left_out: list[str]
    others: list[str]
    brought: int = 0
    there: int = 0
    unnamed: int = 0
    lacking: str = ""


def refill(
    appliance: Appliance,
    opened: Repository,
    wanted: str,
    *,
    reread: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Refilled:
    """Bring the media of the snapshot *wanted* that the store of *appliance* lacks; with *reread* also those that are damaged there."""
    store, pieces = appliance.store, opened.pieces()
    done = Refilled(opened.find(wanted), [], [])
    kept = identity.kept_folders(appliance.settings) + articles.folders()
    for entry in bringing.entries(pieces, done.snapshot, done.left_out, without_damaged=True):
        if not cleaning.is_named(entry.key, kept=kept):
            done.unnamed += 1
            continue
        found = _look(store, entry, reread=reread)
        if found is not None:
            done.there += 1
            if not found:
                done.others.append(entry.key)
            continue
        try:
            bringing.bring(entry, pieces, store, tick)
            done.brought += 1
        except Damaged:
            done.left_out.append(entry.key)
    done.lacking = orphans.media((), store)
    log.info("media brought back", extra={"snapshot": done.snapshot.name, "objects": done.brought})
    return done


def _look(store: ObjectStore, entry: Entry, *, reread: bool) -> bool | None:
    """Whether what is in the store is what is in the backup; ``None`` when it is missing or damaged."""
    try:
        stored = store.stat(entry.key)
    except NotFound:
        return None
    same = (stored.size_bytes, stored.sha256) == (entry.blob.size_bytes, entry.blob.sha256)
    if reread and same:
        try:
            store.verify(entry.key)
        except (NotFound, Unavailable):
            # Also where the store is away: the bytes are those that belong there, and putting them tells.
            return None
    return same
