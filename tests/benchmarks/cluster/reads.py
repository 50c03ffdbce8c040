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
    "nearly all of it is Python in the web process. A track is some 2,300 calls of functions: a fifth of them for five statements and the rows they give, "
    "an eighth for counting the request and telling how much is left, nearly half for what every answer has (who asks, which host, headers, the line of the "
    "log, the figures for monitors, and what Flask does for the bare view too), and a fifth for deciding and telling. It was 5,200 calls: now all counts of a "
    "request are one question to Redis, without the layers of Flask-Limiter; statements are put into words once, and one cursor reads them; a release asks once "
    "for tiers and prices of all that is on it; pictures ask no plugin where there is none; headers are put on by one look at what is there; a request without "
    "a cookie is looked through for none; and Flask does not look anew at thirty functions a request whether they are coroutines. Left out for good: keeping "
    "whole answers, since whether something is public, and who may hear it, is asked anew for each; and counting requests without Redis, which would let each "
    "process allow as much as all of them may. Tried and left: several statements in one pipeline of psycopg, which costs more than asking one by one."
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
