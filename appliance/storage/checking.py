"""Are the bytes still the right ones? Reading, hashing and comparing, the same for every store."""

from __future__ import annotations

import hashlib
import secrets
from io import BytesIO
from typing import BinaryIO

from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage.objects import ObjectStore
from appliance.storage.streams import blocks


def sha256_of(stream: BinaryIO) -> str:
    """The SHA-256 of the rest of *stream*, in hexadecimal."""
    digest = hashlib.sha256()
    for block in blocks(stream):
        digest.update(block)
    return digest.hexdigest()


def damaged(key: str) -> Unavailable:
    """The error for an object that is not what was put."""
    return Unavailable(f"The stored object {key} is damaged: its SHA-256 is not the one it was stored with.")


def verify(store: ObjectStore, key: str) -> None:
    """Read the object and compare. Raises ``Unavailable`` when it is damaged."""
    expected = store.stat(key).sha256
    with store.open(key) as stream:
        if sha256_of(stream) != expected:
            raise damaged(key)


def probe(store: ObjectStore) -> None:
    """Write, read back and remove a small object. Raises ``Unavailable`` when any of it goes wrong."""
    key = f"_check/{secrets.token_hex(8)}"
    wrote = secrets.token_bytes(64)
    stored = store.put(key, BytesIO(wrote), content_type="application/octet-stream")
    try:
        with store.open(key) as stream:
            read = stream.read()
        if read != wrote or store.stat(key) != stored:
            raise Unavailable("The storage gives back something else than what was put there.")
    except NotFound as error:
        raise Unavailable("The storage lost an object that was just put there.") from error
    finally:
        store.delete(key)
