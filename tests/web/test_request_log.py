"""A request has one id from the edge to its job: in the answer, in each line of the log, on the page of an error."""

from __future__ import annotations

import json
import logging
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import logs
from appliance import traces
from appliance.jobs.models import Job
from appliance.settings import Settings
from appliance.startup import Appliance
from tests import onlookers
from tests.servers import site
from tests.servers.nginx import nginx
from tests.servers.ports import free_port
from tests.servers.site import Person
from tests.servers.site import serving
from web import request_log
from web.app import create_app
from web.nginx import configuration

GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Lines as they are written, in JSON."""
    caplog.handler.setFormatter(logs.formatter("json"))
    for name in logs._QUIET:
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)
    return caplog


def lines(told: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.text.splitlines()]


def requests(told: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [line for line in lines(told) if line["event"] == "request"]


def behind(appliance: Appliance, hops: int) -> FlaskClient:
    settings = Settings(data=appliance.settings.data, queue_url="memory://", trusted_proxies=hops)
    return create_app(Appliance(settings, appliance.store, appliance.secret)).test_client()


def test_each_answer_names_its_request_and_each_line_of_it_too(
    client: FlaskClient, told: pytest.LogCaptureFixture
) -> None:
    for address, status in {"/": 200, "/nowhere": 404, "/api/v1/releases/none": 404, "/health": 200}.items():
        told.clear()
        answer = client.get(address)
        assert answer.status_code == status
        assert traces.is_request_id(answer.headers[request_log.HEADER])
        assert {line["request_id"] for line in lines(told)} == {answer.headers[request_log.HEADER]}
        [line] = requests(told)
        assert (line["method"], line["status"]) == ("GET", status)
        assert line["ms"] > 0
    assert traces.current() is None


def test_a_line_tells_the_pattern_and_nothing_of_the_address(
    appliance: Appliance, client: FlaskClient, artist: Person, told: pytest.LogCaptureFixture
) -> None:
    track = site.make_track(site.make_release(artist, published=True), appliance)
    address = client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers).json["hls_url"]
    told.clear()
    assert client.get(address).status_code == 200
    client.get("/search?q=somebody@example.org", headers={"User-Agent": "An Agent"})
    client.get("/somebody@example.org")
    assert [line["route"] for line in requests(told)] == [
        "/media/<token>/<asset>/<name>",
        "/search",
        request_log.NOWHERE,
    ]
    for secret in (address.split("/")[2], "somebody", "An Agent", "127.0.0.1", artist.user.email):
        assert secret not in told.text


def test_monitors_and_files_of_pages_are_told_to_who_looks_for_faults_only(
    client: FlaskClient, told: pytest.LogCaptureFixture
) -> None:
    told.set_level(logging.INFO)
    for address in ("/health", "/ready", "/metrics"):
        assert client.get(address).status_code == 200
    assert requests(told) == []


@pytest.mark.parametrize(
    ("hops", "headers", "taken"),
    [
        (0, {"X-Request-Id": GIVEN}, False),
        (0, {"X-Request-Id": GIVEN, "X-Forwarded-For": "192.0.2.1"}, False),
        (1, {"X-Request-Id": GIVEN, "X-Forwarded-For": "192.0.2.1"}, True),
        (1, {"X-Request-Id": GIVEN}, False),
        (2, {"X-Request-Id": GIVEN, "X-Forwarded-For": "192.0.2.1"}, False),
        (2, {"X-Request-Id": GIVEN, "X-Forwarded-For": "192.0.2.1, 192.0.2.2"}, True),
        (1, {"X-Request-Id": "<script>0123456789", "X-Forwarded-For": "192.0.2.1"}, False),
        (1, {"X-Request-Id": "short", "X-Forwarded-For": "192.0.2.1"}, False),
        (1, {"X-Forwarded-For": "192.0.2.1"}, False),
    ],
)
def test_an_id_is_taken_from_a_trusted_proxy_alone_and_only_a_whole_one(
    appliance: Appliance, hops: int, headers: dict[str, str], taken: bool
) -> None:
    told = behind(appliance, hops).get("/health", headers=headers).headers[request_log.HEADER]
    assert (told == GIVEN) is taken
    assert traces.is_request_id(told)


def test_a_job_names_the_request_that_asked_for_it(
    appliance: Appliance, client: FlaskClient, artist: Person, nobody_works: None
) -> None:
    release = site.make_release(artist)
    site.make_track(release, appliance)
    answer = client.post(f"/api/v1/releases/{release.id}/publish", headers=artist.headers)
    assert answer.status_code == 200
    asked = list(Job.select().where(Job.request_id == answer.headers[request_log.HEADER]))
    assert "announce" in " ".join(job.kind for job in asked)


def test_the_page_of_an_error_tells_a_reference_that_leads_to_its_lines(
    app: Flask, told: pytest.LogCaptureFixture
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/surprise", view_func=lambda: 1 // 0)
    answer = app.test_client().get("/surprise", headers={"Accept": "text/html"})
    reference = answer.headers[request_log.HEADER][-8:]
    assert f"<code>{reference}</code>" in answer.get_data(as_text=True)
    [failed] = [line for line in lines(told) if line["event"] == "request failed"]
    assert (failed["reference"], failed["request_id"][-8:]) == (reference, reference)
    assert "ZeroDivisionError" in failed["exception"]
    assert [line["status"] for line in requests(told)] == [500]


def test_nginx_gives_a_request_the_id_that_the_application_logs(
    appliance: Appliance, tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    port, noted = free_port(), tmp_path / "requests.log"
    settings = Settings(
        data=appliance.settings.data,
        queue_url="memory://",
        public_url=f"http://127.0.0.1:{port}",
        trusted_proxies=1,
    )
    fronted = Appliance(settings, appliance.store, appliance.secret)
    (tmp_path / "cache").mkdir()
    with serving(fronted, clear_untrusted_proxy_headers=False) as inside:
        text = configuration(
            Settings(data=settings.data, public_url=settings.public_url, trusted_proxies=1, port=inside),
            appliance.store,
            secret=appliance.secret,
            listen=(f"127.0.0.1:{port}",),
            cache=str(tmp_path / "cache"),
            log=str(noted),
        )
        with nginx(tmp_path / "nginx", text, port):
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/search?q=somebody",
                headers={"X-Request-Id": GIVEN, "traceparent": f"00-{GIVEN}-0123456789abcdef-01"},
            )
            with urllib.request.urlopen(asked, timeout=20) as answer:
                given = answer.headers.get_all("X-Request-Id")
    assert given != [GIVEN]
    [line] = [one for one in map(json.loads, noted.read_text().splitlines()) if one["part"] == "/search"]
    assert [line["request_id"]] == given
    assert (line["method"], line["status"]) == ("GET", "200")
    assert "somebody" not in noted.read_text()
    assert "127.0.0.1" not in noted.read_text()
    assert [one["request_id"] for one in requests(told) if one["route"] == "/search"] == given


def test_a_method_that_somebody_invented_is_told_by_no_line_and_no_report(
    appliance: Appliance, told: pytest.LogCaptureFixture
) -> None:
    errors, listens = onlookers.of_errors()
    app = create_app(appliance)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/surprise", methods=["SOMEBODY"], view_func=lambda: 1 // 0)
    with onlookers.loaded(listens):
        assert app.test_client().open("/surprise", method="SOMEBODY").status_code == 500
    assert [facts.method for _, facts in errors] == ["_OTHER"]
    assert [line["method"] for line in lines(told) if "method" in line] == ["_OTHER", "_OTHER"]


@pytest.mark.parametrize("hops", [0, 1])
def test_a_request_is_a_step_of_a_trace_under_a_name_that_is_one_of_few(
    appliance: Appliance, hops: int
) -> None:
    kept = traces.Place("a" * 32, "b" * 16, sampled=True)
    seen, looks = onlookers.of_spans()
    with onlookers.loaded(looks):
        client = behind(appliance, hops)
        headers = {"traceparent": kept.parent, "X-Forwarded-For": "192.0.2.1"}
        client.get("/search?q=somebody", headers=headers)
        client.get("/somebody", headers=headers)
        client.open("/", method="SOMEBODY", headers=headers)
        client.get("/health", headers=headers)
    assert [(span.kind, span.name, span.facts["status"], span.error) for span in seen] == [
        ("request", "GET /search", 200, ""),
        ("request", "GET (nowhere)", 404, ""),
        ("request", "_OTHER (nowhere)", 405, ""),
    ]
    # What strangers say of a trace is not taken.
    assert [(span.trace_id == kept.trace_id, span.parent_id == kept.span_id) for span in seen] == [
        (hops == 1, hops == 1)
    ] * 3
    assert "somebody" not in str(seen).lower()


def test_an_error_that_nobody_expected_is_told_with_the_request_and_marks_its_step(
    appliance: Appliance,
) -> None:
    steps, looks = onlookers.of_spans()
    errors, listens = onlookers.of_errors()
    app = create_app(appliance)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/surprise/<name>", view_func=lambda name: 1 // 0)
    with onlookers.loaded(looks, listens):
        answer = app.test_client().get("/surprise/somebody")
        assert app.test_client().get("/api/v1/releases/none").status_code == 404
    [(error, facts)] = errors
    assert isinstance(error, ZeroDivisionError)
    assert (facts.kind, facts.name, facts.method) == ("request", "/surprise/<name>", "GET")
    assert facts.request_id == answer.headers[request_log.HEADER]
    assert [(span.name, span.error) for span in steps if span.facts["status"] == 500] == [
        ("GET /surprise/<name>", "ZeroDivisionError")
    ]
    assert facts.trace_id == next(span.trace_id for span in steps if span.error)
