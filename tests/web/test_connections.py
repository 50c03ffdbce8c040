"""For how long a connection stays open: for one question after the other, also where an answer is nothing but its head."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_provider import signed

ICON = "/static/icon.svg"


@pytest.fixture
def connection(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPConnection]:
    monkeypatch.setattr(processors, "every", lambda: (SimulatedProvider(),))
    jobs.huey.immediate = False
    with site.serving(appliance) as port:
        made = HTTPConnection("127.0.0.1", port, timeout=20)
        made.connect()
        yield made
        made.close()


def ask(
    connection: HTTPConnection, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, socket.socket | None]:
    """The status, and the connection that the next question will go over."""
    connection.request(
        method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    answer.read()
    return answer.status, connection.sock


def test_one_connection_serves_for_answers_without_a_body_too(connection: HTTPConnection) -> None:
    first = connection.sock
    connection.request("GET", "/health")
    assert connection.getresponse().read()
    connection.request("GET", ICON)
    icon = connection.getresponse()
    assert icon.read()
    assert ask(connection, "GET", ICON, If_None_Match=icon.headers["ETag"]) == (304, first)
    for number in range(3):
        event = signed(b'{"id": "%d", "kind": "x", "at": "2026-01-01T00:00:00+00:00"}' % number, clock.now())
        assert ask(connection, "POST", "/webhooks/simulated", event.body, **event.headers) == (204, first)
    assert first is not None


def test_who_wants_no_more_is_let_go(connection: HTTPConnection) -> None:
    event = signed(b'{"id": "1", "kind": "x", "at": "2026-01-01T00:00:00+00:00"}', clock.now())
    told = ask(connection, "POST", "/webhooks/simulated", event.body, Connection="close", **event.headers)
    assert told == (204, None)
