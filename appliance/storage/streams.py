"""Streams of stored bytes: read from the front to the back, or a part of a file in place."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import BinaryIO

from appliance.storage.disk import disk_unavailable
from appliance.storage.objects import BLOCK_BYTES


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The rest of *stream* in pieces of at most one block."""
    while block := stream.read(BLOCK_BYTES):
        yield block


class Source(io.RawIOBase):
    """A stream that defines how it reads; what else a file offers follows from that."""

    def readable(self) -> bool:
        """Yes, and nothing else."""
        return True

    def readall(self) -> bytes:
        """The rest, piece by piece, since one system call reads no more than 2 GiB."""
        return b"".join(iter(lambda: self.read(BLOCK_BYTES) or b"", b""))

    def readinto(self, buffer: object, /) -> int:
        """Fill *buffer* as far as there are bytes; ``io.BufferedReader`` asks in this way."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self.read(len(view)) or b""
        view[: len(data)] = data
        return len(data)


class FileRange(Source):
    """A part of an open file, read in place with no seek; closing it closes the file."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._position = start
        self._end = end

    def fileno(self) -> int:
        """The descriptor of the whole file, whose own position stays at its beginning."""
        return self._descriptor

    def seekable(self) -> bool:
        """Yes: a place in the part is a number here, and costs no system call."""
        return True

    def tell(self) -> int:
        """How far from the beginning of the part the next byte is."""
        return self._position - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place in the part, as far from its beginning, from here or from its end."""
        origin = {os.SEEK_SET: self._start, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = max(self._start, origin + offset)
        return self.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        """At most *size* bytes, all that are left of the part without it."""
        if size is None or size < 0:
            return self.readall()
        try:
            data = os.pread(self._descriptor, min(size, max(0, self._end - self._position)), self._position)
        except OSError as error:
            raise disk_unavailable(error) from error
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the file; once is enough."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()
