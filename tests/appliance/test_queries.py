"""The log of slow queries, on both engines: what asked, how long it took, and none of its values."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import peewee
import pytest

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import queries
from appliance import traces
from appliance.accounts.models import User
from appliance.jobs import running
from appliance.startup import Appliance
from appliance.traces import Work

SECRET = "somebody@example.org"


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def slow(appliance: Appliance, caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """The lines about slow queries until now."""
    return lambda: [record for record in caplog.records if record.message == "slow query"]


def sleep(seconds: float, value: str) -> None:
    """A statement that takes so long, with a value in it."""
    if isinstance(database.proxy.obj, peewee.SqliteDatabase):
        # Counted up by the database itself, until as much time is over.
        sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i), ? FROM n"
        database.proxy.execute_sql(sql, (value,))
    else:
        database.proxy.execute_sql("SELECT pg_sleep(%s), %s::text", (seconds, value))


def test_a_slow_statement_is_told_without_its_values_and_with_what_asked_for_it(
    slow: Callable[[], list[logging.LogRecord]], caplog: pytest.LogCaptureFixture
) -> None:
    queries.watch(slow_ms=5)
    with traces.working(Work("request", "/artists/<slug>", request_id="r" * 32)):
        sleep(0.02, SECRET)
    [line] = slow()
    assert line.levelno == logging.WARNING
    assert line.route == "/artists/<slug>"
    assert line.ms >= 5
    assert line.sql.startswith(("WITH RECURSIVE", "SELECT pg_sleep"))
    assert SECRET not in caplog.text + str(vars(line))


def test_a_quick_one_is_not_told(slow: Callable[[], list[logging.LogRecord]]) -> None:
    queries.watch(slow_ms=60_000)
    assert list(User.select()) == []
    assert slow() == []


def test_with_0_nobody_looks(appliance: Appliance) -> None:
    queries.watch(slow_ms=0)
    assert database.proxy.obj.query_hooks == []


def test_the_setting_holds_from_the_start_on(appliance: Appliance) -> None:
    assert appliance.settings.slow_query_ms == 500
    assert len(database.proxy.obj.query_hooks) == 1


def test_a_job_is_named_by_its_kind(slow: Callable[[], list[logging.LogRecord]]) -> None:
    before = dict(running._handlers)
    jobs.handles("slow")(lambda _: sleep(0.02, SECRET))
    queries.watch(slow_ms=5)
    try:
        jobs.send(jobs.add("slow", "song", now=clock.now()).id)
    finally:
        running._handlers.clear()
        running._handlers.update(before)
    assert "slow" in [getattr(line, "kind", "") for line in slow()]


def test_waiting_for_another_s_transaction_is_told_too(
    slow: Callable[[], list[logging.LogRecord]],
) -> None:
    holds, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            database.in_turn(7)
            holds.set()
            enough.wait(20)
        database.close_thread()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(20)
    queries.watch(slow_ms=100)
    threading.Timer(0.3, enough.set).start()
    with database.transaction():
        database.in_turn(7)
    thread.join()
    waited = slow()[0]
    assert waited.ms >= 100
    assert waited.sql == (
        "BEGIN"
        if isinstance(database.proxy.obj, peewee.SqliteDatabase)
        else "SELECT pg_advisory_xact_lock(%s)"
    )


def test_one_that_fails_is_told_as_failed(slow: Callable[[], list[logging.LogRecord]]) -> None:
    database.proxy.obj.query_hooks[:] = [lambda event: queries._note(event)]
    with pytest.raises(peewee.PeeweeException):
        database.proxy.execute_sql("SELECT nothing FROM nowhere")
    assert slow()[0].failed in {"OperationalError", "ProgrammingError"}


def test_a_long_list_of_values_is_one_and_a_long_statement_has_an_end() -> None:
    assert queries.text_of("SELECT  1\n FROM t WHERE a IN (?, ?, ?) AND b = ?") == (
        "SELECT 1 FROM t WHERE a IN (?, …) AND b = ?"
    )
    assert queries.text_of("VALUES (%s, %s)") == "VALUES (%s, …)"
    assert len(queries.text_of("x" * 10_000)) == queries.LONGEST_TEXT + 1


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ('SELECT "t1"."id" FROM "track" AS "t1"', "SELECT track"),
        ('INSERT INTO "job" ("id") VALUES (?)', "INSERT job"),
        ('UPDATE "job" SET "x" = ?', "UPDATE job"),
        ("BEGIN", "BEGIN"),
        ("", ""),
    ],
)
def test_a_statement_in_two_words(sql: str, told: str) -> None:
    assert queries.summary_of(sql) == told
