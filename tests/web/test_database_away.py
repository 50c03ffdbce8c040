"""When PostgreSQL breaks off in the middle of a request: who only looked is answered all the same, who wrote is told to try again."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import database
from appliance.accounts.models import Role
from appliance.startup import Appliance
from tests.servers.postgresql import Cluster
from web import request_cycle
from web.app import create_app


@pytest.fixture
def database_url(postgresql: Cluster, postgresql_tables: str) -> str:
    return postgresql.new_database(like=postgresql_tables)


@pytest.fixture
def asked() -> list[str]:
    """Each time that the view was asked."""
    return []


@pytest.fixture
def app(appliance: Appliance, asked: list[str]) -> Flask:
    made = create_app(appliance)

    def break_off(when: Callable[[], bool]) -> str:
        asked.append("once more")
        if when():
            database.proxy.execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return f"{Role.select().count()} roles"

    def write_first() -> str:
        Role.create(name=f"role {len(asked)}")
        return break_off(lambda: True)

    always, first = lambda: True, lambda: len(asked) == 1
    made.add_url_rule(
        "/t/first", "t1", request_cycle.by_signature(lambda: break_off(first)), methods=["GET", "POST"]
    )
    made.add_url_rule("/t/always", "t2", lambda: break_off(always))
    made.add_url_rule("/t/write", "t3", write_first)
    return made


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


def test_who_only_looks_is_asked_for_once_more_and_sees_nothing_of_it(
    browser: FlaskClient, asked: list[str]
) -> None:
    answer = browser.get("/t/first")
    assert (answer.status_code, answer.text, len(asked)) == (200, "0 roles", 2)


def test_who_sends_something_is_told_to_try_again(browser: FlaskClient, asked: list[str]) -> None:
    answer = browser.post("/t/first", headers={"Accept": "application/json"})
    assert (answer.status_code, len(asked)) == (503, 1)
    assert answer.headers["Retry-After"] == "10"
    assert browser.post("/t/first").status_code == 200


def test_it_is_asked_twice_at_most(browser: FlaskClient, asked: list[str]) -> None:
    answer = browser.get("/t/always")
    assert (answer.status_code, len(asked)) == (503, 2)
    assert "try again" in answer.text


def test_what_was_written_is_not_written_twice(browser: FlaskClient, asked: list[str]) -> None:
    assert browser.get("/t/write").status_code == 503
    assert len(asked) == 1
    assert Role.select().count() == 1
