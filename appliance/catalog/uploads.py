"""Resumable uploads: what each request brings is put into the store as a piece, and all of them become an original.

The database's offset is the truth, and moves when the piece before it is in the store. So each request may reach another node, and
one that is lost takes no acknowledged byte along.
"""

from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import peewee

from appliance.accounts.models import User
from appliance.catalog import masters
from appliance.catalog import originals
from appliance.catalog import pieces
from appliance.catalog import releases
from appliance.catalog import staging
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.catalog.staging import Busy
from appliance.catalog.staging import WrongOffset
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import StoredObject

KEPT_WHEN_FINISHED = timedelta(days=7)
"""How long a client may still ask about an upload that became a track."""
ORPHAN_S = 24 * 3600
PATIENCE_S = 5.0
"""How long finishing waits for whoever looks at the upload just then."""
STANDS_AT = N_("The upload stands at {there} bytes, not at {offset}.")


def begin(
    user: User,
    release: Release,
    *,
    filename: str,
    size_bytes: int,
    max_upload_mb: int,
    expiry_h: int,
    now: datetime,
    replaces: Track | None = None,
) -> Upload:
    """Announce a file of *size_bytes*, the new master of the track it *replaces* if it does; ``Invalid`` when it can never be taken."""
    originals.check_size(size_bytes, max_upload_mb=max_upload_mb)
    if replaces is None:
        originals.require_room(release)
    name = clean_line(filename or "untitled", field="filename", longest=1000, required=False)[-255:]
    return Upload.create(
        user=user.id,
        release=release.id,
        filename=name,
        replaces=replaces.id if replaces else "",
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
    store: ObjectStore,
    now: datetime,
    checksum: tuple[str, bytes] | None = None,
    expiry_h: int = 24,
) -> Upload:
    """Take the bytes of *stream* at *offset*; what arrived before a cut connection counts, unless a checksum covers it.

    *stream* raises ``EOFError`` where the connection was cut. Of two nodes that take bytes for the same place, one counts.

    Raises ``WrongOffset``, ``WrongChecksum``, ``Busy``, ``Invalid`` for more bytes than announced, ``Unavailable`` on a full disk.
    """
    with staging.locked(folder, upload.id):
        upload = _still_there(upload)
        if offset != upload.offset_bytes:
            raise WrongOffset(STANDS_AT, there=upload.offset_bytes, offset=offset)
        if offset == upload.size_bytes:
            return upload
        if (there := pieces.held(upload)) != offset:
            # A node with the version before keeps what it takes to itself.
            raise _cut(upload, there, store=store)
        # Before its bytes come: who tidies up on another node cannot see that it is being sent.
        Upload.update(expires_at=now + timedelta(hours=expiry_h)).where(Upload.id == upload.id).execute()
        path = staging.path_of(folder, upload.id)
        try:
            taken = staging.take(path, stream, most_bytes=upload.size_bytes - offset, checksum=checksum)
            if not taken:
                return _still_there(upload)
            piece = pieces.store(upload, path, offset=offset, store=store)
        finally:
            path.unlink(missing_ok=True)
        with transaction():
            moved = (
                Upload.update(offset_bytes=offset + taken)
                .where(Upload.id == upload.id, Upload.offset_bytes == offset)
                .execute()
            )
            if moved:
                pieces.note(upload, piece, offset=offset)
        if not moved:
            store.delete(piece.key)
            raise WrongOffset(STANDS_AT, there=_still_there(upload).offset_bytes, offset=offset)
    return _still_there(upload)


def finish(
    upload: Upload, *, folder: Path, store: ObjectStore, attempts: int, now: datetime
) -> tuple[Track, str]:
    """Turn a complete upload into a track, or into the next master of one; returns the track and the id of the job to ``send``.

    It may be called again after a crash, and on several nodes at once. A file that is no music ends the upload: its ``problem`` says why, and the
    sentence is raised as ``Invalid``. ``WrongOffset`` when bytes are gone from the store.
    """
    if upload.offset_bytes != upload.size_bytes:
        raise Conflict("The upload is not complete yet.")
    # Between its last byte and this, another request may look at the upload: whoever sent all of it is not told to come again.
    with staging.locked(folder, upload.id, patience_s=PATIENCE_S):
        upload = _still_there(upload)
        path = staging.path_of(folder, upload.id)
        try:
            result = _made(upload)
            if result is None:
                source = pieces.join(upload, path, store=store)
                # That takes its time: by now another node may have made it, or somebody have forgotten the upload.
                result = _made(_still_there(upload))
            if result is None:
                result = _receive(upload, source, store=store, attempts=attempts, now=now)
        except Invalid as error:
            Upload.update(problem=str(error), expires_at=now).where(
                Upload.id == upload.id, Upload.finished_at.is_null()
            ).execute()
            pieces.cut(upload.id, 0, store=store)
            raise
        except pieces.Lost as error:
            # Where another node finished it meanwhile, the pieces were no longer needed.
            result = _made(_still_there(upload))
            if result is None:
                raise _cut(upload, error.start_bytes, store=store) from error
        finally:
            path.unlink(missing_ok=True)
        Upload.update(finished_at=now).where(Upload.id == upload.id, Upload.finished_at.is_null()).execute()
        pieces.cut(upload.id, 0, store=store)
    return result


