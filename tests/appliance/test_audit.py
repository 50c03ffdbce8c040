"""The audit trail: what is written stays, in one order, without secrets, and is found again."""

from __future__ import annotations

import json
from datetime import date
from datetime import timedelta

import pytest

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.audit import Filter
from appliance.accounts.models import AuditEntry
from appliance.accounts.models import User
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture
def database_url(engine: str) -> str:
    """Both engines."""
    return engine


def write(
    action: str = Action.ROLE_GRANTED, *, actor: str | None = None, days: int = 0, **detail: object
) -> int:
    return audit.record(action, actor=actor, subject="user:X", detail=detail, now=NOW + timedelta(days=days))


def test_entries_come_newest_first_and_page_by_page() -> None:
    numbers = [write() for _ in range(5)]
    assert numbers == sorted(numbers)
    first = audit.entries(limit=3)
    second = audit.entries(limit=3, before=first[-1].id)
    assert [row.id for row in first + second] == numbers[::-1]


def test_an_entry_tells_who_did_what_to_whom_and_when() -> None:
    admin = make_user("admin@example.com")
    write(Action.ROLE_GRANTED, actor=admin.id, role="moderator")
    [entry] = audit.entries()
    assert (entry.action, entry.actor, entry.subject, entry.at) == ("role.granted", admin.id, "user:X", NOW)
    assert audit.facts(entry) == {"role": "moderator"}
    assert audit.names_of([entry]) == {admin.id: "admin@example.com"}


def test_the_trail_is_narrowed_by_action_actor_subject_and_day() -> None:
    admin = make_user()
    write(Action.JOB_RETRIED)
    write(Action.ROLE_REVOKED, actor=admin.id, days=1)
    audit.record("artist.changed", actor=admin.id, subject="artist:Y", now=NOW + timedelta(days=2))

    def found(**narrowed: object) -> list[str]:
        return [row.action for row in audit.entries(wanted=Filter(**narrowed))]  # type: ignore[arg-type]

    assert found(action="job.retried") == ["job.retried"]
    assert found(actor=admin.id) == ["artist.changed", "role.revoked"]
    assert found(subject="artist:Y") == ["artist.changed"]
    assert found(first=date(2026, 5, 2), last=date(2026, 5, 2)) == ["role.revoked"]
    assert found(first=date(2026, 5, 2), action="job.retried") == []
    assert found(last=date(2026, 5, 2)) == ["role.revoked", "job.retried"]
    assert found(last=date.max) == found()


def test_the_whole_trail_is_read_in_pages() -> None:
    numbers = [write() for _ in range(7)]
    assert [row.id for row in audit.every(at_once=3)] == numbers[::-1]


def test_the_same_facts_are_always_the_same_text() -> None:
    assert audit.canonical({"b": 1, "a": "ö"}) == audit.canonical({"a": "ö", "b": 1}) == '{"a":"ö","b":1}'
    assert json.loads(audit.canonical({"list": ["x"]})) == {"list": ["x"]}


@pytest.mark.parametrize("name", ["password", "new_password", "secret", "token", "api_key"])
def test_a_secret_does_not_get_into_the_trail(name: str) -> None:
    with pytest.raises(ValueError, match="no secrets"):
        write(**{name: "x"})
    assert AuditEntry.select().count() == 0


@pytest.mark.parametrize("action", ["", "Role.granted", "a.b.c.d", "role granted", "x" * 200])
def test_an_action_is_dotted_words(action: str) -> None:
    with pytest.raises(ValueError, match="dotted words"):
        write(action)


def test_a_long_story_is_no_entry() -> None:
    with pytest.raises(ValueError, match="a few facts"):
        write(story="x" * 5000)


def test_an_act_that_fails_leaves_no_entry() -> None:
    with pytest.raises(RuntimeError), database.transaction():
        write()
        raise RuntimeError
    assert audit.entries() == []


def test_an_entry_outlives_who_acted() -> None:
    person = make_user()
    write(actor=person.id)
    User.delete().where(User.id == person.id).execute()
    [entry] = audit.entries()
    assert (entry.actor, audit.names_of([entry])) == (person.id, {})


def test_one_who_reads_only_asks_once_for_all_names(appliance: Appliance) -> None:
    people = [make_user() for _ in range(3)]
    for person in people:
        write(actor=person.id)
    assert set(audit.names_of(audit.entries())) == {person.id for person in people}
