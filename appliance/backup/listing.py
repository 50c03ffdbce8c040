"""The list of a snapshot's media: in the order of their keys, cut into pages that most snapshots share.

A page ends behind a key whose hash says so, and not after a number of lines. So an object that comes or goes changes one page, and all others
are pieces that are there already; and neither writing nor reading ever holds more than one page.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.backup.pieces import Blob
from appliance.backup.pieces import Damaged
from appliance.backup.pieces import Pieces
from appliance.backup.pieces import is_sound
from appliance.errors import Invalid
from appliance.storage import validate_key
from appliance.storage.objects import validate_content_type

MOST_LINES = 2048
MOST_BYTES = 1024 * 1024
_EACH = 256
"""A page has so many lines, more or less."""
_MARK = re.compile(r"[\x20-\x7e]{0,80}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the media; *mark* is what the listing of its store said when it was read."""

    key: str
    content_type: str
    mark: str
    blob: Blob


Pages = tuple[tuple[str, int], ...]
"""The SHA-256 and the size of each page."""


class Writer:
    """Takes entries in the order of their keys; ``finish`` gives the pages."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._lines: list[bytes] = []
        self._size_bytes = 0
        self._pages: list[tuple[str, int]] = []
        self.objects = 0
        self.object_bytes = 0

    def add(self, entry: Entry) -> None:
        """Add the next one."""
        line = json.dumps(
            [
                entry.key,
                entry.content_type,
                entry.mark,
                entry.blob.size_bytes,
                entry.blob.sha256,
                entry.blob.piece_bytes,
                # Of one piece it is the same.
                entry.blob.digests if len(entry.blob.digests) > 1 else len(entry.blob.digests),
            ]
        ).encode()
        self.objects += 1
        self.object_bytes += entry.blob.size_bytes
        self._lines.append(line)
        self._size_bytes += len(line) + 1
        if _ends(entry.key) or len(self._lines) >= MOST_LINES or self._size_bytes > MOST_BYTES:
            self._flush()

    def finish(self) -> Pages:
        """All that was added."""
        self._flush()
        return tuple(self._pages)

    def _flush(self) -> None:
        if self._lines:
            page = b"\n".join(self._lines)
            self._pages.append((self._pieces.put(page, pack=True), len(page)))
            self._lines, self._size_bytes = [], 0


def read(pieces: Pieces, pages: Iterable[tuple[str, int]]) -> Iterator[Entry]:
    """Every entry, in the order of their keys. Raises ``Damaged``; what is no sound entry is none."""
    before = ""
    for digest, size_bytes in pages:
        for line in pieces.get(digest, size_bytes).split(b"\n"):
            entry = _entry(line)
            if entry is None or entry.key <= before:
                raise Damaged("The page {piece} of a list is damaged.", piece=pieces.name(digest))
            before = entry.key
            yield entry


def each_piece(pieces: Pieces, pages: Pages, seen: Callable[[str], bool]) -> Iterator[str]:
    """The SHA-256 of every piece of a listing, those of its pages first; a page for which *seen* is true is passed over."""
    for page in pages:
        if not seen(page[0]):
            yield page[0]
            for entry in read(pieces, [page]):
                yield from entry.blob.digests


def _ends(key: str) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] % _EACH == 0


def _entry(line: bytes) -> Entry | None:
    try:
        key, content_type, mark, size_bytes, sha256, piece_bytes, digests = json.loads(line)
        blob = Blob(
            size_bytes,
            sha256,
            piece_bytes,
            tuple([sha256] * digests if isinstance(digests, int) and digests < 2 else digests),
        )
        validate_key(key)
        validate_content_type(content_type)
        return Entry(key, content_type, mark, blob) if _MARK.fullmatch(mark) and is_sound(blob) else None
    except (Invalid, ValueError, TypeError, RecursionError):
        return None
