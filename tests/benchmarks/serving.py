"""Requests a second of the API and of media ranges, against bare Flask in the same kind of server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tests.benchmarks.figures import Figure
from tests.servers.node import Node
from tests.sounds import tone

CLIENTS = 4
SECONDS = 3.0
ROUNDS = 5
RANGE_BYTES = 96 * 1024

BARE = """
    import sys, socket
    from flask import Flask, jsonify, send_file
    import waitress
    app = Flask("bare")
    facts = {"id": "01M7XV3QRS0KG0EQDX7R7YNTGR", "title": "Song", "state": "ready", "progress": 1.0, "duration_ms": 20000,
             "qualities": ["low", "medium", "high", "lossless"], "release_id": "01M7XV3PZQ0PRVXZKKJ7NYC877"}
    @app.get("/json")
    def view():
        return jsonify(facts)
    @app.get("/file")
    def file():
        return send_file(sys.argv[1], mimetype="audio/mp4", conditional=True)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    waitress.create_server(app, sockets=[listening], threads=8, ident=None).run()
"""


@contextmanager
def bare_flask(file: Path) -> Iterator[str]:
    """A Flask app of two views in a waitress of its own process."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BARE), str(file)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


def throughput(url: str, headers: dict[str, str] | None = None, *, expected: int = 200) -> float:
    """Requests a second by a few clients with kept connections, for a few seconds."""
    place = urlsplit(url)
    counts = [0] * CLIENTS
    until = time.monotonic() + SECONDS

    def ask(number: int) -> None:
        connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=30)
        while time.monotonic() < until:
            connection.request("GET", place.path, headers=headers or {})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == expected, answer.status
            counts[number] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def run() -> list[Figure]:
    """Paired rounds, ours and bare in turn, the median of the ratios."""
    with tempfile.TemporaryDirectory() as name, Node(Path(name) / "data") as node:
        node.sign_up()
        release = node.make_release()
        track = node.upload(release, "song.flac", tone(40, 220))
        node.wait_for(track)
        node.post(f"/api/v1/releases/{release}/publish")
        node.token = ""
        hls = node.post(f"/api/v1/tracks/{track}/play")["hls_url"]
        rung = hls.replace("master.m3u8", "high.mp4")
        bare_file = next((node.data / "media" / "hls").rglob("high.mp4"))
        wanted = {"Range": f"bytes=100000-{100000 + RANGE_BYTES - 1}"}
        json_pairs, range_pairs = [], []
        with bare_flask(bare_file) as bare:
            for _ in range(ROUNDS):
                json_pairs.append(
                    (throughput(f"{node.url}/api/v1/tracks/{track}"), throughput(f"{bare}/json"))
                )
                range_pairs.append(
                    (throughput(rung, wanted, expected=206), throughput(f"{bare}/file", wanted, expected=206))
                )
    return [
        _figure("JSON endpoint (a track) / bare Flask view, requests a second", json_pairs, 0.4),
        _figure("96 KiB ranges of a rung / `send_file` in bare Flask, requests a second", range_pairs, 0.8),
    ]


def _figure(name: str, pairs: list[tuple[float, float]], bound: float) -> Figure:
    ours, bare = (median(column) for column in zip(*pairs, strict=True))
    return Figure(
        name, median(a / b for a, b in pairs), bound, False, detail=f"{ours:.0f}/s against {bare:.0f}/s"
    )
