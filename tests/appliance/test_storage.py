"""One contract for every store: a folder with and without extended attributes, and a real S3 server."""

import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import ObjectStore
from appliance.storage import Signing
from appliance.storage import as_file
from appliance.storage import open_store
from appliance.storage import validate_key
from appliance.storage.local import LocalStore
from appliance.storage.opening import masked
from tests.servers.s3 import S3Server
from tests.servers.s3 import s3_server

MIB = 1024 * 1024
FLAC = "audio/flac"


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.getbasetemp()) as server:
        yield server


@pytest.fixture(params=["local", "local without attributes", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where one empty store is, in words another process understands."""
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3")
        url = server.url(f"bucket-{uuid4().hex}", create="1")
        open_store(url).check()
        return url
    return f"{tmp_path / 'media'}{'#plain' if 'without' in request.param else ''}"


def open_place(place: str) -> ObjectStore:
    folder, plain, _ = place.partition("#plain")
    return LocalStore(Path(folder), attributes=False) if plain else open_store(place)


@pytest.fixture
def store(place: str) -> ObjectStore:
    return open_place(place)


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "media")


def put(store: ObjectStore, key: str, data: bytes = b"sound", content_type: str = FLAC) -> None:
    store.put(key, io.BytesIO(data), content_type=content_type)


def got(store: ObjectStore, key: str, **span: int) -> bytes:
    with store.open(key, **span) as stream:
        return stream.read()


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [stored.key for stored in store.list(prefix)]


class Noise(io.RawIOBase):
    """A long stream that is nowhere in memory; it can be read once."""

    def __init__(self, size_bytes: int) -> None:
        self.left = size_bytes
        self.block = random.Random(1).randbytes(MIB)
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self.block[: min(self.left, MIB if size < 0 else size)]
        self.left -= len(data)
        self.digest.update(data)
        return data


# Put, stat, open, delete


def test_what_is_put_can_be_got(store: ObjectStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    stored = store.put("originals/a/master.flac", io.BytesIO(b"sound"), content_type=FLAC)
    assert got(store, "originals/a/master.flac") == b"sound"
    assert (stored.key, stored.size_bytes, stored.content_type) == ("originals/a/master.flac", 5, FLAC)
    assert stored.sha256 == hashlib.sha256(b"sound").hexdigest()
    assert stored.etag
    assert stored.etag in stored.sha256
    assert before <= stored.modified_at <= datetime.now(UTC) + timedelta(seconds=2)
    assert store.stat("originals/a/master.flac") == stored


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    put(store, "empty.txt", b"", "text/plain; charset=utf-8")
    assert got(store, "empty.txt") == got(store, "empty.txt", start=0, length=10) == b""
    assert store.stat("empty.txt").size_bytes == 0
    assert store.stat("empty.txt").content_type == "text/plain; charset=utf-8"


def test_an_object_is_replaced_with_all_that_is_known_of_it(store: ObjectStore) -> None:
    put(store, "cover", b"a first picture", "image/png")
    put(store, "cover", b"another", "image/webp")
    assert got(store, "cover") == b"another"
    assert (store.stat("cover").size_bytes, store.stat("cover").content_type) == (7, "image/webp")
    store.verify("cover")


def test_a_reader_goes_on_hearing_what_was_there_when_it_began(local: LocalStore) -> None:
    put(local, "song", b"old sound")
    with local.open("song") as stream:
        assert stream.read(3) == b"old"
        put(local, "song", b"new")
        assert stream.read() == b" sound"


def test_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    put(store, "a/b")
    for missing in ("nothing", "a", "a/b/c", "a/c"):
        for ask in (store.stat, store.open, store.verify):
            with pytest.raises(NotFound, match=missing):
                ask(missing)
        with pytest.raises(NotFound):
            store.open(missing, length=0)
        store.delete(missing)
    assert got(store, "a/b") == b"sound"


def test_deleting_twice_is_deleting_once(store: ObjectStore) -> None:
    put(store, "a/b/c")
    put(store, "a/d")
    store.delete("a/b/c")
    store.delete("a/b/c")
    assert keys(store) == ["a/d"]
    with pytest.raises(NotFound):
        store.open("a/b/c")


def test_a_stream_is_stored_from_where_it_stands(store: ObjectStore) -> None:
    stream = io.BytesIO(b"header and sound")
    stream.seek(11)
    store.put("song", stream, content_type=FLAC)
    assert got(store, "song") == b"sound"


def test_a_failing_stream_stores_nothing_and_keeps_what_was_there(store: ObjectStore) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise ConnectionResetError("the browser went away")

    put(store, "song")
    with pytest.raises(ConnectionResetError):
        store.put("song", Broken(), content_type=FLAC)
    assert got(store, "song") == b"sound"
    assert keys(store) == ["song"]


def test_a_header_cannot_be_smuggled_in_with_the_content_type(store: ObjectStore) -> None:
    for wrong in ("", "audio", "audio/flac\r\nX-Evil: 1", "a/b; c", "audio/" + "x" * 100, "müsik/flac"):
        with pytest.raises(Invalid) as refused:
            put(store, "song", content_type=wrong)
        assert refused.value.field == "content_type"


# Files


@pytest.mark.parametrize("move", [False, True])
def test_a_file_is_stored_and_stays_or_goes_as_asked(store: ObjectStore, tmp_path: Path, move: bool) -> None:
    master = tmp_path / "upload"
    master.write_bytes(b"sound")
    os.utime(master, (0, 0))
    stored = store.put_file("song", master, content_type=FLAC, move=move)
    assert got(store, "song") == b"sound"
    assert store.stat("song") == stored
    assert stored.modified_at > datetime.now(UTC) - timedelta(minutes=1)
    assert master.exists() is not move


def test_a_move_on_one_file_system_copies_nothing(local: LocalStore, tmp_path: Path) -> None:
    master = tmp_path / "upload"
    master.write_bytes(b"sound")
    inode = master.stat().st_ino
    local.put_file("song", master, content_type=FLAC, move=True)
    assert local.path("song").stat().st_ino == inode


def test_a_file_with_a_second_name_is_copied_since_the_other_name_could_change_it(
    local: LocalStore, tmp_path: Path
) -> None:
    master, other = tmp_path / "upload", tmp_path / "other"
    master.write_bytes(b"sound")
    other.hardlink_to(master)
    local.put_file("song", master, content_type=FLAC, move=True)
    other.write_bytes(b"noise")
    assert got(local, "song") == b"sound"


def test_a_refused_move_leaves_the_file_where_it_is(store: ObjectStore, tmp_path: Path) -> None:
    master = tmp_path / "upload"
    master.write_bytes(b"sound")
    for key, content_type in (("../song", FLAC), ("song", "no type")):
        with pytest.raises(Invalid):
            store.put_file(key, master, content_type=content_type, move=True)
    assert master.read_bytes() == b"sound"
    with pytest.raises(NotFound):
        store.put_file("song", tmp_path / "missing", content_type=FLAC, move=True)


def test_a_program_reads_an_object_as_a_file(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "originals/a/master.flac")
    with as_file(store, "originals/a/master.flac", folder=tmp_path) as path:
        assert path.read_bytes() == b"sound"
        assert path.suffix == ".flac"
    assert [p for p in tmp_path.iterdir() if p.name != "media"] == []
    assert got(store, "originals/a/master.flac") == b"sound"
    with pytest.raises(NotFound), as_file(store, "originals/none", folder=tmp_path):
        pass


# A second key


def test_an_object_is_copied_with_all_that_is_known_of_it_and_stays_when_its_source_goes(
    store: ObjectStore,
) -> None:
    put(store, "uploads/a/1", content_type="application/octet-stream")
    put(store, "originals/b", b"an older one")
    for key in ("originals/a", "originals/b"):
        stored = store.copy("uploads/a/1", key, content_type=FLAC)
        assert (stored.key, stored.size_bytes, stored.content_type) == (key, 5, FLAC)
        assert stored.sha256 == hashlib.sha256(b"sound").hexdigest()
        assert stored.modified_at > datetime.now(UTC) - timedelta(minutes=1)
        assert store.stat(key) == stored
        assert store.stat("uploads/a/1").sha256 == stored.sha256
    store.delete("uploads/a/1")
    assert got(store, "originals/a") == got(store, "originals/b") == b"sound"
    store.verify("originals/a")
    assert keys(store) == ["originals/a", "originals/b"]


def test_a_copy_stays_as_it_is_when_its_source_becomes_another(store: ObjectStore) -> None:
    put(store, "piece")
    store.copy("piece", "song", content_type=FLAC)
    put(store, "piece", b"noise")
    assert (got(store, "song"), got(store, "piece")) == (b"sound", b"noise")


def test_what_is_not_there_cannot_be_copied_nor_what_is_no_key(store: ObjectStore) -> None:
    put(store, "a")
    with pytest.raises(NotFound, match="none"):
        store.copy("none", "song", content_type=FLAC)
    for source, key, kind in (("../a", "song", FLAC), ("a", "../song", FLAC), ("a", "song", "no type")):
        with pytest.raises(Invalid):
            store.copy(source, key, content_type=kind)
    assert keys(store) == ["a"]


def test_a_copy_is_never_an_object_and_a_folder_at_once(local: LocalStore) -> None:
    put(local, "piece")
    put(local, "a/b")
    for key in ("a", "a/b/c"):
        with pytest.raises(Conflict):
            local.copy("piece", key, content_type=FLAC)


def test_a_copy_in_a_folder_is_the_same_file(local: LocalStore) -> None:
    put(local, "piece")
    os.utime(local.path("piece"), (0, 0))
    local.copy("piece", "new/folder/song", content_type=FLAC)
    assert local.path("piece").samefile(local.path("new/folder/song"))
    local.delete("piece")
    assert local.path("new/folder/song").stat().st_nlink == 1


def test_a_folder_without_second_names_copies_the_bytes(
    local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, path: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    put(local, "piece")
    monkeypatch.setattr(os, "link", refuse)
    local.copy("piece", "song", content_type=FLAC)
    assert got(local, "song") == b"sound"
    assert not local.path("piece").samefile(local.path("song"))


def test_a_copy_of_what_was_sent_in_parts_stays_whole_when_its_source_goes(store: ObjectStore) -> None:
    noise = Noise(20 * MIB)
    store.put("piece", noise, content_type="application/octet-stream")  # type: ignore[arg-type]
    store.copy("piece", "song", content_type=FLAC)
    store.delete("piece")
    store.verify("song")
    assert store.stat("song").sha256 == noise.digest.hexdigest()


def test_what_a_server_does_not_copy_comes_by_here(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3.url(f"bucket-{uuid4().hex}", create="1"))
    store.check()
    put(store, "piece")

    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("The S3 store answered with an error (NotImplemented).")

    monkeypatch.setattr(store, "_copy_there", refuse)
    store.copy("piece", "song", content_type=FLAC)
    store.delete("piece")
    store.verify("song")
    assert store.stat("song").content_type == FLAC


# Ranges


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, None),
        (3, None),
        (0, 0),
        (0, 1),
        (9, 1),
        (9, 5),
        (4, 3),
        (10, None),
        (10, 1),
        (11, None),
        (5000, 10),
        (3, 0),
    ],
)
def test_a_range_is_what_there_is_of_it(store: ObjectStore, start: int, length: int | None) -> None:
    put(store, "song", b"0123456789")
    with store.open("song", start=start, length=length) as stream:
        assert stream.read() == b"0123456789"[start:][:length]
        assert stream.read() == stream.read(5) == b""


def test_a_range_is_read_in_pieces_of_any_size(store: ObjectStore) -> None:
    put(store, "song", b"0123456789")
    with store.open("song", start=2, length=6) as stream:
        assert (stream.read(1), stream.read(4), stream.read(4), stream.read(4)) == (b"2", b"3456", b"7", b"")
    with io.BufferedReader(store.open("song", start=1), 4) as buffered:  # type: ignore[arg-type]
        assert (buffered.read(2), buffered.peek(1)[:1], buffered.read()) == (b"12", b"3", b"3456789")


def test_nothing_is_read_before_the_first_byte(store: ObjectStore) -> None:
    put(store, "song")
    for wrong in ({"start": -1}, {"length": -1}):
        with pytest.raises(Invalid):
            store.open("song", **wrong)


def test_readers_who_leave_early_do_not_use_up_the_connections(store: ObjectStore) -> None:
    put(store, "song", bytes(3 * MIB))
    for _ in range(40):
        with store.open("song") as stream:
            assert len(stream.read(10)) == 10


# Keys and lists


@pytest.mark.parametrize(
    "key", ["a", "0/_b-c.d..e/F", "hls/a.b/c_d/e-f.m4s", "a" * 200, "/".join(["ab"] * 170)]
)
def test_a_key_means_the_same_everywhere(store: ObjectStore, key: str) -> None:
    put(store, validate_key(key))
    assert got(store, key) == b"sound"
    assert keys(store) == keys(store, key) == [key]
    store.delete(key)
    assert keys(store) == []


@pytest.mark.parametrize(
    "key",
    [
        *(
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a/./b",
            ".a",
            "a/.b",
            "-a",
        ),
        *(
            "a\0b",
            "a\nb",
            "a\n",
            "a\\b",
            "..\\a",
            "C:a",
            "a b",
            "a%2e",
            "a?b",
            "a#b",
            "ä",
            "🎵",
            "a\u202eb",
            "~a",
        ),
        *("a" * 201, "a/" * 256 + "a"),
    ],
)
def test_a_key_that_could_mean_something_else_is_refused(store: ObjectStore, key: str) -> None:
    for ask in (store.stat, store.open, store.delete, store.verify):
        with pytest.raises(Invalid):
            ask(key)
    with pytest.raises(Invalid) as refused:
        put(store, key)
    assert refused.value.field == "key"


def test_a_list_is_sorted_by_key_and_begins_with_the_prefix(store: ObjectStore) -> None:
    names = ["a", "b-c", "b.c", "b/a/x", "b/a0", "b/b", "b0", "bb/a", "c/d/e/f", "B"]
    for name in names:
        put(store, name, name.encode())
    assert keys(store) == sorted(names)
    for prefix in ("a", "b", "b/", "b/a", "b/a/", "bb", "c/d", "c/d/e/f", "c/d/e/f/", "z", "B", "c/x"):
        assert keys(store, prefix) == sorted(name for name in names if name.startswith(prefix))
    assert all(stored == store.stat(stored.key) for stored in store.list("b"))


def test_a_prefix_is_the_beginning_of_a_key(store: ObjectStore) -> None:
    for wrong in ("/", "../", "a//", "a/.", "ä", "a\0"):
        with pytest.raises(Invalid):
            list(store.list(wrong))


def test_a_long_list_is_complete(store: ObjectStore) -> None:
    names = [f"p/{n:03}" for n in range(70)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: put(store, name), names))
    assert keys(store, "p/") == names


# Whole or not at all


def test_two_writers_of_one_key_never_interleave(store: ObjectStore) -> None:
    versions = [bytes([n]) * (100_000 + n) for n in range(6)]
    start = threading.Barrier(len(versions))

    def write(version: bytes) -> None:
        start.wait()
        stored = store.put("song", io.BytesIO(version), content_type=FLAC)
        assert stored.sha256 == hashlib.sha256(version).hexdigest()

    with ThreadPoolExecutor(len(versions)) as threads:
        list(threads.map(write, versions))
    assert got(store, "song") in versions
    store.verify("song")
    assert store.stat("song").size_bytes == len(got(store, "song"))


def test_putting_and_deleting_in_one_folder_at_once_loses_nothing(store: ObjectStore) -> None:
    def work(writer: int) -> None:
        for n in range(8):
            put(store, f"deep/er/{writer}-{n}")
            if n % 2:
                store.delete(f"deep/er/{writer}-{n}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    assert keys(store) == [f"deep/er/{writer}-{n}" for writer in range(4) for n in (0, 2, 4, 6)]


_SLOW_WRITER = """
import io, sys, time
from pathlib import Path
from tests.appliance.test_storage import MIB, open_place

class Slow(io.BytesIO):
    "Stops for good in the middle of the last time it is read."
    readings_left = int(sys.argv[2])
    def read(self, size=-1):
        if self.tell() == 0:
            self.readings_left -= 1
        if self.tell() >= 12 * MIB and not self.readings_left:
            print("in the middle", flush=True)
            time.sleep(60)
        return super().read(size)

open_place(sys.argv[1]).put("a/song", Slow(bytes(24 * MIB)), content_type="audio/flac")
"""


def test_a_writer_killed_in_the_middle_leaves_no_part_of_an_object(place: str, store: ObjectStore) -> None:
    put(store, "a/other")
    # The folder reads a stream once; S3 needs its hash first, and is in the middle of a multipart upload.
    readings = "2" if place.startswith("s3") else "1"
    with subprocess.Popen(
        [sys.executable, "-c", _SLOW_WRITER, place, readings], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"in the middle\n"
        assert keys(open_place(place)) == ["a/other"]
        if isinstance(store, LocalStore):
            assert store.sweep() == 0, "a living writer keeps its file"
        writer.send_signal(signal.SIGKILL)
    with pytest.raises(NotFound):
        store.stat("a/song")
    assert keys(open_place(place)) == ["a/other"]
    if isinstance(store, LocalStore):
        assert list(Path(place.partition("#")[0], ".incoming").iterdir()) == []


def test_64_mib_pass_in_constant_memory(store: ObjectStore, tmp_path: Path) -> None:
    noise = Noise(64 * MIB)
    tracemalloc.start()
    try:
        stored = store.put("song", noise, content_type=FLAC)  # type: ignore[arg-type]
        store.verify("song")
        with as_file(store, "song", folder=tmp_path) as path:
            assert path.stat().st_size == 64 * MIB
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (stored.size_bytes, stored.sha256) == (64 * MIB, noise.digest.hexdigest())
    assert peak_bytes < 40 * MIB
    with store.open("song", start=64 * MIB - 5) as stream:
        assert stream.read(100) == noise.block[-5:]


# Trouble


def test_a_check_passes_and_leaves_nothing(store: ObjectStore) -> None:
    store.check()
    assert keys(store) == []


def test_an_object_without_a_label_is_adopted(
    place: str, store: ObjectStore, s3_put: Callable[[str, str, bytes], None]
) -> None:
    """As after ``cp -r``, or ``aws s3 cp``."""
    put(store, "hls/first.mp4")
    s3_put(place, "hls/song.mp4", b"sound")
    for stored in (store.stat("hls/song.mp4"), store.stat("hls/song.mp4"), *store.list("hls/s")):
        assert stored.sha256 == hashlib.sha256(b"sound").hexdigest()
        assert stored.content_type == "audio/mp4"
    store.verify("hls/song.mp4")
    assert keys(store) == ["hls/first.mp4", "hls/song.mp4"]


def test_a_long_object_without_a_label_is_adopted_whole(
    place: str, store: ObjectStore, s3_put: Callable[[str, str, bytes], None]
) -> None:
    """A bucket has it in parts, of which a server that copies it over itself may keep the list alone."""
    long = Noise(MIB).read() * 12
    s3_put(place, "song.mp4", long)
    assert store.stat("song.mp4").sha256 == hashlib.sha256(long).hexdigest()
    store.verify("song.mp4")
    assert (store.stat("song.mp4").size_bytes, store.stat("song.mp4").content_type) == (12 * MIB, "audio/mp4")


@pytest.fixture
def s3_put() -> Callable[[str, str, bytes], None]:
    """Puts an object behind the store's back."""

    def put_behind(place: str, key: str, data: bytes) -> None:
        store = open_place(place)
        if isinstance(store, LocalStore):
            Path(place.partition("#")[0], key).write_bytes(data)
            return
        client, bucket = store._client, store._bucket  # type: ignore[attr-defined]
        client.put_object(bucket, key, io.BytesIO(data), len(data), content_type="audio/mp4")

    return put_behind


@pytest.mark.parametrize("attributes", [True, False])
def test_bytes_that_rot_on_the_disk_are_found(tmp_path: Path, attributes: bool) -> None:
    store = LocalStore(tmp_path, attributes=attributes)
    put(store, "song", b"sound")
    file = store.path("song")
    before = file.stat()
    with file.open("r+b") as rotting:
        rotting.seek(2)
        rotting.write(b"?")
    # As on a failing disk: neither the size nor the time says anything.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(Unavailable, match="song is damaged"):
        store.verify("song")


def test_a_damaged_download_is_not_handed_to_a_program(s3: S3Server, tmp_path: Path) -> None:
    store = open_store(s3.url(f"bucket-{uuid4().hex}", create="1"))
    store.check()
    client, bucket = store._client, store._bucket  # type: ignore[attr-defined]
    client.put_object(bucket, "song", io.BytesIO(b"noise"), 5, metadata={"sha256": "0" * 64})
    with pytest.raises(Unavailable, match="song is damaged"), as_file(store, "song", folder=tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Unavailable, match="song is damaged"):
        store.verify("song")


def test_a_torn_label_beside_the_file_is_made_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, attributes=False)
    put(store, "a/song.flac")
    for torn in ('{"sha256": "ab', "[]", "{}", ""):
        (tmp_path / "a" / ".song.flac.label").write_text(torn)
        assert store.stat("a/song.flac").sha256 == hashlib.sha256(b"sound").hexdigest()
    assert keys(store) == ["a/song.flac"]
    store.delete("a/song.flac")
    assert [p.name for p in tmp_path.iterdir()] == [".incoming"]


def test_a_link_out_of_the_folder_is_refused(local: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    media = tmp_path / "media"
    (media / "folder").symlink_to(outside)
    (media / "file").symlink_to(outside / "secret")
    for key in ("folder/secret", "file"):
        for ask in (local.open, local.stat, local.path, local.delete, lambda key: put(local, key)):
            with pytest.raises(Unavailable, match=f"leads {key} out"):
                ask(key)
    with pytest.raises(Unavailable):
        put(local, "folder/new")
    assert keys(local) == []
    assert (outside / "secret").read_text() == "secret"
    assert [p.name for p in outside.iterdir()] == ["secret"]


def test_folders_pipes_and_strange_files_are_no_objects(local: LocalStore, tmp_path: Path) -> None:
    media = tmp_path / "media"
    (media / "folder").mkdir()
    os.mkfifo(media / "pipe")
    (media / "a strange name").write_text("?")
    (media / "lost+found").mkdir()
    for key in ("folder", "pipe"):
        with pytest.raises(NotFound):
            local.open(key)
    assert keys(local) == []


def test_one_key_cannot_be_an_object_and_a_folder(local: LocalStore, tmp_path: Path) -> None:
    put(local, "a/b")
    for key in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(Conflict, match=key):
            put(local, key)
    assert keys(local) == ["a/b"]
    assert list((tmp_path / "media" / ".incoming").iterdir()) == []


_ON_A_SMALL_DISK = """
import io, os, resource, sys
from pathlib import Path
from appliance.errors import Unavailable
from appliance.storage.local import LocalStore
root = Path(sys.argv[1])
store = LocalStore(root)
store.put("a/small", io.BytesIO(b"sound"), content_type="audio/flac")
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    store.put("a/large", io.BytesIO(bytes(8 * 2**20)), content_type="audio/flac")
except Unavailable as error:
    print(error)
assert [stored.key for stored in store.list("")] == ["a/small"]
assert not list((root / ".incoming").iterdir())
store.verify("a/small")
store.check()
"""


def test_a_full_disk_is_said_plainly_and_leaves_no_remains(tmp_path: Path) -> None:
    run = [sys.executable, "-c", _ON_A_SMALL_DISK]
    said = subprocess.check_output([*run, str(tmp_path / "limited"), "limit"], text=True)
    assert said.startswith("The storage disk is full. Nothing was stored")
    # A disk of 1 MiB, where this account may mount one in a namespace of its own.
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=1m small "$1" && shift && exec "$@"'
    mounted = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(tmp_path / "disk")]
    if shutil.which("unshare") and not subprocess.run([*mounted, "true"], capture_output=True).returncode:
        said = subprocess.check_output([*mounted, *run, str(tmp_path / "disk"), "full"], text=True)
        assert said.startswith("The storage disk is full. Nothing was stored")


def test_a_folder_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as refused:
        open_store(str(tmp_path / "file" / "media"))
    assert str(tmp_path) not in str(refused.value)


# S3 alone


def test_a_wrong_secret_is_refused_and_never_told(s3: S3Server) -> None:
    store = open_store(s3.url(f"bucket-{uuid4().hex}", secret="wrong/sekrit"))
    for ask in (store.check, lambda: put(store, "song"), lambda: store.stat("song"), lambda: keys(store)):
        with pytest.raises(Unavailable, match="refused the key, the secret or the permission") as refused:
            ask()
        assert "sekrit" not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_the_test_server_notices_a_tampered_signature(s3: S3Server) -> None:
    """Else every other test here would prove little."""
    store = open_store(s3.url(f"bucket-{uuid4().hex}", create="1"))
    store.check()
    pool = store._client._http  # type: ignore[attr-defined]
    honest = pool.urlopen

    def tampering(method: str, url: str, **rest: object) -> object:
        headers = rest["headers"]
        signed = headers["Authorization"]  # type: ignore[index]
        headers["Authorization"] = signed[:-1] + ("0" if signed[-1] != "0" else "1")  # type: ignore[index]
        return honest(method, url, **rest)

    pool.urlopen = tampering
    with pytest.raises(Unavailable, match="refused"):
        put(store, "song")
    pool.urlopen = lambda method, url, **rest: honest(method, url, **{**rest, "body": b"noise"})
    with pytest.raises(Unavailable):
        put(store, "song")
    pool.urlopen = honest
    assert keys(store) == []


def test_a_missing_bucket_is_said_with_its_mend(s3: S3Server) -> None:
    store = open_store(s3.url("not-there"))
    for ask in (store.check, lambda: put(store, "song"), lambda: keys(store), lambda: got(store, "song")):
        with pytest.raises(Unavailable, match=r"There is no bucket not-there\. Make it, or add create=1"):
            ask()


def test_the_first_verb_of_all_makes_the_bucket_whoever_says_it(s3: S3Server) -> None:
    """As on a cluster that is new, where nobody has asked a web server whether it is ready."""
    verbs: tuple[Callable[[ObjectStore], object], ...] = (
        lambda store: put(store, "song"),
        keys,
        lambda store: cast(Signing, store).signed_url("song", expires_in_s=60),
        lambda store: store.delete("song"),
    )
    for verb in verbs:
        bucket = f"bucket-{uuid4().hex}"
        verb(open_store(s3.url(bucket, create="1")))
        # Whoever makes none finds it.
        assert set(keys(open_store(s3.url(bucket)))) <= {"song"}


def test_a_bucket_that_several_make_at_once_is_there_for_all(s3: S3Server) -> None:
    url = s3.url(f"bucket-{uuid4().hex}", create="1")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: put(open_store(url), f"song-{number}"), range(8)))
    assert len(keys(open_store(url))) == 8


