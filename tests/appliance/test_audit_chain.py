"""The chain of the audit trail, on both engines: what the database refuses, and what ``verify`` finds when it was got round."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta

import peewee
import pytest
from click.testing import CliRunner
from playhouse.migrations import Runner

from appliance import audit_commands
from appliance import database
from appliance.accounts import audit
from appliance.accounts import audit_chain
from appliance.accounts import audit_export
from appliance.accounts.audit import Filter
from appliance.accounts.models import AuditEntry
from appliance.accounts.models import AuditHead
from appliance.cli import cli
from appliance.database import proxy
from appliance.errors import Invalid
from appliance.startup import Appliance
from tests.makers import NOW

Change = Callable[..., None]


@pytest.fixture
def database_url(engine: str) -> str:
    """Both engines."""
    return engine


def write(count: int) -> None:
    for number in range(count):
        audit.record(
            "job.retried",
            actor=None,
            subject=f"job:{number}",
            detail={"of": "ö"},
            now=NOW + timedelta(seconds=1),
        )


@pytest.fixture
def change(appliance: Appliance) -> Change:
    """Do to the table what the triggers refuse, as somebody would who may do everything to the database."""

    def change(sql: str, *values: object) -> None:
        sqlite = isinstance(proxy.obj, peewee.SqliteDatabase)
        if sqlite:
            kept = [
                row[0]
                for row in proxy.execute_sql("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
                if "audit_entry" in row[0]
            ]
            for act in ("update", "delete"):
                proxy.execute_sql(f"DROP TRIGGER audit_entry_no_{act}")
        else:
            proxy.execute_sql("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        proxy.execute_sql(sql.replace("?", "?" if sqlite else "%s"), values)
        if sqlite:
            for trigger in kept:
                proxy.execute_sql(trigger)
        else:
            proxy.execute_sql("ALTER TABLE audit_entry ENABLE TRIGGER USER")

    return change


def problems(appliance: Appliance, anchor: str = "") -> list[str]:
    return audit_chain.verify(secret=appliance.secret, anchor=anchor).problems


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET subject = 'x'",
        "UPDATE audit_entry SET digest = '' WHERE id = 1",
        "DELETE FROM audit_entry WHERE id = 1",
    ],
)
def test_the_database_refuses_to_change_the_trail(appliance: Appliance, sql: str) -> None:
    write(2)
    with pytest.raises(peewee.DatabaseError, match="only appended to"), database.transaction():
        proxy.execute_sql(sql)
    assert problems(appliance) == []


def test_postgresql_refuses_to_empty_it(appliance: Appliance) -> None:
    write(2)
    if isinstance(proxy.obj, peewee.SqliteDatabase):
        return  # SQLite has no such statement.
    with pytest.raises(peewee.DatabaseError, match="only appended to"), database.transaction():
        proxy.execute_sql("TRUNCATE audit_entry")


def test_a_trail_that_nobody_touched_is_well(appliance: Appliance) -> None:
    assert problems(appliance) == []
    write(5)
    found = audit_chain.verify(secret=appliance.secret)
    assert (found.entries, found.problems) == (5, [])
    assert found.anchor == f"5:{AuditEntry.get_by_id(5).digest}"
    assert audit_chain.glance(secret=appliance.secret) == ""


def test_pages_of_entries_are_one_chain(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "AT_ONCE", 2)
    write(5)
    assert audit_chain.verify(secret=appliance.secret).entries == 5
    assert problems(appliance) == []


def test_the_digest_is_what_the_manual_says(appliance: Appliance) -> None:
    """Whoever has an export checks it with a few lines of any language."""
    write(3)
    previous = "0" * 64
    for line in reversed(list(audit_export.json_lines(Filter()))):
        row = json.loads(line)
        at = row["at"].removesuffix("+00:00")
        detail = json.dumps(row["detail"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        form = [
            row["number"],
            (at if "." in at else f"{at}.000000") + "Z",
            row["action"],
            row["actor"],
            row["subject"],
            detail,
            previous,
        ]
        text = json.dumps(form, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert row["digest"] == previous


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE audit_entry SET subject = 'job:9' WHERE id = 3", "Entry 3 was changed"),
        ("UPDATE audit_entry SET actor = 'X' WHERE id = 1", "Entry 1 was changed."),
        ("UPDATE audit_entry SET detail = '{}' WHERE id = 5", "Entry 5 was changed"),
        ("DELETE FROM audit_entry WHERE id = 3", "Entry 3 was removed"),
        ("DELETE FROM audit_entry WHERE id = 1", "Entry 1 was removed"),
        ("DELETE FROM audit_entry WHERE id IN (2, 3)", "Entries 2 to 3 were removed"),
        ("DELETE FROM audit_entry WHERE id = 5", "Entries 5 to 5 were removed from the end"),
        ("DELETE FROM audit_entry", "Entries 1 to 5 were removed from the end"),
        (
            "INSERT INTO audit_entry (id, at, action, subject, detail, digest) "
            "VALUES (6, '2026-05-01 12:00:00', 'job.retried', 'x', '{}', '')",
            "Entry 6 was inserted behind the end",
        ),
        (
            "INSERT INTO audit_entry (id, at, action, subject, detail, digest) "
            "VALUES (0, '2026-05-01 12:00:00', 'job.retried', 'x', '{}', '')",
            "Entry 0 was inserted",
        ),
    ],
)
def test_what_was_changed_removed_or_inserted_is_named(
    appliance: Appliance, change: Change, sql: str, told: str
) -> None:
    write(5)
    change(sql)
    found = problems(appliance)
    assert len(found) == 1, found
    assert found[0].startswith(told)


def rewrite(first: int, last: int) -> Iterator[tuple[int, str]]:
    """Digests for these entries, as somebody would make them anew who read the manual."""
    previous = AuditEntry.get_by_id(first - 1).digest if first > 1 else "0" * 64
    for number in range(first, last + 1):
        previous = audit_chain.digest_of(AuditEntry.get_by_id(number), previous)
        yield number, previous


def test_who_makes_the_chain_anew_is_betrayed_by_the_head(appliance: Appliance, change: Change) -> None:
    write(5)
    anchor = audit_chain.verify(secret=appliance.secret).anchor
    change("UPDATE audit_entry SET subject = 'job:9' WHERE id = 3")
    for number, digest in rewrite(3, 5):
        change("UPDATE audit_entry SET digest = ? WHERE id = ?", digest, number)
    assert problems(appliance) == ["Entry 5 is not the one the head was written for."]
    AuditHead.update(digest=AuditEntry.get_by_id(5).digest).execute()
    [told] = problems(appliance)
    assert told.startswith("The seal of the audit trail is not ours")
    assert problems(appliance, anchor)[0].startswith("Entry 5 is not the one of the anchor")


def test_the_next_entry_does_not_heal_a_seal_that_is_broken(appliance: Appliance, change: Change) -> None:
    write(5)
    change("DELETE FROM audit_entry WHERE id = 5")
    AuditHead.update(count=4, last=4, digest=AuditEntry.get_by_id(4).digest).execute()
    assert "seal" in problems(appliance)[0]
    write(2)
    [told] = problems(appliance)
    assert told.startswith("The audit trail is not sealed")
    assert audit_chain.glance(secret=appliance.secret) == told
    audit_chain.seal(secret=appliance.secret)
    assert problems(appliance) == []


def test_a_head_that_was_taken_away_shows(appliance: Appliance) -> None:
    write(3)
    AuditHead.delete().execute()
    write(1)
    [told] = problems(appliance)
    assert told.startswith("The audit trail is not sealed")


def test_another_secret_seals_another_way(appliance: Appliance) -> None:
    write(2)
    [told] = audit_chain.verify(secret="x" * 32).problems
    assert told.startswith("The seal of the audit trail is not ours")


def test_an_old_state_put_back_whole_is_shown_by_an_anchor_alone(
    appliance: Appliance, change: Change
) -> None:
    write(3)
    before = AuditHead.get()
    write(2)
    anchor = audit_chain.verify(secret=appliance.secret).anchor
    change("DELETE FROM audit_entry WHERE id > 3")
    AuditHead.update(count=3, last=3, digest=before.digest, seal=before.seal).execute()
    assert problems(appliance) == []
    [told] = problems(appliance, anchor)
    assert told == "The trail has 3 entries, and the anchor says 5: its end was cut off."


def test_an_anchor_holds_while_the_trail_grows(appliance: Appliance) -> None:
    write(3)
    anchor = audit_chain.verify(secret=appliance.secret).anchor
    write(3)
    assert problems(appliance, anchor) == []
    for wrong in ("x", "3:12", "-1:" + "0" * 64, "²:" + "0" * 64):
        with pytest.raises(Invalid, match="An anchor is"):
            problems(appliance, wrong)


def test_entries_of_many_at_once_are_one_chain(appliance: Appliance) -> None:
    start, wrong = threading.Barrier(4), list[BaseException]()

    def work() -> None:
        try:
            start.wait()
            for _ in range(5):
                write(1)
        except BaseException as error:
            wrong.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(entry.id for entry in audit.every()) == list(range(1, 21))
    assert problems(appliance) == []


def test_an_act_that_was_taken_back_leaves_no_gap(appliance: Appliance) -> None:
    write(1)
    with pytest.raises(RuntimeError), database.transaction():
        write(1)
        raise RuntimeError
    write(1)
    assert [entry.id for entry in audit.every()] == [2, 1]
    assert problems(appliance) == []


def test_what_was_there_before_the_chain_is_chained_by_the_upgrade(appliance: Appliance) -> None:
    with database.transaction():
        Runner(proxy.obj, str(database.MIGRATIONS)).down("0012_audit_chain")
    for number in (1, 2, 5):
        proxy.execute_sql(
            "INSERT INTO audit_entry (id, at, action, subject, detail) "
            f"VALUES ({number}, '2026-05-01 12:00:00', 'job.retried', 'job:{number}', '{{}}')"
        )
    database.migrate()
    found = audit_chain.verify(secret=appliance.secret)
    assert found.entries == 3
    assert [told.partition(":")[0] for told in found.problems] == ["The audit trail is not sealed"]
    audit_chain.seal(secret=appliance.secret)
    write(1)
    assert [entry.id for entry in audit.every()] == [6, 5, 2, 1]
    assert problems(appliance) == []


def test_an_operator_verifies_exports_and_seals(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    # This process is started already; a second connection would be a second pool.
    monkeypatch.setattr(audit_commands, "started", lambda ctx: appliance)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["audit", *words])
        return done.exit_code, done.output

    write(3)
    code, said = run("verify")
    assert (code, said.splitlines()[0]) == (0, "3 entries, no problem(s).")
    anchor = said.rsplit(" ", 1)[1].strip()
    assert run("verify", "--anchor", anchor)[0] == 0
    lines = run("export")[1].splitlines()
    assert [json.loads(line)["number"] for line in lines] == [3, 2, 1]
    assert (
        run("export", "--format", "csv", "--subject", "job:1")[1]
        .splitlines()[1]
        .startswith("2,2026-05-01T12:00:01")
    )
    assert run("export", "--from", "2026-05-02")[1] == ""
    assert run("export", "--actor", "nobody@example.com")[0] == 2
    change("UPDATE audit_entry SET subject = 'x' WHERE id = 2")
    code, said = run("verify")
    assert (code, "WRONG Entry 2 was changed" in said) == (1, True)
    assert run("seal", "--yes") == (0, "The audit trail is sealed.\n")
    assert audit.entries()[0].action == "audit.sealed"
