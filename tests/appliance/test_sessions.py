"""Where people are signed in, on both engines: found by a secret, ended at once, and over when nobody comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance import revocations
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts import roles
from appliance.accounts import sessions
from appliance.accounts import trusted_devices
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.errors import NotFound
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_user
from tests.queries import counted


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def user(appliance: Appliance) -> User:
    return make_user("mira@example.com")


def begin(user: User, *, remembered: bool = False) -> str:
    return sessions.begin(
        user,
        browser="Firefox, Linux",
        address="203.0.113.0/24",
        remembered=remembered,
        way="password",
        now=NOW,
    )


def test_a_session_is_found_with_its_person_by_one_query(user: User) -> None:
    token = begin(user)
    sessions.recognise(token, now=NOW)
    with counted() as asked:
        row = sessions.recognise(token, now=NOW)
        assert row is not None
        assert row.user.email == user.email
    assert len(asked) == 1
    assert sessions.recognise("", now=NOW) is None
    assert sessions.recognise(f"{token}x", now=NOW) is None


def test_the_secret_of_a_session_is_not_kept(user: User) -> None:
    token = begin(user)
    assert token not in str([row.__data__ for row in AccountSession.select()])


@pytest.mark.parametrize(("remembered", "lasts"), [(False, sessions.IDLE), (True, sessions.REMEMBERED)])
def test_a_session_is_over_when_nobody_comes_for_long(user: User, remembered: bool, lasts: timedelta) -> None:
    token = begin(user, remembered=remembered)
    assert sessions.recognise(token, now=NOW + lasts) is not None
    late = NOW + lasts + timedelta(seconds=1)
    assert sessions.recognise(token, now=late) is None
    assert sessions.of_user(user.id, now=late) == []
    assert sessions.expire(now=late) == 1


def test_a_visit_is_noted_only_now_and_then(user: User) -> None:
    row = sessions.recognise(begin(user), now=NOW)
    assert row is not None
    soon, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=6)
    assert not sessions.touch(row, browser="x", address="y", now=soon)
    assert sessions.touch(row, browser="Chrome, Android", address="198.51.100.0/24", now=later)
    kept = sessions.of_user(user.id, now=later)[0]
    assert (kept.browser, kept.seen_at) == ("Chrome, Android", later)


def test_ending_one_leaves_the_others_and_shuts_the_streams(user: User) -> None:
    here, there = begin(user), begin(user)
    epoch = revocations.epoch()
    row = sessions.recognise(there, now=NOW)
    assert row is not None
    with pytest.raises(NotFound):
        sessions.end(make_user(), row.id, now=NOW)
    sessions.end(user, row.id, now=NOW)
    assert sessions.recognise(there, now=NOW) is None
    assert sessions.recognise(here, now=NOW) is not None
    assert revocations.ended([f"listener:{user.id}"], since=epoch)


def test_signing_out_everywhere_ends_sessions_devices_and_streams(user: User) -> None:
    token, device = begin(user), trusted_devices.trust(user, browser="Firefox", now=NOW)
    epoch = revocations.epoch()
    people.sign_out_everywhere(user, now=NOW)
    assert sessions.recognise(token, now=NOW) is None
    assert not trusted_devices.is_trusted(user.id, device, now=NOW)
    assert revocations.ended([f"listener:{user.id}"], since=epoch)


def test_a_closed_account_and_a_changed_role_shut_the_streams(user: User) -> None:
    admin = make_user(roles=(RoleName.ADMIN,))
    token = begin(user)
    for act in (
        lambda: roles.grant(user.id, "moderator", actor=admin.id, now=NOW),
        lambda: roles.revoke(user.id, "moderator", actor=admin.id, now=NOW),
        lambda: roles.deactivate(user.id, actor=admin.id, now=NOW),
    ):
        epoch = revocations.epoch()
        act()
        assert revocations.ended([f"listener:{user.id}"], since=epoch)
    assert sessions.recognise(token, now=NOW) is None


def test_who_proved_it_a_moment_ago_need_not_again(user: User) -> None:
    row = sessions.recognise(begin(user), now=NOW)
    assert row is not None
    assert sessions.is_fresh(row, now=NOW + sessions.FRESH)
    late = NOW + sessions.FRESH + timedelta(seconds=1)
    assert not sessions.is_fresh(row, now=late)
    sessions.verified(row, now=late)
    assert sessions.is_fresh(row, now=late)


def test_too_many_wrong_proofs_end_the_session(user: User) -> None:
    token = begin(user)
    row = sessions.recognise(token, now=NOW)
    assert row is not None
    ended = [sessions.not_verified(row, way="password", now=NOW) for _ in range(sessions.MOST_FAILURES)]
    assert ended == [False] * (sessions.MOST_FAILURES - 1) + [True]
    assert sessions.recognise(token, now=NOW) is None
    assert [entry.action for entry in audit.entries()].count("step_up.failed") == sessions.MOST_FAILURES


def test_a_trusted_device_is_trusted_by_its_owner_for_a_month(user: User) -> None:
    token = trusted_devices.trust(user, browser="Firefox", now=NOW)
    assert trusted_devices.is_trusted(user.id, token, now=NOW + timedelta(days=29))
    assert not trusted_devices.is_trusted(make_user().id, token, now=NOW)
    assert not trusted_devices.is_trusted(user.id, token, now=NOW + trusted_devices.TRUSTED)
    device = trusted_devices.of_user(user.id, now=NOW)[0]
    with pytest.raises(NotFound):
        trusted_devices.forget(make_user(), device.id, now=NOW)
    trusted_devices.forget(user, device.id, now=NOW)
    assert not trusted_devices.is_trusted(user.id, token, now=NOW)
