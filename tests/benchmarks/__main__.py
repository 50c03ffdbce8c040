"""``python -m tests.benchmarks``: measure everything, write docs/benchmarks.md, fail when a bound is missed."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import access
from tests.benchmarks import gate
from tests.benchmarks import ledger
from tests.benchmarks import lighthouse
from tests.benchmarks import memory
from tests.benchmarks import pages
from tests.benchmarks import payments
from tests.benchmarks import sealing
from tests.benchmarks import serving
from tests.benchmarks import transcoding
from tests.benchmarks.figures import Figure

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
SUITES = {
    "transcoding": transcoding.run,
    "sealing": sealing.run,
    "serving": serving.run,
    "gate": gate.run,
    "ledger": ledger.run,
    "access": access.run,
    "payments": payments.run,
    "memory": memory.run,
    "pages": pages.run,
    "lighthouse": lighthouse.run,
}
HEAD = """# Benchmarks

Written by `make bench`. A ratio compares two things in one run on one machine, so it means the same on another; absolute
figures tell of the machine named below. The coders of AAC are compared in [their own page](aac-coder.md).

"""


def main(wanted: Sequence[str]) -> int:
    """Run the suites named, or all; only a run of all is written down."""
    figures: list[Figure] = []
    for name in wanted or SUITES:
        print(f"{name} ...", flush=True)
        found = SUITES[name]()
        for figure in found:
            print(f"  {row(figure)}", flush=True)
        figures += found
    if not wanted:
        PAGE.write_text(page(figures), "utf-8")
    missed = [figure.name for figure in figures if not figure.kept]
    if missed:
        print(f"Missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def page(figures: Sequence[Figure]) -> str:
    """The table as Markdown."""
    rows = "\n".join(row(figure) for figure in figures)
    machine = (
        f"Measured on {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}.\n"
    )
    missed = [
        f"**{figure.name}**: {figure.cause}\n" for figure in figures if not figure.kept and figure.cause
    ]
    causes = "\n".join(["", "## What is missed, and why", "", *missed]) if missed else ""
    table = f"| what | measured | bound | unit | kept | in detail |\n|---|--:|--:|---|---|---|\n{rows}\n"
    return f"{HEAD}{table}\n{machine}{causes}"


def row(figure: Figure) -> str:
    """One line of the table."""
    bound = f"{'at most' if figure.at_most else 'at least'} {figure.bound:g}"
    kept = "yes" if figure.kept else "**no**"
    return f"| {figure.name} | {figure.value:.3g} | {bound} | {figure.unit} | {kept} | {figure.detail} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
