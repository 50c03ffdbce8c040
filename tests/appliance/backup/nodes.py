"""A node with rows and media to lose, and what is compared when it comes back."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from appliance import clock
from appliance import startup
from appliance.backup import repository
from appliance.backup import restoring
from appliance.backup.restoring import Restored
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import ObjectStore
from appliance.storage import open_store
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user

KEY = "the key of the backup, which is long enough for it"
MIB = 1024 * 1024

Rows = dict[str, list[tuple[Any, ...]]]

CHANGED = {
    "account_session",
    "trusted_device",
    "node_process",
    "backup_run",
    "restoration",
    "revocation",
    "mail_message",
    "job",
    "download_file",
}
"""Tables that a restore settles on purpose; each has a test of its own."""


def fill(appliance: Appliance, *, tracks: int = 3, large_bytes: int = 9 * MIB + 17) -> None:
    """People, a release with tracks, and media: small ones, an empty one, one of several pieces, one of exactly a piece."""
    chance = random.Random(7)
    for _ in range(5):
        make_user()
    artist = make_artist()
    release = make_release(artist)
    for number in range(tracks):
        track = add_track(release, title=f"Track {number}")
        put(appliance.store, track.original_key, chance.randbytes(50_000 + number), "audio/flac")
        put(appliance.store, f"hls/{track.id}/run/high.mp4", chance.randbytes(70_000), "audio/mp4")
        put(appliance.store, f"hls/{track.id}/run/master.m3u8", b"#EXTM3U\n", "application/vnd.apple.mpegurl")
    put(appliance.store, "originals/large.flac", chance.randbytes(large_bytes), "audio/flac")
    put(appliance.store, "originals/piece.flac", chance.randbytes(4 * MIB), "audio/flac")
    put(appliance.store, "originals/empty.flac", b"", "audio/flac")
    put(appliance.store, "artwork/a/b/300.jpg", chance.randbytes(3000), "image/jpeg")


def put(store: ObjectStore, key: str, content: bytes, content_type: str = "audio/flac") -> None:
    store.put(key, io.BytesIO(content), content_type=content_type)


def rows(url: str) -> Rows:
    """Every row of every table, by table."""
    found: Rows = {}
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                found[name] = sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
        return found
    with psycopg.connect(url) as database:
        asked = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        for (name,) in database.execute(asked).fetchall():
            found[name] = sorted(database.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
    return found


def contents(store: ObjectStore) -> dict[str, tuple[str, str, str]]:
    """SHA-256 of the bytes, SHA-256 as the store says, and content type of every object."""
    found = {}
    for stored in store.list(""):
        with store.open(stored.key) as stream:
            read = hashlib.sha256(stream.read()).hexdigest()
        found[stored.key] = (read, stored.sha256, stored.content_type)
    return found


def same(before: Mapping[str, Any], after: Mapping[str, Any], *, but: set[str] = CHANGED) -> None:
    """Every row is there, and no other, in all tables but those that are settled on purpose."""
    assert before.keys() == after.keys()
    for name in before.keys() - but:
        assert before[name] == after[name], name
    assert sum(map(len, before.values())) > 50


def with_backup(appliance: Appliance, url: str, *, key: str = "", **more: Any) -> Appliance:
    """The same node with these settings."""
    return replace(appliance, settings=replace(appliance.settings, backup_url=url, backup_key=key, **more))


def restored(target: Settings, wanted: str = repository.LATEST, *, secret: str = "", **how: Any) -> Restored:
    """Restore into what *target* describes, out of its ``backup_url``."""
    startup.stop()
    settings = replace(target, secret_key=secret) if secret else target
    opened = repository.open_repository(settings.backup_url, settings.backup_key)
    return restoring.restore(settings, opened, wanted, now=clock.now(), **how)


def store_of(settings: Settings) -> ObjectStore:
    return open_store(startup.store_url(settings))


def stored_bytes(folder: Path) -> int:
    """The room that a folder takes."""
    return sum(os.lstat(Path(where, name)).st_size for where, _, names in os.walk(folder) for name in names)
