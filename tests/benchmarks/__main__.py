"""``python -m tests.benchmarks [SUITE …]``: measure, write docs/benchmarks.md and the tables of docs/scale.md, fail when a bound is missed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from pathlib import Path

from tests.benchmarks import access
from tests.benchmarks import backup
from tests.benchmarks import gate
from tests.benchmarks import ledger
from tests.benchmarks import lighthouse
from tests.benchmarks import memory
from tests.benchmarks import page
from tests.benchmarks import pages
from tests.benchmarks import payments
from tests.benchmarks import sealing
from tests.benchmarks import serving
from tests.benchmarks import transcoding
from tests.benchmarks.cluster import suite as cluster
from tests.benchmarks.figures import Figure
from tests.benchmarks.scale import __main__ as scale

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
SUITES = {
    "transcoding": transcoding.run,
    "sealing": sealing.run,
    "serving": serving.run,
    "gate": gate.run,
    "cluster": cluster.run,
    "ledger": ledger.run,
    "access": access.run,
    "payments": payments.run,
    "backup": backup.run,
    "memory": memory.run,
    "pages": pages.run,
    "lighthouse": lighthouse.run,
}

ORDER = [*SUITES, "drills"]
"""Sections of the page; the last is written by ``tests/deploy/drills/drill_cluster.py``."""


def write(measured: Mapping[str, Sequence[Figure]]) -> None:
    """Put these sections into the page and leave the others as they are."""
    before = PAGE.read_text("utf-8") if PAGE.exists() else ""
    PAGE.write_text(page.updated(before, measured, order=ORDER, today=datetime.now(UTC).date()), "utf-8")


def main(wanted: Sequence[str]) -> int:
    """Run the suites named, or all, and write down what they found; a suite that was not run keeps what it found before."""
    measured: dict[str, list[Figure]] = {}
    for name in wanted or SUITES:
        print(f"{name} ...", flush=True)
        measured[name] = SUITES[name]()
        for figure in measured[name]:
            print(f"  {page.row(figure)}", flush=True)
    write(measured)
    scale.write()
    missed = [figure.name for figures in measured.values() for figure in figures if not figure.kept]
    if missed:
        print(f"Missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
