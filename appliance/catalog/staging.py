"""Bytes of one request on their way in: in a file under the upload's id, locked by who writes, checked by their checksum."""

import fcntl
import hashlib
import os
import secrets
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO
from typing import Protocol

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Unavailable

CHECKSUMS = ("sha1", "sha256", "md5", "crc32")
BLOCK_BYTES = 256 * 1024


class WrongOffset(Conflict):
    """The bytes do not begin where the upload stands; the client asks for the offset and goes on there."""


class WrongChecksum(Invalid):
    """The bytes are not what their checksum says; nothing of them was kept."""


class Busy(Conflict):
    """Another request is writing to this upload."""


class _Digest(Protocol):
    def update(self, block: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def path_of(folder: Path, upload_id: str) -> Path:
    """Where the bytes of an upload lie while this node works on them; a file for as long as the lock is held."""
    return folder / f"{upload_id}.part"


@contextmanager
def locked(folder: Path, upload_id: str, *, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the upload alone, or ``Busy`` when others hold it longer than *patience_s*; the lock ends with its process, even on ``kill -9``."""
    folder.mkdir(parents=True, exist_ok=True)
    # A lock file of its own: the staged file is moved away while the lock is held.
    path = folder / f"{upload_id}.lock"
    deadline_s = time.monotonic() + patience_s
    with ExitStack() as held:
        while not _taken(held.enter_context(path.open("a+b"))):
            held.close()
            if time.monotonic() >= deadline_s:
                raise Busy("Another request is writing to this upload.")
            time.sleep(0.01)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _taken(lock: BinaryIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    # A file that its last holder removed between our opening and our locking keeps nobody out.
    return bool(os.fstat(lock.fileno()).st_nlink)


def take(path: Path, stream: BinaryIO, *, most_bytes: int, checksum: tuple[str, bytes] | None = None) -> int:
    """Put the bytes of *stream* into a new file at *path*; how many they were.

    *stream* raises ``EOFError`` where the connection was cut: what came before counts, unless a checksum covers it.

    Raises ``WrongChecksum``, ``Invalid`` for more than *most_bytes*, ``Unavailable`` on a full disk.
    """
    try:
        with path.open("wb", buffering=0) as file:
            digest = _digest(checksum)
            taken, whole = _copy(stream, file, most_bytes=most_bytes, digest=digest)
            if checksum and not (whole and secrets.compare_digest(digest.digest(), checksum[1])):
                raise WrongChecksum("The bytes were damaged on the way; send them again.")
            return taken
    except OSError as error:
        raise Unavailable(
            "There is no room for this file on the server just now. What was acknowledged is kept."
        ) from error


def sweep(folder: Path, *, older_than_s: float) -> None:
    """Remove what killed servers left of requests: files that nobody wrote to since *older_than_s* (Unix time)."""
    for path in folder.glob("*.part"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < older_than_s:
                path.unlink()


def _copy(stream: BinaryIO, file: FileIO, *, most_bytes: int, digest: _Digest) -> tuple[int, bool]:
    taken = 0
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except EOFError:
            # The client went away: what came before is good.
            return taken, False
        if not block:
            return taken, True
        if taken + len(block) > most_bytes:
            raise Invalid("More bytes came than were announced.", field="file")
        rest = memoryview(block)
        while rest:
            # Unbuffered: what a full disk refuses must not wait for the file to be closed to fail once more.
            rest = rest[file.write(rest) :]
        taken += len(block)
        digest.update(block)


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, block: bytes) -> None:
        self._value = zlib.crc32(block, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _Nothing(_Crc32):
    def update(self, block: bytes) -> None:
        """Nobody asked for a checksum."""


def _digest(checksum: tuple[str, bytes] | None) -> _Digest:
    if checksum is None:
        return _Nothing()
    return _Crc32() if checksum[0] == "crc32" else hashlib.new(checksum[0], usedforsecurity=False)
