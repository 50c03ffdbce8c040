"""What is told of an error: where it came from and which rule was broken, never what a row of the database holds."""

from __future__ import annotations

import json
import logging
import os
import smtplib
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest

from appliance import database
from appliance import failures
from appliance import logs
from appliance.accounts.models import User
from appliance.database import proxy
from appliance.errors import Invalid
from tests.makers import NOW

EMAIL = "ada.lovelace@example.org"
TOKEN = "a-token-that-opens-an-account"
log = logging.getLogger("test.failures")


@pytest.fixture
def rows(engine: str) -> Iterator[str]:
    database.connect(engine)
    yield engine
    database.close()


def twice() -> None:
    """Two people with one address, which the database refuses."""
    for _ in range(2):
        one = os.urandom(13).hex()
        User.create(id=one, email=EMAIL, password=TOKEN, fs_uniquifier=one, created_at=NOW)


def refused(action: Callable[[], Any] = twice) -> Exception:
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("it was taken")


def line(form: str, error: BaseException | None = None, *arguments: object, **facts: object) -> str:
    """The line of the log for this."""
    record = log.makeRecord(
        log.name,
        logging.ERROR,
        __file__,
        1,
        "it failed: %s" if arguments else "it failed",
        arguments,
        (type(error), error, error.__traceback__) if error else None,
        extra=facts,
    )
    return logs.formatter(form).format(record)


def secrets_in(told: str) -> list[str]:
    return [secret for secret in (EMAIL, "lovelace", TOKEN, "Key (", "DETAIL") if secret in told]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_row_that_is_refused_is_told_by_its_rule_and_not_by_its_values(rows: str, form: str) -> None:
    told = line(form, refused())
    assert secrets_in(told) == []
    assert "in twice" in told
    if rows.startswith("postgresql"):
        assert "peewee.IntegrityError: duplicate key value violates unique constraint" in told
        # That of the driver, of which peewee made its own, stands above.
        assert "psycopg.errors.UniqueViolation: duplicate key value" in told
        assert told.count("(SQLSTATE 23505, constraint user_email)") == 2
    else:
        assert "peewee.IntegrityError: UNIQUE constraint failed: user.email" in told


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_error_of_a_chain_tells_of_a_row(rows: str, form: str) -> None:
    def caused() -> None:
        try:
            twice()
        except peewee.IntegrityError as error:
            raise RuntimeError(f"not stored: {error}") from error

    def meanwhile() -> None:
        try:
            caused()
        except RuntimeError as error:
            raise ExceptionGroup("several", [error, refused()])  # noqa: B904 - it is the chain that is looked at

    told = line(form, refused(meanwhile))
    assert secrets_in(told) == []
    for part in ("RuntimeError: not stored: ", "direct cause", "During handling", "several"):
        assert part in told


@pytest.mark.parametrize("form", ["text", "json"])
def test_nor_does_a_fact_or_a_text_that_an_error_was_put_into(rows: str, form: str) -> None:
    error = refused()
    source = getattr(error, "orig", error)
    for told in (
        line(form, None, error),
        line(form, why=str(error)),
        line(form, why=error, several=[str(error), {"one": source}]),
        line(form, None, repr(source)),
        line(form, why=f"{[source]}"),
    ):
        assert secrets_in(told) == []


def test_what_is_told_of_an_error_names_state_and_constraint(rows: str) -> None:
    told = failures.told(refused())
    if rows.startswith("postgresql"):
        assert told == (
            'duplicate key value violates unique constraint "user_email" (SQLSTATE 23505, constraint user_email)'
        )
    else:
        assert told == "UNIQUE constraint failed: user.email"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT %s::text::integer",
        "SELECT %s::text::timestamptz",
        "SELECT %s::text::jsonb",
        "SELECT to_tsquery('simple', %s::text || ' ! &')",
    ],
)
def test_a_value_that_is_quoted_in_the_first_sentence_is_left_out(rows: str, sql: str) -> None:
    if not rows.startswith("postgresql"):
        return
    error = refused(lambda: proxy.execute_sql(sql, (EMAIL,)))
    assert "ada" in str(error)
    assert secrets_in(failures.told(error)) == [] == secrets_in(failures.stack(error))
    assert "SQLSTATE" in failures.told(error)


def test_names_of_tables_stay_where_they_are_quoted(rows: str) -> None:
    assert "nowhere" in failures.told(refused(lambda: proxy.execute_sql("SELECT 1 FROM nowhere")))


def test_what_was_looked_for_and_not_found_is_not_told(rows: str) -> None:
    error = refused(lambda: User.get(User.email == EMAIL))
    assert EMAIL in str(error)
    told = line("text", error)
    assert secrets_in(told) == []
    assert "UserDoesNotExist: <Model: User> instance matching query does not exist:" in told


