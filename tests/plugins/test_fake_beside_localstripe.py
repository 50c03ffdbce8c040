"""Where another fake overlaps with ours, the same journey ends the same: customers, cards, invoices, refunds, signed events."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
import stripe as sdk

from appliance.payments import Delivery
from plugins.stripe_payments import signatures
from plugins.stripe_payments.calls import API_VERSION
from tests.servers import stripe

SECRET = "whsec_journey"
EVENTS = ["customer.created", "invoice.payment_succeeded", "customer.subscription.created"]


@dataclass
class Place:
    """One of the two, and where it sends its events."""

    url: str
    name: str
    got: list[Delivery]
    secret: str = SECRET
    fake: stripe.FakeStripe | None = None

    @property
    def v1(self) -> Any:
        client = sdk.StripeClient(
            stripe.KEY,
            stripe_version=API_VERSION,
            base_addresses={"api": self.url},
            http_client=sdk.RequestsClient(timeout=10),
        )
        return client.v1


@contextmanager
def mailbox() -> Iterator[tuple[str, list[Delivery]]]:
    got: list[Delivery] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(Delivery(body, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def localstripe(address: str, got: list[Delivery]) -> Iterator[Place]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "localstripe", "--from-scratch", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    place = Place(f"http://127.0.0.1:{port}", "localstripe", got)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "localstripe ended"
                time.sleep(0.1)
        said = urllib.parse.urlencode(
            {"url": address, "secret": SECRET, **{f"events[{n}]": kind for n, kind in enumerate(EVENTS)}}
        )
        with urllib.request.urlopen(f"{place.url}/_config/webhooks/journey", said.encode()):
            pass
        yield place
    finally:
        process.kill()
        process.wait()


@contextmanager
def ours(address: str, got: list[Delivery]) -> Iterator[Place]:
    with stripe.serving() as fake:
        place = Place(fake.url, "ours", got, fake=fake)
        made = place.v1.webhook_endpoints.create({"url": address, "enabled_events": EVENTS})
        place.secret = made.secret
        yield place


@pytest.fixture(params=[ours, localstripe], ids=["ours", "localstripe"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with mailbox() as (address, got), request.param(address, got) as found:
        yield found


def card(v1: Any, number: str) -> Any:
    return v1.payment_methods.create(
        {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
    )


def test_the_same_journey_ends_the_same(place: Place) -> None:
    v1 = place.v1
    payer = v1.customers.create({"email": "fan@example.com", "metadata": {"musicconnect": "order-1"}})
    assert v1.customers.retrieve(payer.id).metadata["musicconnect"] == "order-1"
    assert [one.id for one in v1.customers.list({"limit": 5}).data] == [payer.id]
    method = card(v1, "4242424242424242")
    assert (method.card.last4, method.card.funding) == ("4242", "credit")
    assert v1.payment_methods.attach(method.id, {"customer": payer.id}).customer == payer.id

    paid = v1.payment_intents.create(
        {
            "amount": 1200,
            "currency": "eur",
            "customer": payer.id,
            "payment_method": method.id,
            "confirm": True,
            "metadata": {"musicconnect": "order-1"},
        }
    )
    assert (paid.status, paid.amount, paid.metadata["musicconnect"]) == ("succeeded", 1200, "order-1")
    back = v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    assert (back.object, back.amount, back.currency, back.status) == ("refund", 500, "eur", "succeeded")

    with pytest.raises(sdk.CardError) as declined:
        v1.payment_methods.attach(card(v1, "4000000000000002").id, {"customer": payer.id})
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    empty = v1.payment_methods.attach(card(v1, "4000000000000341").id, {"customer": payer.id})
    asked = {"amount": 1200, "currency": "eur", "customer": payer.id, "payment_method": empty.id}
    with pytest.raises(sdk.CardError) as declined:
        v1.payment_intents.create({**asked, "confirm": True})
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    with pytest.raises(sdk.InvalidRequestError) as unknown:
        v1.customers.retrieve("cus_nobody")
    assert unknown.value.http_status == 404

    product = v1.products.create({"name": "Gold", "type": "service"})
    v1.customers.update(payer.id, {"invoice_settings": {"default_payment_method": method.id}})
    plan = v1.plans.create({"amount": 1000, "currency": "eur", "interval": "month", "product": product.id})
    begun = v1.subscriptions.create({"customer": payer.id, "items": [{"plan": plan.id}]})
    assert (begun.status, begun.customer) == ("active", payer.id)
    bill = v1.invoices.retrieve(begun.latest_invoice)
    assert (bill.status, bill.total, bill.amount_due, bill.amount_paid) == ("paid", 1000, 1000, 1000)
    [line] = bill.lines.data
    assert (line.amount, line.currency) == (1000, "eur")
    assert 28 * 86_400 <= line.period.end - line.period.start <= 31 * 86_400
    assert v1.subscriptions.cancel(begun.id).status == "canceled"


def test_events_of_both_are_believed_and_none_with_another_secret(place: Place) -> None:
    place.v1.customers.create({"email": "fan@example.com"})
    if place.fake:
        place.fake.tell("deliver")
    for _ in range(100):
        if place.got:
            break
        time.sleep(0.1)
    [delivery] = place.got
    now = datetime.now(UTC)
    notice = signatures.read(delivery, [place.secret], now=now)
    assert (notice.kind, notice.id[:4]) == ("customer.created", "evt_")
    assert json.loads(delivery.body)["data"]["object"]["email"] == "fan@example.com"
    with pytest.raises(signatures.NotAllowed):
        signatures.read(delivery, ["whsec_other"], now=now)
