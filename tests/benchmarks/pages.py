"""Pages for listeners in a large catalogue: how long 50 people wait, and whether a hundred times the tracks make a page slower.

*50 people* are 50 connections that each ask for a page, read it for a second on average (exponentially distributed, so that they come
as people do, some at once), and ask for the next: some 50 pages a second. Pages come in turn: the storefront, a page of an artist, of a release, a search
for one or two words or the beginning of one, each of them of another artist, release and word. Time runs from the request to the last byte, as the clients
measure it in a process of their own; the server is ``musicconnect web`` as it is installed.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from statistics import quantiles
from urllib.parse import quote

from tests.benchmarks import catalogue
from tests.benchmarks import filling
from tests.benchmarks.catalogue import Place
from tests.benchmarks.figures import Figure

CLIENTS, THINK_S, SECONDS = 50, 1.0, 40.0
TRACKS, FEW, MANY = 100_000, 10_000, 1_000_000
ROUNDS = 60
P50_MS, P99_MS, RATIO = 50, 200, 1.5
KINDS = ("storefront", "artist", "release", "search")
PATIENCE_S = 60.0


def address(kind: str, number: int, place: Place) -> str:
    """The address of a page of this kind, another for another number."""
    if kind == "artist":
        return place.artist(number * 7919)
    if kind == "release":
        return place.release(number * 7919)
    if kind == "search":
        return f"/search?q={quote(query(number))}"
    return "/"


def query(number: int) -> str:
    """What people look for: half of a word, a word, a tag, two words of one title."""
    title = catalogue.words(-number).lower()
    return (title[:3], title.split()[0], catalogue.TAGS[number % len(catalogue.TAGS)], title)[number % 4]


@contextmanager
def served(tracks: int) -> Iterator[tuple[int, Place]]:
    """``musicconnect web`` in a process of its own on a catalogue of so many tracks; its port."""
    with tempfile.TemporaryDirectory() as name:
        place = filling.sqlite(Path(name) / "musicconnect.sqlite3", tracks)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        environ = {"PATH": os.environ["PATH"], "HOME": name, "LANG": "C.UTF-8"}
        command = [sys.executable, "-m", "appliance", "--data", name, "web", "--port", str(port)]
        process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            yield port, place
        finally:
            process.terminate()
            process.wait()


def ask(connection: HTTPConnection, path: str) -> float:
    """Ask for a page as a browser does; milliseconds to its last byte."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, f"{path}: {answer.status}"
    return 1000 * (time.perf_counter() - began)


def browse(port: int, place: Place) -> dict[str, list[float]]:
    """The times of the pages that all clients looked at."""
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    until = time.monotonic() + SECONDS

    def client(number: int) -> None:
        dice = random.Random(number)
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        turn = number
        time.sleep(dice.random() * THINK_S)
        while time.monotonic() < until:
            kind = KINDS[turn % len(KINDS)]
            times[kind].append(ask(connection, address(kind, turn * CLIENTS + number, place)))
            turn += 1
            time.sleep(dice.expovariate(1 / THINK_S))
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def run() -> list[Figure]:
    """50 people in 100,000 tracks; then page by page, 10,000 tracks and 1,000,000 in turn."""
    figures = []
    with served(TRACKS) as (port, place):
        warm(port, place)
        for kind, times in browse(port, place).items():
            p99 = quantiles(times, n=100)[98]
            told = f"{len(times)} pages, {CLIENTS} people, {TRACKS:,} tracks in SQLite"
            figures.append(
                Figure(f"A page for listeners, p50: {kind}", median(times), P50_MS, True, "ms", told)
            )
            figures.append(Figure(f"A page for listeners, p99: {kind}", p99, P99_MS, True, "ms", told))
    return figures + scaling()


def scaling() -> list[Figure]:
    """How much longer a page takes among a hundred times the tracks."""
    with served(FEW) as (few_port, few), served(MANY) as (many_port, many):
        found = {kind: ([], []) for kind in KINDS}  # type: dict[str, tuple[list[float], list[float]]]
        sides = [(HTTPConnection("127.0.0.1", few_port), few), (HTTPConnection("127.0.0.1", many_port), many)]
        warm(few_port, few)
        warm(many_port, many)
        for number in range(ROUNDS):
            for kind, times in found.items():
                for (connection, place), side in zip(sides, times, strict=True):
                    side.append(ask(connection, address(kind, number, place)))
    return [
        Figure(
            f"A page among {MANY:,} tracks / among {FEW:,}: {kind}",
            median(large) / median(small),
            RATIO,
            True,
            detail=f"{median(large):.1f} ms against {median(small):.1f} ms",
        )
        for kind, (small, large) in found.items()
    ]


def warm(port: int, place: Place) -> None:
    """Let the server meet each kind of page, so that templates are read and queries put into words."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    for number in range(20):
        for kind in KINDS:
            ask(connection, address(kind, 1_000_000 + number, place))
    connection.close()


def _wait(port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            ask(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S), "/health")
            return
        except OSError:
            assert time.monotonic() < until, "the server does not start"
            time.sleep(0.1)
