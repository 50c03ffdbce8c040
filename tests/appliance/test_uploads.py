"""Originals on their way in: nothing that was acknowledged is lost, nothing comes in twice, and a full disk keeps what was there."""

import io
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import imageio_ffmpeg
import pytest

from appliance import clock
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog import originals
from appliance.catalog import pieces
from appliance.catalog import staging
from appliance.catalog import tracks
from appliance.catalog import uploads
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.startup import Appliance
from appliance.storage import LocalStore
from appliance.storage import StoredObject
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.sounds import tone

MUSIC = b"fLaC" + bytes(range(256)) * 20


@pytest.fixture(autouse=True)
def idle(appliance: Appliance) -> None:
    jobs.huey.immediate = False


@pytest.fixture
def owner(appliance: Appliance) -> User:
    return make_user()


@pytest.fixture
def release(owner: User) -> Release:
    return make_release(make_artist(owner))


@pytest.fixture
def upload(owner: User, release: Release) -> Upload:
    return begin(owner, release)


def begin(
    owner: User,
    release: Release,
    size_bytes: int = len(MUSIC),
    filename: str = "song.flac",
    *,
    replaces: Track | None = None,
) -> Upload:
    return uploads.begin(
        owner,
        release,
        filename=filename,
        size_bytes=size_bytes,
        max_upload_mb=100,
        expiry_h=24,
        now=NOW,
        replaces=replaces,
    )


def append(appliance: Appliance, upload: Upload, data: bytes | BinaryIO, offset: int = 0) -> Upload:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return uploads.append(
        upload, stream, offset=offset, folder=appliance.staging, store=appliance.store, now=NOW
    )


def finish(appliance: Appliance, upload: Upload, store: object = None) -> Track:
    chosen = store or appliance.store
    return uploads.finish(upload, folder=appliance.staging, store=chosen, attempts=5, now=NOW)[0]  # type: ignore[arg-type]


class Cut(io.BytesIO):
    """A connection that ends before its time."""

    def read(self, size: int | None = -1) -> bytes:
        block = super().read(size)
        if not block:
            raise EOFError
        return block


def kept(appliance: Appliance) -> list[str]:
    return [seen.key for seen in appliance.store.walk(pieces.FOLDER)]


def test_what_came_before_a_cut_connection_counts(appliance: Appliance, upload: Upload) -> None:
    upload = append(appliance, upload, Cut(MUSIC[:1000]))
    assert upload.offset_bytes == 1000
    [key] = kept(appliance)
    assert appliance.store.open(key).read() == MUSIC[:1000]


def test_killed_between_store_and_offset_the_bytes_are_asked_for_again_and_swept(
    appliance: Appliance, upload: Upload
) -> None:
    stray = f"{pieces.FOLDER}{upload.id}/{0:015d}-{new_id()}"
    appliance.store.put(
        stray, io.BytesIO(b"of a server that was killed"), content_type="application/octet-stream"
    )
    assert append(appliance, upload, MUSIC[:10]).offset_bytes == 10
    Upload.update(expires_at=clock.now() + timedelta(days=9)).execute()
    uploads.expire(folder=appliance.staging, store=appliance.store, now=clock.now())
    assert stray in kept(appliance)
    uploads.expire(folder=appliance.staging, store=appliance.store, now=clock.now() + timedelta(days=2))
    assert len(kept(appliance)) == 1
    assert stray not in kept(appliance)


def test_killed_between_store_and_database_it_is_one_track(appliance: Appliance, upload: Upload) -> None:
    upload = append(appliance, upload, MUSIC)
    # The original was put into the store, and then the process was gone.
    appliance.store.put(f"originals/{upload.id}", io.BytesIO(MUSIC), content_type="audio/flac")
    assert uploads.unfinished() == [upload]
    # A client that asks where it stands, and sends nothing, must not put an empty file over the good one.
    again = append(appliance, upload, b"", len(MUSIC))
    track = finish(appliance, again)
    assert appliance.store.open(track.original_key).read() == MUSIC
    assert finish(appliance, again).id == track.id == upload.id
    assert (Track.select().count(), jobs.Job.select().count(), uploads.unfinished()) == (1, 1, [])


def test_killed_between_database_and_answer_it_is_one_track(appliance: Appliance, upload: Upload) -> None:
    upload = append(appliance, upload, MUSIC)
    finish(appliance, upload)
    Upload.update(finished_at=None).execute()
    finish(appliance, Upload.get_by_id(upload.id))
    assert (Track.select().count(), jobs.Job.select().count()) == (1, 1)


