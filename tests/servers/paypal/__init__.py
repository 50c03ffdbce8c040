"""A fake PayPal in a process of its own: stateful, with a till that a browser or a client clicks through, and a clock that can run ahead.

Run as ``python -m tests.servers.paypal``: it prints its port. What it does is what PayPal documents of these parts of its interface: tokens, orders and
captures, refunds, products, plans, subscriptions with their transactions, disputes, webhooks with certificates, keys of requests, errors.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

CLIENT_ID, CLIENT_SECRET, WEBHOOK = "AZDxjDScFp", "EGnHDxD_qRPdaLdZz8", "WH0TEST0001"


@dataclass
class FakePayPal:
    """The server as a test sees it."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget everything, and be on time again."""
        self.control("reset")

    def move(self, time: timedelta) -> None:
        """Let its clock run ahead, and do what is due by then."""
        self.control("move", seconds=int(time.total_seconds()))

    def deliveries(self) -> list[tuple[bytes, dict[str, str]]]:
        """What it would have sent since this was last asked, signed just now."""
        return [(one["body"].encode(), one["headers"]) for one in self.control("deliveries")["deliveries"]]

    def fail(self, method: str, path: str, status: int, *, after: bool = False) -> None:
        """Answer the next request to a path that holds *path* with *status*; *after* it was done, as when an answer is lost."""
        self.control("fail", method=method, path=path, status=status, after=after)

    def seen(self) -> list[dict[str, Any]]:
        """The requests so far: method, path, and key."""
        found: list[dict[str, Any]] = self.control("seen")["requests"]
        return found

    def control(self, verb: str, **values: object) -> dict[str, Any]:
        """Tell the server something that no client of PayPal could."""
        data = json.dumps(values).encode()
        asked = urllib.request.Request(
            f"{self.url}/control/{verb}", data, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def pay(self, url: str, *, funding: str = "good", approve: bool = True) -> str:
        """Click through the till at *url*; returns where that leads."""
        answer = "approve" if approve else "cancel"
        data = urllib.parse.urlencode({"funding": funding, "answer": answer}).encode()
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(urllib.request.Request(url, data, method="POST"), timeout=10) as answered:
            return str(answered.headers.get("Location", ""))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        return fp


@contextmanager
def serving() -> Iterator[FakePayPal]:
    """A fake PayPal in its own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.paypal"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert process.stdout is not None
        yield FakePayPal(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
