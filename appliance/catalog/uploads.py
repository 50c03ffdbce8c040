"""Resumable uploads: bytes staged under the upload's id until all are there, then an original.

The database's offset is the truth. Bytes are on disk (fsync) before the offset moves, and what a dropped connection left beyond
it is cut off at the next append.
"""

import fcntl
import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from appliance.accounts.models import User
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.catalog.wording import clean_line
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import ObjectStore

CHECKSUMS = ("sha1", "sha256", "md5", "crc32")
BLOCK_BYTES = 256 * 1024


class WrongOffset(Conflict):
    """The bytes do not begin where the upload stands; the client asks for the offset and goes on there."""


class WrongChecksum(Invalid):
    """The bytes are not what their checksum says; nothing of them was kept."""


class Busy(Conflict):
    """Another request is writing to this upload."""


def begin(
    user: User,
    release: Release,
    *,
    filename: str,
    size_bytes: int,
    max_upload_mb: int,
    expiry_h: int,
    now: datetime,
) -> Upload:
    """Announce a file of *size_bytes*; ``Invalid`` when it can never be taken."""
    originals.check_size(size_bytes, max_upload_mb=max_upload_mb)
    name = clean_line(filename or "untitled", field="filename", longest=1000, required=False)[-255:]
    return Upload.create(
        user=user.id,
        release=release.id,
        filename=name,
        size_bytes=size_bytes,
        created_at=now,
        expires_at=now + timedelta(hours=expiry_h),
    )


def find(upload_id: str, user: User, *, now: datetime) -> Upload:
    """This person's live upload, or ``NotFound``: others must not learn that it exists."""
    upload = Upload.get_or_none(Upload.id == upload_id, Upload.user == user.id)
    if upload is None or (upload.expires_at <= now and upload.finished_at is None):
        raise NotFound("There is no such upload; it may have expired.")
    return upload


def append(
    upload: Upload,
    stream: BinaryIO,
    *,
    offset: int,
    folder: Path,
    now: datetime,
    checksum: tuple[str, bytes] | None = None,
    expiry_h: int = 24,
) -> Upload:
    """Take the bytes of *stream* at *offset*; what arrived before a cut connection counts, unless a checksum covers it.

    *stream* raises ``EOFError`` where the connection was cut.

    Raises ``WrongOffset``, ``WrongChecksum``, ``Busy``, ``Invalid`` for more bytes than announced, ``Unavailable`` on a full disk.
    """
    with _locked(folder, upload.id), _opened(staged(folder, upload.id)) as file:
        upload = Upload.get_by_id(upload.id)
        if offset != upload.offset_bytes:
            raise WrongOffset(f"The upload stands at {upload.offset_bytes} bytes, not at {offset}.")
        if upload.finished_at is not None:
            return upload
        digest = _digest(checksum)
        try:
            file.truncate(offset)
            file.seek(offset)
            taken, whole = _copy(stream, file, most=upload.size_bytes - offset, digest=digest)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(
                "There is no room for this file on the server just now. What was sent so far is kept."
            ) from error
        if (
            checksum is not None
            and digest is not None
            and (not whole or not secrets.compare_digest(digest.digest(), checksum[1]))
        ):
            file.truncate(offset)
            raise WrongChecksum("The bytes were damaged on the way; send them again.")
        upload.offset_bytes = offset + taken
        upload.expires_at = now + timedelta(hours=expiry_h)
        upload.save(only=["offset_bytes", "expires_at"])
    return upload


def _copy(
    stream: BinaryIO, file: BinaryIO, *, most: int, digest: "hashlib._Hash | _Crc32 | None"
) -> tuple[int, bool]:
    taken = 0
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except EOFError:
            # The client went away: what came before is good.
            return taken, False
        if not block:
            return taken, True
        if taken + len(block) > most:
            raise Invalid("More bytes came than were announced.", field="file")
        file.write(block)
        taken += len(block)
        if digest is not None:
            digest.update(block)


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, block: bytes) -> None:
        self._value = zlib.crc32(block, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _digest(checksum: tuple[str, bytes] | None) -> "hashlib._Hash | _Crc32 | None":
    if checksum is None:
        return None
    return _Crc32() if checksum[0] == "crc32" else hashlib.new(checksum[0], usedforsecurity=False)


def finish(
    upload: Upload, *, folder: Path, store: ObjectStore, attempts: int, now: datetime
) -> tuple[Track, str]:
    """Turn a complete upload into a track; may be called again after a crash. Returns it and the id of the job to ``send``.

    A file that is no music ends the upload: its ``problem`` says why, and the sentence is raised as ``Invalid``.
    """
    if upload.offset_bytes != upload.size_bytes:
        raise Conflict("The upload is not complete yet.")
    release = releases.find(upload.release_id)
    with _locked(folder, upload.id):
        try:
            result = originals.receive(
                release,
                staged(folder, upload.id),
                track_id=upload.id,
                filename=upload.filename,
                store=store,
                attempts=attempts,
                now=now,
            )
        except Invalid as error:
            Upload.update(problem=str(error), expires_at=now).where(Upload.id == upload.id).execute()
            raise
        Upload.update(finished_at=now).where(Upload.id == upload.id).execute()
    _remove(folder, upload.id)
    return result


def terminate(upload: Upload, *, folder: Path) -> None:
    """Forget an unfinished upload and its bytes; a finished one is a track by now and stays."""
    with _locked(folder, upload.id):
        if Upload.get_by_id(upload.id).finished_at is not None:
            raise Conflict("This upload is finished; remove the track instead.")
        Upload.delete().where(Upload.id == upload.id).execute()
    _remove(folder, upload.id)


def unfinished() -> list[Upload]:
    """Complete uploads that a killed server never made into a track."""
    return list(
        Upload.select().where(
            Upload.offset_bytes == Upload.size_bytes, Upload.finished_at.is_null(), Upload.problem == ""
        )
    )


def expire(*, folder: Path, now: datetime) -> int:
    """Remove the uploads whose time is up, with their bytes; how many."""
    gone = list(Upload.select().where(Upload.expires_at <= now, Upload.finished_at.is_null()))
    for upload in gone:
        Upload.delete().where(Upload.id == upload.id).execute()
        _remove(folder, upload.id)
    Upload.delete().where(Upload.finished_at < now - timedelta(days=7)).execute()
    return len(gone)


def staged(folder: Path, upload_id: str) -> Path:
    """Where the bytes of an upload lie until it is finished."""
    return folder / f"{upload_id}.part"


@contextmanager
def _locked(folder: Path, upload_id: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    # A lock file of its own: the staged file is moved away while the lock is held.
    with (folder / f"{upload_id}.lock").open("a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy("Another request is writing to this upload.") from error
        yield


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _remove(folder: Path, upload_id: str) -> None:
    for path in (staged(folder, upload_id), folder / f"{upload_id}.lock"):
        path.unlink(missing_ok=True)
