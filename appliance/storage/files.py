"""An object as a file, for programs that read files: ffmpeg, mutagen, Pillow."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance.storage import checking
from appliance.storage import disk
from appliance.storage import streams
from appliance.storage.local import LocalStore
from appliance.storage.objects import ObjectStore


@contextlib.contextmanager
def as_file(store: ObjectStore, key: str, *, folder: Path) -> Iterator[Path]:
    """A path at which the object can be read, and must not be written, until the block ends.

    The local store gives its own file, at no cost. Any other object is downloaded into *folder*, checked
    against its SHA-256 and removed afterwards. Raises ``NotFound``, and ``Unavailable`` for damaged bytes.
    """
    if isinstance(store, LocalStore):
        yield store.path(key)
        return
    expected = store.stat(key).sha256
    digest = hashlib.sha256()
    # The end of the key stays: ffmpeg and mutagen look at a file's suffix.
    with disk.plain_disk_errors():
        descriptor, name = tempfile.mkstemp(dir=folder, suffix="-" + key.rpartition("/")[2])
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file, store.open(key) as stream:
            for block in streams.blocks(stream):
                digest.update(block)
                with disk.plain_disk_errors():
                    file.write(block)
        if digest.hexdigest() != expected:
            raise checking.damaged(key)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
