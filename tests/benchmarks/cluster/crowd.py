"""A hundred listeners among a million tracks: how long each waits for what.

A listener acts as that of ``tests/load``: opens a page, looks at what is new, at a release, at an artist, types into the search, puts a track on and
fetches its sound range by range; then begins anew with another release, anywhere in the catalogue. Between two requests they look or listen for a
second on average (exponentially distributed, so that they come as people do, some at once): some hundred requests a second. Time runs from the request
to the last byte of the answer, as the listeners measure it in a process of their own.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from statistics import median
from statistics import quantiles
from urllib.parse import urlsplit

from tests.benchmarks import catalogue
from tests.benchmarks import wrk
from tests.benchmarks.cluster import asked
from tests.benchmarks.cluster import music as musics
from tests.benchmarks.cluster.music import Music
from tests.benchmarks.cluster.spending import spent
from tests.benchmarks.cluster.stack import Stack
from tests.benchmarks.figures import Figure

CLIENTS, THINK_S, SECONDS = 100, 1.0, 60.0
GATHERING_S = 15.0
"""As long as a visit: in this time they come one after the other, else all would open a page in the same second, and nothing is measured yet."""
P50_MS, P99_MS = 50, 200
HEARD = 400
"""So many releases, spread over the catalogue, have a track with bytes."""
RANGE_BYTES, RANGES = 96 * 1024, 4
PATIENCE_S = 60.0
KINDS = ("page", "read of the API", "search", "play and playlists", "sound")
Times = dict[str, list[float]]


def measure(stack: Stack, music: Music) -> Iterator[Figure]:
    """Two figures a kind of request; then how much there is when nobody thinks."""
    releases = [number * (stack.place.releases // HEARD) for number in range(HEARD)]
    musics.lend(stack, music, [number * catalogue.TRACKS_A_RELEASE for number in releases])
    times, cost = spent(stack, lambda: _listen(stack, releases))
    count = sum(map(len, times.values()))
    busy = ", ".join(
        f"{part} {100 * seconds / (SECONDS + GATHERING_S):.0f} %" for part, seconds in cost.cpu_s.items()
    )
    told = f"{CLIENTS} listeners, {THINK_S:g} s between two requests, {count / SECONDS:.0f} a second in all, {stack.place.tracks:,} tracks; of a core: {busy}; {cost.busy}"
    cause = f"{cost.busy}: what others did on the machine made the rest, and the listeners wait for it too. Measure again on a quiet one."
    for kind in KINDS:
        p99 = quantiles(times[kind], n=100)[98]
        shown = f"{len(times[kind])} requests; {told}"
        yield Figure(
            f"{CLIENTS} listeners, {kind}: p50", median(times[kind]), P50_MS, True, "ms", shown, cause
        )
        yield Figure(f"{CLIENTS} listeners, {kind}: p99", p99, P99_MS, True, "ms", shown, cause)
    script = wrk.script(stack.folder / "reads.lua", asked.every_read(stack.place))
    full = wrk.ask(stack.port, script, connections=CLIENTS, seconds=20)
    yield Figure(
        "Reads of the API, all kinds in turn, by clients that never think",
        full.rate,
        unit="a second",
        detail=f"{CLIENTS} connections, each again as soon as it is answered: the capacity of the machine; p50 {full.p50_ms:.0f} ms, p99 {full.p99_ms:.0f} ms",
    )


def _listen(stack: Stack, releases: list[int]) -> Times:
    times: Times = {kind: [] for kind in KINDS}
    broken: list[BaseException] = []
    since = time.monotonic() + GATHERING_S

    def one(number: int) -> None:
        try:
            Listener(stack, random.Random(number), times, since).listen(releases)
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return times


class _Over(Exception):
    """The time is over in the middle of a visit."""


class Listener:
    """One of the hundred, on a connection that is kept."""

    def __init__(self, stack: Stack, dice: random.Random, times: Times, since: float) -> None:
        self.stack, self.dice, self.times, self.since = stack, dice, times, since
        self.until = since + SECONDS
        self.connection = HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_S)

    def listen(self, releases: list[int]) -> None:
        """One visit after the other."""
        time.sleep(self.dice.random() * GATHERING_S)
        while time.monotonic() < self.until:
            release = self.dice.choice(releases)
            # Each visit elsewhere in the catalogue; what is only looked at need not be what is heard.
            elsewhere = self.dice.randrange(self.stack.place.releases)
            with suppress(_Over):
                self._visit(release, elsewhere)
        self.connection.close()

    def _visit(self, release: int, elsewhere: int) -> None:
        place = self.stack.place
        self._ask("page", place.release(elsewhere))
        self._ask("read of the API", "/api/v1/releases")
        self._ask("read of the API", f"/api/v1/releases/{catalogue.id_of('r', release)}")
        self._ask("read of the API", asked.read("artist", elsewhere, place))
        self._ask("read of the API", asked.read("track", elsewhere, place))
        self._ask("search", asked.read("search", elsewhere, place))
        track = catalogue.id_of("t", release * catalogue.TRACKS_A_RELEASE)
        told = self._ask("play and playlists", f"/api/v1/tracks/{track}/play", method="POST")
        master = urlsplit(told.partition(b'"hls_url":"')[2].partition(b'"')[0].decode()).path
        names = [
            line
            for line in self._ask("play and playlists", master).decode().splitlines()
            if line[:1] not in {"", "#"}
        ]
        rung = master.rpartition("/")[0] + "/" + names[0]
        self._ask("play and playlists", rung)
        sound = rung.replace(".media.m3u8", ".mp4")
        for number in range(RANGES):
            self._ask("sound", sound, wanted=f"bytes={number * RANGE_BYTES}-{(number + 1) * RANGE_BYTES - 1}")

    def _ask(self, kind: str, path: str, *, method: str = "GET", wanted: str = "") -> bytes:
        if time.monotonic() >= self.until:
            raise _Over
        headers = asked.BROWSER if kind == "page" else {"Range": wanted} if wanted else {}
        began = time.perf_counter()
        self.connection.request(method, path, headers=headers)
        answer = self.connection.getresponse()
        told = answer.read()
        if time.monotonic() >= self.since:
            self.times[kind].append(1000 * (time.perf_counter() - began))
        assert answer.status in {200, 206}, f"{method} {path}: {answer.status}"
        time.sleep(self.dice.expovariate(1 / THINK_S))
        return told