def test_an_address_with_a_password_is_not_told_by_a_driver_that_cannot_read_it() -> None:
    password = "hunter" + "2"
    error = refused(lambda: psycopg.connect(f"postgres:/music:{password}@db/music"))
    assert password in str(error)
    assert password not in failures.stack(error)


def test_where_a_database_was_looked_for_is_told() -> None:
    error = refused(lambda: psycopg.connect("postgresql://127.0.0.1:1/music?connect_timeout=2"))
    assert '"127.0.0.1", port 1' in failures.told(error)


@pytest.mark.parametrize("form", ["text", "json"])
def test_whom_a_mail_server_did_not_take_is_not_told(form: str) -> None:
    refusal = smtplib.SMTPRecipientsRefused({EMAIL: (550, f"5.1.1 <{EMAIL}>: unknown".encode())})

    def deliver() -> None:
        raise Invalid("The mail server refused the message: {said}", said=f"<{EMAIL}> unknown") from refusal

    told = line(form, refused(deliver), "by " + EMAIL, why=f"<{EMAIL}>: unknown", route="/@<artist>/<slug>")
    assert secrets_in(told) == []
    assert "5.1.1 <(mail)>: unknown" in told
    assert "/@<artist>/<slug>" in told


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "Max retries exceeded with url: /services/a-token-that-opens-an-account?x=1 (Caused by X)",
            "(Caused by X)",
        ),
        (
            f"404 for url: https://login.example/userinfo?user={EMAIL}&t={TOKEN}",
            "https://login.example/userinfo?",
        ),
        ("see https://docs.example/page for more", "https://docs.example/page for more"),
    ],
)
def test_what_was_asked_of_another_server_is_not_told(form: str, said: str, kept: str) -> None:
    def ask() -> None:
        raise ConnectionError(said)

    told = line(form, refused(ask), why=said)
    assert secrets_in(told) == []
    assert told.count(kept) == 2


@pytest.mark.parametrize(
    ("long", "told"),
    [
        ("a" * 200_000, " @"),
        ("http://" * 50_000, ""),
        (" " * 100_000 + "x", " DETAIL: y"),
        ("\\n" * 100_000 + "x", " DETAIL: y"),
    ],
    ids=["letters", "addresses", "blanks", "lines"],
)
def test_a_long_text_is_looked_at_once(long: str, told: str) -> None:
    began = time.process_time()
    assert failures.cleaned(long + told) == long + told.replace("DETAIL: y", failures.LEFT_OUT)
    assert (
        time.process_time() - began < 2
    )  # Seconds of work, not of waiting; a look at each of its ends takes minutes.


def test_blanks_before_what_a_database_tells_of_a_row_go_with_it() -> None:
    assert failures.cleaned("a \\n  b\n \\n DETAIL:  Key (email)=(x)") == "a \\n  b (values left out)"
    assert failures.cleaned("Params: [1]") == " (values left out)"


def test_a_stack_is_told_as_python_tells_it() -> None:
    def fail() -> None:
        try:
            raise KeyError("a")
        except KeyError as error:
            error.add_note("a note")
            raise ValueError("a reason") from error

    error = refused(fail)
    assert failures.stack(error) == "".join(traceback.format_exception(error)).rstrip("\n")
    error.__suppress_context__, error.__cause__ = True, None
    assert failures.stack(error) == "".join(traceback.format_exception(error)).rstrip("\n")


def test_errors_that_caused_each_other_come_to_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert failures.stack(one).splitlines()[0] == "ValueError: other"


@pytest.mark.parametrize("where", ["the process", "a thread"])
def test_what_ends_a_thread_or_the_process_is_a_line_without_a_row(
    engine: str, tmp_path: Path, where: str
) -> None:
    program = (
        "import threading\n"
        "from appliance import database, logs\n"
        "from tests.appliance.test_failures import twice\n"
        "logs.configure('info', 'json')\n"
        f"database.connect({engine!r})\n"
        + ("twice()" if where == "the process" else "t = threading.Thread(target=twice); t.start(); t.join()")
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    [told] = [json.loads(text) for text in ended.stderr.splitlines()]
    assert told["event"] == f"{where} ended by an error"
    assert "IntegrityError" in told["exception"]
    assert secrets_in(ended.stderr) == []
    assert ended.returncode == (1 if where == "the process" else 0)


def test_hooks_that_somebody_else_has_put_there_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(*facts: object) -> None:
        """Of somebody else."""

    monkeypatch.setattr(sys, "excepthook", own)
    monkeypatch.setattr(threading, "excepthook", own)
    logs._hear_of_the_end()
    assert sys.excepthook is own
    assert threading.excepthook is own
