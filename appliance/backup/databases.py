"""The database of a snapshot, on either engine: into pieces, and out of them into a file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from appliance import database
from appliance.backup import postgresql
from appliance.backup import sqlite_files
from appliance.backup.manifest import POSTGRESQL
from appliance.backup.manifest import SQLITE
from appliance.backup.pieces import Blob
from appliance.backup.pieces import Pieces
from appliance.backup.pieces import Writer
from appliance.storage.disk import plain_disk_errors
from appliance.storage.streams import blocks


def engine(url: str) -> str:
    """Which engine is at this address."""
    return SQLITE if url.startswith("sqlite:///") else POSTGRESQL


def copy(
    url: str,
    pieces: Pieces,
    *,
    before: Blob | None,
    scratch: Path,
    tick: Callable[[], None],
) -> tuple[Blob, tuple[str, ...]]:
    """The connected database, which is at *url*, as it is at one moment; what it has in common with *before* is not asked for.

    And the tables in which rows name others that are not there; PostgreSQL has no such rows.
    """
    known = before.digests if before is not None else ()
    if engine(url) == POSTGRESQL:
        writer = Writer(pieces, piece_bytes=postgresql.PIECE_BYTES, pack=True, known=known, tick=tick)
        postgresql.dump(url, writer.write)
        return writer.finish(), ()
    source = database.file()
    assert source is not None
    writer = Writer(pieces, piece_bytes=sqlite_files.PIECE_BYTES, pack=True, known=known, tick=tick)
    with (
        own_folder(scratch) as folder,
        sqlite_files.copied(source, folder) as path,
        path.open("rb") as file,
    ):
        orphaned = sqlite_files.orphaned(path)
        for block in blocks(file):
            writer.write(block)
    return writer.finish(), orphaned


def orphaned(kind: str, path: Path) -> tuple[str, ...]:
    """The tables in which rows name others that are not there, in the sound copy in the file at *path*."""
    return sqlite_files.orphaned(path) if kind == SQLITE else ()


def put_together(blob: Blob, pieces: Pieces, path: Path, tick: Callable[[], None]) -> None:
    """Write the copy into a file at *path*. Raises ``Damaged``."""
    with plain_disk_errors(), path.open("wb") as file:
        path.chmod(0o600)
        for data in blob.read(pieces, tick):
            file.write(data)


def require_sound(kind: str, path: Path) -> None:
    """Raise when the copy in the file at *path* cannot be put back."""
    (sqlite_files if kind == SQLITE else postgresql).require_sound(path)


@contextlib.contextmanager
def own_folder(scratch: Path) -> Iterator[Path]:
    """A folder for the block; what a killed run leaves is swept with the rest of the scratch folder."""
    with plain_disk_errors():
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = tempfile.TemporaryDirectory(prefix="backup-", dir=scratch, ignore_cleanup_errors=True)
    with made as name:
        yield Path(name)
