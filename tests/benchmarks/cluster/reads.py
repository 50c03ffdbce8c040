"""Reads of the API through the whole stack against a bare Flask view that tells the same from memory, in the same gunicorn, behind the same nginx."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median
from urllib.request import urlopen

from tests.benchmarks import wrk
from tests.benchmarks.cluster import asked
from tests.benchmarks.cluster import bare
from tests.benchmarks.cluster.spending import spent
from tests.benchmarks.cluster.stack import Stack
from tests.benchmarks.figures import Figure

LEAST = 0.4
ROUNDS = 5
SECONDS = 2.0
CONNECTIONS = 16
CAUSE = (
    "nearly all of it is Python in the web process. A track is some 3,300 calls of functions: a quarter of their time goes into five statements and "
    "the rows they give, a quarter into counting the request and telling how much is left, a third into what every answer has (who asks, which host, "
    "headers, the line of the log, the figures for monitors), and the rest into deciding and telling; the bare view has none of this. It was 5,200 calls: "
    "now counting is one way to Redis instead of three, prices are asked for in words that are put together once, a release asks once for tiers and "
    "prices of all that is on it, pictures ask no plugin where there is none, and Flask does not look anew at thirty functions a request whether they are "
    "coroutines. Left out for good: keeping whole answers, since whether something is public, and who may hear it, is asked anew for each; and counting "
    "requests without Redis, which would let each process allow as much as all of them may."
)


def measure(stack: Stack) -> Iterator[Figure]:
    """One figure for each kind of read."""
    for kind in asked.READS:
        yield _against_bare(stack, kind)


def _against_bare(stack: Stack, kind: str) -> Figure:
    ending = bare.HTML if kind == "search" else bare.JSON
    with urlopen(stack.url + asked.read(kind, 1, stack.place)) as answer:
        told = answer.read()
    (stack.bare_folder / f"{kind}{ending}").write_bytes(told)
    ours = wrk.script(stack.folder / "ours.lua", asked.reads(kind, stack.place))
    theirs = wrk.script(stack.folder / "bare.lua", [wrk.written(f"/bare/{kind}{ending}")])
    for each in (ours, theirs):
        wrk.ask(stack.port, each, connections=CONNECTIONS, seconds=1)
    pairs, costs, statements = [], [], []
    for number in range(ROUNDS):
        speed: dict[str, float] = {}
        for which in ("ours", "bare") if number % 2 else ("bare", "ours"):
            script = ours if which == "ours" else theirs
            found, cost = spent(
                stack,
                partial(wrk.ask, stack.port, script, connections=CONNECTIONS, seconds=SECONDS),
            )
            speed[which] = found.rate
            if which == "ours":
                costs.append(cost.each_ms(found.count))
                statements.append(cost.transactions / found.count)
        pairs.append((speed["ours"], speed["bare"]))
    ours_s, bare_s = (median(column) for column in zip(*pairs, strict=True))
    parts = ", ".join(f"{part} {median(cost[part] for cost in costs):.2f}" for part in costs[0])
    return Figure(
        f"Read of the API through the stack / bare Flask view: {kind}",
        median(a / b for a, b in pairs),
        LEAST,
        at_most=False,
        detail=f"{ours_s:.0f}/s against {bare_s:.0f}/s, {len(told)} bytes, {median(statements):.0f} statements; processor time in ms: {parts}",
        cause=CAUSE,
    )
