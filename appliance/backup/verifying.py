"""Is a snapshot whole? Every piece is there, with *read* every byte is the right one, and the database opens and finds nothing wrong in itself."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from appliance.backup import databases
from appliance.backup import listing
from appliance.backup import orphans
from appliance.backup.listing import Entry
from appliance.backup.manifest import Snapshot
from appliance.backup.pieces import Blob
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Pieces
from appliance.backup.repository import Repository
from appliance.errors import MusicConnectError


@dataclass(slots=True)
class Known:
    """What was looked at already: snapshots have most pieces in common."""

    there: frozenset[bytes]
    good: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Verified:
    """What was looked at, a sentence for each thing that is wrong, and one for what was so when it was backed up."""

    snapshot: str
    objects: int = 0
    size_bytes: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def known(repository: Repository) -> Known:
    """The pieces that are there, by one walk."""
    return Known(frozenset(name for name, _ in repository.pieces().stored()))


def verify(
    repository: Repository,
    name: str,
    known: Known,
    *,
    read: bool,
    scratch: Path,
    tick: Callable[[], None] = lambda: None,
) -> Verified:
    """Look at one snapshot; the database is put together and opened in any case, and with *read* the media are read."""
    found = Verified(name)
    pieces = repository.pieces()
    try:
        snapshot = repository.read(name)
    except MusicConnectError as error:
        found.problems.append(str(error))
        return found
    _look_at_database(snapshot, pieces, scratch, found, tick)
    for entry in _entries(snapshot, pieces, found):
        found.objects += 1
        found.size_bytes += entry.blob.size_bytes
        if problem := _wrong(entry.blob, pieces, known, read=read, tick=tick):
            found.problems.append(f"{entry.key}: {problem}")
    if not found.problems and (found.objects, found.size_bytes) != (snapshot.objects, snapshot.object_bytes):
        found.problems.append("The list of the media is not what the snapshot says.")
    return found


def _entries(snapshot: Snapshot, pieces: Pieces, found: Verified) -> Iterator[Entry]:
    """The media of every page that can be read."""
    last = ""
    for page in snapshot.pages:
        try:
            for entry in listing.read(pieces, [page]):
                if entry.key <= last:
                    raise Damaged("The list of the media is out of order.")
                last = entry.key
                yield entry
        except MusicConnectError as error:
            found.problems.append(f"list of the media: {error}")


def _look_at_database(
    snapshot: Snapshot, pieces: Pieces, scratch: Path, found: Verified, tick: Callable[[], None]
) -> None:
    try:
        with databases.own_folder(scratch) as folder:
            path = folder / "database"
            databases.put_together(snapshot.database, pieces, path, tick)
            databases.require_sound(snapshot.engine, path)
            found.notes += filter(None, [orphans.rows(databases.orphaned(snapshot.engine, path))])
    except MusicConnectError as error:
        found.problems.append(f"database: {error}")


def _wrong(blob: Blob, pieces: Pieces, known: Known, *, read: bool, tick: Callable[[], None]) -> str:
    """What is wrong with these bytes; empty when nothing is."""
    for digest, size_bytes in blob.sizes():
        name = pieces.short_name(digest)
        if name in known.good:
            continue
        if name not in known.there:
            return f"The piece {pieces.name(digest)} is missing."
        if read:
            try:
                pieces.get(digest, size_bytes)
            except Damaged as error:
                return str(error)
            known.good.add(name)
            tick()
    return ""
