"""A rung whose segments are encrypted one by one, inside its one file: AES-128 of HLS (RFC 8216, 4.3.2.4 and 5.2).

The header, which holds no sound, stays clear. Each segment is AES-128-CBC with PKCS#7 under the key of its rendition, and its initialisation vector is its
number in the playlist: a key is made for one rendition and never used again, and nobody can have text of his own encrypted under it.
"""

import hashlib
import secrets
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

KEY_BYTES = 16
BLOCK = 16
PIECE_BYTES = 256 * 1024
"""Bytes held in memory at a time; a multiple of a block."""


class Damaged(ValueError):
    """The bytes are not what was sealed under this key."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a stretch lies in the clear file and in the sealed one; a header is as long in both."""

    clear_offset: int
    clear_bytes: int
    sealed_offset: int
    sealed_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How long the header and each segment are when clear, from which everything else follows."""

    header_bytes: int
    segments: tuple[int, ...]

    @property
    def clear_bytes(self) -> int:
        """The size of the clear file."""
        return self.header_bytes + sum(self.segments)

    @property
    def sealed_bytes(self) -> int:
        """The size of the sealed file."""
        return self.header_bytes + sum(map(sealed_size, self.segments))

    def spans(self) -> list[Span]:
        """Every segment in its order."""
        clear = accumulate(self.segments, initial=self.header_bytes)
        sealed = accumulate(map(sealed_size, self.segments), initial=self.header_bytes)
        return [
            Span(at, size, there, sealed_size(size))
            for at, there, size in zip(clear, sealed, self.segments, strict=False)
        ]

    def __str__(self) -> str:
        return ",".join(map(str, (self.header_bytes, *self.segments)))

    @classmethod
    def read(cls, text: str) -> "Layout":
        """What ``str`` made of a layout."""
        header, *segments = map(int, text.split(","))
        return cls(header, tuple(segments))


def new_key() -> bytes:
    """A key for one rendition."""
    return secrets.token_bytes(KEY_BYTES)


def iv(number: int) -> bytes:
    """The initialisation vector of the segment with this number, as the rule of media sequence numbers has it."""
    return number.to_bytes(BLOCK, "big")


def sealed_size(clear_bytes: int) -> int:
    """How long a segment of this length is when it is encrypted: padding fills the last block, or is a block of its own."""
    return (clear_bytes // BLOCK + 1) * BLOCK


def seal(clear: BinaryIO, target: BinaryIO, *, layout: Layout, key: bytes) -> str:
    """Write the sealed form of *clear* to *target*; returns the SHA-256 of what was read."""
    digest = hashlib.sha256()
    for block in _exactly(clear, layout.header_bytes):
        digest.update(block)
        target.write(block)
    for number, size in enumerate(layout.segments):
        cipher = Cipher(AES(key), CBC(iv(number))).encryptor()
        padder = PKCS7(8 * BLOCK).padder()
        for block in _exactly(clear, size):
            digest.update(block)
            target.write(cipher.update(padder.update(block)))
        target.write(cipher.update(padder.finalize()) + cipher.finalize())
    if clear.read(1):
        raise Damaged("the file is longer than its layout")
    return digest.hexdigest()


def unseal(sealed: BinaryIO, target: BinaryIO, *, layout: Layout, key: bytes) -> str:
    """Write the clear form of *sealed* to *target* and return its SHA-256; ``Damaged`` when it is cut, changed or the key is another one's.

    AES-CBC notices a change only in the padding, so compare the SHA-256 with the one of old.
    """
    digest = hashlib.sha256()

    def put(block: bytes) -> None:
        digest.update(block)
        target.write(block)

    for block in _exactly(sealed, layout.header_bytes):
        put(block)
    for number, size in enumerate(layout.segments):
        cipher = Cipher(AES(key), CBC(iv(number))).decryptor()
        padding = PKCS7(8 * BLOCK).unpadder()
        made = 0
        try:
            for block in _exactly(sealed, sealed_size(size)):
                clear = padding.update(cipher.update(block))
                made += len(clear)
                put(clear)
            last = padding.finalize()
        except ValueError as error:
            raise Damaged(f"segment {number} cannot be decrypted") from error
        if made + len(last) != size:
            raise Damaged(f"segment {number} is not as long as it was")
        put(last)
    if sealed.read(1):
        raise Damaged("the file is longer than its layout")
    return digest.hexdigest()


def clear_range(
    opened: Callable[[int, int], BinaryIO], *, layout: Layout, key: bytes, start: int, stop: int
) -> Iterator[bytes]:
    """The clear bytes from *start* up to *stop*, piece by piece; *opened(start, length)* gives a part of the sealed file.

    Only the blocks that are wanted are read, and the one before them, which is the vector they are decrypted with.
    """
    if start < layout.header_bytes:
        with opened(start, min(stop, layout.header_bytes) - start) as part:
            yield from _exactly(part, min(stop, layout.header_bytes) - start)
    for number, span in enumerate(layout.spans()):
        first = max(start - span.clear_offset, 0)
        last = min(stop - span.clear_offset, span.clear_bytes)
        if first >= last:
            continue
        begin, end = first // BLOCK, -(-last // BLOCK)
        before = min(begin, 1)
        length = (end - begin + before) * BLOCK
        with opened(span.sealed_offset + (begin - before) * BLOCK, length) as part:
            vector = b"".join(_exactly(part, BLOCK)) if before else iv(number)
            cipher = Cipher(AES(key), CBC(vector)).decryptor()
            place = begin * BLOCK
            for block in _exactly(part, (end - begin) * BLOCK):
                clear = cipher.update(block)
                yield clear[max(0, first - place) : max(0, last - place)]
                place += len(clear)


def _exactly(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next *size* bytes in pieces of whole blocks but the last; ``Damaged`` when there are fewer."""
    left = size
    while left:
        wanted = min(left, PIECE_BYTES)
        block = file.read(wanted)
        while block and len(block) < wanted:
            more = file.read(wanted - len(block))
            if not more:
                break
            block += more
        if len(block) < wanted:
            raise Damaged("the file is cut off")
        left -= wanted
        yield block
