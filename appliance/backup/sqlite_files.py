"""The database of one node: a sound copy of the file while others write to it, and whether a copy is sound."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from appliance.backup.pieces import Damaged
from appliance.errors import Unavailable
from appliance.storage.disk import plain_disk_errors

PIECE_BYTES = 256 * 1024
"""Small, since a page that changes takes its whole piece along; a multiple of every size of a page."""
WAIT_S = 60.0
_TOLD = 3


@contextlib.contextmanager
def copied(source: Path, folder: Path) -> Iterator[Path]:
    """A copy of the database at *source*, as it was at one moment and checked, for the block; writers go on meanwhile.

    Pages stay where they are, which is what makes the next copy have most pieces in common with this one (``VACUUM INTO`` would move them).
    """
    target = folder / "database.sqlite3"
    try:
        address = f"file:{quote(str(source))}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True, timeout=WAIT_S)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            # Nothing to roll back to: it is whole, or it is thrown away.
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            # All of it in one step, which is one moment; in smaller ones it would begin anew with every write of others.
            live.backup(copy, pages=-1)
        require_sound(target)
        yield target
    except sqlite3.DatabaseError as error:
        raise Unavailable("The database cannot be copied: {why}.", why=str(error)) from error
    finally:
        target.unlink(missing_ok=True)


def require_sound(path: Path) -> None:
    """Raise ``Damaged`` when SQLite finds anything wrong with the file."""
    with _read(path) as rows:
        said = [str(line) for (line,) in rows.execute(f"PRAGMA integrity_check({_TOLD})")]
        if said != ["ok"]:
            raise Damaged("The copy of the database is damaged: {why}.", why="; ".join(said)[:300])


def orphaned(path: Path) -> tuple[str, ...]:
    """The tables of a sound file that have a row which names one that is not there."""
    with _read(path) as rows:
        return tuple(sorted({str(row[0]) for row in rows.execute("PRAGMA foreign_key_check")}))


@contextlib.contextmanager
def _read(path: Path) -> Iterator[sqlite3.Connection]:
    # Immutable: the copy of a database in WAL mode would want files beside it.
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as rows:
            # What the file says of itself must not run: it may come from elsewhere.
            rows.execute("PRAGMA trusted_schema = OFF")
            rows.execute("PRAGMA cell_size_check = ON")
            yield rows
    except sqlite3.DatabaseError as error:
        raise Damaged("The copy of the database is damaged: {why}.", why=str(error)) from error


def settle(path: Path) -> None:
    """Bring all that was written to the file at *path* into it and onto the disk, and leave no file beside it."""
    with closing(sqlite3.connect(path, timeout=WAIT_S)) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with plain_disk_errors(), path.open("rb") as file:
        os.fsync(file.fileno())
