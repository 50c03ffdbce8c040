"""What came in a single piece becomes the original without being copied through the process, in a folder and in a bucket."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import BinaryIO
from uuid import uuid4

import pytest

from appliance import jobs
from appliance.catalog import pieces
from appliance.catalog import staging
from appliance.catalog import uploads
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.catalog.models import UploadPiece
from appliance.errors import Invalid
from appliance.startup import Appliance
from appliance.storage import LocalStore
from appliance.storage import ObjectStore
from appliance.storage import StoredObject
from appliance.storage import open_store
from tests.appliance.test_uploads import MUSIC
from tests.appliance.test_uploads import begin
from tests.appliance.test_uploads import finish
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.servers.s3 import S3Server
from tests.servers.s3 import s3_server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.getbasetemp()) as server:
        yield server


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, appliance: Appliance) -> ObjectStore:
    jobs.huey.immediate = False
    if request.param == "local":
        return appliance.store
    made = open_store(request.getfixturevalue("s3").url(f"bucket-{uuid4().hex}", create="1"))
    made.check()
    return made


@pytest.fixture
def upload(store: ObjectStore) -> Upload:
    return begin(owner := make_user(), make_release(make_artist(owner)))


class Watched:
    """A store that notes what is read from it and put into it."""

    def __init__(self, store: ObjectStore) -> None:
        self.store, self.read, self.written = store, list[int | None](), list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        self.read.append(length)
        return self.store.open(key, start=start, length=length)

    def put_file(self, key: str, path: Path, *, content_type: str, move: bool = False) -> StoredObject:
        self.written.append(key)
        return self.store.put_file(key, path, content_type=content_type, move=move)


def sent(appliance: Appliance, upload: Upload, store: object, *parts: bytes) -> Upload:
    """The upload with all its music, or these parts of it, a request for each."""
    for part in parts or (MUSIC,):
        upload = uploads.append(
            upload, io.BytesIO(part), offset=upload.offset_bytes, folder=appliance.staging, store=store, now=NOW  # type: ignore[arg-type]
        )  # fmt: skip
    return upload


def keys(store: ObjectStore) -> list[str]:
    return [seen.key for seen in store.walk("")]


def test_its_bytes_are_neither_read_nor_written_again(
    appliance: Appliance, store: ObjectStore, upload: Upload
) -> None:
    watched = Watched(store)
    whole = sent(appliance, upload, watched)
    track = finish(appliance, whole, watched)
    assert len(watched.written) == 1
    assert watched.read == [64]
    assert keys(store) == [track.original_key]
    with store.open(track.original_key) as stream:
        assert stream.read() == MUSIC
    stored = store.stat(track.original_key)
    assert (stored.content_type, stored.sha256) == ("audio/flac", track.original_sha256)
    assert UploadPiece.select().count() == 0


def test_several_pieces_are_still_joined(appliance: Appliance, store: ObjectStore, upload: Upload) -> None:
    track = finish(appliance, sent(appliance, upload, store, MUSIC[:1000], MUSIC[1000:]), store)
    with store.open(track.original_key) as stream:
        assert stream.read() == MUSIC
    assert keys(store) == [track.original_key]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_is_killed_around_the_copy_loses_nothing_and_leaves_nothing(
    appliance: Appliance, store: ObjectStore, upload: Upload, after: bool
) -> None:
    class Ends(Watched):
        def copy(self, source: str, key: str, *, content_type: str) -> StoredObject:
            if after:
                self.store.copy(source, key, content_type=content_type)
            raise Killed

    whole = sent(appliance, upload, store)
    with pytest.raises(Killed):
        finish(appliance, whole, Ends(store))
    assert Track.select().count() == 0
    tracks = {finish(appliance, whole, store).id, finish(appliance, whole, store).id}
    assert (tracks, Track.select().count(), jobs.Job.select().count()) == ({upload.id}, 1, 1)
    assert keys(store) == [f"originals/{upload.id}"]
    store.verify(f"originals/{upload.id}")
    if isinstance(store, LocalStore):
        assert store.path(f"originals/{upload.id}").stat().st_nlink == 1


def test_a_piece_that_is_gone_or_another_is_asked_for_again(
    appliance: Appliance, store: ObjectStore, upload: Upload
) -> None:
    whole = sent(appliance, upload, store)
    for damage in (store.delete, lambda key: store.put(key, io.BytesIO(bytes(9)), content_type="audio/flac")):
        damage(UploadPiece.get().key)
        with pytest.raises(staging.WrongOffset, match="stands at 0 bytes"):
            finish(appliance, whole, store)
        assert keys(store) == []
        whole = sent(appliance, Upload.get_by_id(upload.id), store)
    assert finish(appliance, whole, store).original_size_bytes == len(MUSIC)


def test_a_piece_that_goes_while_it_is_copied_is_asked_for_again(
    appliance: Appliance, store: ObjectStore, upload: Upload
) -> None:
    class Late(Watched):
        def copy(self, source: str, key: str, *, content_type: str) -> StoredObject:
            self.store.delete(source)
            return self.store.copy(source, key, content_type=content_type)

    with pytest.raises(staging.WrongOffset, match="stands at 0 bytes"):
        finish(appliance, sent(appliance, upload, store), Late(store))
    assert finish(appliance, sent(appliance, Upload.get_by_id(upload.id), store), store).id == upload.id


def test_a_piece_whose_bytes_rot_before_they_are_copied_is_asked_for_again(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, path: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    jobs.huey.immediate, store = False, appliance.store
    assert isinstance(store, LocalStore)
    upload = begin(owner := make_user(), make_release(make_artist(owner)))
    monkeypatch.setattr(os, "link", refuse)
    whole = sent(appliance, upload, store)
    with store.path(UploadPiece.get().key).open("r+b") as rotting:
        rotting.seek(100)
        rotting.write(b"?")
    with pytest.raises(staging.WrongOffset, match="stands at 0 bytes"):
        finish(appliance, whole, store)
    finish(appliance, sent(appliance, Upload.get_by_id(upload.id), store), store)
    assert keys(store) == [f"originals/{upload.id}"]
    store.verify(f"originals/{upload.id}")


def test_what_is_no_music_becomes_no_original(
    appliance: Appliance, store: ObjectStore, upload: Upload
) -> None:
    whole = sent(appliance, upload, store, b"\x89PNG\r\n\x1a\n" + bytes(len(MUSIC) - 8))
    with pytest.raises(Invalid, match="does not look like music"):
        finish(appliance, whole, store)
    assert (keys(store), Track.select().count()) == ([], 0)


def test_a_new_master_comes_in_so_too(appliance: Appliance, store: ObjectStore, upload: Upload) -> None:
    track = finish(appliance, sent(appliance, upload, store), store)
    better = begin(upload.user, track.release, replaces=track)
    watched = Watched(store)
    finish(appliance, sent(appliance, better, watched), watched)
    assert watched.read == [64]
    assert keys(store) == [track.original_key, Replacement.get().original_key]
    assert not list(store.walk(pieces.FOLDER))
