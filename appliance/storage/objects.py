"""What an object store is: the objects, their keys, and the verbs that every store answers.

Media keys look like ``hls/<asset>/<run>/high.mp4``. The alphabet is narrow on purpose: a key is a path on a
disk, a name in a bucket and a part of a URL, and must mean the same in all three without any escaping.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from typing import Protocol
from typing import runtime_checkable

from appliance.errors import Invalid

BLOCK_BYTES = 1024 * 1024
"""Bytes held in memory at a time while an object streams through."""

MAX_KEY_CHARACTERS = 512
MAX_SEGMENT_CHARACTERS = 200

# A segment starts with no dot: that refuses "." and "..", and leaves dotted names to the local store itself.
_SEGMENT = rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{MAX_SEGMENT_CHARACTERS - 1}}}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)
_PREFIX = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT})?", re.ASCII)
# RFC 6838 restricted names, and parameters such as "; charset=utf-8"; no room for a second header line.
_CONTENT_TYPE = re.compile(
    r"[\w!#$&^.+-]{1,60}/[\w!#$&^.+-]{1,60}(?:; ?[\w-]{1,30}=[\w.,+-]{1,60})*", re.ASCII
)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the store knows it, without its bytes; *modified_at* is in UTC."""

    key: str
    size_bytes: int
    sha256: str
    content_type: str
    modified_at: datetime

    @property
    def etag(self) -> str:
        """A strong validator (RFC 9110, 8.8.3), not yet quoted; half the digest tells bytes apart well."""
        return self.sha256[:32]


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as a listing alone tells of it; *mark* is another one when other bytes were put."""

    key: str
    size_bytes: int
    modified_at: datetime
    mark: str


class ObjectStore(Protocol):
    """Keeps bytes under keys. An object appears whole or not at all, and is replaced in one step.

    Every verb raises ``Invalid`` for a key outside the alphabet, ``Unavailable`` when disk or server fails.
    """

    def put(self, key: str, stream: BinaryIO, *, content_type: str) -> StoredObject:
        """Store all of *stream* under *key*, in constant memory; an object already there is replaced."""

    def put_file(self, key: str, path: Path, *, content_type: str, move: bool = False) -> StoredObject:
        """Store the file at *path*; with *move* it is gone from there afterwards, and never before."""

    def copy(self, source: str, key: str, *, content_type: str) -> StoredObject:
        """Store the object *source* under *key* too, its bytes not coming by here where that can be. Raises ``NotFound``.

        For what is on its way to its place: *source* is removed soon, and may be told to be of *content_type* as well.
        """

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """The bytes from *start*, at most *length*, as far as there are any. Raises ``NotFound``."""

    def stat(self, key: str) -> StoredObject:
        """What is known of the object, without reading it. Raises ``NotFound``."""

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose key starts with *prefix*, in the order of their keys."""

    def walk(self, prefix: str) -> Iterator[Seen]:
        """The same objects in the same order, by what a listing tells: for who looks at all of them often."""

    def check(self) -> None:
        """Write, read back and remove a small object. Raises ``Unavailable`` with the mend."""

    def verify(self, key: str) -> None:
        """Read the object and compare its SHA-256. Raises ``Unavailable`` when it is damaged."""


@runtime_checkable
class Signing(Protocol):
    """A store whose objects another program can fetch by an address that is signed for a while."""

    def signed_url(self, key: str, *, expires_in_s: int) -> str:
        """An address that reads the object without our key: for a web server in front, never for a listener."""


def validate_key(key: str) -> str:
    """Return *key* when it can name an object in any store. Raises ``Invalid``."""
    if len(key) > MAX_KEY_CHARACTERS or not _KEY.fullmatch(key):
        raise Invalid(
            "A storage key is made of letters, digits, '_', '-' and '.' in parts joined by '/'. No part "
            f"starts with '.' or '-'. A part has at most {MAX_SEGMENT_CHARACTERS} characters, "
            f"the key {MAX_KEY_CHARACTERS}.",
            field="key",
        )
    return key


def validate_prefix(prefix: str) -> str:
    """Return *prefix* when keys could start with it; it may end within a part. Raises ``Invalid``."""
    if len(prefix) > MAX_KEY_CHARACTERS or not _PREFIX.fullmatch(prefix):
        raise Invalid("A storage prefix is the beginning of a storage key, or empty.", field="prefix")
    return prefix


def validate_content_type(content_type: str) -> str:
    """Return *content_type* when it may stand in a header as it is. Raises ``Invalid``."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise Invalid("A content type looks like 'audio/flac'.", field="content_type")
    return content_type


def validate_range(start: int, length: int | None) -> None:
    """Raise ``Invalid`` when *start* or *length* is negative."""
    if start < 0 or (length is not None and length < 0):
        raise Invalid("A byte range cannot start or end before the first byte.", field="range")