def test_a_stream_that_changes_between_its_two_readings_is_not_stored(s3: S3Server) -> None:
    store = open_store(s3.url(f"bucket-{uuid4().hex}", create="1"))
    store.check()

    class Changing(io.BytesIO):
        def seek(self, *where: int) -> int:
            self.getbuffer()[-1] ^= 1
            return super().seek(*where)

    for size_bytes in (100, 20 * MIB):
        with pytest.raises(Conflict, match="changed while it was being stored"):
            store.put("song", Changing(bytes(size_bytes)), content_type=FLAC)
    assert keys(store) == []
    client, bucket = store._client, store._bucket  # type: ignore[attr-defined]
    assert client._list_multipart_uploads(bucket).uploads == []


def test_a_server_that_is_away_is_said_plainly() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        open_store("s3://key:secret@127.0.0.1:1/music?secure=0&region=eu").stat("song")


def test_plain_http_behind_an_https_url_is_said_plainly(s3: S3Server) -> None:
    with pytest.raises(Unavailable, match="secure=0"):
        open_store(s3.url("music", secure="1")).stat("song")


def test_a_server_that_is_no_s3_is_said_plainly() -> None:
    from http.server import BaseHTTPRequestHandler
    from http.server import ThreadingHTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(Unavailable, match="none of S3"):
                open_store(f"s3://key:secret@127.0.0.1:{server.server_port}/music?secure=0").open("song")
        finally:
            server.shutdown()


