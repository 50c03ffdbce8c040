"""Memory of a node: idle, and while a file of 2 GiB comes in."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.servers.node import Node

MIB = 1024 * 1024
FILE_MIB = 2047
CHUNK_MIB = 8


def held_mb(pids: list[int]) -> float:
    """Memory of these processes together, shared pages counted once (PSS), in MB of 10^6 bytes."""
    kib = 0
    for pid in pids:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        kib += int(found[1]) if found else 0
    return kib * 1024 / 1e6


def run() -> list[Figure]:
    """Idle after start, and the most above that while 2 GiB arrive by tus."""
    with tempfile.TemporaryDirectory() as name, Node(Path(name) / "data") as node:
        node.sign_up()
        release = node.make_release()
        node.get("/api/v1/releases")
        time.sleep(3)
        assert node.process is not None
        pids = [node.process.pid, *node.children().values()]
        idle_mb = held_mb(pids)
        most_mb, done = idle_mb, threading.Event()

        def watch() -> None:
            nonlocal most_mb
            while not done.wait(0.2):
                most_mb = max(most_mb, held_mb(pids))

        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.monotonic()
        path = node.announce_upload(release, "long.wav", FILE_MIB * MIB)
        # A WAV header, then silence: it is the receiving that is measured, not the transcoding.
        chunk = bytes(CHUNK_MIB * MIB)
        first = b"RIFF\xff\xff\xff\x7fWAVEfmt " + chunk[16:]
        offset = node.send_bytes(path, first, 0)
        while FILE_MIB * MIB - offset > CHUNK_MIB * MIB:
            offset = node.send_bytes(path, chunk, offset)
        took_s = time.monotonic() - began
        most_arriving = most_mb
        done.set()
        watcher.join()
        node.send("DELETE", path, headers={"Tus-Resumable": "1.0.0"})
    told = f"{FILE_MIB} MiB in {took_s:.0f} s, {CHUNK_MIB} MiB a request"
    return [
        Figure("`serve` idle, all processes together (PSS)", idle_mb, 250, True, "MB"),
        Figure("More memory while 2 GiB come in", most_arriving - idle_mb, 50, True, "MB", told),
    ]
