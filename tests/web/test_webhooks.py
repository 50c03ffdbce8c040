"""Where payment providers knock: what is signed is taken, all else is refused and leaves nothing behind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.jobs import Job
from appliance.payments import Delivery
from appliance.payments import PaymentFact
from appliance.startup import Appliance
from tests.queries import counted
from tests.servers import simulated_sales
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_provider import signed
from web import rates
from web.app import create_app


@pytest.fixture
def provider(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedProvider]:
    made = SimulatedProvider()
    monkeypatch.setattr(processors, "every", lambda: (made,))
    with simulated_sales.open_for_business():
        yield made


@pytest.fixture
def body(provider: SimulatedProvider) -> bytes:
    """A payment arrived for an order of ours."""
    simulated_sales.sell("order-1", "A" * 26)
    provider.pay(PaymentFact("pay_1", "order-1", 1000, "EUR", clock.now()), fee_minor=None)
    return provider.sent[0][1]


def knock(
    client: FlaskClient, delivery: Delivery, name: str = "simulated", kind: str = "application/json"
) -> TestResponse:
    return client.post(
        f"/webhooks/{name}", data=delivery.body, headers={**delivery.headers, "Content-Type": kind}
    )


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_an_event_is_taken_whatever_it_calls_itself(client: FlaskClient, body: bytes, kind: str) -> None:
    answer = knock(client, signed(body, clock.now()), kind=kind)
    assert (answer.status_code, answer.data) == (204, b"")
    assert not {"Set-Cookie", "Content-Type", "Content-Security-Policy"} & set(answer.headers.keys())
    assert ProviderEvent.get().state == EventState.PROCESSED
    assert knock(client, signed(body, clock.now())).status_code == 204
    assert ProviderEvent.select().count() == 1


@pytest.mark.parametrize("way", ["unsigned", "wrong", "stale", "rubbish", "unknown", "large"])
def test_what_does_not_hold_is_told_so_and_leaves_nothing(client: FlaskClient, body: bytes, way: str) -> None:
    delivery, name, status = {
        "unsigned": (Delivery(body), "simulated", 403),
        "wrong": (signed(body, clock.now(), secret=b"x"), "simulated", 403),
        "stale": (signed(body, clock.now() - timedelta(hours=1)), "simulated", 403),
        "rubbish": (signed(b"{}", clock.now()), "simulated", 422),
        "unknown": (signed(body, clock.now()), "nobody", 404),
        "large": (signed(b"x" * 5_000_000, clock.now()), "simulated", 413),
    }[way]
    answer = knock(client, delivery, name)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["detail"].endswith(".")
    assert not ProviderEvent.select().exists()
    assert not Job.select().exists()


def test_a_body_without_a_length_is_bounded_too(client: FlaskClient, body: bytes) -> None:
    delivery = signed(b"x" * 2_000_000, clock.now())
    answer = client.post(
        "/webhooks/simulated",
        input_stream=io.BytesIO(delivery.body),
        headers=delivery.headers,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert not ProviderEvent.select().exists()


def test_to_take_an_event_is_a_handful_of_statements(
    client: FlaskClient, body: bytes, nobody_works: None
) -> None:
    with counted() as asked:
        assert knock(client, signed(body, clock.now())).status_code == 204
    assert len(asked) <= 9, asked
    assert Job.select().count() == 1


def test_a_provider_is_never_told_to_wait_and_who_guesses_is(
    appliance: Appliance, provider: SimulatedProvider, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.huey.immediate = False
    monkeypatch.setattr(rates, "GENERAL", 5)
    monkeypatch.setitem(rates.RULES, "webhooks", rates.Rule(1, address=10))
    client = create_app(appliance).test_client()
    for _ in range(30):
        assert knock(client, signed(body, clock.now())).status_code == 204
    # The first is what makes them suspected, and is not counted itself.
    told = [knock(client, Delivery(body)).status_code for _ in range(13)]
    assert told == [403] * 11 + [429] * 2
    assert knock(client, signed(body, clock.now())).status_code == 429


def test_a_provider_that_hangs_is_asked_to_come_again(
    client: FlaskClient, provider: SimulatedProvider, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> object:
        raise RuntimeError("a secret")

    monkeypatch.setattr(SimulatedProvider, "read_event", fail)
    answer = knock(client, signed(body, clock.now()))
    assert answer.status_code == 503
    assert "secret" not in answer.get_data(as_text=True)
    assert not ProviderEvent.select().exists()


def test_monitoring_is_told_how_many_events_there_are_and_how_long_the_oldest_waits(
    client: FlaskClient, body: bytes, nobody_works: None
) -> None:
    knock(client, signed(body, clock.now()))
    ProviderEvent.update(received_at=clock.now() - timedelta(minutes=2)).execute()
    told = client.get("/metrics").get_data(as_text=True)
    assert 'musicconnect_payment_events{provider="simulated",state="received"} 1.0' in told
    lag = next(line for line in told.splitlines() if line.startswith("musicconnect_payment_event_lag"))
    assert float(lag.split()[1]) >= 120