def test_bytes_that_were_lost_in_the_store_are_asked_for_again(appliance: Appliance, upload: Upload) -> None:
    for start in range(0, len(MUSIC), 1000):
        upload = append(appliance, upload, MUSIC[start : start + 1000], start)
    appliance.store.delete(kept(appliance)[2])
    with pytest.raises(staging.WrongOffset, match="stands at 2000 bytes"):
        finish(appliance, upload)
    upload = Upload.get_by_id(upload.id)
    assert (upload.offset_bytes, len(kept(appliance))) == (2000, 2)
    appliance.store.put(kept(appliance)[1], io.BytesIO(bytes(1000)), content_type="application/octet-stream")
    with pytest.raises(staging.WrongOffset, match="stands at 1000 bytes"):
        finish(appliance, append(appliance, upload, MUSIC[2000:], 2000))
    upload = append(appliance, Upload.get_by_id(upload.id), MUSIC[1000:], 1000)
    assert appliance.store.open(finish(appliance, upload).original_key).read() == MUSIC


def test_what_a_node_of_the_version_before_took_is_asked_for_again(
    appliance: Appliance, upload: Upload
) -> None:
    append(appliance, upload, MUSIC[:1000])
    # That one wrote into a folder of its own.
    Upload.update(offset_bytes=3000).execute()
    with pytest.raises(staging.WrongOffset, match="stands at 1000 bytes"):
        append(appliance, upload, MUSIC[3000:], 3000)
    upload = append(appliance, Upload.get_by_id(upload.id), MUSIC[1000:], 1000)
    assert appliance.store.open(finish(appliance, upload).original_key).read() == MUSIC


