"""Whether what the server acknowledged is there, and what the load saw of its troubles."""

from __future__ import annotations

import time
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from tests.load.client import Client
from tests.load.client import Failed
from tests.load.journal import Acknowledged
from tests.load.journal import Asked
from tests.load.journal import Line
from tests.load.journal import Wrong

LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Trouble:
    """What the load saw: requests, those that failed in the end, and the longest time without an answer as it should be."""

    asked: int
    failed: int
    failed_repeatable: int
    """Of those the ones that were asked twice, as whoever may ask twice does."""
    second_tries: int
    outage_s: float
    p50_ms: float
    p99_ms: float

    @property
    def failed_share(self) -> float:
        """Failed of all."""
        return self.failed / self.asked if self.asked else 0.0

    def __str__(self) -> str:
        return (
            f"{self.asked} requests, {self.failed} failed ({self.failed_share:.2%}), {self.failed_repeatable} of them on both tries, {self.second_tries} tried twice, "
            f"outage {self.outage_s:.1f} s, p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms"
        )


def trouble(asked: Sequence[Asked]) -> Trouble:
    """What these requests, in the order in which they began, come to."""
    times = sorted(line.took_s * 1000 for line in asked)
    cuts = quantiles(times, n=100) if len(times) > 1 else [0.0] * 99
    return Trouble(
        len(asked),
        sum(not line.answered for line in asked),
        sum(not line.answered and line.repeatable for line in asked),
        sum(line.tries > 1 for line in asked),
        outage_s(asked),
        cuts[49],
        cuts[98],
    )


def outage_s(asked: Sequence[Asked]) -> float:
    """The longest time from the first of some failures in a row, of one act, to its next answer."""
    longest, since = 0.0, dict[str, float]()
    for line in asked:
        if not line.answered:
            since.setdefault(line.act, line.at_s)
            longest = max(longest, line.at_s + line.took_s - since[line.act])
        elif line.act in since:
            longest = max(longest, line.at_s + line.took_s - since.pop(line.act))
    return longest


def wrongs(lines: Iterable[Line]) -> list[str]:
    """What must never be and was."""
    return [line.what for line in lines if isinstance(line, Wrong)]


def lost(lines: Iterable[Line], uploader: Client, buyer: Client, *, patience_s: float) -> list[str]:
    """The acknowledged things that are not there, or do not come to what they should within that time, each with how it stands."""
    waiting = [line for line in lines if isinstance(line, Acknowledged)]
    deadline = time.monotonic() + patience_s
    while True:
        standing = {line.id: _standing(line, uploader, buyer) for line in waiting}
        waiting = [line for line in waiting if standing[line.id] != "kept"]
        if not waiting or time.monotonic() > deadline:
            return [f"{line.kind} {line.id}: {standing[line.id]}" for line in waiting]
        time.sleep(LOOK_EVERY_S)


def _standing(line: Acknowledged, uploader: Client, buyer: Client) -> str:
    try:
        if line.kind == "upload":
            track = uploader.get("verdict", f"/api/v1/tracks/{line.id}")
            return "kept" if track["state"] == "ready" else str(track["state"])
        order = buyer.get("verdict", f"/api/v1/orders/{line.id}")
        if order["total_minor"] != line.facts["total_minor"]:
            return f"{order['total_minor']} instead of {line.facts['total_minor']}"
        return "kept" if order["state"] == "paid" else str(order["state"])
    except Failed as problem:
        return str(problem)
