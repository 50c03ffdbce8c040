"""A server that is told things, in a process of its own, and a test that asks it what it was told."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


@dataclass
class Observer:
    """The server as a test sees it."""

    port: int

    def seen(self) -> list[dict[str, Any]]:
        """What it was told until now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen", timeout=20) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def wait_for(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """What it was told as soon as that is *enough*."""
        deadline = time.monotonic() + PATIENCE_S
        while not enough(seen := self.seen()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
        return seen


@contextmanager
def observing(module: str, *, port: int = 0) -> Iterator[Observer]:
    """Run the server of *module*, such as ``tests.servers.sentry``, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        yield Observer(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def serve(handler: type[http.server.BaseHTTPRequestHandler]) -> None:
    """In that process: listen, print the port, and answer until told to stop."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int((sys.argv[1:] or ["0"])[0])), handler)
    print(server.server_port, flush=True)
    server.serve_forever()
