"""What a backup costs: the first one, and one of a node to which nothing happened since; and the restore."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from appliance import clock
from appliance import database
from appliance import startup
from appliance.backup import repository
from appliance.backup import restoring
from appliance.backup import taking
from appliance.settings import Settings
from tests.benchmarks.figures import Figure

OBJECTS, EACH_BYTES = 400, 1_000_000
ROWS = 20_000
KEY = "a key that is long enough for a backup"

T = TypeVar("T")


def run() -> list[Figure]:
    """Megabytes a second for a first, encrypted backup and its restore beside a plain copy of as many bytes; and a second backup."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        settings = Settings(
            data=root / "data", queue_url="memory://", backup_url=str(root / "backup"), backup_key=KEY
        )
        startup.make_data_folder(settings)
        node = startup.start(settings, immediate=True)
        try:
            database.migrate()
            _fill(node)
            copied_s, _ = timed(lambda: _copy(node.settings.data / "media", root / "copy"))
            first_s, first = timed(lambda: taking.take(node))
            second_s, second = timed(lambda: taking.take(node))
            _add_row("one more")
            third = taking.take(node)
        finally:
            startup.stop()
        target = replace(settings, data=root / "other")
        opened = repository.open_repository(settings.backup_url, KEY)
        restored_s, _ = timed(lambda: restoring.restore(target, opened, repository.LATEST, now=clock.now()))
    size_mb = first.snapshot.size_bytes / 1e6
    told = f"{size_mb:.0f} MB in {OBJECTS} objects and a database, AES-256-GCM"
    return [
        Figure("A first backup, as often as copying the media and syncing them", first_s / copied_s, 4, True, detail=f"{told}: {size_mb / first_s:.0f} MB/s"),
        Figure("A backup of nothing new, part of the first", second_s / first_s, 0.1, True, detail=f"{second_s:.2f} s, {second.tally.bytes_new / 1e3:.0f} kB written"),
        Figure("What a new row costs in the next backup", third.tally.bytes_new / 1e3, 300, True, unit="kB", detail=f"of a database of {first.snapshot.database.size_bytes / 1e6:.1f} MB"),
        Figure("A restore, as often as copying the media and syncing them", restored_s / copied_s, 4, True, detail=f"{size_mb / restored_s:.0f} MB/s"),
    ]  # fmt: skip


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds by the clock on the wall, and what came of it."""
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


def _fill(node: startup.Appliance) -> None:
    for number in range(OBJECTS):
        node.store.put(
            f"originals/{number:04}.flac", io.BytesIO(os.urandom(EACH_BYTES)), content_type="audio/flac"
        )
    with database.transaction():
        for number in range(ROWS):
            _add_row(f"{number:06}")


def _add_row(name: str) -> None:
    database.proxy.execute_sql(
        "INSERT INTO revocation (subject, at) VALUES (?, ?)", (f"listener:{name}", "2026-05-01 12:00:00")
    )


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*.flac")):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as reading, place.open("wb") as writing:
            while block := reading.read(1 << 20):
                writing.write(block)
            writing.flush()
            os.fsync(writing.fileno())
