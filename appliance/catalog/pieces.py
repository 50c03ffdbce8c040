"""What arrived of uploads, in the store, a piece for each request that brought some: whichever node is asked can go on.

A piece is in the store before its row is, and its row is gone before it is; what has no row is swept up a day later.
"""

import hashlib
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import peewee

from appliance.catalog.models import Upload
from appliance.catalog.models import UploadPiece
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import StoredObject
from appliance.storage import disk
from appliance.storage import streams

FOLDER = "uploads/"
"""Where they lie in the store."""
MOST = 10_000
"""How many an upload may have: a client that sends a byte at a time costs a request to the store for each."""
GRACE = timedelta(days=1)


class Lost(Exception):
    """A piece is not in the store, or not what was put there; what stands before it, *start_bytes*, is good."""

    def __init__(self, start_bytes: int) -> None:
        self.start_bytes = start_bytes
        super().__init__(f"{start_bytes} bytes are there")


def held(upload: Upload) -> int:
    """How many bytes there are; ``Invalid`` when the upload has all the pieces that it may have."""
    sums = UploadPiece.select(
        peewee.fn.COUNT(UploadPiece.id), peewee.fn.COALESCE(peewee.fn.SUM(UploadPiece.size_bytes), 0)
    )
    count, size_bytes = sums.where(UploadPiece.upload == upload.id).tuples().first()
    if count >= MOST:
        raise Invalid("This upload came in {most} parts already; send larger ones.", most=MOST, field="file")
    return int(size_bytes)


def store(upload: Upload, path: Path, *, offset: int, store: ObjectStore) -> StoredObject:
    """Put the file at *path*, moved away, into the store as the piece at *offset*; ``note`` it then."""
    # A name of its own: of two that come at once for the same place, one counts, and it must not be the other's bytes.
    key = f"{FOLDER}{upload.id}/{offset:015d}-{new_id()}"
    return store.put_file(key, path, content_type="application/octet-stream", move=True)


def note(upload: Upload, piece: StoredObject, *, offset: int) -> None:
    """Write down that *piece* counts, inside the transaction that moves the offset."""
    UploadPiece.create(
        upload=upload.id,
        start_bytes=offset,
        size_bytes=piece.size_bytes,
        sha256=piece.sha256,
        key=piece.key,
    )


def join(upload: Upload, path: Path, *, store: ObjectStore) -> Path | StoredObject:
    """All of the upload: the piece itself where it is the only one, else a new file at *path* of all of them.

    Each is held against its SHA-256, the only one against what the store says; ``Lost`` where one is missing.
    """
    rows = list(UploadPiece.select().where(UploadPiece.upload == upload.id).order_by(UploadPiece.start_bytes))
    if len(rows) == 1 and rows[0].size_bytes == upload.size_bytes:
        return _only(rows[0], store=store)
    end = 0
    with disk.plain_disk_errors(), path.open("wb") as file:
        for row in rows:
            if row.start_bytes != end:
                raise Lost(end)
            digest = hashlib.sha256()
            try:
                with store.open(row.key) as stream:
                    for block in streams.blocks(stream):
                        digest.update(block)
                        file.write(block)
            except NotFound as error:
                raise Lost(end) from error
            if digest.hexdigest() != row.sha256:
                raise Lost(end)
            end += row.size_bytes
    if end != upload.size_bytes:
        raise Lost(end)
    return path


def _only(row: UploadPiece, *, store: ObjectStore) -> StoredObject:
    try:
        piece = store.stat(row.key)
    except NotFound as error:
        raise Lost(0) from error
    if (piece.size_bytes, piece.sha256) != (row.size_bytes, row.sha256):
        raise Lost(0)
    return piece


def cut(upload_id: str, start_bytes: int, *, store: ObjectStore) -> None:
    """Forget what there is from *start_bytes*."""
    for key in forget(upload_id, start_bytes):
        store.delete(key)


def forget(upload_id: str, start_bytes: int) -> list[str]:
    """Let nothing count any more from *start_bytes*; where it lies in the store, to be removed after the commit."""
    gone = keys(upload_id, start_bytes)
    UploadPiece.delete().where(UploadPiece.key.in_(gone)).execute()
    return gone


def keys(upload_id: str, start_bytes: int = 0) -> list[str]:
    """Where in the store the bytes from *start_bytes* lie."""
    here = (UploadPiece.upload == upload_id) & (UploadPiece.start_bytes >= start_bytes)
    return [row.key for row in UploadPiece.select().where(here)]


def sweep(*, store: ObjectStore, now: datetime) -> None:
    """Remove what killed servers left in the store: old pieces that no row names."""
    old = [seen.key for seen in store.walk(FOLDER) if now - seen.modified_at > GRACE]
    for key in old:
        if not UploadPiece.select().where(UploadPiece.key == key).exists():
            store.delete(key)
