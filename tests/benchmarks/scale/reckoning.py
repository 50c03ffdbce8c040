"""From what one costs to what many cost: plain arithmetic, in the order in which the paper tells it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.benchmarks.scale.assumed import BUSY
from tests.benchmarks.scale.assumed import EDGE
from tests.benchmarks.scale.assumed import MONTH_S
from tests.benchmarks.scale.assumed import Goal
from tests.benchmarks.scale.assumed import Habits
from tests.benchmarks.scale.assumed import Prices
from tests.benchmarks.scale.assumed import Step
from tests.benchmarks.scale.measured import PARTS
from tests.benchmarks.scale.measured import Cost
from tests.benchmarks.scale.measured import Measured

WRITES = ("Report of a play",)
BY_NGINX = ("Range of sound", "Picture or script")
SPREAD = 1 / 3600
"""Mbit/s for a megabyte an hour is this times eight."""


@dataclass(frozen=True)
class Kind:
    """A kind of request: how many a listener sends in a second, and what one costs."""

    name: str
    rate: float
    cost: Cost


def kinds(measured: Measured, habits: Habits, goal: Goal) -> list[Kind]:
    """All that a listener asks; pictures and scripts are what is left of the goal's requests."""
    found = [
        Kind("Range of sound", 1 / habits.segment_s, Cost(nginx=measured.value("Range of 256 KiB, nginx"))),
        Kind("Question of the gate", 1 / habits.gate_s, measured.request("Question of the gate")),
        Kind("Putting a track on", 1 / habits.track_s, measured.request("Putting a track on")),
        Kind("Playlist", 2 / habits.track_s, measured.request("Playlist")),
        Kind("Report of a play", 1 / habits.report_s, measured.request("Report of a play")),
        Kind("Read of the API", 1 / habits.read_s, measured.request("Read of the API")),
        Kind("Page of a release", 1 / habits.page_s, measured.request("Page of a release")),
    ]
    left = goal.requests / goal.listeners - sum(kind.rate for kind in found)
    # A picture is smaller than that; so it is at most as dear.
    picture = Cost(nginx=measured.value("Range of 64 KiB, nginx"))
    return [*found, Kind("Picture or script", max(0.0, left), picture)]


def cores(of: list[Kind], part: str) -> float:
    """Cores of *part* that one listener keeps busy."""
    return sum(kind.rate * getattr(kind.cost, part) for kind in of) / 1000


def mbit(measured: Measured, habits: Habits) -> float:
    """Mbit/s of sound to one listener."""
    hour_mb = sum(share * measured.value(f"An hour of {name}") for name, share in habits.renditions.items())
    return hour_mb * 8 * SPREAD


def limits(
    step: Step, of: list[Kind], measured: Measured, habits: Habits, prices: Prices, *, edge: bool
) -> dict[str, float]:
    """How many listeners each thing is enough for, by what it is; with an *edge* most bytes go out elsewhere."""
    here = 1 - EDGE if edge else 1.0
    lines = step.fronts * prices.small.gbit * 1000 * BUSY / (mbit(measured, habits) * here)
    nginx = sum(kind.rate * kind.cost.nginx * (here if kind.name in BY_NGINX else 1) for kind in of) / 1000
    written = cores([kind for kind in of if kind.name in WRITES], "postgresql")
    read = cores([kind for kind in of if kind.name not in WRITES], "postgresql")
    return {
        "lines": lines,
        "nginx": step.nginx_cores * BUSY / nginx,
        "web": step.web_cores * BUSY / cores(of, "web"),
        "PostgreSQL": step.postgresql_cores * BUSY / (written + read / (1 + step.readers)),
        # It has one thread.
        "Redis": BUSY / cores(of, "redis"),
    }


@dataclass(frozen=True)
class Need:
    """What the goal takes of one thing, and in how many machines."""

    name: str
    amount: float
    unit: str
    machines: int
    formula: str


def needs(of: list[Kind], measured: Measured, habits: Habits, prices: Prices, goal: Goal) -> list[Need]:
    """Machines for the goal, part by part, at their peak."""
    large = prices.large
    found = []
    for part in PARTS:
        amount = goal.listeners * cores(of, part)
        each = 1 if part == "redis" else large.cores
        found.append(
            Need(
                part,
                amount,
                "cores busy",
                math.ceil(amount / (each * BUSY)),
                f"listeners × cost / (cores × {BUSY:g})"
                if part != "redis"
                else f"one thread each, {BUSY:g} busy",
            )
        )
    out = goal.listeners * mbit(measured, habits) / 1000
    found.append(
        Need(
            "lines out",
            out,
            "Gbit/s",
            math.ceil(out / (large.gbit * BUSY)),
            f"listeners × Mbit/s / (line × {BUSY:g})",
        )
    )
    minutes = goal.stored_tb * 1e6 / minute_mb(measured)
    busy = minutes / 12 * measured.value("Transcoding, a minute of music") / MONTH_S
    found.append(
        Need(
            "workers",
            busy,
            "cores busy",
            math.ceil(busy / (large.cores * BUSY)),
            "minutes of music stored, all new in a year, × cost",
        )
    )
    return found


def minute_mb(measured: Measured) -> float:
    """Megabytes that a minute of music takes in the store: all renditions, and an original as large as the lossless one."""
    names = ("low", "medium", "high", "lossless", "lossless")
    return sum(measured.value(f"An hour of {name}") for name in names) / 60


@dataclass(frozen=True)
class Bill:
    """Euro a month."""

    machines: float
    bytes_out: float
    stored: float

    @property
    def total(self) -> float:
        return self.machines + self.bytes_out + self.stored


def bill(found: list[Need], prices: Prices, goal: Goal, *, edge: bool) -> Bill:
    """The goal's, by lines of one's own or by a network of edges."""
    by_name = {need.name: need for need in found}
    lines = by_name["lines out"].machines
    fronts = max(by_name["nginx"].machines, math.ceil(lines * (1 - EDGE)) if edge else lines)
    rest = sum(need.machines for name, need in by_name.items() if name not in {"nginx", "lines out"})
    # Three more, for what holds the others together: etcd, monitoring, and one that may be missing.
    machines = (fronts + rest + 3) * prices.large.euro
    tb = goal.month_tb
    out = tb * (EDGE * prices.edge_tb + (1 - EDGE) * prices.transit_tb) if edge else tb * prices.transit_tb
    return Bill(machines, out, goal.stored_tb * prices.stored_tb)
