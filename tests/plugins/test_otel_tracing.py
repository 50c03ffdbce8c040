"""Traces: a whole node tells a real collector of a request, its wait in the queue and its job as one trace."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import __version__
from appliance import hooks
from appliance import traces
from appliance.errors import Invalid
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.settings import Settings
from plugins import otel_tracing
from plugins.otel_tracing import exporting
from tests.servers import otlp
from tests.servers.node import Node
from tests.servers.observer import Observer
from tests.servers.observer import observing
from tests.servers.receiver import Receiver
from tests.sounds import tone

SERVER, CLIENT, CONSUMER, INTERNAL = 2, 3, 5, 1
FAILED = 2
ULID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
GIVEN = traces.Place("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", sampled=True)
SPAN = Span(
    "request",
    "GET /",
    GIVEN.trace_id,
    GIVEN.span_id,
    "",
    1,
    2,
    {"method": "GET", "route": "/", "status": 500},
    "ValueError",
)


@pytest.fixture
def collector() -> Iterator[Observer]:
    with observing("tests.servers.otlp") as running:
        yield running


@pytest.fixture
def started() -> Iterator[None]:
    yield
    otel_tracing.plugin_start({"endpoint": ""})


def start(**values: Any) -> bool:
    rows = {row.name: row.default for row in otel_tracing.plugin_settings()}
    return otel_tracing.plugin_start({**rows, **values})


def send(node: Node, path: str, place: traces.Place) -> None:
    """POST as a proxy does that is trusted, and that keeps a trace."""
    headers = {
        "Authorization": f"Bearer {node.token}",
        "X-Forwarded-For": "192.0.2.7",
        "traceparent": place.parent,
        "Content-Type": "application/json",
    }
    asked = urllib.request.Request(node.url + path, data=b"{}", headers=headers, method="POST")
    with urllib.request.urlopen(asked, timeout=30):
        pass


def of(seen: list[dict[str, Any]], trace: str, prefix: str) -> list[dict[str, Any]]:
    return [one for one in seen if one["trace"] == trace and one["name"].startswith(prefix)]


def test_a_request_its_wait_in_the_queue_and_its_job_are_one_trace_until_it_leaves_the_node(
    collector: Observer, tmp_path: Path
) -> None:
    with Receiver() as receiver:
        environ = {
            **otlp.environment(collector, ENVIRONMENT="staging"),
            "MUSICCONNECT_TRUSTED_PROXIES": "1",
            "MUSICCONNECT_LOG_FORMAT": "json",
            "MUSICCONNECT_PLUGIN_WEBHOOK_OUT__URLS": receiver.url,
            "MUSICCONNECT_PLUGIN_WEBHOOK_OUT__SECRET": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "MUSICCONNECT_PLUGIN_WEBHOOK_OUT__ALLOW_PRIVATE_ADDRESSES": "1",
        }
        with Node(tmp_path / "node", **environ) as node:
            node.sign_up()
            release = node.make_release()
            track = node.upload(release, "somebody@example.org.flac", tone(1.0))
            node.wait_for(track)
            send(node, f"/api/v1/releases/{release}/publish", GIVEN)
            seen = collector.wait_for(
                lambda seen: (
                    bool(of(seen, GIVEN.trace_id, "job webhook_out"))
                    and any(one["name"] == "job transcode" for one in seen)
                )
            )
            node.stop()
            seen = collector.seen()
        [(_, headers, _)] = receiver.received

    # Ours, begun by the upload: the request that ended it, the queue, the transcoding.
    [transcoded] = [one for one in seen if one["name"] == "job transcode"]
    trace = transcoded["trace"]
    [queued] = of(seen, trace, "queue transcode")
    [asked] = [one for one in of(seen, trace, "PATCH") if one["id"] == queued["parent"]]
    assert transcoded["parent"] == queued["id"]
    assert asked["parent"] == ""
    assert [one["kind"] for one in (asked, queued, transcoded)] == [SERVER, INTERNAL, CONSUMER]
    assert asked["began"] <= queued["began"] <= queued["ended"] <= transcoded["began"] < transcoded["ended"]
    assert asked["attributes"] == {
        "http.request.method": "PATCH",
        "http.route": asked["name"].removeprefix("PATCH "),
        "http.response.status_code": asked["attributes"]["http.response.status_code"],
    }
    assert transcoded["attributes"]["musicconnect.job.outcome"] == "done"
    for parent in (asked, transcoded):
        queries = [one for one in seen if one["parent"] == parent["id"] and one["kind"] == CLIENT]
        assert {one["attributes"]["db.system.name"] for one in queries} == {"sqlite"}
        assert all(parent["began"] <= one["ended"] for one in queries)

    # One that began before it came here: from the proxy to the receiver of the webhook.
    [published] = of(seen, GIVEN.trace_id, "POST")
    assert published["name"] == "POST /api/v1/releases/<release_id>/publish"
    assert published["parent"] == GIVEN.span_id
    [announced] = of(seen, GIVEN.trace_id, "job announce")
    [told] = of(seen, GIVEN.trace_id, "job webhook_out")
    [waited] = of(seen, GIVEN.trace_id, "queue webhook_out")
    assert (told["parent"], waited["parent"]) == (waited["id"], announced["id"])
    assert headers["traceparent"] == traces.Place(GIVEN.trace_id, told["id"], sampled=True).parent

    # Few names, and nothing of anybody.
    assert {json.dumps(one["resource"], sort_keys=True) for one in seen} == {
        json.dumps(
            {
                "deployment.environment.name": "staging",
                "service.name": "musicconnect",
                "service.version": __version__,
            }
        )
    }
    assert not [one["name"] for one in seen if "/health" in one["name"] or "/ready" in one["name"]]
    for one in seen:
        shown = json.dumps([one["name"], one["attributes"]])
        assert not ULID.search(shown) and "somebody" not in shown and "192.0.2.7" not in shown, shown

    # And the log leads from the trace to the request and back.
    lines = [json.loads(line) for line in node.log().splitlines()]
    ids = {line.get("request_id") for line in lines if line.get("trace_id") == GIVEN.trace_id}
    assert len(ids) == 1 and None not in ids
    assert {"request", "job done"} <= {
        line["event"] for line in lines if line.get("trace_id") == GIVEN.trace_id
    }


def test_while_the_collector_is_away_nothing_is_disturbed_and_it_is_said_once(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        environ = otlp.environment(Observer(closed.getsockname()[1]), TIMEOUT_S="1")
        with Node(tmp_path / "node", **environ) as node:
            node.sign_up()
            for _ in range(5):
                assert node.make_release()
            assert node.stop() < 15
        log = node.log()
    assert 1 <= log.count("the collector of traces does not take them") <= 2
    assert "Traceback" not in log


def test_hook_spans_ended_is_told_to_a_collector_again_once_it_is_back(
    started: None, caplog: pytest.LogCaptureFixture
) -> None:
    with observing("tests.servers.otlp") as first:
        port = first.port
    values = {"endpoint": f"http://127.0.0.1:{port}/", "headers": (f"X-Token={otlp.TOKEN}",), "timeout_s": 1}
    assert start(**values)
    caplog.set_level("INFO")
    otel_tracing.spans_ended([SPAN])
    otel_tracing.spans_ended([SPAN])
    with observing("tests.servers.otlp", port=port) as again:
        otel_tracing.spans_ended([SPAN])
        [seen] = again.seen()
    assert (seen["name"], seen["status"], seen["kind"]) == ("GET /", FAILED, SERVER)
    assert (seen["trace"], seen["id"], seen["parent"]) == (GIVEN.trace_id, GIVEN.span_id, "")
    assert seen["attributes"] == {
        "http.request.method": "GET",
        "http.route": "/",
        "http.response.status_code": 500,
        "error.type": "ValueError",
    }
    assert [record.getMessage().split(" of traces ")[1][:13] for record in caplog.records] == [
        "does not take",
        "takes them ag",
    ]


def test_a_collector_that_wants_another_header_is_told_nothing(collector: Observer, started: None) -> None:
    start(endpoint=f"http://127.0.0.1:{collector.port}", headers=("X-Token=wrong",), timeout_s=1)
    otel_tracing.spans_ended([SPAN])
    assert collector.seen() == []


def test_hook_spans_wanted_is_answered_as_the_settings_say(started: None) -> None:
    assert start(endpoint="http://127.0.0.1:4318")
    assert otel_tracing.spans_wanted() == SpansWanted(100, 20)
    start(endpoint="http://127.0.0.1:4318", queries_from_ms=-1, kept_per_1000=1)
    assert otel_tracing.spans_wanted() == SpansWanted(1, None)
    with pytest.raises(Invalid, match="NAME=VALUE"):
        start(endpoint="http://127.0.0.1:4318", headers=("token",))


def test_names_and_attributes_are_those_of_the_conventions() -> None:
    query = Span(
        "query", "SELECT track", "a" * 32, "b" * 16, "", 1, 2, {"engine": "sqlite", "sql": "SELECT ?"}
    )
    assert exporting.name_of(query) == "SELECT track"
    assert exporting.attributes_of(query) == {
        "db.system.name": "sqlite",
        "db.query.text": "SELECT ?",
        "db.query.summary": "SELECT track",
    }
    job = Span(
        "job", "transcode", "a" * 32, "b" * 16, "", 1, 2, {"attempt": 2, "outcome": "failed"}, "OSError"
    )
    assert exporting.name_of(job) == "job transcode"
    assert exporting.attributes_of(job) == {
        "musicconnect.job.kind": "transcode",
        "musicconnect.job.attempt": 2,
        "musicconnect.job.outcome": "failed",
        "error.type": "OSError",
    }


def test_without_an_address_there_are_no_traces() -> None:
    [found] = [one for one in hooks.load(Settings()) if one.name == "otel_tracing"]
    assert found.status is hooks.Status.READY
    assert not hooks.has("spans_wanted")
    hooks.load(Settings(), points=())
