"""The few boxes of an MP4 file that MusicConnect must read itself (ISO/IEC 14496-12).

ffmpeg's HLS muxer writes an edit list that forgets the AAC encoder's delay, so the rungs are plain fragmented
MP4 and their byte ranges are read from here; ffmpeg also hides whether a file is encrypted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"})
ENCRYPTED_ENTRIES = frozenset({b"enca", b"encv", b"drms", b"drmi"})
MOST_BOXES = 20_000


@dataclass(frozen=True)
class Box:
    """One box: its kind, where it begins, how long it is and where its content begins."""

    kind: bytes
    offset: int
    size_bytes: int
    content: int

    @property
    def end(self) -> int:
        """The offset of the first byte after the box."""
        return self.offset + self.size_bytes


@dataclass(frozen=True)
class Fragment:
    """One ``moof`` with its ``mdat``: a byte range and the decode time at which it begins, in timescale units."""

    offset: int
    size_bytes: int
    decode_time: int


@dataclass(frozen=True)
class Fragmented:
    """A fragmented MP4 file with one track: what a media playlist needs to know of it."""

    header_bytes: int
    timescale: int
    delay: int
    fragments: tuple[Fragment, ...]


def walk(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Every box between two offsets, a container before its content; ends quietly where the bytes make no sense."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        content = start + 8
        if size == 1:
            wide = file.read(8)
            if len(wide) < 8:
                return
            (size,) = struct.unpack(">Q", wide)
            content += 8
        elif size == 0:
            size = end - start
        if size < content - start or start + size > end:
            return
        box = Box(kind, start, size, content)
        yield box
        if kind in CONTAINERS:
            yield from walk(file, content, box.end)
        start = box.end


def is_protected(path: Path) -> bool:
    """True when an MP4 file says that its sound is encrypted (DRM); False for every other file."""
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return False
        for count, box in enumerate(walk(file, 0, path.stat().st_size)):
            if count > MOST_BOXES:
                return False
            if box.kind == b"stsd":
                file.seek(box.content + 8 + 4)
                if file.read(4) in ENCRYPTED_ENTRIES:
                    return True
    return False


def read_fragmented(path: Path) -> Fragmented:
    """Where the header and the fragments of our own rung lie; ValueError when it is not such a file."""
    header_bytes = timescale = delay = 0
    starts: list[tuple[int, int]] = []
    with path.open("rb") as file:
        size_bytes = path.stat().st_size
        for box in walk(file, 0, size_bytes):
            if box.kind == b"moof":
                header_bytes = header_bytes or box.offset
                starts.append((box.offset, 0))
            elif box.kind in (b"mdhd", b"elst", b"tfdt"):
                file.seek(box.content)
                content = file.read(min(box.size_bytes, 64))
                if box.kind == b"mdhd":
                    timescale = _pick(content, ">I", (12, 20))
                elif box.kind == b"elst":
                    delay = _pick(content, ">i", (12,)) if content[0] == 0 else _pick(content, ">q", (0, 16))
                else:
                    starts[-1] = (
                        starts[-1][0],
                        _pick(content, ">I", (4,)) if content[0] == 0 else _pick(content, ">Q", (0, 4)),
                    )
    if not starts or not timescale:
        raise ValueError("no fragmented MP4")
    ends = [offset for offset, _ in starts[1:]] + [size_bytes]
    fragments = tuple(
        Fragment(offset, end - offset, decode_time)
        for (offset, decode_time), end in zip(starts, ends, strict=True)
    )
    return Fragmented(header_bytes, timescale, max(0, delay), fragments)


def _pick(content: bytes, form: str, offsets: tuple[int, ...]) -> int:
    """One number of a full box; the second offset is the place in version 1, which has wider fields."""
    (value,) = struct.unpack_from(form, content, offsets[min(content[0], len(offsets) - 1)])
    return int(value)
