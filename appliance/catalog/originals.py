"""Originals: looked at by their bytes, put into the store untouched, and made into a track with a job."""

from datetime import datetime
from pathlib import Path

import peewee

from appliance import jobs
from appliance.catalog import pieces
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import StoredObject

MOST_TRACKS = 500
MIB = 1024 * 1024

_HEAD_BYTES = 64
# Content types by the first bytes (WHATWG MIME Sniffing, RFC 3533, ISO 14496-12, ISO 11172-3); the name of a file proves nothing.
_TYPES_BY_PREFIX = (
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"caff", "audio/x-caf"),
)
_TYPES_BY_FORM = {
    (b"RIFF", b"WAVE"): "audio/wav",
    (b"RF64", b"WAVE"): "audio/wav",
    (b"BW64", b"WAVE"): "audio/wav",
}


class TooLarge(Invalid):
    """The file is larger than this platform takes; tus and RFC 9110 have a number of their own for it."""


def content_type(head: bytes) -> str:
    """The type of an audio file by its first bytes; ``Invalid`` with a sentence when it is none we take."""
    if not head:
        raise Invalid("This file is empty.", field="file")
    for prefix, kind in _TYPES_BY_PREFIX:
        if head.startswith(prefix):
            return kind
    if (head[:4], head[8:12]) in _TYPES_BY_FORM:
        return _TYPES_BY_FORM[head[:4], head[8:12]]
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if head[4:8] == b"ftyp":
        return "audio/mp4"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if _is_mpeg_frame(head):
        return "audio/mpeg"
    raise Invalid(
        "This does not look like music. Send WAV, AIFF, FLAC, ALAC, MP3, AAC (M4A), Ogg Vorbis or Opus.",
        field="file",
    )


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether this is the header of an MP3 frame (ISO 11172-3, 2.4.1.3); looser, a text in UTF-16 would be one."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer in {1, 2} and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3


def check_size(size_bytes: int, *, max_upload_mb: int) -> None:
    """``Invalid`` for an empty file, ``TooLarge`` for too large a one, before a byte of it is taken."""
    if size_bytes <= 0:
        raise Invalid("This file is empty.", field="file")
    if size_bytes > max_upload_mb * MIB:
        raise TooLarge(
            "An original has at most {most} MiB; this one has {size} MiB.",
            most=max_upload_mb,
            size=size_bytes // MIB + 1,
            field="file",
        )


def require_room(release: Release) -> None:
    """``Invalid`` when the release has all the tracks it can have."""
    if Track.select().where(Track.release == release.id).count() >= MOST_TRACKS:
        raise Invalid("A release has at most {most} tracks.", most=MOST_TRACKS, field="release")


def receive(
    release: Release,
    source: Path | StoredObject,
    *,
    track_id: str,
    filename: str,
    store: ObjectStore,
    attempts: int,
    now: datetime,
) -> tuple[Track, str]:
    """Keep the whole of *source* as the original of a new track; returns it and the id of the job to ``send``.

    The bytes are in the store before the row is committed, under a key made of *track_id*: a caller that was killed in
    between calls again with the same id and gets one track, as do two at once. A file may be moved away, an object stays.
    """
    if is_known(track_id):
        return tracks.find(track_id), jobs.add(tracks.TRANSCODE, track_id, now=now, max_attempts=attempts).id
    require_room(release)
    key = f"originals/{track_id}"
    stored, name = keep(source, key=key, filename=filename, store=store)
    with transaction():
        # Holds the release: of two that arrive at once, both would find the same place and the same address free.
        Release.update(updated_at=now).where(Release.id == release.id).execute()
        if is_known(track_id):
            return tracks.find(track_id), jobs.add(
                tracks.TRANSCODE, track_id, now=now, max_attempts=attempts
            ).id
        require_room(release)
        last = Track.select(peewee.fn.MAX(Track.position)).where(Track.release == release.id).scalar()
        Track.create(
            id=track_id,
            release=release.id,
            position=(last or 0) + 1,
            slug=tracks.free_slug(release.id, title_from(name)),
            title=title_from(name),
            original_key=key,
            original_name=name,
            original_type=stored.content_type,
            original_size_bytes=stored.size_bytes,
            original_sha256=stored.sha256,
            created_at=now,
            updated_at=now,
        )
        job = jobs.add(tracks.TRANSCODE, track_id, now=now, max_attempts=attempts)
    return tracks.find(track_id), job.id


def keep(
    source: Path | StoredObject, *, key: str, filename: str, store: ObjectStore
) -> tuple[StoredObject, str]:
    """Put *source* into the store as the original *key*, a file moved away; what is stored, and a clean file name.

    ``Invalid`` when its bytes are no music, ``Lost`` when it is an object that is gone by now, or damaged.
    """
    name = clean_line(filename or "untitled", field="filename", longest=1000, required=False)[-255:]
    if isinstance(source, Path):
        with source.open("rb") as file:
            kind = content_type(file.read(_HEAD_BYTES))
        return store.put_file(key, source, content_type=kind, move=True), name or "untitled"
    try:
        with store.open(source.key, length=_HEAD_BYTES) as stream:
            kind = content_type(stream.read())
        stored = store.copy(source.key, key, content_type=kind)
    except NotFound as error:
        raise pieces.Lost(0) from error
    if stored.sha256 != source.sha256:
        # Its bytes came by here, and were others than those that had come.
        raise pieces.Lost(0)
    return stored, name or "untitled"


def is_known(track_id: str) -> bool:
    """Whether there is a track with this id."""
    return bool(Track.select().where(Track.id == track_id).exists())


def title_from(filename: str) -> str:
    """A first title from the file's name, until its tags are read: no folder, no ending, no leading number."""
    stem = filename.replace("\\", "/").rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    bare = stem.replace("_", " ").lstrip("0123456789").lstrip(" .-")
    return (bare or stem).strip()[:300] or "Untitled"
