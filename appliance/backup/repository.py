"""Where backups lie: a folder or a bucket with one document that names it, the pieces, and a document for each snapshot.

```text
repository.json        which format, whether encrypted, and what tells a wrong key
pieces/ab/abcd…        what is backed up, in pieces
snapshots/NAME.json    what a whole node is made of
locks/…                who writes just now
```
"""

from __future__ import annotations

import hmac
import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.parse import urlsplit

from appliance.backup import manifest
from appliance.backup.keyring import LEAST_CHARACTERS
from appliance.backup.keyring import SALT_BYTES
from appliance.backup.keyring import Keyring
from appliance.backup.keyring import NotOurs
from appliance.backup.manifest import Snapshot
from appliance.backup.pieces import FOLDER as PIECES
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Pieces
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import LocalStore
from appliance.storage import ObjectStore
from appliance.storage import open_store
from appliance.storage.opening import masked

FORMAT = 1
ABOUT = "repository.json"
FOLDER = "snapshots/"
LATEST = "latest"
_JSON = "application/json"
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ABOUT_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Repository:
    """An open repository."""

    store: ObjectStore
    place: str
    keyring: Keyring | None

    def pieces(self, *, distrust: bool = False) -> Pieces:
        """Its pieces, with a tally of their own."""
        return Pieces(self.store, self.keyring, distrust)

    def names(self) -> list[str]:
        """The names of all snapshots, oldest first."""
        found = (seen.key.removeprefix(FOLDER).removesuffix(".json") for seen in self.store.walk(FOLDER))
        return sorted(name for name in found if manifest.is_name(name))

    def snapshots(self) -> Iterator[Snapshot]:
        """All of them, oldest first. Raises ``Damaged``."""
        return (self.read(name) for name in self.names())

    def find(self, wanted: str) -> Snapshot:
        """The snapshot of this name, or the newest for ``latest``. Raises ``NotFound``."""
        names = self.names()
        if wanted == LATEST and names:
            return self.read(names[-1])
        if wanted not in names:
            raise NotFound("There is no such snapshot in {place}.", place=self.place)
        return self.read(wanted)

    def read(self, name: str) -> Snapshot:
        """The snapshot of this name. Raises ``Damaged``."""
        try:
            with self.store.open(f"{FOLDER}{name}.json", length=_MOST_BYTES) as stream:
                document = stream.read()
            if self.keyring:
                document = self.keyring.open_document(name, document)
        except NotFound:
            raise Damaged("The snapshot {name} is missing.", name=name) from None
        except NotOurs as error:
            raise Damaged("The snapshot {name} is damaged.", name=name) from error
        return manifest.read(name, document)

    def write(self, snapshot: Snapshot) -> None:
        """Make it a snapshot: what it names must be there."""
        document = manifest.written(snapshot)
        if self.keyring:
            document = self.keyring.seal_document(snapshot.name, document)
        self.store.put(f"{FOLDER}{snapshot.name}.json", io.BytesIO(document), content_type=_JSON)

    def forget(self, name: str) -> None:
        """Remove a snapshot; its pieces stay for others."""
        self.store.delete(f"{FOLDER}{name}.json")


def open_place(url: str) -> tuple[ObjectStore, str]:
    """The store at *url*, and the address as it may be shown; a folder is made for its owner alone."""
    folder = _folder(url)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unavailable(
                "The folder of the backup cannot be used: {why}.", why=error.strerror
            ) from error
    try:
        return open_store(url), _shown(url)
    except Invalid as error:
        raise Invalid(str(error).replace("'store_url'", "'backup_url'"), field="backup_url") from error


def open_repository(url: str, key: str) -> Repository:
    """The repository at *url*, to read from or to add to; ``NotFound`` when there is none, ``Invalid`` for a wrong *key*."""
    folder = _folder(url)
    # No folder is made for a name that was mistyped.
    if folder is not None and not any((folder / name).exists() for name in (ABOUT, FOLDER)):
        raise NotFound("There is no backup in {place}.", place=_shown(url))
    store, place = open_place(url)
    return Repository(store, place, _keyring(_about(store, place), key))


def _folder(url: str) -> Path | None:
    if not url:
        raise Invalid(
            "Say where the backup is: set 'backup_url' to a folder or s3://KEY:SECRET@host/bucket.",
            field="backup_url",
        )
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _shown(url: str) -> str:
    return masked(url).partition("?")[0]


def make_repository(store: ObjectStore, place: str, key: str) -> Repository:
    """The repository in *store*, made when there is none; whoever calls holds the lock."""
    try:
        about = _about(store, place)
    except NotFound:
        salt = secrets.token_bytes(SALT_BYTES)
        keyring = Keyring(_long_enough(key), salt) if key else None
        about = {
            "format": FORMAT,
            "salt": salt.hex(),
            "encrypted": bool(key),
            "proof": keyring.proof if keyring else "",
        }
        if isinstance(store, LocalStore):
            # The folder may be somebody's who lets others in.
            for name in (PIECES, FOLDER):
                (store.root / name).mkdir(exist_ok=True, mode=0o700)
        store.put(ABOUT, io.BytesIO(json.dumps(about, indent=1).encode()), content_type=_JSON)
    return Repository(store, place, _keyring(about, key))


def _about(store: ObjectStore, place: str) -> dict[str, Any]:
    """What the repository says of itself; ``NotFound`` where nothing was ever backed up, ``Damaged`` where it says nothing any more."""
    try:
        with store.open(ABOUT, length=_MOST_ABOUT_BYTES) as stream:
            about = json.loads(stream.read())
        if not isinstance(about, dict) or not isinstance(about.get("format"), int):
            raise TypeError("no repository")
    except NotFound:
        if next(store.walk(FOLDER), None) is not None:
            # With a new salt nothing of an encrypted backup could be opened any more.
            raise Damaged(
                "There are snapshots in {place}, but the file {name} is missing; put it back from a copy, or take another place for backups.",
                place=place,
                name=ABOUT,
            ) from None
        raise NotFound("There is no backup in {place}.", place=place) from None
    except (ValueError, TypeError) as error:
        raise Damaged("The file {name} of the backup is damaged.", name=ABOUT) from error
    if about["format"] > FORMAT:
        raise Invalid(
            "This backup was begun by a newer version of MusicConnect; install that, or a later one."
        )
    return about


def _keyring(about: dict[str, Any], key: str) -> Keyring | None:
    if not about.get("encrypted"):
        if key:
            # Whoever can write there could put one of their own in its place.
            raise Invalid(
                "The backup is not encrypted, but the setting 'backup_key' is set; take another place for encrypted "
                "ones, or unset it.",
                field="backup_key",
            )
        return None
    if not key:
        raise Invalid("The backup is encrypted; set 'backup_key' to its key.", field="backup_key")
    try:
        keyring = Keyring(_long_enough(key), bytes.fromhex(str(about["salt"])))
    except (ValueError, KeyError) as error:
        raise Damaged("The file {name} of the backup is damaged.", name=ABOUT) from error
    if not hmac.compare_digest(keyring.proof, str(about.get("proof", ""))):
        raise Invalid(
            "The setting 'backup_key' is not the key that this backup is encrypted with.", field="backup_key"
        )
    return keyring


def _long_enough(key: str) -> str:
    if len(key) < LEAST_CHARACTERS:
        raise Invalid("The setting 'backup_key' has at least 32 characters.", field="backup_key")
    return key
