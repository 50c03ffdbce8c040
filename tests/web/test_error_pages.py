"""The pages of errors: what happened in plain words, the way on, and no need of a database."""

from __future__ import annotations

import logging

import peewee
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.errors import Unavailable
from tests.servers import site
from tests.servers.site import Person


@pytest.fixture
def broken(app: Flask) -> Flask:
    """An application in which some addresses break."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def surprise() -> str:
        raise RuntimeError("the secret is 42")

    def away() -> str:
        raise Unavailable("The store does not answer.")

    app.add_url_rule("/surprise", view_func=surprise)
    app.add_url_rule("/away", view_func=away)
    return app


def page(browser: FlaskClient, address: str, status: int, language: str = "en") -> str:
    answer = browser.get(address, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_where_nothing_is_one_can_look_for_it(client: FlaskClient) -> None:
    shown = page(client, "/nowhere", 404)
    assert "Nothing is here" in shown
    assert 'action="/search"' in shown
    assert 'name="robots" content="noindex"' in shown


def test_who_is_not_signed_in_is_shown_the_way_in(app: Flask, artist: Person, stranger: Person) -> None:
    shown = page(site.signed_in(app, stranger), "/admin", 403)
    assert "You are signed in, but this is for others" in shown
    shown = page(app.test_client(), "/setup?token=x", 403)
    assert "/sign-in?next=" in shown


def test_a_bug_has_a_reference_that_stands_in_the_log(
    broken: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        shown = page(broken.test_client(), "/surprise", 500)
        problem = broken.test_client().get("/surprise", headers={"Accept": "application/json"}).get_json()
    references = [record.reference for record in caplog.records if record.message == "request failed"]
    assert f"<code>{references[0]}</code>" in shown
    assert problem["detail"].endswith(f"Reference: {references[1]}.")
    assert "42" not in shown
    assert "Traceback" not in shown


def test_what_is_away_for_a_moment_is_tried_again(broken: Flask) -> None:
    answer = broken.test_client().get("/away?x=1", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    shown = answer.get_data(as_text=True)
    assert 'href="/away?x=1"' in shown
    assert "The store does not answer." in shown


def test_the_page_of_an_error_needs_no_database(
    broken: Flask, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = site.signed_in(broken, artist)

    def dead(*arguments: object, **named: object) -> None:
        raise peewee.OperationalError("the database is away")

    monkeypatch.setattr("appliance.database.proxy.obj.execute_sql", dead)
    for address in ("/", "/nowhere", "/surprise", "/admin", "/studio"):
        answer = browser.get(address, headers={"Accept": "text/html"})
        assert answer.status_code in {404, 500, 503}, address
        assert "<h1" in answer.get_data(as_text=True), address
        assert "MusicConnect" in answer.get_data(as_text=True), address
