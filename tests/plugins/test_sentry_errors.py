"""Error reports: a whole node tells a real server of what nobody expected, and nothing of anybody."""

from __future__ import annotations

import importlib
import json
import os
import socket
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from appliance import __version__
from appliance import clock
from appliance import database
from appliance import hooks
from appliance.accounts.models import User
from appliance.errors import Invalid
from appliance.observed import ErrorFacts
from appliance.settings import Settings
from plugins import sentry_errors
from plugins.sentry_errors import scrubbing
from plugins.sentry_errors.reporting import Reporter
from tests.servers import breaking
from tests.servers import sentry
from tests.servers.node import Node
from tests.servers.observer import Observer
from tests.servers.observer import observing
from tests.servers.postgresql import Cluster

FACTS = ErrorFacts("request", "/@<artist>", request_id="r" * 32, method="GET")
SECRETS = (
    *("somebody", "example.org", "4242", "192.0.2.7", "abc123", "Secretname", "in a variable", "abcdef0123"),
    *("music.example", "a-cookie", "An Agent", "127.0.0.1", "Traceback"),
)


@pytest.fixture(scope="module")
def library() -> None:
    """Sentry's library in this process: it looks whether eventlet is in use, which a server of other tests brings, and which warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("sentry_sdk")


@pytest.fixture
def server() -> Iterator[Observer]:
    with observing("tests.servers.sentry") as running:
        yield running


def ask(node: Node, path: str) -> tuple[int, str]:
    """Ask as a browser does; the status and the id of the request."""
    headers = {"Cookie": "session=a-cookie", "User-Agent": "An Agent", "Accept": "text/html"}
    request = urllib.request.Request(node.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["X-Request-Id"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["X-Request-Id"]


def environment(folder: Path, dsn: str) -> dict[str, str]:
    return {
        **breaking.installed(folder / "plugin"),
        "MUSICCONNECT_PLUGIN_SENTRY_ERRORS__DSN": dsn,
        "MUSICCONNECT_PLUGIN_SENTRY_ERRORS__ENVIRONMENT": "staging",
        "MUSICCONNECT_LOG_FORMAT": "json",
    }


def about(seen: list[dict[str, Any]], request_id: str) -> list[dict[str, Any]]:
    return [one["event"] for one in seen if one["event"]["tags"].get("request_id") == request_id]


def test_a_node_reports_errors_of_pages_and_jobs_and_nothing_of_anybody(
    server: Observer, tmp_path: Path
) -> None:
    with Node(tmp_path / "node", **environment(tmp_path, sentry.dsn(server))) as node:
        node.sign_up("admin@music.example", "admin")
        status, page = ask(node, "/plugins/breaking/now?mail=somebody@example.org")
        assert status == 500
        status, asked = ask(node, "/plugins/breaking/later/somebody")
        assert status == 200
        seen = server.wait_for(lambda seen: bool(about(seen, page)) and len(about(seen, asked)) == 2)

    assert [one for one in seen if one["type"] != "event"] == []
    [in_page] = about(seen, page)
    assert in_page["transaction"] == "/plugins/breaking/now"
    assert in_page["tags"] == {"kind": "request", "method": "GET", "request_id": page}
    [error] = in_page["exception"]["values"]
    assert (error["type"], error["stacktrace"]["frames"][-1]["function"]) == ("ValueError", "now")
    first, second = about(seen, asked)
    assert first["transaction"] == second["transaction"] == "breaking"
    assert [one["tags"].get("attempt") for one in (first, second)] == ["1", "2"]
    assert [value["type"] for value in first["exception"]["values"]] == ["KeyError", "RuntimeError"]
    for event in (in_page, first, second):
        assert (event["release"], event["environment"]) == (f"musicconnect@{__version__}", "staging")
        assert set(event) <= scrubbing.KEPT
        told = json.dumps({**event, "exception": _without_source(event["exception"])})
        assert [secret for secret in SECRETS if secret in told] == []
        assert str(tmp_path) not in told and socket.gethostname() not in told

    # The same requests, in the log of the node: one id from the page to both attempts.
    lines = [json.loads(line) for line in node.log().splitlines()]
    assert {line["event"] for line in lines if line.get("request_id") == page} == {
        "request failed",
        "request",
    }
    failed = [line for line in lines if line["event"] == "job failed" and line["request_id"] == asked]
    assert [line["attempt"] for line in failed] == [1, 2]


def _without_source(exception: dict[str, Any]) -> dict[str, Any]:
    """The lines of source around an error are the program's: here they hold what the plugin makes its secrets of."""
    for value in exception["values"]:
        for frame in value["stacktrace"]["frames"]:
            for name in ("context_line", "pre_context", "post_context"):
                frame.pop(name, None)
    return exception


