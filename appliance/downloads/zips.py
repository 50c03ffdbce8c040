"""A zip whose every byte is known by its place before one is read, so that it can be sent from any of them on.

The music is stored as it is, for it is compressed already. Since size and checksum of each file are known beforehand, the zip
is never made: its headers are put together here, and between them the bytes come straight from the store (APPNOTE.TXT 6.3.10).
"""

import bisect
import hashlib
import itertools
import os
import struct
import zlib
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from appliance.storage.streams import Source

Opener = Callable[[str, int, int], BinaryIO]
"""From a key, a place and a length to the bytes."""
FULL32, FULL16 = 0xFFFFFFFF, 0xFFFF
_UTF8 = 1 << 11
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a zip: its bytes lie at *key* in the store, or are *data*."""

    name: str
    size_bytes: int
    crc32: int
    changed_at: datetime
    key: str = ""
    data: bytes = b""

    @classmethod
    def of_bytes(cls, name: str, data: bytes, changed_at: datetime) -> "Entry":
        """A small file that is here already."""
        return cls(name, len(data), zlib.crc32(data), changed_at, data=data)


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes: these, or those at *key* in the store."""

    size_bytes: int
    key: str = ""
    data: bytes = b""


class Layout:
    """Every part of a zip and where it begins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.parts: list[Part] = []
        directory, place = [], 0
        digest = hashlib.sha256()
        for entry in entries:
            header = _local_header(entry)
            directory.append(_directory_entry(entry, place))
            digest.update(header)
            self.parts += [_here(header), Part(entry.size_bytes, entry.key, entry.data)]
            place += len(header) + entry.size_bytes
        listing = b"".join(directory)
        end = listing + _end(len(directory), len(listing), place)
        self.parts.append(_here(end))
        digest.update(end)
        self.sha256 = digest.hexdigest()
        """Not of the bytes, but of what tells them apart: names, sizes, checksums."""
        self.starts = [0, *itertools.accumulate(part.size_bytes for part in self.parts)]
        self.size_bytes = self.starts[-1]


class Reading(Source):
    """A part of a zip as a file: *length* bytes from *start*, with only one object of the store open at a time."""

    def __init__(self, layout: Layout, opener: Opener, start: int, length: int, *, seekable: bool) -> None:
        self._layout = layout
        self._opener = opener
        self._start = self._place = start
        self._end = start + length
        self._seekable = seekable
        self._open: tuple[int, BinaryIO] | None = None

    def seekable(self) -> bool:
        """Whether a place in the store costs nothing to go to: a server then sends it beside others, in no thread of its own."""
        return self._seekable

    def tell(self) -> int:
        """How far from the beginning of the part the next byte is."""
        return self._place - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place in the part, as far from its beginning, from here or from its end."""
        origin = {os.SEEK_SET: self._start, os.SEEK_CUR: self._place, os.SEEK_END: self._end}[whence]
        self._place = max(self._start, origin + offset)
        return self.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        """At most *size* bytes, fewer where a file ends; all that are left of the part without it."""
        if size is None or size < 0:
            return self.readall()
        size = min(size, self._end - self._place)
        if size <= 0:
            return b""
        number = bisect.bisect_right(self._layout.starts, self._place) - 1
        part, inside = self._layout.parts[number], self._place - self._layout.starts[number]
        size = min(size, part.size_bytes - inside)
        data = self._stored(part, inside, size) if part.key else part.data[inside : inside + size]
        if not data:
            raise EOFError("an object of the store is shorter than it was")
        self._place += len(data)
        return data

    def _stored(self, part: Part, inside: int, size: int) -> bytes:
        if self._open is None or self._open[0] != self._place:
            self._shut()
            self._open = (self._place, self._opener(part.key, inside, part.size_bytes - inside))
        stream = self._open[1]
        data = stream.read(size)
        self._open = (self._place + len(data), stream)
        if inside + len(data) == part.size_bytes:
            self._shut()
        return data

    def _shut(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def close(self) -> None:
        """Close what is open."""
        self._shut()
        super().close()


def _here(data: bytes) -> Part:
    return Part(len(data), data=data)


def _moment(when: datetime) -> tuple[int, int]:
    """Time and date as MS-DOS wrote them; it knew nothing before 1980."""
    year = min(max(when.year, 1980), 2107)
    return when.hour << 11 | when.minute << 5 | when.second // 2, (
        year - 1980
    ) << 9 | when.month << 5 | when.day


def _local_header(entry: Entry) -> bytes:
    name, large = entry.name.encode(), entry.size_bytes >= FULL32
    extra = struct.pack("<HHQQ", 1, 16, entry.size_bytes, entry.size_bytes) if large else b""
    size = FULL32 if large else entry.size_bytes
    head = struct.pack(
        "<4s5H3L2H",
        *(b"PK\x03\x04", 45 if large else 20, _UTF8, 0, *_moment(entry.changed_at)),
        *(entry.crc32, size, size, len(name), len(extra)),
    )
    return head + name + extra


def _directory_entry(entry: Entry, place: int) -> bytes:
    name, large, far = entry.name.encode(), entry.size_bytes >= FULL32, place >= FULL32
    wide = [entry.size_bytes] * 2 * large + [place] * far
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size = FULL32 if large else entry.size_bytes
    needed = 45 if wide else 20
    head = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", 3 << 8 | needed, needed, _UTF8, 0, *_moment(entry.changed_at)),
        *(entry.crc32, size, size, len(name), len(extra), 0, 0, 0, _PLAIN_FILE),
        FULL32 if far else place,
    )
    return head + name + extra


def _end(count: int, size: int, place: int) -> bytes:
    record = b""
    if count >= FULL16 or size >= FULL32 or place >= FULL32:
        record = struct.pack(
            "<4sQ2H2L4Q", b"PK\x06\x06", 44, 3 << 8 | 45, 45, 0, 0, count, count, size, place
        )
        record += struct.pack("<4sLQL", b"PK\x06\x07", 0, place + size, 1)
    few, small, near = min(count, FULL16), min(size, FULL32), min(place, FULL32)
    return record + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, small, near, 0)
