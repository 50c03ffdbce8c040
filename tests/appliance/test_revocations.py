"""A permission that was given stands until something it is about is revoked, in this process and in others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from collections.abc import KeysView
from datetime import timedelta

import pytest

from appliance import database
from appliance import replica
from appliance import revocations
from appliance.startup import Appliance
from tests.makers import NOW


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture(autouse=True)
def asked_anew(appliance: Appliance) -> Iterator[None]:
    revocations.forget()
    yield
    revocations.forget()


def revoke(*subjects: str) -> None:
    with database.transaction():
        revocations.revoke(*subjects, now=NOW)


def test_a_permission_given_before_a_revocation_ends_and_one_given_after_stands() -> None:
    before = revocations.epoch()
    revoke("listener:a")
    after = revocations.epoch()
    assert after > before
    assert revocations.ended(["track:t", "listener:a"], since=before)
    assert not revocations.ended(["listener:a"], since=after)


def test_a_revocation_ends_nothing_that_it_is_not_about() -> None:
    before = revocations.epoch()
    revoke("listener:a", "track:t")
    assert not revocations.ended(["listener:b", "track:u"], since=before)


def test_another_process_learns_of_it_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revocations.epoch()
    # As another process writes it: nothing here is told.
    revocations.Revocation.insert(subject="listener:a", at=NOW).execute()
    assert not revocations.ended(["listener:a"], since=before)
    monkeypatch.setattr(revocations._known, "until_s", 0.0)
    assert revocations.ended(["listener:a"], since=before)


def test_threads_that_ask_at_once_overlook_nothing_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revocations.epoch()
    revocations.Revocation.insert(subject="listener:a", at=NOW).execute()

    def ask() -> None:
        database.hold_open()
        try:
            revocations.epoch()
        finally:
            database.close_thread()

    other = threading.Thread(target=ask)

    class Facts(dict[str, int]):
        """Facts of before: while one thread copies them, another one asks the database."""

        def keys(self) -> KeysView[str]:
            found = dict.keys(self)
            if other.ident is None:
                other.start()
                other.join(0.5)
            return found

        __iter__ = None  # type: ignore[assignment]  # Else it is copied without asking for its keys.

    monkeypatch.setattr(revocations._known, "latest", Facts(revocations._known.latest))
    revocations.forget()
    revocations.epoch()
    other.join()
    assert revocations.ended(["listener:a"], since=before)


def test_what_a_replica_says_is_answered_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revocations.epoch()
    revocations.Revocation.insert(subject="listener:a", at=NOW).execute()
    revocations.forget()
    with monkeypatch.context() as patch:
        patch.setattr(replica, "is_read", lambda: True)
        assert revocations.epoch() > before
    assert (revocations._known.epoch, revocations._known.until_s) == (before, 0.0)
    assert revocations.ended(["listener:a"], since=before)


def test_who_looked_earlier_and_was_overtaken_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revocations.epoch()
    revocations.forget()
    real = revocations._since

    def overtaken(top: int) -> list[revocations.Revocation]:
        rows = real(top)
        monkeypatch.setattr(revocations, "_since", real)
        revoke("listener:a")
        assert revocations.epoch() > before
        return rows

    monkeypatch.setattr(revocations, "_since", overtaken)
    revocations.epoch()
    assert revocations.epoch() > before
    assert revocations.ended(["listener:a"], since=before)


def test_a_revocation_that_was_taken_back_never_was() -> None:
    before = revocations.epoch()
    with pytest.raises(ZeroDivisionError), database.transaction():
        revocations.revoke("listener:a", now=NOW)
        revocations.epoch()
        raise ZeroDivisionError
    assert not revocations.ended(["listener:a"], since=before)
    revoke("listener:b")
    assert revocations.ended(["listener:b"], since=before)


def test_old_revocations_are_forgotten_and_the_epoch_never_falls() -> None:
    revoke("listener:a")
    revoke("listener:b")
    epoch = revocations.epoch()
    assert revocations.expire(now=NOW + timedelta(days=30)) == 1
    revocations._known.database = None
    assert revocations.epoch() == epoch