def test_while_the_server_is_away_nothing_is_disturbed(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dsn = f"http://{sentry.KEY}@127.0.0.1:{closed.getsockname()[1]}/7"
        with Node(tmp_path / "node", **environment(tmp_path, dsn)) as node:
            node.sign_up("admin@music.example", "admin")
            for _ in range(5):
                assert ask(node, "/plugins/breaking/now")[0] == 500
            assert ask(node, "/")[0] == 200
            assert node.stop() < 15


def test_a_server_that_refuses_is_left_alone(server: Observer, library: None) -> None:
    Reporter(f"http://{'f' * 32}@127.0.0.1:{server.port}/7", "test", per_minute=5).report(
        ValueError("x"), FACTS
    )
    [refused] = server.wait_for(bool)
    assert refused["type"] == "wrong" and "not authorised" in refused["why"]


def test_hook_error_noticed_sends_so_many_in_a_minute_and_says_how_many_it_left_out(
    server: Observer, library: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("plugins.sentry_errors.reporting.monotonic", lambda: clock[0])
    sentry_errors.plugin_start({"dsn": sentry.dsn(server), "environment": "rate", "per_minute": 2})
    for number in range(6):
        sentry_errors.error_noticed(ValueError(str(number)), FACTS)
    clock[0] += 61
    sentry_errors.error_noticed(ValueError("later"), FACTS)
    seen = server.wait_for(lambda seen: len(seen) >= 3)
    assert [one["event"]["exception"]["values"][0]["value"] for one in seen] == ["0", "1", "later"]
    assert [one["event"]["tags"].get("left_out") for one in seen] == [None, None, "4"]
    sentry_errors.plugin_start({"dsn": ""})


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("division by zero", "division by zero"),
        ("no room for ada.lovelace+x@example.org here", "no room for (mail) here"),
        ("from 192.0.2.7 and 2001:db8::1", "from (number) and (number)"),
        ("https://a.example/media/abc?x=1 said 404", "(address) said 404"),
        ("postgresql://user:pw@db/music is away", "(address) is away"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer (secret)"),
        ("password=hunter2", "password=(secret)"),
        ("no track 01JZ8T6M3E5V7W9X1Y2Z3A4B5C", "no track (word)"),
        ("card 4242 4242 4242 4242", "card (number)"),
        ("call +49 170 1234567", "call (number)"),
        ("invalid literal: 'Ada Lovelace'", "invalid literal: '…'"),
        ("[Errno 2] No such file: /srv/music/ada", "[Errno 2] No such file: (path)"),
        ("x" * 900, "x" * 500 + "…"),
    ],
)
def test_what_is_left_of_the_text_of_an_error(told: str, kept: str) -> None:
    assert scrubbing.text(told) == kept


def test_however_long_a_text_is_the_rules_are_given_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    class Rule:
        def sub(self, instead: str, told: str) -> str:
            given.append(len(told))
            return told

    monkeypatch.setattr(scrubbing, "_RULES", ((Rule(), ""),))
    monkeypatch.setattr(scrubbing, "_QUOTED_AND_CUT", Rule())
    monkeypatch.setattr(scrubbing, "_IN_BRACKETS", Rule())
    scrubbing.text("a b" * 100_000, module="peewee")
    assert len(given) == 3 and max(given) <= scrubbing.MOST_READ


@pytest.mark.parametrize(
    "told",
    [
        "'" + "x" * 1900 + "' " + "y " * 40 + "somebody_and_more@example.org",
        "'" + "x" * 1900 + "' 'somebody " + "y " * 400 + "'",
        "somebody" * 1000,
    ],
)
def test_nothing_is_told_of_what_was_cut_in_its_middle(told: str) -> None:
    kept = scrubbing.text(told)
    assert "somebody" not in kept and kept.endswith("…")


def test_names_of_the_program_stay_where_they_are_quoted() -> None:
    told = "'NoneType' object has no attribute 'title'"
    assert scrubbing.text(told, kind="AttributeError") == told
    assert scrubbing.text(told, kind="ValueError") == "'…' object has no attribute '…'"


def test_of_what_a_database_says_the_first_line_stays_without_the_row() -> None:
    told = 'duplicate key value violates unique constraint "user_email"\nDETAIL:  Key (email)=(ada) already exists.'
    assert scrubbing.text(told, kind="UniqueViolation", module="psycopg.errors") == (
        "duplicate key value violates unique constraint '…'"
    )
    assert scrubbing.text("Key (email)=(ada) exists", module="peewee") == "Key (email)=(…) exists"


def store_twice(name: str) -> None:
    try:
        for _ in range(2):
            one = os.urandom(13).hex()
            User.create(id=one, email=name, password="the hash", fs_uniquifier=one, created_at=clock.now())
    except peewee.IntegrityError as error:
        raise RuntimeError(f"not stored, since {error}: {[getattr(error, 'orig', None)]}") from error


def test_what_a_database_says_of_a_row_is_left_out_of_every_error_of_a_chain(
    server: Observer, library: None, postgresql: Cluster, postgresql_tables: str
) -> None:
    """A real one: somebody's address, a name and a hash in it, and none of them in the report."""
    database.connect(postgresql.new_database(like=postgresql_tables))
    sentry_errors.plugin_start({"dsn": sentry.dsn(server), "environment": "rows", "per_minute": 30})
    try:
        store_twice("Ada Lovelace")
    except RuntimeError as error:
        assert "Ada Lovelace" in str(error)
        sentry_errors.error_noticed(error, FACTS)
    finally:
        database.close()
    [seen] = server.wait_for(bool)
    sentry_errors.plugin_start({"dsn": ""})
    values = seen["event"]["exception"]["values"]
    assert [value["type"] for value in values] == ["UniqueViolation", "IntegrityError", "RuntimeError"]
    told = json.dumps(_without_source(seen["event"]["exception"]))
    assert [word for word in ("Lovelace", "the hash", "Key (", "DETAIL") if word in told] == []
    assert "duplicate key value violates unique constraint" in values[0]["value"]


@pytest.mark.parametrize("dsn", ["https://sentry.example/7", "sentry", "https://key@sentry.example/"])
def test_a_wrong_address_is_told_without_it(dsn: str) -> None:
    [row] = [row for row in sentry_errors.plugin_settings() if row.name == "dsn"]
    with pytest.raises(Invalid, match="is \\(a secret\\) in the file") as told:
        row.read(dsn, source="the file")
    assert dsn not in str(told.value)


def test_without_an_address_it_does_nothing() -> None:
    [found] = [one for one in hooks.load(Settings()) if one.name == "sentry_errors"]
    assert found.status is hooks.Status.READY
    assert not hooks.has("error_noticed")
    hooks.load(Settings(), points=())
