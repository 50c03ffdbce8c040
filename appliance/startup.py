"""Start MusicConnect for one process: database, hooks, storage, jobs, in that order, and nowhere else."""

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import peewee

from appliance import cache
from appliance import database
from appliance import hooks
from appliance import jobs
from appliance import mail
from appliance import observers
from appliance import plugin_settings
from appliance import queries
from appliance import replica
from appliance import sandbox
from appliance.connections import Limits
from appliance.errors import Unavailable
from appliance.jobs import running
from appliance.jobs import sweeping
from appliance.settings import Settings
from appliance.storage import ObjectStore
from appliance.storage import open_store

log = logging.getLogger(__name__)

WEB = "web"
SECRET_FILE = "secret_key"  # noqa: S105 - the name of a file
RESTORING = "restoring"
"""A file of this name in the data folder says that a restore into it did not come to its end."""


@dataclass(frozen=True, slots=True)
class Appliance:
    """What a started process works with."""

    settings: Settings
    store: ObjectStore
    secret: str

    @property
    def staging(self) -> Path:
        """Where uploads lie until they are complete."""
        return self.settings.data / "uploads"

    @property
    def scratch(self) -> Path:
        """Where a worker puts what it is making."""
        return self.settings.data / "scratch"


_appliance: Appliance | None = None


def appliance() -> Appliance:
    """What this process was started with; ``Unavailable`` before ``start``."""
    if _appliance is None:
        raise Unavailable("MusicConnect is not started in this process.")
    return _appliance


def start(settings: Settings, *, immediate: bool = False, role: str = "", connections: int = 0) -> Appliance:
    """Connect everything; raises ``Invalid`` for a wrong setting, ``Unavailable`` for what does not answer.

    *role* is what this process does, such as ``web``, and *connections* how many threads of it ask the database at once.
    """
    global _appliance
    make_data_folder(settings)
    require_whole(settings)
    secret = secret_key(settings)
    # Before the plugins: an admin may have written their settings on a page.
    database.connect(
        database_url(settings),
        pool_size=connections or max(settings.web_threads, settings.worker_threads) + 4,
        limits=database_limits(settings, role),
        replica_url=settings.database_replica_url if role == WEB else "",
    )
    replica.follow(lag_s=settings.database_replica_lag_s)
    hooks.load(plugin_settings.merged(settings))
    observers.ask()
    queries.watch(slow_ms=settings.slow_query_ms)
    cache.configure(settings.cache_url)
    store = open_store(store_url(settings))
    jobs.configure(queue_url(settings), secret=secret, immediate=immediate)
    jobs.huey.storage.stand_in = sweeping.stand_in
    running.use_lease(settings.job_lease_s)
    mail.configure(settings)
    sandbox.use(settings.sandbox)
    _appliance = Appliance(settings, store, secret)
    return _appliance


def connect_database(settings: Settings) -> None:
    """Connect the database alone, for a command that needs no more."""
    database.connect(database_url(settings), limits=database_limits(settings))


def database_limits(settings: Settings, role: str = "") -> Limits:
    """How long this process may take for things in PostgreSQL: who answers people is to be quick, all others may take their time."""
    patience = 1 if role == WEB else 10
    return Limits(
        connect_s=settings.database_connect_s,
        statement_s=settings.database_statement_s * patience,
        lock_s=settings.database_lock_s,
        idle_in_transaction_s=settings.database_idle_s * patience,
        pooler=settings.database_pooler,
        name=f"musicconnect {role}".strip(),
    )


def load_plugins(settings: Settings) -> tuple[hooks.Plugin, ...]:
    """Load the plugins alone, for a look at them: with what admins wrote, where there is a database to ask."""
    wanted = settings
    try:
        url = database_url(settings)
        if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file():
            database.connect(url, limits=database_limits(settings))
            wanted = plugin_settings.merged(settings)
    except (Unavailable, peewee.PeeweeException):
        log.info("the plugins are looked at without what the database says of them")
    return hooks.load(wanted)


def stop() -> None:
    """Let go of everything that ``start`` connected."""
    global _appliance
    observers.stop()
    cache.close()
    replica.leave()
    database.close()
    _appliance = None


def make_data_folder(settings: Settings) -> None:
    """Make the data folder, for its owner only; ``Unavailable`` says why it cannot be."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.data, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise Unavailable(f"The data folder {settings.data} cannot be used: {error.strerror}.") from error


def require_whole(settings: Settings) -> None:
    """``Unavailable`` when a restore stopped in the middle: half a node must not go on as if it were one."""
    if (settings.data / RESTORING).exists():
        raise Unavailable(
            "A restore into this data folder did not come to its end; run it once more: musicconnect restore."
        )


def secret_key(settings: Settings) -> str:
    """The secret from the settings or, failing that, from the data folder, where it is made at the first start."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data / SECRET_FILE
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        pass
    fresh = path.with_name(f"{SECRET_FILE}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_hex(32) + "\n", "ascii")
    try:
        # A link never overwrites: of two processes that start at once, the second takes the first one's key.
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text("ascii").strip()


def database_url(settings: Settings) -> str:
    """Where the database is."""
    return settings.database_url or f"sqlite:///{settings.data / 'musicconnect.sqlite3'}"


def queue_url(settings: Settings) -> str:
    """Where the queue is."""
    return settings.queue_url or f"sqlite:///{settings.data / 'queue.sqlite3'}"


def store_url(settings: Settings) -> str:
    """Where the media are."""
    return settings.store_url or str(settings.data / "media")
