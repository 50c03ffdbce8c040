"""Where a snapshot is restored to: nothing may be there yet, the secret key must fit, and nobody may be at work there."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

import peewee

from appliance import database
from appliance import node_processes
from appliance import startup
from appliance.backup import databases
from appliance.backup import schema
from appliance.backup.manifest import SQLITE
from appliance.backup.manifest import Snapshot
from appliance.backup.taking import mark
from appliance.connections import Limits
from appliance.connections import sqlstate
from appliance.database import proxy
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.jobs import leases
from appliance.jobs import rota
from appliance.jobs.process import is_gone
from appliance.jobs.process import is_of_here
from appliance.settings import FILE_NAME
from appliance.settings import Settings
from appliance.storage import ObjectStore
from appliance.storage.disk import plain_disk_errors
from appliance.storage.disk import sync_folder

PLACES = frozenset({"data", "database_url", "store_url", "queue_url"})
"""What a settings file of another machine must not decide here; nor where backups go, unless it is said here: a trial would go on in its backup."""


def require_fitting(settings: Settings, snapshot: Snapshot) -> None:
    """``Invalid`` when this version, or the database that the settings name, cannot take the snapshot."""
    require_known(snapshot.migrations, snapshot.version)
    here = databases.engine(startup.database_url(settings))
    if here != snapshot.engine:
        raise Invalid(
            "The snapshot holds a database of {theirs}, and the setting 'database_url' names one of {ours}; set it to one of {theirs}.",
            theirs=snapshot.engine,
            ours=here,
            field="database_url",
        )


def require_known(migrations: Collection[str], version: str) -> None:
    """``Invalid`` when there is a migration that only a later version knows."""
    if set(migrations) - set(schema.known()):
        raise Invalid(
            "The backup was made by a newer version of MusicConnect ({version}) than this; install that, or a later one.",
            version=version[:40],
        )


def require_empty(settings: Settings, store: ObjectStore) -> None:
    """``Conflict`` when there is a database or anything in the store; what a restore that was killed left does not count."""
    # Asked in any case: one that does not answer now would not after hours either.
    has_database = _has_database(settings)
    if (settings.data / startup.RESTORING).exists():
        return
    if has_database:
        raise Conflict(
            "There is a database already, which a restore would replace; restore into an empty data folder, or say --force."
        )
    if next(store.walk(""), None) is not None:
        raise Conflict(
            "There are media already, which a restore would mix with its own; restore into an empty store, or say --force."
        )


def require_idle(settings: Settings) -> None:
    """``Conflict`` when a server or worker of this machine runs on the database that is to be replaced, or a worker of another one.

    Of others only those are known that have the chores; whether a web server runs elsewhere, nobody can tell from here.
    """
    try:
        if not _has_database(settings):
            return
        connect(settings)
        elsewhere = leases.holder(rota.DUTY)
        ours = [row for row in node_processes.running() if is_of_here(row.id)]
    except (Unavailable, peewee.PeeweeException) as error:
        cause = error.__cause__ if isinstance(error, Unavailable) else error
        if not isinstance(cause, peewee.PeeweeException) or not _is_damage(cause, settings):
            raise
        # A good reason to restore.
        return
    finally:
        if proxy.obj is not None:
            database.close()
    if ours:
        raise Conflict("MusicConnect runs here ({kind}); stop it, then restore.", kind=ours[0].kind)
    if elsewhere is not None and not is_gone(elsewhere[0]):
        raise Conflict(
            "A worker on {machine} runs on this database. Stop web servers and workers on all machines, then restore; of one that was "
            "killed the lease ends at {until} UTC.",
            machine=elsewhere[0].partition(":")[0],
            until=f"{elsewhere[1]:%H:%M:%S}",
        )


def secret_for(settings: Settings, snapshot: Snapshot, given: Path | None, *, fresh: bool) -> str:
    """The secret key that the restored node is to have; empty: the settings say it, or one is made at the next start.

    Without the right one nothing opens what is sealed in the database, so a wrong one is refused unless a *fresh* one is wanted.
    """
    if fresh:
        return ""
    own = settings.data / startup.SECRET_FILE
    candidates = [
        settings.secret_key,
        given.read_text("utf-8", "replace").strip() if given else "",
        snapshot.secrets.secret_key,
        own.read_text("ascii").strip() if own.is_file() else "",
    ]
    found = next((one for one in candidates if one), "")
    if not found:
        raise Invalid(
            "The backup is not encrypted, so it does not hold the secret key. Give it by --secret-key FILE; or say "
            "--new-secret-key: then everybody is signed out, authenticator apps must be set up anew, the seal of the audit trail is "
            "not ours, and exclusive tracks must be made again.",
            field="secret_key",
        )
    if snapshot.secrets.secret_mark and mark(found) != snapshot.secrets.secret_mark:
        raise Invalid(
            "The secret key that is given is not the one of this backup; give the right one, or say --new-secret-key.",
            field="secret_key",
        )
    if not settings.secret_key and (not found.isascii() or found != found.strip()):
        raise Invalid(
            "The secret key of this backup was a setting; set 'secret_key' to it.", field="secret_key"
        )
    return "" if settings.secret_key else found


def keep_secret(settings: Settings, secret: str) -> None:
    """Write *secret* into the data folder, in one step; another one there is moved aside."""
    path = settings.data / startup.SECRET_FILE
    if path.is_file() and path.read_text("ascii").strip() == secret:
        return
    with plain_disk_errors():
        fresh = path.with_name(path.name + ".restoring")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secret + "\n", "ascii")
        if path.exists():
            path.replace(path.with_name(path.name + ".before"))
        fresh.replace(path)


def keep_settings(settings: Settings, text: str) -> Path | None:
    """Write the settings file of the backup where it will be read, or beside that where a person must look at it first; where it is."""
    if not text:
        return None
    here = settings.data / FILE_NAME
    # As it was read: what is no UTF-8 in it comes back to the byte.
    content = text.encode("utf-8", "surrogateescape")
    if any(path.is_file() and path.read_bytes() == content for path in (Path(FILE_NAME), here)):
        return None
    taken = here.exists() or Path(FILE_NAME).exists() or not _may_decide_here(settings, text)
    path = here.with_name(FILE_NAME + ".restored") if taken else here
    with plain_disk_errors():
        path.touch(mode=0o600)
        path.write_bytes(content)
    return path


def _may_decide_here(settings: Settings, text: str) -> bool:
    """Whether a settings file says nothing of places, and can be read at all: it may have been saved half edited."""
    try:
        text.encode()
        said = tomllib.loads(text).keys()
    except ValueError:
        return False
    places = PLACES if settings.backup_url else PLACES | {"backup_url"}
    return not places & said


def put_in_place(side: Path, target: Path, *, aside: str) -> None:
    """Make the file at *side* the database, in one step; one that is there goes aside, with what lies beside it."""
    with plain_disk_errors():
        for suffix in ("", "-wal", "-shm"):
            old = target.with_name(target.name + suffix)
            if old.exists():
                old.replace(target.with_name(f"{target.name}.{aside}{suffix}"))
        side.replace(target)
        sync_folder(str(target.parent))


def connect(settings: Settings) -> None:
    """Connect the database that is to be replaced, or was just now: what is done to it may take its time."""
    limits = Limits(connect_s=settings.database_connect_s, pooler=settings.database_pooler)
    database.connect(startup.database_url(settings), limits=limits)


def _is_damage(error: peewee.PeeweeException, settings: Settings) -> bool:
    """Pure: whether there is no database of ours that could be asked; not that one does not answer, or that somebody is at work in it."""
    if databases.engine(startup.database_url(settings)) == SQLITE:
        return "locked" not in str(error)
    # Tables that are missing, and files that cannot be read (class 58).
    return isinstance(error, peewee.ProgrammingError | peewee.InternalError) or sqlstate(error).startswith(
        "58"
    )


def _has_database(settings: Settings) -> bool:
    url = startup.database_url(settings)
    if databases.engine(url) == SQLITE:
        path = Path(url.removeprefix("sqlite:///"))
        return path.is_file() and path.stat().st_size > 0
    connect(settings)
    try:
        return bool(proxy.get_tables())
    finally:
        database.close()
