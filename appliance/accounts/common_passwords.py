"""The passwords that everybody guesses first: a bundled list, so that no password ever leaves this machine to be checked."""

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from pathlib import Path

WIDTH = 5
"""Bytes of a hash that are kept: of sixty million other passwords, one is taken for one of the list by mistake."""
FILE = Path(__file__).parent / "wordlist" / "passwords.bin"


class _Marks(Sequence[bytes]):
    """The marks as they lie in the file, in order: 90 kB instead of as many objects."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // WIDTH

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]
        return self._data[index * WIDTH : (index + 1) * WIDTH]


def is_common(password: str) -> bool:
    """True when *password* is one of the list, in capitals or not."""
    wanted, marks = mark(password.lower()), _marks()
    place = bisect_left(marks, wanted)
    return place < len(marks) and marks[place] == wanted


def mark(password: str) -> bytes:
    """Pure: what stands for *password* in the list."""
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()[:WIDTH]


@cache
def _marks() -> _Marks:
    return _Marks(FILE.read_bytes())
