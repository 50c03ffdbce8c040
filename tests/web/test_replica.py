"""A real streaming replica: visitors read from it, nobody misses what they wrote themselves, and without it nothing is missing."""

import time
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import database
from appliance import replica
from appliance import startup
from appliance.accounts.models import Role
from appliance.database import new_id
from appliance.settings import Settings
from tests.servers.postgresql_node import PostgresqlNode
from web import reading
from web.app import create_app
from web.request_cycle import by_signature
from web.request_cycle import note_epoch
from web.security import keeping


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresqlNode]:
    with PostgresqlNode() as server:
        database.connect(server.url())
        database.migrate()
        database.close()
        yield server


@pytest.fixture
def follower(primary: PostgresqlNode) -> Iterator[PostgresqlNode]:
    with PostgresqlNode(primary) as server:
        yield server


@pytest.fixture
def app(
    tmp_path: Path, primary: PostgresqlNode, follower: PostgresqlNode, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """An application that looks at the replica when the test says so."""
    monkeypatch.setattr(replica, "LOOK_EVERY_S", 3600.0)
    settings = Settings(
        data=tmp_path,
        database_url=primary.url(),
        database_replica_url=follower.url(),
        database_replica_lag_s=10,
        queue_url="memory://",
    )
    made = create_app(startup.start(settings, immediate=True, role=startup.WEB))

    def roles() -> str:
        names = sorted(role.name for role in Role.select() if role.name.startswith("test "))
        return f"{len(names)} from {'replica' if replica.is_read() else 'primary'}"

    def add() -> str:
        Role.create(name=f"test {new_id()[-12:]}")
        return roles()

    def report() -> str:
        reading.settle_for_replica()
        return roles()

    def permission() -> str:
        note_epoch(anew=True)
        return roles()

    # Where they are decides: a page of the shop window, one of the studio, and a form.
    made.add_url_rule("/t/window", "storefront.t", roles)
    made.add_url_rule("/t/desk", "studio.t", roles)
    made.add_url_rule("/t/report", "studio.r", report)
    made.add_url_rule("/t/permission", "sharing.t", permission)
    made.add_url_rule("/t/add", "storefront.a", by_signature(add), methods=["GET", "POST"])
    try:
        yield made
    finally:
        Role.delete().where(Role.name.startswith("test ")).execute()
        startup.stop()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    catch_up()
    return app.test_client()


def look(*, later_s: float = 0.0) -> None:
    assert replica._watch is not None
    replica._watch.look(time.monotonic() + later_s)


def catch_up() -> None:
    """Until the replica has all that the primary has."""
    deadline = time.monotonic() + 30
    wanted = replica.position()
    database.let_go()
    look()
    assert replica._watch is not None
    while replica._watch.replayed < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        look()


def test_visitors_read_from_the_replica_and_others_from_the_primary(browser: FlaskClient) -> None:
    assert browser.get("/t/window").text == "0 from replica"
    assert browser.get("/t/desk").text == "0 from primary"
    assert browser.get("/t/report").text == "0 from replica"
    assert browser.get("/t/window", headers={"Authorization": "Bearer x"}).text == "0 from primary"
    with browser.session_transaction() as session:
        session[keeping.SECRET] = "somebody"
    assert browser.get("/t/window").text == "0 from primary"


def test_who_wrote_reads_it_though_the_replica_does_not_have_it_yet(
    app: Flask, browser: FlaskClient, follower: PostgresqlNode
) -> None:
    follower.ask("SELECT pg_wal_replay_pause()")
    assert browser.post("/t/add").text == "1 from primary"
    look()
    assert browser.get("/t/window").text == "1 from primary"
    assert browser.get("/t/report").text == "1 from primary"
    # A stranger may see what was a moment ago.
    assert app.test_client().get("/t/window").text == "0 from replica"
    follower.ask("SELECT pg_wal_replay_resume()")
    catch_up()
    assert browser.get("/t/window").text == "1 from replica"


def test_a_replica_that_is_too_far_behind_is_not_asked(
    app: Flask, browser: FlaskClient, follower: PostgresqlNode
) -> None:
    follower.ask("SELECT pg_wal_replay_pause()")
    browser.post("/t/add")
    look()
    look(later_s=5)
    stranger = app.test_client()
    assert stranger.get("/t/window").text == "0 from replica"
    look(later_s=11)
    assert stranger.get("/t/window").text == "1 from primary"
    follower.ask("SELECT pg_wal_replay_resume()")
    catch_up()
    assert stranger.get("/t/window").text == "1 from replica"


def test_a_replica_that_is_away_is_not_missed(browser: FlaskClient, follower: PostgresqlNode) -> None:
    follower.kill()
    assert browser.get("/t/window").text == "0 from primary", "it was thought to be there"
    look()
    assert browser.get("/t/window").text == "0 from primary"
    follower.start()
    catch_up()
    assert browser.get("/t/window").text == "0 from replica"


def test_a_page_that_writes_after_all_is_answered_by_the_primary(browser: FlaskClient) -> None:
    assert browser.get("/t/add").text == "1 from primary"


def test_a_replica_that_became_a_primary_is_not_asked(browser: FlaskClient, follower: PostgresqlNode) -> None:
    follower.ask("SELECT pg_promote()")
    look()
    assert browser.get("/t/window").text == "0 from primary"


def test_a_cookie_that_somebody_made_up_does_no_harm(browser: FlaskClient) -> None:
    for made_up in ("9" * 18, "9" * 400, "-1", "x", "\u0661"):
        browser.set_cookie(reading.COOKIE, made_up)
        assert browser.get("/t/window").status_code == 200


def test_a_permission_is_given_by_what_the_primary_says(browser: FlaskClient) -> None:
    assert browser.get("/t/permission").text == "0 from primary"


def test_what_was_done_is_told_though_the_database_breaks_off_then(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off() -> int:
        raise peewee.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(replica, "position", broken_off)
    assert browser.post("/t/add").status_code == 200
    assert browser.get("/t/window").text == "1 from primary"


def test_the_place_of_the_sign_in_is_the_same_everywhere() -> None:
    assert reading.SIGNED_IN == keeping.SECRET
