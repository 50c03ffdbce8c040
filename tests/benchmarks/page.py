"""The page of figures: a section for each suite, so that a run of one suite replaces its own and leaves the others as they are."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date

from tests.benchmarks.figures import Figure

HEAD = """# Benchmarks

Written by `make bench`. A ratio compares two things in one run on one machine, so it means the same on another; absolute
figures tell of the machine named with them. The coders of AAC are compared in [their own page](aac-coder.md).
"""
COLUMNS = "| what | measured | bound | unit | kept | in detail |\n|---|--:|--:|---|---|---|"


def updated(page: str, measured: Mapping[str, Sequence[Figure]], *, order: Sequence[str], today: date) -> str:
    """*page* with the sections of the suites that were *measured* made anew, all of them in the given *order*."""
    told = sections(page)
    told.update({suite: section(figures, today=today) for suite, figures in measured.items()})
    parts = (f"## {suite.capitalize()}\n\n{told[suite]}" for suite in order if suite in told)
    return "\n".join([HEAD, *parts])


def section(figures: Sequence[Figure], *, today: date) -> str:
    """The table of one suite, what it was measured on, and why a figure was missed."""
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    lines = [COLUMNS, *map(row, figures), "", f"Measured on {today.isoformat()} on {machine}.", ""]
    missed: dict[str, list[str]] = {}
    for figure in figures:
        if not figure.kept and figure.cause:
            missed.setdefault(figure.cause, []).append(figure.name)
    for cause, names in missed.items():
        lines += [f"**Missed: {'; '.join(names)}**: {cause}", ""]
    return "\n".join(lines)


def row(figure: Figure) -> str:
    """One line of the table."""
    bound = "–" if figure.bound is None else f"{'at most' if figure.at_most else 'at least'} {figure.bound:g}"
    kept = "–" if figure.bound is None else "yes" if figure.kept else "**no**"
    return f"| {figure.name} | {figure.value:.3g} | {bound} | {figure.unit} | {kept} | {figure.detail} |"


def sections(page: str) -> dict[str, str]:
    """The text of each section, by its name in small letters."""
    parts = re.split(r"^## (.+)\n\n", page, flags=re.MULTILINE)
    return {
        name.lower(): text.rstrip("\n") + "\n" for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }
