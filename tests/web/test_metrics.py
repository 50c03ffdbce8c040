"""Figures for monitors: who may read them, that all requests are counted, and that a database that is away holds nobody up."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import database
from appliance import startup
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers.relay import Relay
from web.app import create_app

TOKEN = "a token of a monitor"


def value(text: str, name: str, **labels: str) -> float:
    """The value of the one series with these labels, 0 where there is none."""
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name:
            told = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
            if labels.items() <= told.items():
                return float(found[3])
    return 0.0


def with_settings(appliance: Appliance, **settings: object) -> FlaskClient:
    chosen = Settings(data=appliance.settings.data, queue_url="memory://", **settings)  # type: ignore[arg-type]
    return create_app(Appliance(chosen, appliance.store, appliance.secret)).test_client()


def read(client: FlaskClient, address: str, headers: dict[str, str] | None = None) -> int:
    return client.get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers or {}).status_code


def test_only_this_machine_may_read_them_unless_the_operator_says_otherwise(appliance: Appliance) -> None:
    client = with_settings(appliance)
    assert read(client, "127.0.0.1") == 200
    assert read(client, "::1") == 200
    assert read(client, "::ffff:127.0.0.1") == 200
    for stranger in ("10.0.0.7", "203.0.113.9", "2001:db8::1", "::ffff:10.0.0.7", ""):
        assert read(client, stranger) == 403


def test_a_trusted_network_may(appliance: Appliance) -> None:
    client = with_settings(appliance, metrics_networks=("10.0.0.0/8", "2001:db8::/32"))
    assert read(client, "10.1.2.3") == read(client, "2001:db8::7") == 200
    assert read(client, "11.0.0.1") == read(client, "127.0.0.1") == 403


def test_whoever_has_the_token_may_from_anywhere(appliance: Appliance) -> None:
    token = secrets.token_urlsafe(16)
    client = with_settings(appliance, metrics_token=token, metrics_networks=())
    assert read(client, "203.0.113.9", {"Authorization": f"Bearer {token}"}) == 200
    for wrong in (f"Bearer {token}x", "Bearer ", "Bearer ü", f"Basic {token}", token):
        assert read(client, "203.0.113.9", {"Authorization": wrong}) == 403
    assert read(client, "127.0.0.1") == 403


def test_without_a_token_in_the_settings_none_is_right(appliance: Appliance) -> None:
    client = with_settings(appliance, metrics_networks=())
    assert read(client, "203.0.113.9", {"Authorization": "Bearer "}) == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_proxy_that_nobody_told_of_lets_no_stranger_read_them(appliance: Appliance, header: str) -> None:
    """Behind such a proxy all of the world comes from this machine."""
    client = with_settings(appliance)
    assert read(client, "127.0.0.1", {header: "203.0.113.9"}) == 403


def test_behind_a_proxy_that_is_told_of_the_address_is_that_of_who_asks(appliance: Appliance) -> None:
    client = with_settings(appliance, trusted_proxies=1)
    assert read(client, "127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}) == 403
    assert read(client, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}) == 403
    assert read(client, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}) == 200


@pytest.mark.parametrize(
    ("hops", "headers"),
    [
        (2, {"X-Forwarded-For": "203.0.113.9"}),
        (1, {"X-Real-IP": "203.0.113.9"}),
        (1, {"Via": "1.1 proxy"}),
    ],
)
def test_fewer_proxies_than_are_trusted_let_no_stranger_read_them(
    appliance: Appliance, hops: int, headers: dict[str, str]
) -> None:
    client = with_settings(appliance, trusted_proxies=hops)
    assert read(client, "127.0.0.1", headers) == 403
    assert read(client, "127.0.0.1") == 200


def test_requests_are_told_apart_by_view_and_never_by_what_somebody_asked_for(client: FlaskClient) -> None:
    for path in ("/", "/", "/api/v1/releases", "/nothing/here", "/neither/here", "/health"):
        client.get(path)
    client.open("/", method="INVENTED")
    client.open("/", method="INVENTED", headers={"Host": "stranger.example"})
    text = client.get("/metrics").get_data(as_text=True)
    count = "flask_http_request_duration_seconds_count"
    assert value(text, count, endpoint="storefront.index", method="GET", status="200") == 2
    assert value(text, count, endpoint="api.list_releases") == 1
    assert value(text, count, endpoint="none", status="404") == 2
    for never in ("INVENTED", "nothing", "health.health"):
        assert never not in text


def test_a_request_that_is_refused_before_any_view_is_timed_too(client: FlaskClient) -> None:
    client.get("/", headers={"Host": "stranger.example"})
    text = client.get("/metrics").get_data(as_text=True)
    assert value(text, "flask_http_request_duration_seconds_count", status="421") == 1


def test_who_signs_in_is_counted_and_who_cannot(client: FlaskClient) -> None:
    before = client.get("/metrics").get_data(as_text=True)
    page = client.get("/sign-in").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    client.post(
        "/sign-in", data={"email": "nobody@example.org", "password": "wrong word", "csrf_token": token[1]}
    )
    text = client.get("/metrics").get_data(as_text=True)
    labels = {"way": "password", "outcome": "refused"}
    name = "musicconnect_sign_ins_total"
    assert value(text, name, **labels) == value(before, name, **labels) + 1
    assert "nobody@example.org" not in text


@pytest.fixture
def relay(postgresql: object, postgresql_tables: str) -> Iterator[Relay]:
    """PostgreSQL behind a network that can be cut."""
    url = postgresql.new_database(like=postgresql_tables)  # type: ignore[attr-defined]
    with Relay(url) as made:
        yield made
    postgresql.drop(url)  # type: ignore[attr-defined]


def test_a_database_that_is_away_holds_no_monitor_up(relay: Relay, tmp_path: Path) -> None:
    """The network swallows everything: no connection is refused, and no answer comes."""
    chosen = Settings(data=tmp_path / "data", database_url=relay.url, queue_url="memory://")
    client = create_app(startup.start(chosen, immediate=True)).test_client()
    try:
        well = client.get("/metrics").get_data(as_text=True)
        assert value(well, "musicconnect_database_up") == 1
        assert "musicconnect_payment_event_lag_seconds 0.0" in well
        database.let_go()
        relay.cut()
        fresh = create_app(Appliance(chosen, startup.appliance().store, "x" * 32)).test_client()
        fresh.get("/health")
        answer = fresh.get("/metrics")
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
        assert "musicconnect_database_up 0.0" in text
        assert "musicconnect_payment_event_lag_seconds" not in text
        assert value(text, "musicconnect_data_disk_size_bytes") > 0
        relay.mend()
        # Whoever was stuck gets its answer now, and soon the monitor is told.
        deadline = time.monotonic() + 30
        while "musicconnect_database_up 1.0" not in fresh.get("/metrics").get_data(as_text=True):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        relay.mend()
        startup.stop()
