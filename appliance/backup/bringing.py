"""The media of a snapshot on their way into a store."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import BinaryIO
from typing import cast

from appliance.backup import listing
from appliance.backup.listing import Entry
from appliance.backup.manifest import Snapshot
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Pieces
from appliance.storage import ObjectStore
from appliance.storage.streams import Source


def entries(
    pieces: Pieces, snapshot: Snapshot, left_out: list[str], *, without_damaged: bool
) -> Iterator[Entry]:
    """All that is on the list; *without_damaged* goes past a page that cannot be read, and notes it in *left_out*."""
    for page in snapshot.pages:
        try:
            yield from listing.read(pieces, [page])
        except Damaged:
            if not without_damaged:
                raise
            left_out.append(f"all that is on the page {pieces.name(page[0])}")


def bring(entry: Entry, pieces: Pieces, store: ObjectStore, tick: Callable[[], None]) -> None:
    """Put one into *store*. Raises ``Damaged``, and then leaves there what was there."""
    stream = _Bytes(entry.blob.read(pieces, tick))
    store.put(entry.key, cast(BinaryIO, stream), content_type=entry.content_type)


class _Bytes(Source):
    """A stream of the blocks that come."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = memoryview(b"")

    def read(self, size: int | None = -1, /) -> bytes:
        """At most *size* bytes."""
        if size is None or size < 0:
            return self.readall()
        while not self._rest:
            block = next(self._source, None)
            if block is None:
                return b""
            self._rest = memoryview(block)
        data, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return data
