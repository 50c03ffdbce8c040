"""Payment events on SQLite: how many one node takes over HTTP in a second, and how many one worker processes."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
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
CLIENTS = 4
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
    """Over HTTP, by a few clients that keep their connections, while no worker runs."""
    with tempfile.TemporaryDirectory() as name:
        path = simulated_plugin.installed(Path(name) / "plugin")
        with Node(Path(name) / "data", PYTHONPATH=path) as node:
            node.sign_up()
            deliveries = [signed(event(number, "nobody's"), clock.now()) for number in range(TAKEN)]
            took_ms: list[float] = []
            place = urlsplit(node.url)

            def send(mine: int) -> None:
                connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=30)
                for delivery in deliveries[mine::CLIENTS]:
                    began = time.monotonic()
                    connection.request("POST", "/webhooks/simulated", delivery.body, dict(delivery.headers))
                    answer = connection.getresponse()
                    answer.read()
                    took_ms.append(1000 * (time.monotonic() - began))
                    assert answer.status == 204, answer.status
                connection.close()

            threads = [threading.Thread(target=send, args=(mine,)) for mine in range(CLIENTS)]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.monotonic() - began
    took_ms.sort()
    slow = took_ms[int(len(took_ms) * 0.99)]
    detail = f"{CLIENTS} clients, the worker processes meanwhile"
    return [
        Figure("Payment events taken", TAKEN / seconds, LEAST_TAKEN, False, unit="a second", detail=detail),
        Figure("Answer to a payment event, 99th of 100", slow, LONGEST_MS, True, unit="ms", detail=detail),
    ]


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
        cause="Two thirds go into putting some thirty queries of an order, its receipt and its letter into words anew; those of the books are put into words once.",
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
