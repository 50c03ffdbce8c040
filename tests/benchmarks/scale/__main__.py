"""``python -m tests.benchmarks.scale``: make the tables of docs/scale.md anew."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.scale import paper

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAPER, BENCHMARKS = DOCS / "scale.md", DOCS / "benchmarks.md"


def write() -> None:
    """From what docs/benchmarks.md says now."""
    PAPER.write_text(paper.written(PAPER.read_text("utf-8"), BENCHMARKS.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
