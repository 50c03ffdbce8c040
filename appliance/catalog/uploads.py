"""Resumable uploads: bytes staged under the upload's id until all are there, then an original.

The database's offset is the truth. Bytes are on disk (fsync) before the offset moves, and what a dropped connection left beyond
it is cut off at the next append.
"""

from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from appliance.accounts.models import User
from appliance.catalog import masters
from appliance.catalog import originals
from appliance.catalog import releases
from appliance.catalog import staging
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.catalog.staging import Busy
from appliance.catalog.staging import WrongOffset
from appliance.catalog.wording import clean_line
from appliance.errors import N_
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.storage import ObjectStore

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
    now: datetime,
    checksum: tuple[str, bytes] | None = None,
    expiry_h: int = 24,
) -> Upload:
    """Take the bytes of *stream* at *offset*; what arrived before a cut connection counts, unless a checksum covers it.

    *stream* raises ``EOFError`` where the connection was cut.

    Raises ``WrongOffset``, ``WrongChecksum``, ``Busy``, ``Invalid`` for more bytes than announced, ``Unavailable`` on a full disk.
    """
    with staging.locked(folder, upload.id):
        upload = _still_there(upload)
        if offset != upload.offset_bytes:
            raise WrongOffset(STANDS_AT, there=upload.offset_bytes, offset=offset)
        # A complete file may be in the store by now: to stage it again would put an empty one in its place.
        if offset == upload.size_bytes:
            return upload
        try:
            taken = staging.append(
                staging.path_of(folder, upload.id),
                stream,
                offset=offset,
                most_bytes=upload.size_bytes - offset,
                checksum=checksum,
            )
        except staging.Gone as error:
            Upload.update(offset_bytes=error.there_bytes).where(Upload.id == upload.id).execute()
            raise WrongOffset(STANDS_AT, there=error.there_bytes, offset=offset) from error
        upload.offset_bytes = offset + taken
        upload.expires_at = now + timedelta(hours=expiry_h)
        upload.save(only=["offset_bytes", "expires_at"])
    return upload


def finish(
    upload: Upload, *, folder: Path, store: ObjectStore, attempts: int, now: datetime
) -> tuple[Track, str]:
    """Turn a complete upload into a track, or into the next master of one; returns the track and the id of the job to ``send``.

    It may be called again after a crash. A file that is no music ends the upload: its ``problem`` says why, and the sentence is raised as ``Invalid``. ``WrongOffset``
    when its bytes are gone.
    """
    if upload.offset_bytes != upload.size_bytes:
        raise Conflict("The upload is not complete yet.")
    # Between its last byte and this, another request may look at the upload: whoever sent all of it is not told to come again.
    with staging.locked(folder, upload.id, patience_s=PATIENCE_S):
        _still_there(upload)
        try:
            result = _receive(upload, folder=folder, store=store, attempts=attempts, now=now)
        except Invalid as error:
            Upload.update(problem=str(error), expires_at=now).where(Upload.id == upload.id).execute()
            staging.path_of(folder, upload.id).unlink(missing_ok=True)
            raise
        except NotFound as error:
            # Neither staged nor stored: the folder was emptied below us. The client sends it all once more.
            Upload.update(offset_bytes=0).where(Upload.id == upload.id).execute()
            raise WrongOffset("The upload stands at 0 bytes; its bytes were lost on the server.") from error
        Upload.update(finished_at=now).where(Upload.id == upload.id).execute()
        staging.path_of(folder, upload.id).unlink(missing_ok=True)
    return result


def _receive(
    upload: Upload, *, folder: Path, store: ObjectStore, attempts: int, now: datetime
) -> tuple[Track, str]:
    path = staging.path_of(folder, upload.id)
    if upload.replaces:
        track = Track.get_or_none(Track.id == upload.replaces)
        if track is None:
            raise Invalid("The track that this master was for is gone.", field="track")
        return masters.receive(
            track,
            path,
            replacement_id=upload.id,
            filename=upload.filename,
            store=store,
            attempts=attempts,
            now=now,
        )
    return originals.receive(
        releases.find(upload.release_id),
        path,
        track_id=upload.id,
        filename=upload.filename,
        store=store,
        attempts=attempts,
        now=now,
    )


def terminate(upload: Upload, *, folder: Path) -> None:
    """Forget an unfinished upload and its bytes; a finished one is a track by now and stays."""
    with staging.locked(folder, upload.id):
        if _still_there(upload).finished_at is not None:
            raise Conflict("This upload is finished; remove the track instead.")
        Upload.delete().where(Upload.id == upload.id).execute()
        staging.path_of(folder, upload.id).unlink(missing_ok=True)


def unfinished() -> list[Upload]:
    """Complete uploads that a killed server never made into a track."""
    return list(
        Upload.select().where(
            Upload.offset_bytes == Upload.size_bytes, Upload.finished_at.is_null(), Upload.problem == ""
        )
    )


def expire(*, folder: Path, now: datetime) -> int:
    """Remove the uploads whose time is up, with their bytes, and files that belong to no upload; how many uploads."""
    removed = 0
    for upload in list(Upload.select().where(Upload.expires_at <= now, Upload.finished_at.is_null())):
        try:
            with staging.locked(folder, upload.id):
                still = (Upload.id == upload.id) & (Upload.expires_at <= now) & Upload.finished_at.is_null()
                if Upload.delete().where(still).execute():
                    staging.path_of(folder, upload.id).unlink(missing_ok=True)
                    removed += 1
        except Busy:
            continue  # Its time is up, and yet it is being sent: that prolongs it.
    Upload.delete().where(Upload.finished_at < now - KEPT_WHEN_FINISHED).execute()
    # What a killed server left of a request that was no tus upload has no row.
    for path in staging.sweep(folder, older_than_s=now.timestamp() - ORPHAN_S):
        if not Upload.select().where(Upload.id == path.stem).exists():
            path.unlink(missing_ok=True)
    return removed


def _still_there(upload: Upload) -> Upload:
    """The row as it is under the lock: another request may have ended or changed the upload meanwhile."""
    row: Upload | None = Upload.get_or_none(Upload.id == upload.id)
    if row is None:
        raise NotFound("There is no such upload; it may have expired.")
    return row
