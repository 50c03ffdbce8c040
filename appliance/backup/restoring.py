"""Restoring a node out of a snapshot: everything is looked at, then the media come, and the database last and in one step.

Until then there is no node here that anybody could use. A restore that was killed is run once more, and finds most of the media there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance import cache
from appliance import database
from appliance import startup
from appliance.backup import bringing
from appliance.backup import databases
from appliance.backup import listing
from appliance.backup import mending
from appliance.backup import orphans
from appliance.backup import placing
from appliance.backup import postgresql
from appliance.backup import schema
from appliance.backup import sqlite_files
from appliance.backup import verifying
from appliance.backup.listing import Entry
from appliance.backup.manifest import SQLITE
from appliance.backup.manifest import Snapshot
from appliance.backup.mending import Mended
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Pieces
from appliance.backup.repository import Repository
from appliance.database import proxy
from appliance.errors import NotFound
from appliance.settings import Settings
from appliance.storage import ObjectStore
from appliance.storage import open_store
from appliance.storage.disk import plain_disk_errors

log = logging.getLogger(__name__)

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to."""

    snapshot: Snapshot
    objects: int
    objects_there: int
    left_out: tuple[str, ...]
    migrated: tuple[str, ...]
    mended: Mended
    settings_file: Path | None
    orphaned: str


def restore(
    settings: Settings,
    opened: Repository,
    wanted: str,
    *,
    force: bool = False,
    secret_file: Path | None = None,
    fresh_secret: bool = False,
    without_damaged: bool = False,
    now: datetime,
    tick: Callable[[], None] = lambda: None,
) -> Restored:
    """Make the node that *settings* describe out of the snapshot *wanted*. Raises before anything is changed where it can."""
    snapshot = opened.find(wanted)
    startup.make_data_folder(settings)
    placing.require_fitting(settings, snapshot)
    secret = placing.secret_for(settings, snapshot, secret_file, fresh=fresh_secret)
    with databases.own_folder(settings.data / "scratch") as folder:
        store = open_store(startup.store_url(settings), spool_folder=folder)
        if force:
            placing.require_idle(settings)
        else:
            placing.require_empty(settings, store)
        pieces = opened.pieces()
        if not without_damaged:
            _require_there(opened, snapshot)
        side = _side(settings, folder)
        databases.put_together(snapshot.database, pieces, side, tick)
        databases.require_sound(snapshot.engine, side)
        orphaned = orphans.rows(databases.orphaned(snapshot.engine, side))
        _mark(settings, snapshot)
        there, left_out = _media(store, pieces, snapshot, without_damaged=without_damaged, tick=tick)
        if secret:
            placing.keep_secret(settings, secret)
        settings_file = placing.keep_settings(settings, snapshot.settings_file)
        migrated, mended = _place(settings, snapshot, side, now=now)
    (settings.data / startup.RESTORING).unlink()
    if settings.cache_url and not cache.forget_all(settings.cache_url):
        log.warning(
            "Redis is away: what it kept before the restore may be shown for an hour after it is back"
        )
    log.info("restored", extra={"snapshot": snapshot.name, "objects": snapshot.objects})
    return Restored(snapshot, snapshot.objects, there, left_out, migrated, mended, settings_file, orphaned)


def _require_there(opened: Repository, snapshot: Snapshot) -> None:
    """``Damaged`` when a piece of the snapshot is missing: better now than after hours."""
    pieces = opened.pieces()
    there = verifying.known(opened).there
    lost = [
        entry.key
        for entry in listing.read(pieces, snapshot.pages)
        if any(pieces.short_name(digest) not in there for digest in entry.blob.digests)
    ]
    if lost:
        raise Damaged(
            "The snapshot {name} lacks the bytes of {count} object(s), such as {keys}; nothing is restored. Take another one, or say "
            "--without-damaged.",
            name=snapshot.name,
            count=len(lost),
            keys=", ".join(lost[:_NAMED]),
        )


def _side(settings: Settings, folder: Path) -> Path:
    """Where the database waits: beside its place, so that one rename puts it there; or, for a program to read, in a folder of its own."""
    url = startup.database_url(settings)
    if databases.engine(url) != SQLITE:
        return folder / "database"
    target = Path(url.removeprefix("sqlite:///"))
    side = target.with_name(target.name + ".restoring")
    for suffix in ("", "-wal", "-shm", "-journal"):
        side.with_name(side.name + suffix).unlink(missing_ok=True)
    return side


def _mark(settings: Settings, snapshot: Snapshot) -> None:
    with plain_disk_errors():
        told = json.dumps({"snapshot": snapshot.name})
        (settings.data / startup.RESTORING).write_text(told + "\n", "ascii")


def _media(
    store: ObjectStore,
    pieces: Pieces,
    snapshot: Snapshot,
    *,
    without_damaged: bool,
    tick: Callable[[], None],
) -> tuple[int, tuple[str, ...]]:
    """Put every object into the store; how many were there already, and the keys of those that are left out."""
    there = 0
    left_out: list[str] = []
    for entry in bringing.entries(pieces, snapshot, left_out, without_damaged=without_damaged):
        if _is_there(store, entry):
            there += 1
            continue
        try:
            bringing.bring(entry, pieces, store, tick)
        except Damaged as error:
            if not without_damaged:
                raise Damaged(
                    "{key} cannot be restored: {why} Take another snapshot, or say --without-damaged.",
                    key=entry.key,
                    why=str(error),
                ) from error
            left_out.append(entry.key)
    return there, tuple(left_out)


def _is_there(store: ObjectStore, entry: Entry) -> bool:
    try:
        stored = store.stat(entry.key)
    except NotFound:
        return False
    return (stored.size_bytes, stored.sha256) == (entry.blob.size_bytes, entry.blob.sha256)


def _place(
    settings: Settings, snapshot: Snapshot, side: Path, *, now: datetime
) -> tuple[tuple[str, ...], Mended]:
    """Bring the database up to date, settle what must not go on, and put it in its place."""
    url = startup.database_url(settings)
    if snapshot.engine != SQLITE:
        placing.connect(settings)
        # Whatever is in it is of an attempt that was killed, or was given up by --force.
        if proxy.get_tables():
            postgresql.empty()
        postgresql.restore(side, url)
        if settings.database_pooler:
            postgresql.renew_sessions()
    else:
        database.connect(f"sqlite:///{side}")
    try:
        placing.require_known(schema.applied(), snapshot.version)
        migrated = tuple(database.migrate())
        mended = mending.mend(snapshot.name, taken_at=snapshot.taken_at, now=now)
    finally:
        database.close()
    if snapshot.engine == SQLITE:
        sqlite_files.settle(side)
        placing.put_in_place(side, Path(url.removeprefix("sqlite:///")), aside=f"before-{now:%Y%m%dT%H%M%SZ}")
    return migrated, mended
