"""What balancers and monitors are told of a server that cannot work, and what strangers are not told."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import database
from appliance import jobs
from appliance import startup
from appliance.errors import Unavailable
from appliance.settings import Settings
from tests.servers.postgresql_node import PostgresqlNode
from web.app import create_app

WHY = 'The database does not answer: connection to server at "10.0.0.5", port 5432 failed.'


def away() -> None:
    raise Unavailable(WHY)


def test_a_server_whose_parts_answer_is_ready(client: FlaskClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "database": "ok", "queue": "ok", "storage": "ok"},
    )


def test_monitors_hear_why_it_is_not_and_strangers_only_which_part(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "check", away)
    heard = client.get("/ready", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert (heard.status_code, heard.json["status"], heard.json["database"]) == (503, "not ready", WHY)  # type: ignore[index]
    for headers in ({}, {"X-Forwarded-For": "127.0.0.1"}):
        told = client.get("/ready", environ_base={"REMOTE_ADDR": "203.0.113.9"}, headers=headers)
        assert told.status_code == 503
        assert told.json == {
            "status": "not ready",
            "database": "does not answer",
            "queue": "ok",
            "storage": "ok",
        }


def test_without_its_database_a_server_says_which_part_it_is(tmp_path: Path) -> None:
    with PostgresqlNode() as server:
        settings = Settings(data=tmp_path, database_url=server.url(), queue_url="memory://")
        database.connect(server.url())
        database.migrate()
        database.close()
        monitor = create_app(startup.start(settings, immediate=True)).test_client()
        try:
            assert monitor.get("/ready").status_code == 200
            server.kill()
            for _ in range(2):
                told = monitor.get("/ready")
                assert (told.status_code, told.json["storage"]) == (503, "ok")  # type: ignore[index]
                assert told.json["database"].startswith("The database does not answer")  # type: ignore[index]
            server.start()
            assert monitor.get("/ready").status_code == 200
        finally:
            startup.stop()


def test_without_its_queue_a_server_goes_on(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "check", away)
    answer = client.get("/ready")
    assert (answer.status_code, answer.json["queue"]) == (200, WHY)  # type: ignore[index]
