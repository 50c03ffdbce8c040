"""What a load did and what it was told: one line of JSON each, written at once, so that a load that is stopped has lost none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request: when it began (seconds since the epoch), how long it took with its second try, and how it ended."""

    act: str
    at_s: float
    took_s: float
    status: int
    """0 when nobody answered."""
    tries: int
    answered: bool
    """Whether it was answered in the end as it should be."""
    repeatable: bool = True
    """Whether it was asked once more before it was given up: only what may be done twice is."""


@dataclass(frozen=True)
class Acknowledged:
    """Something that the server said is kept: an upload, a purchase, a play."""

    kind: str
    id: str
    at_s: float
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wrong:
    """Something that must never be: a byte for somebody without the right to it, or bytes that are not those that were sent."""

    what: str
    at_s: float


Line = Asked | Acknowledged | Wrong
KINDS = {"asked": Asked, "acknowledged": Acknowledged, "wrong": Wrong}


class Journal:
    """The lines of one load, in a file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: Line) -> None:
        """Append one line; from any thread."""
        name = next(name for name, kind in KINDS.items() if isinstance(line, kind))
        with self._lock:
            self._file.write(json.dumps({"line": name, **asdict(line)}) + "\n")

    def wrong(self, what: str) -> None:
        """Note what must never be."""
        self.write(Wrong(what, time.time()))

    def close(self) -> None:
        """End it."""
        self._file.close()


def read(path: Path) -> Iterator[Line]:
    """The lines of a journal; one that was cut in the middle is the last."""
    for text in path.read_text("utf-8").splitlines():
        try:
            told = json.loads(text)
        except ValueError:
            return
        yield KINDS[told.pop("line")](**told)  # type: ignore[misc]


def requests(lines: Iterable[Line]) -> list[Asked]:
    """The requests among them, in the order in which they began."""
    return sorted((line for line in lines if isinstance(line, Asked)), key=lambda line: line.at_s)
