"""Made files: wanted, made by a job, promised to who is fetching them, and followed when their track changes."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from appliance import jobs
from appliance.catalog.models import Track
from appliance.database import transaction
from appliance.downloads import quotas
from appliance.downloads.formats import Format
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.storage import StoredObject

MAKE = jobs.kind("make_download", jobs.Lane.TRANSCODE)
"""The kind of job that makes a file; its subject is the id of the file."""
PROMISED = timedelta(hours=1)
SLOW_LINE_BYTES_S = 128 * 1024
"""Whose line is slower than this is not waited for when room is wanted."""


def want(
    track: Track, format: Format, *, digest: str, listener: str, attempts: int, now: datetime
) -> tuple[DownloadFile, str]:
    """The file of *track* in *format*, made by a job if it is not there; and the id of the job to ``send``, or an empty text.

    Call it inside the transaction of the caller. All who want the same file share it and its job.
    """
    same = {
        "track": track.id,
        "run_id": track.run_id,
        "format": format,
        "digest": digest,
        "listener": listener,
    }
    DownloadFile.insert(
        **same, used_at=now, promised_until=now, created_at=now
    ).on_conflict_ignore().execute()
    file: DownloadFile = DownloadFile.get(**same)
    if promise([file], now=now):
        return file, ""
    DownloadFile.update(state=FileState.WAITING, problem="", used_at=now).where(
        DownloadFile.id == file.id, DownloadFile.state != FileState.READY
    ).execute()
    return file, jobs.add(MAKE, file.id, now=now, max_attempts=attempts).id


def promise(files: Sequence[DownloadFile], *, now: datetime) -> bool:
    """Keep all of *files* for an hour, or as long as they take on a slow line; False when one is not there to be kept."""
    if any(file.state != FileState.READY for file in files):
        return False
    if all(file.promised_until - now > PROMISED / 2 and now - file.used_at < PROMISED / 2 for file in files):
        return True
    size_bytes = sum(file.size_bytes for file in files)
    until = now + max(PROMISED, timedelta(seconds=size_bytes / SLOW_LINE_BYTES_S))
    ids = [file.id for file in files]
    here = DownloadFile.id.in_(ids) & (DownloadFile.state == FileState.READY)
    # Never sooner than was promised to another.
    DownloadFile.update(promised_until=until).where(here, DownloadFile.promised_until < until).execute()
    return int(DownloadFile.update(used_at=now).where(here).execute()) == len(set(ids))


def find(file_id: str) -> DownloadFile | None:
    """The file with this id, or None when its track is gone."""
    found: DownloadFile | None = DownloadFile.get_or_none(DownloadFile.id == file_id)
    return found


def follow(file: DownloadFile, *, run_id: str, digest: str, now: datetime) -> DownloadFile:
    """The file to make in place of *file*, whose track was changed since it was wanted: who waits for the one gets the other."""
    same = {
        "track": file.track_id,
        "run_id": run_id,
        "format": file.format,
        "digest": digest,
        "listener": file.listener,
    }
    with transaction():
        DownloadFile.insert(
            **same, used_at=now, promised_until=now, created_at=now
        ).on_conflict_ignore().execute()
        found: DownloadFile = DownloadFile.get(**same)
        if found.id != file.id:
            DownloadItem.update(file=found.id).where(DownloadItem.file == file.id).execute()
            DownloadFile.update(state=FileState.GONE).where(
                DownloadFile.id == file.id, DownloadFile.state == FileState.WAITING
            ).execute()
    return found


def ready(file: DownloadFile, stored: StoredObject, *, crc32: int, now: datetime) -> None:
    """What was made is in the store."""
    DownloadFile.update(
        state=FileState.READY,
        problem="",
        key=stored.key,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        crc32=crc32,
        used_at=now,
        promised_until=now + PROMISED,
    ).where(DownloadFile.id == file.id).execute()


def lost(file: DownloadFile) -> None:
    """The store has it no longer, whoever removed it: it is made again when somebody asks."""
    DownloadFile.update(state=FileState.GONE).where(DownloadFile.id == file.id).execute()


def give_up(file_id: str, sentence: str) -> None:
    """Tell all who wait for it that it cannot be made, and give back what they spent on it."""
    file = find(file_id)
    if file is None or file.state != FileState.WAITING:
        return
    with transaction():
        DownloadFile.update(state=FileState.FAILED, problem=sentence).where(
            DownloadFile.id == file.id
        ).execute()
        quotas.give_back(file)