# The storage URL


def test_a_path_and_a_file_url_open_a_folder(tmp_path: Path) -> None:
    for url in (str(tmp_path / "media"), f"file://{tmp_path}/media", f"file://{tmp_path}/me%64ia"):
        store = open_store(url)
        assert isinstance(store, LocalStore)
        put(store, "song")
    assert [p.name for p in tmp_path.iterdir()] == ["media"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "names no folder"),
        ("file://media/music", "three slashes"),
        ("ftp://host/music", "s3://ACCESS"),
        ("s3://host/music", "s3://ACCESS"),
        ("s3://key@host/music", "s3://ACCESS"),
        ("s3://key:sekrit@host", "one bucket"),
        ("s3://key:sekrit@host/music/folder", "one bucket"),
        ("s3://key:sekrit@host/Music", "one bucket"),
        ("s3://key:sekrit@host:port/music", "port"),
        ("s3://key:sek/rit@host/music", "%2F"),
        ("s3://key:sekrit@host/music?secure=maybe", "'secure' is 0 or 1"),
        ("s3://key:sekrit@host/music?sekure=0", "no option 'sekure', only create, region, secure"),
        ("s3://key:sekrit@[::1/music", "not right"),
        ("s3://key:sekrit@ho st/music", "no name and no address"),
    ],
)
def test_a_wrong_storage_url_is_explained_without_its_secret(url: str, why: str) -> None:
    with pytest.raises(Invalid, match="'store_url'") as refused:
        open_store(url)
    assert why in str(refused.value)
    assert refused.value.field == "store_url"
    for word in ("sekrit", "sek/", "rit@"):
        assert word not in str(refused.value)


