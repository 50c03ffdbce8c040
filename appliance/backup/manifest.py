"""What a snapshot is: one document, written last, that says of which pieces a whole node is made at one moment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance.backup.pieces import DIGEST
from appliance.backup.pieces import PIECE_BYTES
from appliance.backup.pieces import Blob
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import is_sound
from appliance.errors import Invalid

FORMAT = 1
NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
"""A name is the moment, to the millisecond; two runs are never at once."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens what is sealed in the database; only an encrypted snapshot holds it. The marks tell whether others are the same."""

    secret_key: str = ""
    secret_mark: str = ""
    media_master_mark: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A node at the moment *taken_at*. *pages* are those of the listing of its media: the SHA-256 and the size of each."""

    name: str
    taken_at: datetime
    version: str
    engine: str
    migrations: tuple[str, ...]
    database: Blob
    pages: tuple[tuple[str, int], ...]
    objects: int
    object_bytes: int
    secrets: Secrets
    settings_file: str = ""

    @property
    def size_bytes(self) -> int:
        """How large what it holds is when it is restored."""
        return self.database.size_bytes + self.object_bytes


def name_at(moment: datetime) -> str:
    """The name of a snapshot that is taken now."""
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"


def is_name(name: str) -> bool:
    """Whether a snapshot can have this name."""
    try:
        return bool(NAME.fullmatch(name)) and name == name_at(moment_of(name))
    except ValueError:
        return False


def moment_of(name: str) -> datetime:
    """When the snapshot of this name was taken."""
    return datetime.strptime(name.removesuffix("Z") + "+0000", "%Y%m%dT%H%M%S.%f%z")


def written(snapshot: Snapshot) -> bytes:
    """*snapshot* as JSON."""
    facts = asdict(snapshot) | {"format": FORMAT, "taken_at": snapshot.taken_at.isoformat()}
    return json.dumps(facts, indent=1, sort_keys=True).encode()


def read(name: str, document: bytes) -> Snapshot:
    """The snapshot of this name. Raises ``Damaged`` for what is none, and ``Invalid`` for one of a later version.

    Nothing in it is taken as it stands: without encryption, whoever can write to the place of the backup could have written it.
    """
    try:
        facts = json.loads(document)
        found = facts["format"]
        if isinstance(found, int) and found > FORMAT:
            raise Invalid(
                "The snapshot {name} was made by a newer version of MusicConnect ({version}); install that, or a later one.",
                name=name,
                version=str(facts.get("version", "?"))[:40],
            )
        snapshot = _read(facts)
        if found != FORMAT or snapshot.name != name or not _is_sound(snapshot):
            raise ValueError("not sound")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged("The snapshot {name} is damaged.", name=name) from error
    return snapshot


def _read(facts: Mapping[str, Any]) -> Snapshot:
    blob = facts["database"]
    taken_at = datetime.fromisoformat(facts["taken_at"])
    taken_at.utctimetuple()
    return Snapshot(
        name=str(facts["name"]),
        taken_at=taken_at,
        version=str(facts["version"]),
        engine=str(facts["engine"]),
        migrations=tuple(str(name) for name in facts["migrations"]),
        database=Blob(
            int(blob["size_bytes"]), str(blob["sha256"]), int(blob["piece_bytes"]), tuple(blob["digests"])
        ),
        pages=tuple((str(digest), int(size)) for digest, size in facts["pages"]),
        objects=int(facts["objects"]),
        object_bytes=int(facts["object_bytes"]),
        secrets=Secrets(**{name: str(value) for name, value in facts["secrets"].items()}),
        settings_file=str(facts["settings_file"]),
    )


def _is_sound(snapshot: Snapshot) -> bool:
    pages = all(DIGEST.fullmatch(digest) and 0 < size <= PIECE_BYTES for digest, size in snapshot.pages)
    aware = snapshot.taken_at.tzinfo is not None
    return bool(pages and aware and is_sound(snapshot.database) and snapshot.engine in {SQLITE, POSTGRESQL})
