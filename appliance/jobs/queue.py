"""The Huey object: inert on import, connected by ``configure``."""

import sqlite3
from urllib.parse import urlsplit

import huey as huey_package
from huey import crontab
from huey.serializer import SignedSerializer
from huey.storage import BlackHoleStorage
from huey.storage import MemoryStorage
from huey.storage import PostgresStorage
from huey.storage import SqliteStorage

from appliance.errors import Invalid
from appliance.errors import Unavailable

huey = huey_package.Huey(
    "musicconnect", results=False, storage_class=BlackHoleStorage, immediate_use_memory=False
)

__all__ = ["check", "configure", "crontab", "huey"]


def configure(url: str, *, secret: str, immediate: bool = False) -> None:
    """Connect the queue at *url*; messages are signed, so that who can write to a shared queue cannot run code.

    ``memory://`` keeps messages in this process. Raises ``Invalid`` for an unknown address, ``Unavailable`` when it does not answer.
    """
    huey.serializer = SignedSerializer(secret=secret, salt="musicconnect.queue")
    huey.immediate = immediate
    huey.storage = _storage(url)


def _storage(url: str) -> object:
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryStorage(huey.name)
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        try:
            return SqliteStorage(huey.name, filename=path, fsync=True, timeout=20)
        except sqlite3.DatabaseError as error:
            # The rows of the jobs hold the truth: a new queue is filled from them within a minute.
            raise Unavailable(
                f"The queue does not answer: {error}; move {path} away, and what waits is queued anew."
            ) from error
    try:
        if scheme in {"postgres", "postgresql"}:
            return PostgresStorage(huey.name, dsn=url)
        if scheme in {"redis", "rediss"}:
            # Imported here because redis is an extra: one node runs without it.
            from huey.storage import PriorityRedisStorage

            return PriorityRedisStorage(huey.name, url=url)
    except Exception as error:
        # Every engine has errors of its own, and their packages need not be installed.
        raise Unavailable("The queue does not answer; look at the setting 'queue_url'.") from error
    raise Invalid(
        "The setting 'queue_url' must begin with sqlite:///, postgresql:// or redis://.", field="queue_url"
    )


def check() -> int:
    """How many messages wait; ``Unavailable`` when the queue does not answer."""
    try:
        return int(huey.storage.queue_size())
    except Exception as error:
        raise Unavailable(f"The queue does not answer: {error}") from error
