"""A zip that is never made: any part of it is the same as that part of the whole, and every reader takes it."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from datetime import UTC
from datetime import datetime

import pytest

from appliance.downloads import zips

WHEN = datetime(2026, 5, 1, 12, 30, 14, tzinfo=UTC)
GIB = 1024**3


def stored(contents: dict[str, bytes]) -> tuple[zips.Layout, zips.Opener]:
    entries = [
        zips.Entry(name, len(data), zlib.crc32(data), WHEN, key=name) for name, data in contents.items()
    ]
    entries.append(zips.Entry.of_bytes("Folder/cover.jpg", b"picture", WHEN))

    def opener(key: str, start: int, length: int) -> io.BytesIO:
        return io.BytesIO(contents[key][start : start + length])

    return zips.Layout(entries), opener


@pytest.fixture
def contents() -> dict[str, bytes]:
    chance = random.Random(4)
    return {f"Folder/{n:02} Lied – 潮 {n}.flac": chance.randbytes(n * 777) for n in range(12)}


def whole(layout: zips.Layout, opener: zips.Opener) -> bytes:
    return zips.Reading(layout, opener, 0, layout.size_bytes, seekable=True).readall()


def test_python_reads_it_to_the_last_byte(contents) -> None:
    layout, opener = stored(contents)
    data = whole(layout, opener)
    assert len(data) == layout.size_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            **contents,
            "Folder/cover.jpg": b"picture",
        }
        assert archive.infolist()[0].date_time == (2026, 5, 1, 12, 30, 14)


def test_every_part_is_that_part_of_the_whole(contents) -> None:
    layout, opener = stored(contents)
    data = whole(layout, opener)
    chance = random.Random(5)
    for _ in range(300):
        start = chance.randrange(len(data))
        stop = chance.randrange(start, len(data) + 1)
        assert zips.Reading(layout, opener, start, stop - start, seekable=True).readall() == data[start:stop]


def test_a_place_is_gone_to_without_reading_what_lies_before_it(contents) -> None:
    layout, _ = stored(contents)
    asked: list[tuple[str, int, int]] = []

    def opener(key: str, start: int, length: int) -> io.BytesIO:
        asked.append((key, start, length))
        return io.BytesIO(contents[key][start : start + length])

    reading = zips.Reading(layout, opener, layout.size_bytes // 2, 100, seekable=True)
    reading.readall()
    assert len(asked) <= 2
    assert reading.seek(0, 2) == 100
    assert reading.seek(10) == 10
    assert len(reading.read(1000)) <= 90


def test_the_same_files_make_the_same_zip_and_others_another(contents) -> None:
    first, _ = stored(contents)
    again, _ = stored(contents)
    assert first.sha256 == again.sha256
    contents["Folder/01 Lied – 潮 1.flac"] = b"other"
    assert stored(contents)[0].sha256 != first.sha256


class Zeros:
    """A file of zeros that takes no room."""

    def __init__(self, length: int) -> None:
        self.left = length

    def read(self, size: int = -1) -> bytes:
        size = min(self.left, size if size >= 0 else self.left)
        self.left -= size
        return bytes(size)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("sizes", [[5 * GIB, 10], [3 * GIB, 3 * GIB, 10], [10]])
def test_files_and_zips_beyond_four_gibibytes_are_read(sizes: list[int]) -> None:
    # Only the last is read to its end, and has its checksum.
    crc32 = zlib.crc32(bytes(10))
    entries = [zips.Entry(f"{n}.wav", size, crc32, WHEN, key=f"{n}") for n, size in enumerate(sizes)]
    layout = zips.Layout(entries)
    reading = zips.Reading(
        layout, lambda key, start, length: Zeros(length), 0, layout.size_bytes, seekable=True
    )
    with zipfile.ZipFile(io.BufferedReader(reading)) as archive:
        assert [row.file_size for row in archive.infolist()] == sizes
        with archive.open(f"{len(sizes) - 1}.wav") as last:
            assert last.read(5) == bytes(5)


def test_more_files_than_sixteen_bits_can_count() -> None:
    layout = zips.Layout(zips.Entry.of_bytes(f"{n}", b"", WHEN) for n in range(70_000))
    reading = zips.Reading(layout, lambda *_: io.BytesIO(), 0, layout.size_bytes, seekable=True)
    with zipfile.ZipFile(io.BytesIO(reading.readall())) as archive:
        assert len(archive.namelist()) == 70_000
