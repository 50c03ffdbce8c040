"""Payment events on SQLite: how many one node takes over HTTP in a second, and how many one worker processes.

Who sends them shares the cores with the node, so they only write bytes that were made and signed before to connections that stay open, and
read the head of each answer: what a client library does beside that would be measured as the node's.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import processors
from appliance import startup
from appliance.billing import inbox
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.jobs.running import run_job
from appliance.payments import Delivery
from appliance.payments import PaymentFact
from appliance.settings import Settings
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from tests.benchmarks.figures import Figure
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.servers import simulated_plugin
from tests.servers.node import Node
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_provider import signed
from tests.servers.simulated_provider import told

TAKEN, PROCESSED = 3000, 1000
CLIENTS = 8
"""As many as the web server answers at once: a provider that has five hundred a second to tell does not wait for one answer to send the next."""
LEAST_TAKEN, LEAST_PROCESSED = 500, 200
LONGEST_MS = 50


def run() -> list[Figure]:
    """Take and process, each in a folder of its own."""
    return [*taking(), processing_orders()]


def event(number: int, mark: str) -> bytes:
    """A payment of an order, as an event of the size that providers send."""
    now = clock.now()
    fact = PaymentFact(f"pay_{number}", mark, 700, "EUR", now, fee_minor=50)
    sent = {
        "id": f"evt_{number}",
        "kind": "payment.moved",
        "at": now.isoformat(),
        "padding": "x" * 2500,
        "facts": [told(fact)],
    }
    return json.dumps(sent, default=lambda value: value.isoformat()).encode()


def taking() -> list[Figure]:
    """Over HTTP, by a few connections that stay open, while the worker processes what came."""
    with tempfile.TemporaryDirectory() as name:
        path = simulated_plugin.installed(Path(name) / "plugin")
        with Node(Path(name) / "data", PYTHONPATH=path) as node:
            node.sign_up()
            place = urlsplit(node.url)
            there = (place.hostname or "", place.port or 80)
            requests = [
                written(signed(event(number, "nobody's"), clock.now()), place.netloc)
                for number in range(TAKEN)
            ]
            took_ms: list[float] = []
            web = node.children()["web"]

            def send(mine: int) -> None:
                with socket.create_connection(there, timeout=30) as connection:
                    for request in requests[mine::CLIENTS]:
                        began = time.monotonic()
                        connection.sendall(request)
                        answer = b""
                        while not answer.endswith(b"\r\n\r\n"):
                            answer += (part := connection.recv(4096))
                            assert part, "the connection was closed"
                        took_ms.append(1000 * (time.monotonic() - began))
                        assert answer.startswith(b"HTTP/1.1 204 "), answer

            threads = [threading.Thread(target=send, args=(mine,)) for mine in range(CLIENTS)]
            began, before_s = time.monotonic(), processor_s(web)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds, own_s = time.monotonic() - began, processor_s(web) - before_s
    assert len(took_ms) == TAKEN
    took_ms.sort()
    slow = took_ms[int(len(took_ms) * 0.99)]
    detail = f"{CLIENTS} connections, the worker processes meanwhile; {1000 * own_s / TAKEN:.1f} ms of the web server's processor time each"
    return [
        Figure("Payment events taken", TAKEN / seconds, LEAST_TAKEN, False, unit="a second", detail=detail),
        Figure("Answer to a payment event, 99th of 100", slow, LONGEST_MS, True, unit="ms", detail=detail),
    ]


def written(delivery: Delivery, host: str) -> bytes:
    """A delivery as it goes over the wire."""
    headers = {"Host": host, "Content-Length": str(len(delivery.body)), **delivery.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/simulated HTTP/1.1\r\n{lines}\r\n".encode() + delivery.body


def processor_s(pid: int) -> float:
    """What a process used of the processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processing_orders() -> Figure:
    """One job with as many orders as events: the payment is booked, the order settled and its release opened."""
    with tempfile.TemporaryDirectory() as name, node_here(Path(name)) as provider:
        marks = make_orders(PROCESSED)
        for number, mark in enumerate(marks):
            inbox.receive(provider.name, signed(event(number, mark), clock.now()), now=clock.now())
        waiting = jobs.Job.get(jobs.Job.kind == inbox.JOB)
        began, began_cpu = time.monotonic(), time.process_time()
        run_job.call_local(waiting.id)
        seconds, cpu = time.monotonic() - began, time.process_time() - began_cpu
        done = ProviderEvent.select().where(ProviderEvent.state == EventState.PROCESSED).count()
        assert done == PROCESSED, done
    return Figure(
        "Payment events processed by one worker, by processor time",
        PROCESSED / cpu,
        LEAST_PROCESSED,
        False,
        unit="a second",
        detail=f"orders, each booked, settled, opened, with receipt and letter; {1000 * cpu / PROCESSED:.1f} ms each, {PROCESSED / seconds:.0f} a second by the clock",
    )


@contextmanager
def node_here(folder: Path) -> Iterator[SimulatedProvider]:
    """MusicConnect in this process, on SQLite as a node has it, with the simulated provider alone."""
    provider = SimulatedProvider()
    startup.start(Settings(data=folder / "data", queue_url="memory://"))
    try:
        database.migrate()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(processors, "every", lambda: (provider,))
            yield provider
    finally:
        startup.stop()


def make_orders(number: int) -> list[str]:
    """So many orders of one release, by one fan."""
    now = clock.now() - timedelta(days=1)
    artist: Artist = make_artist(now=now)
    release, fan = make_release(artist, now=now), make_user("fan@example.com", now=now)
    marks = []
    with database.transaction():
        for _ in range(number):
            order = Order.create(
                user=fan.id,
                email=fan.email,
                artist=artist.id,
                artist_name=artist.name,
                provider="simulated",
                open_key=new_id(),
                currency="EUR",
                total_minor=700,
                share_bps=1000,
                created_at=now,
                updated_at=now,
            )
            OrderItem.create(
                order=order.id,
                position=0,
                kind=Kind.RELEASE,
                name="Harbour Lights",
                amount_minor=700,
                release=release.id,
            )
            marks.append(str(order.id))
    return marks
