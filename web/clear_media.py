"""An encrypted rung as one clear file, for programs that read no playlists: decrypted on its way out, piece by piece."""

from collections.abc import Generator
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from appliance.catalog import sealing
from appliance.catalog.rendition_keys import Sealed
from appliance.storage import ObjectStore
from appliance.storage import StoredObject
from appliance.storage import checking
from appliance.storage.streams import Source


class ClearView:
    """A store in which one encrypted object looks as if it were clear; it can be asked about and read, and nothing else."""

    def __init__(self, store: ObjectStore, opener: Sealed) -> None:
        self._store = store
        self._opener = opener

    def stat(self, key: str) -> StoredObject:
        """What the clear file is; ``Unavailable`` when the encrypted one is cut off."""
        found = self._store.stat(key)
        layout = self._opener.layout
        if found.size_bytes != layout.sealed_bytes:
            raise checking.damaged(key)
        return replace(found, size_bytes=layout.clear_bytes, sha256=self._opener.clear_sha256)

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """The clear bytes from *start*, at most *length*."""
        opener = self._opener
        end = opener.layout.clear_bytes
        pieces = sealing.clear_range(
            lambda first, count: self._store.open(key, start=first, length=count),
            layout=opener.layout,
            key=opener.key,
            start=start,
            stop=end if length is None else min(end, start + length),
        )
        return Pieces(_told(pieces, key))


class Pieces(Source):
    """A stream of what comes piece by piece."""

    def __init__(self, pieces: Generator[bytes, None, None]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most *size* bytes, all that are left without it."""
        if size is None or size < 0:
            return self.readall()
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        data, self._left = self._left[:size], self._left[size:]
        return data

    def close(self) -> None:
        """Let go of the object behind it."""
        self._pieces.close()
        super().close()


def _told(pieces: Iterator[bytes], key: str) -> Generator[bytes, None, None]:
    try:
        yield from pieces
    except sealing.Damaged as error:
        raise checking.damaged(key) from error