def test_an_upload_comes_in_so_many_parts_and_no_more(
    appliance: Appliance, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MOST", 3)
    for start in range(3):
        append(appliance, upload, MUSIC[start : start + 1], start)
    with pytest.raises(Invalid, match="came in 3 parts already"):
        append(appliance, upload, MUSIC[3:], 3)


def test_a_store_without_room_keeps_what_was_sent(appliance: Appliance, upload: Upload) -> None:
    class Full(LocalStore):
        def put_file(self, key: str, path: Path, *, content_type: str, move: bool = False) -> StoredObject:
            raise Unavailable("The storage disk is full.")

    upload = append(appliance, append(appliance, upload, MUSIC[:1000]), MUSIC[1000:], 1000)
    with pytest.raises(Unavailable, match="full"):
        finish(appliance, upload, Full(appliance.store.root))
    assert Track.select().count() == 0
    assert finish(appliance, upload).original_size_bytes == len(MUSIC)


def test_a_full_disk_keeps_what_was_acknowledged_and_takes_the_rest_later(
    appliance: Appliance, upload: Upload
) -> None:
    upload = append(appliance, upload, MUSIC[:1000])
    path = staging.path_of(appliance.staging, upload.id)
    path.symlink_to("/dev/full")
    with pytest.raises(Unavailable, match="What was acknowledged is kept"):
        append(appliance, upload, MUSIC[1000:], 1000)
    upload = append(appliance, upload, MUSIC[1000:], 1000)
    assert appliance.store.open(finish(appliance, upload).original_key).read() == MUSIC


def test_two_writers_do_not_mix(appliance: Appliance, upload: Upload) -> None:
    with staging.locked(appliance.staging, upload.id):
        for act in (
            lambda: append(appliance, upload, MUSIC),
            lambda: uploads.terminate(upload, folder=appliance.staging, store=appliance.store),
        ):
            with pytest.raises(staging.Busy):
                act()
    assert append(appliance, upload, MUSIC).offset_bytes == len(MUSIC)


def test_an_upload_that_was_ended_meanwhile_takes_no_more(appliance: Appliance, upload: Upload) -> None:
    stale = Upload.get_by_id(upload.id)
    uploads.terminate(upload, folder=appliance.staging, store=appliance.store)
    for act in (
        lambda: append(appliance, stale, MUSIC),
        lambda: uploads.terminate(stale, folder=appliance.staging, store=appliance.store),
    ):
        with pytest.raises(NotFound):
            act()
    assert list(appliance.staging.iterdir()) == []


def test_expiry_takes_what_is_old_and_leaves_the_rest(
    appliance: Appliance, owner: User, release: Release
) -> None:
    old, fresh, done = (begin(owner, release) for _ in range(3))
    for upload in (old, fresh, done):
        append(appliance, upload, MUSIC[:10])
    Upload.update(expires_at=NOW - timedelta(seconds=1)).where(Upload.id == old.id).execute()
    finish(appliance, append(appliance, Upload.get_by_id(done.id), MUSIC[10:], 10))
    orphan, young = appliance.staging / "orphan.part", appliance.staging / "young.part"
    for path, age in ((orphan, timedelta(days=2)), (young, timedelta(hours=1))):
        path.touch()
        stamp = (NOW - age).timestamp()
        os.utime(path, (stamp, stamp))
    assert uploads.expire(folder=appliance.staging, store=appliance.store, now=NOW) == 1
    assert [path.name for path in appliance.staging.iterdir()] == ["young.part"]
    assert [key.split("/")[1] for key in kept(appliance)] == [fresh.id]
    assert uploads.find(done.id, owner, now=NOW + timedelta(days=3)).finished_at
    uploads.expire(folder=appliance.staging, store=appliance.store, now=NOW + timedelta(days=8))
    assert Upload.select().count() == 0
    assert Track.select().count() == 1


def test_what_is_being_sent_does_not_expire(appliance: Appliance, upload: Upload) -> None:
    with staging.locked(appliance.staging, upload.id):
        assert (
            uploads.expire(folder=appliance.staging, store=appliance.store, now=NOW + timedelta(days=2)) == 0
        )
    assert uploads.expire(folder=appliance.staging, store=appliance.store, now=NOW + timedelta(days=2)) == 1


def test_the_uploads_of_others_are_not_found(upload: Upload) -> None:
    with pytest.raises(NotFound):
        uploads.find(upload.id, make_user(), now=NOW)


def test_an_incomplete_upload_makes_no_track(appliance: Appliance, upload: Upload) -> None:
    with pytest.raises(Conflict, match="not complete"):
        finish(appliance, append(appliance, upload, MUSIC[:10]))


FORMATS = {
    "wav": (["-c:a", "pcm_s16le", "-f", "wav"], "audio/wav"),
    "rf64": (["-c:a", "pcm_s24le", "-rf64", "always", "-f", "wav"], "audio/wav"),
    "aiff": (["-c:a", "pcm_s16be", "-f", "aiff"], "audio/aiff"),
    "flac": (["-c:a", "flac", "-f", "flac"], "audio/flac"),
    "alac": (["-c:a", "alac", "-f", "ipod"], "audio/mp4"),
    "mp3": (["-c:a", "libmp3lame", "-f", "mp3"], "audio/mpeg"),
    "bare mp3": (
        ["-c:a", "libmp3lame", "-id3v2_version", "0", "-write_xing", "0", "-f", "mp3"],
        "audio/mpeg",
    ),
    "m4a": (["-c:a", "aac", "-f", "ipod"], "audio/mp4"),
    "adts": (["-c:a", "aac", "-f", "adts"], "audio/aac"),
    "vorbis": (["-c:a", "libvorbis", "-f", "ogg"], "audio/ogg"),
    "opus": (["-c:a", "libopus", "-f", "opus"], "audio/ogg"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_music_is_known_by_its_bytes_whatever_its_name(name: str, tmp_path: Path) -> None:
    arguments, kind = FORMATS[name]
    source, target = tmp_path / "in.flac", tmp_path / "picture.png"
    source.write_bytes(tone(0.3))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", str(source)]
    subprocess.run([*command, *arguments, str(target)], check=True, timeout=60)
    assert originals.content_type(target.read_bytes()[:64]) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"PK\x03\x04",
        b"<!doctype html>",
        b"MZ\x90\0",
        b"\x7fELF\x02\x01\x01",
        b"%PDF-1.7",
        b"\xff\xfea\0b\0c\0",
        b"\xfe\xff\0a\0b",
        b"#EXTM3U\nfile:///etc/passwd",
        b"RIFF\0\0\0\0AVI LIST",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\x1aE\xdf\xa3",
        b"\0",
        b"\xff",
        bytes(64),
    ],
)
def test_what_is_no_music_is_refused_in_words(head: bytes) -> None:
    with pytest.raises(Invalid, match="does not look like music"):
        originals.content_type(head)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(Invalid, match="empty"):
        originals.content_type(b"")
    with pytest.raises(Invalid, match="empty"):
        originals.check_size(0, max_upload_mb=1)


def test_a_file_has_its_largest_size_to_the_byte() -> None:
    originals.check_size(originals.MIB, max_upload_mb=1)
    with pytest.raises(originals.TooLarge, match="at most 1 MiB; this one has 2 MiB"):
        originals.check_size(originals.MIB + 1, max_upload_mb=1)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 - Low Tide.flac", "Low Tide"),
        ("01. Low_Tide.flac", "Low Tide"),
        ("/etc/../Low Tide.flac", "Low Tide"),
        ("C:\\a\\Low Tide.flac", "Low Tide"),
        ("1999.flac", "1999"),
        ("Mr. Tide", "Mr"),
        ("...", ".."),
        ("", "Untitled"),
        ("   .flac", "Untitled"),
        ("🌊" * 200 + ".flac", "🌊" * 200),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_first_title_comes_from_the_name(name: str, title: str) -> None:
    assert originals.title_from(name) == title


def test_a_release_holds_so_many_tracks_and_says_so(
    appliance: Appliance, release: Release, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "MOST_TRACKS", 1)
    first, second = (append(appliance, begin(owner, release), MUSIC) for _ in range(2))
    finish(appliance, first)
    for act in (lambda: finish(appliance, second), lambda: begin(owner, release)):
        with pytest.raises(Invalid, match="at most 1 track"):
            act()
    assert Track.select().count() == 1
    assert [stored.key for stored in appliance.store.list("originals/")] == [f"originals/{first.id}"]


def test_tracks_come_in_the_order_of_their_uploads(
    appliance: Appliance, owner: User, release: Release
) -> None:
    made = [finish(appliance, append(appliance, begin(owner, release), MUSIC)).id for _ in range(3)]
    assert [track.id for track in tracks.of_release(release)] == made
