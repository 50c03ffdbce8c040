"""The unit costs that docs/benchmarks.md tells of, by name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.benchmarks import page

PARTS = ("web", "postgresql", "redis", "nginx")
SECTION = "cluster"
_ROW = re.compile(r"^\| (?P<name>.+?) \| (?P<value>[\d.e+-]+) \|", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for one request, by part of the stack."""

    web: float = 0.0
    postgresql: float = 0.0
    redis: float = 0.0
    nginx: float = 0.0


class Measured:
    """The figures of the section; ``KeyError`` for one that is not there."""

    def __init__(self, benchmarks: str) -> None:
        section = page.sections(benchmarks)[SECTION]
        self._values = {found["name"]: float(found["value"]) for found in _ROW.finditer(section)}

    def value(self, name: str) -> float:
        """One figure."""
        return self._values[name]

    def request(self, name: str) -> Cost:
        """What one request of this kind costs."""
        return Cost(**{part: self.value(f"{name}, {part}") for part in PARTS})
