"""Taking a snapshot of a node that runs: media, then the database, then the media that came meanwhile, and the snapshot last.

Bytes are in the store before the row that names them, so what a row of the copy names is found by the second walk, or was found by the first
if it was removed since. Only what came and went again between the two, within one backup, can be missing; no row that lasts is about it.
A run that is killed has written pieces and no snapshot: it damages none, and the next one finds the pieces there.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import peewee

from appliance import __version__
from appliance import clock
from appliance import failures
from appliance import startup
from appliance.backup import databases
from appliance.backup import listing
from appliance.backup import locks
from appliance.backup import manifest
from appliance.backup import media
from appliance.backup import orphans
from appliance.backup import pruning
from appliance.backup import repository
from appliance.backup import retention
from appliance.backup import runs
from appliance.backup import schema
from appliance.backup.locks import Lock
from appliance.backup.manifest import Secrets
from appliance.backup.manifest import Snapshot
from appliance.backup.models import RunState
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Tally
from appliance.backup.pruning import Pruned
from appliance.backup.repository import Repository
from appliance.errors import Invalid
from appliance.settings import FILE_NAME
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import LocalStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run came to."""

    snapshot: Snapshot
    tally: Tally
    objects_read: int
    vanished: int
    damaged: tuple[str, ...]
    problem: str
    pruned: Pruned
    seconds: float
    encrypted: bool


def take(
    appliance: Appliance,
    *,
    url: str = "",
    distrust: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Taken:
    """Take a snapshot to *url* or the setting ``backup_url``, and forget those whose time is over.

    With *distrust* everything is read anew, and what is damaged there is written again. Raises ``Conflict`` when another run is under way.
    """
    settings = appliance.settings
    rules = retention.read(settings.backup_keep)
    began_at = clock.now()
    at = runs.place_of(url or settings.backup_url)
    # After a run that told of something it is looked at anew, until it is mended.
    look = distrust or bool(runs.problem(at))
    run = runs.begin(at, now=began_at)
    try:
        store, place = repository.open_place(url or settings.backup_url)
        if isinstance(store, LocalStore) and isinstance(appliance.store, LocalStore):
            _require_apart(store.root, appliance.store.root)
        with locks.held(store) as lock:
            opened = repository.make_repository(store, place, settings.backup_key)
            taken = _take(
                appliance, opened, lock, rules, distrust=distrust, look=look, now=began_at, tick=tick
            )
    except BaseException as error:
        # Also when the worker is to stop: the next run goes on from here. What ails the database must not hide what it was.
        with contextlib.suppress(peewee.PeeweeException):
            told = failures.told(error)[:500] or type(error).__name__
            runs.end(run, RunState.FAILED, now=clock.now(), problem=told)
        raise
    runs.end(
        run,
        RunState.GOOD,
        now=clock.now(),
        snapshot=taken.snapshot.name,
        objects_new=taken.objects_read,
        objects_known=taken.snapshot.objects - taken.objects_read,
        bytes_new=taken.tally.bytes_new,
        bytes_total=taken.snapshot.size_bytes,
        problem=" ".join(filter(None, (_told(taken.damaged), taken.problem))),
    )
    log.info(
        "backup taken",
        extra={
            "snapshot": taken.snapshot.name,
            "bytes": taken.tally.bytes_new,
            "seconds": round(taken.seconds, 1),
        },
    )
    return taken


def mark(secret: str) -> str:
    """What tells a secret from another one and tells nothing of it."""
    return hmac.digest(secret.encode(), b"mark of a backup", hashlib.sha256).hex()[:32] if secret else ""


def _take(
    appliance: Appliance,
    opened: Repository,
    lock: Lock,
    rules: dict[str, int],
    *,
    distrust: bool,
    look: bool,
    now: datetime,
    tick: Callable[[], None],
) -> Taken:
    settings, store = appliance.settings, appliance.store
    pieces = opened.pieces(distrust=distrust)
    before = _before(opened)
    first = media.copy(
        store, pieces, listing.read(opened.pieces(), before.pages) if before else (), tick=tick
    )
    # The schema does not change meanwhile: a migration is run by hand, or before a node serves.
    migrations = tuple(schema.applied())
    copy, orphaned = databases.copy(
        startup.database_url(settings),
        pieces,
        before=before.database if before else None,
        scratch=appliance.scratch,
        tick=tick,
    )
    pieces.distrust = False
    second = media.copy(store, pieces, listing.read(pieces, first.pages), keep_gone=True, tick=tick)
    snapshot = Snapshot(
        name=manifest.name_at(now),
        taken_at=now,
        version=__version__,
        engine=databases.engine(startup.database_url(settings)),
        migrations=migrations,
        database=copy,
        pages=second.pages,
        objects=second.objects,
        object_bytes=second.object_bytes,
        secrets=_secrets(appliance, encrypted=opened.keyring is not None),
        settings_file=_settings_file(settings) if opened.keyring else "",
    )
    lock.require()
    opened.write(snapshot)
    # It is a snapshot from here on; what is cleared away does not make it less of one.
    new_day = before is None or before.taken_at.date() != now.date()
    pruned, problems = Pruned(pruning.forget(opened, rules, lock=lock)), [orphans.rows(orphaned)]
    if new_day or look:
        try:
            problems.append(orphans.media(listing.read(pieces, second.pages), store))
            swept = pruning.sweep(opened, lock=lock, now=now, tick=tick)
            pruned = Pruned(pruned.snapshots, swept)
            problems.append(_missing(swept.missing))
        except (Damaged, Invalid) as error:
            problems.append(f"Nothing is cleared away: {error}")
    return Taken(
        snapshot,
        pieces.tally,
        first.read + second.read,
        first.vanished + second.vanished,
        tuple(dict.fromkeys((*first.damaged, *second.damaged))),
        " ".join(filter(None, problems)),
        pruned,
        (clock.now() - now).total_seconds(),
        opened.keyring is not None,
    )


def _before(opened: Repository) -> Snapshot | None:
    """The newest snapshot whose list can be read; without one, everything is read, and only what is missing is written."""
    for name in reversed(opened.names()):
        try:
            found = opened.read(name)
            for _ in listing.read(opened.pieces(), found.pages):
                pass
        except (Damaged, Invalid):
            log.warning("a snapshot cannot be read", extra={"snapshot": name})
        else:
            return found
    return None


def _secrets(appliance: Appliance, *, encrypted: bool) -> Secrets:
    return Secrets(
        secret_key=appliance.secret if encrypted else "",
        secret_mark=mark(appliance.secret),
        media_master_mark=mark(appliance.settings.media_master_key),
    )


def _settings_file(settings: Settings) -> str:
    for path in (Path(FILE_NAME), settings.data / FILE_NAME):
        if path.is_file():
            # Somebody may have saved half of it, or in an old encoding: it is kept to the byte.
            return path.read_bytes().decode("utf-8", "surrogateescape")
    return ""


def _require_apart(backup: Path, store: Path) -> None:
    if backup.is_relative_to(store) or store.is_relative_to(backup):
        raise Invalid(
            "The backup must lie elsewhere than the media, best on another machine.", field="backup_url"
        )


def _missing(pieces: int) -> str:
    if not pieces:
        return ""
    return f"{pieces} piece(s) of the backup are missing; run musicconnect backup verify --all, then musicconnect backup --reread."


def _told(damaged: tuple[str, ...]) -> str:
    if not damaged:
        return ""
    return f"{len(damaged)} object(s) of the media are damaged, such as {damaged[0]}."
