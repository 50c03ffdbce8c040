"""The tables of docs/scale.md, made from the figures of docs/benchmarks.md, so that the paper cannot say something else than was measured."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.benchmarks.scale import reckoning
from tests.benchmarks.scale.assumed import STEPS
from tests.benchmarks.scale.assumed import Goal
from tests.benchmarks.scale.assumed import Habits
from tests.benchmarks.scale.assumed import Prices
from tests.benchmarks.scale.measured import PARTS
from tests.benchmarks.scale.measured import Measured

_PLACE = re.compile(r"(<!-- table: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
HABITS, PRICES, GOAL = Habits(), Prices(), Goal()


def written(paper: str, benchmarks: str) -> str:
    """*paper* with its tables made anew from *benchmarks*."""
    made = tables(Measured(benchmarks))
    return _PLACE.sub(lambda found: f"{found[1]}{made[found['name']]}{found[3]}", paper)


def tables(measured: Measured) -> dict[str, str]:
    """Each table by its name."""
    of = reckoning.kinds(measured, HABITS, GOAL)
    return {
        "habits": _habits(),
        "renditions": _renditions(measured),
        "prices": _prices(),
        "requests": _requests(of),
        "steps": _steps(of, measured),
        "order": _order(of, measured),
        "goal": _goal(of, measured),
        "money": _money(of, measured),
        "growth": _growth(of, measured),
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def _habits() -> str:
    return _table(
        ["a listener, while music plays", "every so many seconds"],
        [
            ["fetches a segment of sound", str(HABITS.segment_s)],
            ["reports what was heard", str(HABITS.report_s)],
            ["is asked about at the gate", str(HABITS.gate_s)],
            ["reads something of the API", str(HABITS.read_s)],
            ["opens a page", str(HABITS.page_s)],
            ["puts a track on, with two playlists", str(HABITS.track_s)],
        ],
    )


def _prices() -> str:
    machines = [
        [f"a {each.name} machine: {each.cores} cores, {each.gbit:g} Gbit/s", f"{each.euro:g}"]
        for each in (PRICES.small, PRICES.large)
    ]
    return _table(
        [f"a month, as of {PRICES.on}, without tax", "€"],
        [
            *machines,
            ["a terabyte out by one's own lines", f"{PRICES.transit_tb:g}"],
            ["a terabyte out by a network of edges", f"{PRICES.edge_tb:g}"],
            ["a terabyte kept in an object store", f"{PRICES.stored_tb:g}"],
        ],
    )


def _renditions(measured: Measured) -> str:
    rows = [
        [name, f"{share:.0%}", f"{measured.value(f'An hour of {name}'):.0f}"]
        for name, share in HABITS.renditions.items()
    ]
    each = reckoning.mbit(measured, HABITS)
    return _table(
        ["rendition", "listeners", "MB an hour (measured)"],
        [*rows, ["**on average**", "", f"**{each / 8 * 3600:.0f}** ({1000 * each:.0f} kbit/s)"]],
    )


def _requests(of: list[reckoning.Kind]) -> str:
    rows = [
        [
            kind.name,
            f"{kind.rate * GOAL.listeners:,.0f}",
            *(f"{getattr(kind.cost, part):.2f}" for part in PARTS),
            f"{1000 * GOAL.listeners * kind.rate * sum(getattr(kind.cost, part) for part in PARTS) / 1e6:.1f}",
        ]
        for kind in of
    ]
    total = sum(kind.rate for kind in of) * GOAL.listeners
    busy = [GOAL.listeners * reckoning.cores(of, part) for part in PARTS]
    foot = [
        "**cores busy**",
        f"**{total:,.0f}**",
        *(f"**{each:.1f}**" for each in busy),
        f"**{sum(busy):.0f}**",
    ]
    return _table(
        [
            "request",
            f"a second, of {GOAL.listeners:,} listeners",
            *(f"{part}, ms" for part in PARTS),
            "cores",
        ],
        [*rows, foot],
    )


def _steps(of: list[reckoning.Kind], measured: Measured) -> str:
    rows = []
    for step in STEPS:
        alone, edged = (
            reckoning.limits(step, of, measured, HABITS, PRICES, edge=edge) for edge in (False, True)
        )
        first, then = min(alone, key=alone.__getitem__), min(edged, key=edged.__getitem__)
        rows.append(
            [
                step.name,
                f"{step.machines * PRICES.small.euro:,.0f}",
                *(f"{_rounded(alone[name]):,}" for name in alone),
                f"{_rounded(alone[first]):,} ({first})",
                f"{_rounded(edged[then]):,} ({then})",
            ]
        )
    return _table(
        ["step", "€ a month", *alone, "listeners, and what ends first", "with edges for the sound"], rows
    )


def _order(of: list[reckoning.Kind], measured: Measured) -> str:
    """What ends after what, of the largest step behind edges."""
    found = reckoning.limits(STEPS[-1], of, measured, HABITS, PRICES, edge=True)
    rows = [
        [name, f"{_rounded(listeners):,}", f"{GOAL.listeners / listeners:.1f}"]
        for name, listeners in sorted(found.items(), key=lambda item: item[1])
    ]
    return _table(["twelve nodes behind edges", "listeners", f"times as much for {GOAL.listeners:,}"], rows)


def _goal(of: list[reckoning.Kind], measured: Measured) -> str:
    rows = [
        [need.name, f"{need.amount:,.1f} {need.unit}", str(need.machines), need.formula]
        for need in reckoning.needs(of, measured, HABITS, PRICES, GOAL)
    ]
    return _table(["what", "at the peak", "large machines", "formula"], rows)


def _money(of: list[reckoning.Kind], measured: Measured) -> str:
    found = reckoning.needs(of, measured, HABITS, PRICES, GOAL)
    rows = []
    for name, edge in (("by lines of one's own", False), ("by a network of edges", True)):
        each = reckoning.bill(found, PRICES, GOAL, edge=edge)
        rows.append(
            [
                name,
                f"{each.machines:,.0f}",
                f"{each.bytes_out:,.0f}",
                f"{each.stored:,.0f}",
                f"**{each.total:,.0f}**",
                f"{100 * each.total / GOAL.listeners:.1f}",
            ]
        )
    return _table(
        [
            "€ a month",
            "machines",
            f"{GOAL.month_tb:,.0f} TB out",
            f"{GOAL.stored_tb:,.0f} TB stored",
            "together",
            "cent a listener of the peak",
        ],
        rows,
    )


def _growth(of: list[reckoning.Kind], measured: Measured) -> str:
    mean = GOAL.month_tb * 8e6 / reckoning.MONTH_S / reckoning.mbit(measured, HABITS)
    plays = mean / HABITS.track_s * reckoning.MONTH_S
    minutes = GOAL.stored_tb * 1e6 / reckoning.minute_mb(measured)
    tracks = minutes * 60 / HABITS.track_s
    reports = next(kind.rate for kind in of if kind.name == "Report of a play")
    rows = [
        ["listeners on average", f"{mean:,.0f}", f"{GOAL.month_tb:,.0f} TB a month / Mbit/s of one"],
        ["plays a month", f"{plays / 1e6:,.0f} million", "listeners on average / length of a track"],
        [
            "rows of plays a month",
            f"{plays * measured.value('Play, stored') / 1e9:,.0f} GB",
            "plays × bytes of one",
        ],
        [
            "log of PostgreSQL, at the peak",
            f"{GOAL.listeners * reports * measured.value('Report of a play, log') / 1e6:.0f} MB/s",
            "reports × bytes of log",
        ],
        [
            "tracks stored",
            f"{tracks / 1e6:.1f} million",
            f"{GOAL.stored_tb:,.0f} TB / ({reckoning.minute_mb(measured):.1f} MB a minute)",
        ],
        [
            "rows of tracks",
            f"{tracks * measured.value('Track, stored in the database') / 1e9:.1f} GB",
            "tracks × bytes of one",
        ],
    ]
    return _table(["what", "how much", "formula"], rows)


def _rounded(number: float) -> int:
    """To two figures: more would claim to know."""
    return int(float(f"{number:.2g}"))