def _made(upload: Upload) -> tuple[Track, str] | None:
    """What somebody made of it already; the job was added with it."""
    if upload.finished_at is None and not originals.is_known(upload.id):
        return None
    return tracks.find(upload.replaces or upload.id), ""


def _receive(
    upload: Upload, source: Path | StoredObject, *, store: ObjectStore, attempts: int, now: datetime
) -> tuple[Track, str]:
    if upload.replaces:
        track = Track.get_or_none(Track.id == upload.replaces)
        if track is None:
            raise Invalid("The track that this master was for is gone.", field="track")
        return masters.receive(
            track,
            source,
            replacement_id=upload.id,
            filename=upload.filename,
            store=store,
            attempts=attempts,
            now=now,
        )
    return originals.receive(
        releases.find(upload.release_id),
        source,
        track_id=upload.id,
        filename=upload.filename,
        store=store,
        attempts=attempts,
        now=now,
    )


def terminate(upload: Upload, *, folder: Path, store: ObjectStore) -> None:
    """Forget an unfinished upload and its bytes; a finished one is a track by now and stays."""
    with staging.locked(folder, upload.id):
        if not _forget(_still_there(upload).id, Upload.finished_at.is_null(), store=store):
            raise Conflict("This upload is finished; remove the track instead.")


def unfinished() -> list[Upload]:
    """Complete uploads that a killed server never made into a track."""
    return list(
        Upload.select().where(
            Upload.offset_bytes == Upload.size_bytes, Upload.finished_at.is_null(), Upload.problem == ""
        )
    )


def expire(*, folder: Path, store: ObjectStore, now: datetime) -> int:
    """Remove the uploads whose time is up, with their bytes, and bytes that belong to no upload; how many uploads."""
    removed = 0
    for upload in list(Upload.select().where(Upload.expires_at <= now, Upload.finished_at.is_null())):
        try:
            with staging.locked(folder, upload.id):
                over = (Upload.expires_at <= now) & Upload.finished_at.is_null()
                removed += _forget(upload.id, over, store=store)
        except Busy:
            continue  # Its time is up, and yet it is being sent: that prolongs it.
    Upload.delete().where(Upload.finished_at < now - KEPT_WHEN_FINISHED).execute()
    pieces.sweep(store=store, now=now)
    tidy(folder, now=now)
    return removed


def tidy(folder: Path, *, now: datetime) -> None:
    """Remove what killed processes of this node left in its staging *folder*."""
    staging.sweep(folder, older_than_s=now.timestamp() - ORPHAN_S)


def _forget(upload_id: str, condition: peewee.Expression, *, store: ObjectStore) -> bool:
    """Remove the upload and its bytes where *condition* still holds."""
    keys = pieces.keys(upload_id)
    if not Upload.delete().where(Upload.id == upload_id, condition).execute():
        return False
    for key in keys:
        store.delete(key)
    return True


def _cut(upload: Upload, there_bytes: int, *, store: ObjectStore) -> WrongOffset:
    """Set the upload back to the bytes that are really there; what the client is told."""
    here = (Upload.id == upload.id) & (Upload.offset_bytes == upload.offset_bytes)
    with transaction():
        moved = Upload.update(offset_bytes=there_bytes).where(here, Upload.finished_at.is_null()).execute()
        # What another node took meanwhile counts: nothing of it was there when this one looked.
        gone = pieces.forget(upload.id, there_bytes) if moved else []
    for key in gone:
        store.delete(key)
    there = there_bytes if moved else _still_there(upload).offset_bytes
    return WrongOffset(STANDS_AT, there=there, offset=upload.offset_bytes)


def _still_there(upload: Upload) -> Upload:
    """The row as it is under the lock: another request may have ended or changed the upload meanwhile."""
    row: Upload | None = Upload.get_or_none(Upload.id == upload.id)
    if row is None:
        raise NotFound("There is no such upload; it may have expired.")
    return row
