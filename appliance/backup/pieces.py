"""The pieces of a backup: at most four megabytes each, stored once under the hash of what is in it, compared whenever one is read.

All that is backed up is cut into pieces, so nothing large is ever in memory, a run that was killed goes on with the piece where it stood,
and what two snapshots have in common is there once.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from appliance.backup.keyring import OVERHEAD_BYTES
from appliance.backup.keyring import Keyring
from appliance.backup.keyring import NotOurs
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.storage import ObjectStore
from appliance.storage import Seen

PIECE_BYTES = 4 * 1024 * 1024
FOLDER = "pieces/"
DIGEST = re.compile(r"[0-9a-f]{64}")
_TYPE = "application/octet-stream"
_PLAIN, _PACKED = b"\0", b"\1"
_NAME = re.compile(rf"{FOLDER}[0-9a-f]{{2}}/([0-9a-f]{{64}})")


class Damaged(Unavailable):
    """A part of the backup is missing, or is not what was stored; the sentence names it."""


@dataclass(slots=True)
class Tally:
    """What writing came to."""

    pieces_new: int = 0
    pieces_known: int = 0
    bytes_new: int = 0


@dataclass(slots=True)
class Pieces:
    """The pieces in *store*, sealed where there is a *keyring*; with *distrust* what is there already is read and compared, and mended."""

    store: ObjectStore
    keyring: Keyring | None
    distrust: bool = False
    tally: Tally = field(default_factory=Tally)

    def name(self, digest: str) -> str:
        """Under which key the piece with this SHA-256 is."""
        named = self.keyring.name(bytes.fromhex(digest)) if self.keyring else digest
        return f"{FOLDER}{named[:2]}/{named}"

    def put(self, data: bytes, *, pack: bool = False, known: frozenset[str] = frozenset()) -> str:
        """Store *data* unless it is there, and return its SHA-256; *known* are those that need not be asked for."""
        if len(data) > PIECE_BYTES:
            raise ValueError("too large for a piece")
        digest = hashlib.sha256(data).hexdigest()
        if digest in known or self._is_there(digest, len(data)):
            self.tally.pieces_known += 1
            return digest
        body = _PACKED + zlib.compress(data, 6) if pack else _PLAIN + data
        if self.keyring:
            body = self.keyring.seal_piece(bytes.fromhex(digest), body)
        self.store.put(self.name(digest), io.BytesIO(body), content_type=_TYPE)
        self.tally.pieces_new += 1
        self.tally.bytes_new += len(body)
        return digest

    def get(self, digest: str, size_bytes: int) -> bytes:
        """The piece with this SHA-256 and size. Raises ``Damaged``."""
        name = self.name(digest)
        # Whatever is there, no more is read than a piece can have, and no more is unpacked.
        most = size_bytes + size_bytes // 8 + OVERHEAD_BYTES + 1024
        try:
            with self.store.open(name, length=most) as stream:
                body = stream.read()
        except NotFound:
            raise Damaged("The piece {piece} is missing.", piece=name) from None
        try:
            if self.keyring:
                body = self.keyring.open_piece(bytes.fromhex(digest), body)
            data = _unpacked(body, size_bytes)
        except (NotOurs, zlib.error):
            data = b""
        if len(data) != size_bytes or hashlib.sha256(data).hexdigest() != digest:
            raise Damaged("The piece {piece} is damaged.", piece=name)
        return data

    def stored(self) -> Iterator[tuple[bytes, Seen]]:
        """Every piece that is there, with its name as ``short_name`` gives it."""
        for seen in self.store.walk(FOLDER):
            if found := _NAME.fullmatch(seen.key):
                yield bytes.fromhex(found[1]), seen

    def short_name(self, digest: str) -> bytes:
        """The name of a piece in as few bytes as it can have."""
        raw = bytes.fromhex(digest)
        return bytes.fromhex(self.keyring.name(raw)) if self.keyring else raw

    def _is_there(self, digest: str, size_bytes: int) -> bool:
        try:
            if self.distrust:
                self.get(digest, size_bytes)
            else:
                self.store.stat(self.name(digest))
        except (NotFound, Damaged):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes cut into pieces of *piece_bytes*, the last one shorter."""

    size_bytes: int
    sha256: str
    piece_bytes: int
    digests: tuple[str, ...]

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Each piece and how long it is."""
        left = self.size_bytes
        for digest in self.digests:
            yield digest, min(left, self.piece_bytes)
            left -= self.piece_bytes

    def read(self, pieces: Pieces, tick: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """The bytes, piece by piece, each compared. Raises ``Damaged``, at the latest at the end."""
        whole = hashlib.sha256()
        for digest, size_bytes in self.sizes():
            data = pieces.get(digest, size_bytes)
            whole.update(data)
            tick()
            yield data
        if whole.hexdigest() != self.sha256:
            raise Damaged("A part of the backup is not what the snapshot says.")


def is_sound(blob: Blob) -> bool:
    """Whether these can be the facts of a blob; the numbers come from outside."""
    numbers = 0 < blob.piece_bytes <= PIECE_BYTES and blob.size_bytes >= 0
    whole = all(DIGEST.fullmatch(digest) for digest in (blob.sha256, *blob.digests))
    return numbers and whole and len(blob.digests) == -(-blob.size_bytes // blob.piece_bytes)


class Writer:
    """Takes bytes as they come and cuts them; ``finish`` gives the blob."""

    def __init__(
        self,
        pieces: Pieces,
        *,
        piece_bytes: int = PIECE_BYTES,
        pack: bool = False,
        known: Iterable[str] = (),
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._pieces, self._piece_bytes, self._pack = pieces, piece_bytes, pack
        self._known = frozenset(() if pieces.distrust else known)
        self._tick = tick
        self._rest = bytearray()
        self._whole = hashlib.sha256()
        self._size_bytes = 0
        self._digests: list[str] = []

    def write(self, data: bytes) -> None:
        """Take *data*."""
        self._whole.update(data)
        self._size_bytes += len(data)
        self._rest += data
        while len(self._rest) >= self._piece_bytes:
            self._store(bytes(self._rest[: self._piece_bytes]))
            del self._rest[: self._piece_bytes]

    def finish(self) -> Blob:
        """All that was written."""
        if self._rest:
            self._store(bytes(self._rest))
        return Blob(self._size_bytes, self._whole.hexdigest(), self._piece_bytes, tuple(self._digests))

    def _store(self, data: bytes) -> None:
        self._digests.append(self._pieces.put(data, pack=self._pack, known=self._known))
        self._tick()


def _unpacked(body: bytes, size_bytes: int) -> bytes:
    kind, rest = body[:1], body[1:]
    if kind == _PLAIN:
        return rest
    if kind != _PACKED:
        return b""
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(rest, size_bytes + 1)
    return data if unpacking.eof and not unpacking.unused_data else b""
