"""Lines of the log: facts stay facts, in either form; each names what its thread works on; nothing secret gets in."""

import io
import json
import logging
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from appliance import logs
from appliance import processors
from appliance import traces
from appliance.jobs import JobState
from appliance.traces import Place
from appliance.traces import Work

log = logging.getLogger("test.room")
REQUEST_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def lines() -> Iterator[Callable[[str, str], io.StringIO]]:
    """Log as the product does, into a text that the test reads; as it was before at the end."""
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    quiet = {name: logging.getLogger(name).level for name in logs._QUIET}

    def configured(form: str, level: str = "info") -> io.StringIO:
        logs.configure(level, form)
        [handler] = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        told = io.StringIO()
        handler.setStream(told)
        return told

    yield configured
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def of(told: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_a_line_of_text_tells_event_and_facts(lines) -> None:
    told = lines("text")
    log.info("served", extra={"track": "T1", "seconds": 0.5, "state": JobState.DONE})
    instant, rest = told.getvalue().split(" ", 1)
    assert rest == "INFO test.room: served track=T1 seconds=0.5 state=done\n"
    assert instant.endswith("Z") and len(instant) == 20


def test_a_line_of_json_holds_the_same_facts_with_their_types(lines) -> None:
    told = lines("json")
    log.warning("%s was served", "Été", extra={"track": "T1", "seconds": 0.5, "what": object})
    [line] = of(told)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "test.room",
        "event": "Été was served",
        "track": "T1",
        "seconds": 0.5,
        "what": "<class 'object'>",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_writes_lines_of_their_own_by_a_line_break(lines, form: str) -> None:
    told = lines(form)
    log.info("searched\nforged", extra={"words": "a\r\n2026-05-01T12:00:00Z INFO forged"})
    assert len(told.getvalue().splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_failure_brings_its_stack(lines, form: str) -> None:
    told = lines(form)
    try:
        raise ValueError("a reason")
    except ValueError:
        log.exception("failed", extra={"job": "J"})
    if form == "json":
        [line] = of(told)
        assert line["exception"].startswith("Traceback") and line["exception"].endswith(
            "ValueError: a reason"
        )
    else:
        first, second, *_, last = told.getvalue().splitlines()
        assert first.endswith("ERROR test.room: failed job=J")
        assert (second, last) == ("Traceback (most recent call last):", "ValueError: a reason")


def test_a_line_names_the_request_the_job_and_the_trace_that_it_belongs_to(lines) -> None:
    told = lines("json")
    kept = Place("a" * 32, "b" * 16, sampled=True)
    with traces.working(Work("job", "transcode", request_id=REQUEST_ID, job_id="J1", place=kept)):
        log.info("inside")
        log.info("its own", extra={"job": "J2"})
    with traces.working(Work("chore", "sweep", place=Place("c" * 32, "d" * 16, sampled=False))):
        log.info("chore")
    log.info("outside")
    names = ("event", "request_id", "job", "trace_id", "chore")
    assert [tuple(line.get(name) for name in names) for line in of(told)] == [
        ("inside", REQUEST_ID, "J1", "a" * 32, None),
        ("its own", REQUEST_ID, "J2", "a" * 32, None),
        ("chore", None, None, None, "sweep"),
        ("outside", None, None, None, None),
    ]


def test_what_a_payment_provider_logs_names_the_request_it_was_asked_for(lines, appliance) -> None:
    told = lines("json")
    with traces.working(Work("request", "/shop", request_id=REQUEST_ID)):
        processors.ask(lambda: log.info("asked"), "Till")
    processors.ask(lambda: log.info("asked again"), "Till")
    assert [line.get("request_id") for line in of(told)] == [REQUEST_ID, None]


def test_not_even_at_the_level_of_debugging_is_a_value_of_a_statement_told(lines, appliance) -> None:
    told = lines("text", "debug")
    from appliance.accounts.models import User

    assert User.get_or_none(User.email == "somebody@example.org") is None
    log.debug("looked")
    assert "looked" in told.getvalue()
    assert "somebody" not in told.getvalue()


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("waitress", "Exception while serving /media/secret-token/a/high.mp4"),
        ("gunicorn.error", "Error handling request /reset/secret-token?next=/"),
        ("gunicorn.error", "Error handling request GET /reset/secret-token?next=/"),
        (
            "gunicorn.error",
            "Invalid request from ip=192.0.2.7: Invalid HTTP request line: 'GET /reset/secret-token'",
        ),
    ],
)
def test_a_server_that_fails_tells_no_address(lines, name: str, event: str) -> None:
    told = lines("text")
    logging.getLogger(name).error("%s", event)
    assert "secret-token" not in told.getvalue()
    assert "192.0.2.7" not in told.getvalue()
    assert "(address)" in told.getvalue()


def test_what_a_library_warns_of_is_a_line_too(lines) -> None:
    told = lines("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # As the interpreter starts, and pytest does not: what comes is shown.
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("this will be gone", DeprecationWarning, stacklevel=1)
    [line] = of(told)
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "this will be gone" in line["event"]


def test_a_plugin_that_logs_by_structlog_gets_the_same_line(lines) -> None:
    told = lines("text")
    with traces.working(Work("request", "/", request_id=REQUEST_ID)):
        structlog.get_logger("plugins.own").info("heard", track="T1")
        structlog.get_logger("plugins.own").debug("not told")
    [line] = told.getvalue().splitlines()
    assert line.endswith(f"INFO plugins.own: heard track=T1 request_id={REQUEST_ID}")
