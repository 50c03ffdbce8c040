"""A bank that pays whom it is told to, once by each key, and takes its time before and after it does; and the plugin that asks it from a node.

The bank is an HTTP server in the process of the test, so it outlives the node's processes. ``installed`` makes a folder that, in
``PYTHONPATH``, makes the plugin an installed one.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import urllib.request
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from random import Random

from appliance import hookimpl
from appliance.payments import Feature
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState

ROOT = Path(__file__).parents[2]
ADDRESS = "BANK_ADDRESS"
LONGEST_S = 0.04


@dataclass
class Bank:
    """What was paid, by its key, and how often it was asked."""

    dice: Random
    paid: dict[str, tuple[str, int]] = field(default_factory=dict)
    asked: int = 0
    url: str = ""
    turn: threading.Lock = field(default_factory=threading.Lock)

    def pay(self, key: str, account: str, amount_minor: int) -> None:
        time.sleep(self.dice.random() * LONGEST_S)
        with self.turn:
            self.asked += 1
            before = self.paid.setdefault(key, (account, amount_minor))
        assert before == (account, amount_minor), "one key, two payments"
        time.sleep(self.dice.random() * LONGEST_S)


@contextlib.contextmanager
def opened(dice: Random) -> Iterator[Bank]:
    """A bank that is open until the end of the block."""
    bank = Bank(dice)

    class Counter(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bank.pay(told["key"], told["account"], told["amount_minor"])
            with contextlib.suppress(OSError):  # Whoever asked may be dead by now.
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    bank.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Customer:
    """The bank as the node asks it."""

    name, label = "bank_of_tests", "The bank"
    features = frozenset({Feature.PAYOUTS})

    def minimum_minor(self, currency: str) -> int | None:
        return None

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        told = {"key": request.mark, "account": request.account, "amount_minor": request.amount_minor}
        asked = urllib.request.Request(os.environ[ADDRESS], json.dumps(told).encode(), method="POST")
        with urllib.request.urlopen(asked, timeout=10):
            return PayoutFact(f"po_{request.mark}", request.mark, PayoutState.IN_TRANSIT, datetime.now(UTC))


@hookimpl
def payment_providers() -> Sequence[Customer]:
    """The bank."""
    return [Customer()]


def installed(folder: Path) -> str:
    """What ``PYTHONPATH`` must be for a node to have this plugin."""
    described = folder / "bank_of_tests-0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: bank_of_tests\nVersion: 0\n")
    (described / "entry_points.txt").write_text("[musicconnect]\nbank_of_tests = tests.servers.bank\n")
    return f"{ROOT}:{folder}"
