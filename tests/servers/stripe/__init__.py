"""A stateful fake of Stripe in a process of its own; the real SDK talks to it, and a test tells it what happens there.

It is no copy of Stripe: it knows what MusicConnect asks for, keeps its shapes (checked against the types of the SDK), and refuses what it
does not know. Run as ``python -m tests.servers.stripe``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.stripe.world import API_VERSION

KEY = "sk_test_fake51MusicConnect"


@dataclass
class FakeStripe:
    """The fake as a test sees it."""

    port: int
    address: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What ``[plugins.stripe_payments]`` needs to talk to it."""
        return {"secret_key": KEY, "api_base": self.url}

    def listen(self, url: str) -> str:
        """Send all events to *url*, those of payees' accounts too; the secrets, as the setting ``webhook_secret`` wants them."""
        return ",".join(self._endpoint(url, connect) for connect in ("false", "true"))

    def _endpoint(self, url: str, connect: str) -> str:
        said = urllib.parse.urlencode({"url": url, "enabled_events[0]": "*", "connect": connect})
        headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": API_VERSION}
        asked = urllib.request.Request(f"{self.url}/v1/webhook_endpoints", said.encode(), headers)
        with urllib.request.urlopen(asked) as answer:
            return str(json.load(answer)["secret"])

    def tell(self, verb: str, **said: Any) -> Any:
        """One of the verbs of ``control.ACTS``, such as ``tell("pay", session=…)``; ``deliver`` sends what waits."""
        asked = urllib.request.Request(
            f"{self.url}/_control/{verb}", json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{verb}: {error.read().decode()}") from error

    def things(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, newest first."""
        found: list[dict[str, Any]] = self.tell("things", kind=kind)
        return found

    def requests(self, name: str = "") -> list[dict[str, str]]:
        """What was asked of it so far, where method and path hold *name*."""
        return [one for one in self.tell("requests") if name in one["name"]]


@contextmanager
def serving() -> Iterator[FakeStripe]:
    """A fake in its own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.stripe"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env=os.environ.copy(),
    )
    try:
        assert process.stdout is not None
        yield FakeStripe(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