def test_a_masked_url_still_says_where() -> None:
    assert masked("s3://key:se@cr/et@host:9000/music") == "s3://***:***@host:9000/music"
    assert masked("/srv/music") == "/srv/music"


def test_a_walk_tells_the_same_objects_as_a_list_and_marks_what_was_put_anew(store: ObjectStore) -> None:
    for key in ("b/2", "a-b", "a/c", "b/1"):
        put(store, key)
    walked = list(store.walk(""))
    assert [seen.key for seen in walked] == keys(store) == ["a-b", "a/c", "b/1", "b/2"]
    assert [seen.size_bytes for seen in walked] == [5] * 4
    assert [seen.key for seen in store.walk("b/")] == ["b/1", "b/2"]
    assert {seen.key: seen.mark for seen in store.walk("")} == {seen.key: seen.mark for seen in walked}
    put(store, "b/1", b"other")
    assert [was.key for was, now in zip(walked, store.walk(""), strict=True) if was.mark != now.mark] == [
        "b/1"
    ]


def test_a_walk_sees_no_links_and_no_hidden_files(local: LocalStore, tmp_path: Path) -> None:
    put(local, "a/1")
    (tmp_path / "media" / "a" / "link").symlink_to(tmp_path / "media" / "a" / "1")
    (tmp_path / "media" / "a" / ".hidden").write_bytes(b"x")
    (tmp_path / "media" / "a" / "no key").write_bytes(b"x")
    assert [seen.key for seen in local.walk("")] == ["a/1"]
