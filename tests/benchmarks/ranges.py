"""Signed ranges against the same bytes as a plain static file, by the same nginx, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psutil

from tests.benchmarks import wrk
from tests.benchmarks.figures import Figure

LEAST = 0.85
ROUNDS = 9
SECONDS = 2
CONNECTIONS = 16


def compare(
    name: str,
    port: int,
    pid: int,
    *,
    signed: Sequence[str],
    plain: str,
    size_bytes: int,
    range_bytes: int,
    folder: Path,
) -> tuple[Figure, float]:
    """The figure *name*, and the microseconds of processor time that nginx, process *pid*, spends on a signed range."""
    scripts = {
        kind: wrk.script(
            folder / f"{kind}.lua", wrk.ranges(paths, size_bytes=size_bytes, range_bytes=range_bytes)
        )
        for kind, paths in (("signed", signed), ("plain", [plain]))
    }
    pairs, costs = [], []
    for number in range(ROUNDS):
        order = ("signed", "plain") if number % 2 else ("plain", "signed")
        speed = {kind: _ask(port, scripts[kind], pid) for kind in order}
        pairs.append((speed["signed"][0], speed["plain"][0]))
        costs.append((speed["signed"][1], speed["plain"][1]))
    ours_s, plain_s = (median(column) for column in zip(*pairs, strict=True))
    ours_us, plain_us = (median(column) for column in zip(*costs, strict=True))
    told = (
        f"{ours_s:.0f}/s against {plain_s:.0f}/s, {len(signed)} listeners; nginx spends {ours_us:.0f} µs of processor time on one "
        f"against {plain_us:.0f} µs"
    )
    return Figure(name, median(a / b for a, b in pairs), LEAST, False, detail=told), ours_us


def _ask(port: int, script: Path, pid: int) -> tuple[float, float]:
    server = psutil.Process(pid)
    before = server.cpu_times()
    found = wrk.ask(port, script, connections=CONNECTIONS, seconds=SECONDS)
    after = server.cpu_times()
    spent_s = after.user + after.system - before.user - before.system
    return found.rate, spent_s / found.count * 1e6
