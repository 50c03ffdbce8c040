"""An act that is sent twice happens once."""

import threading
from datetime import timedelta

import pytest

from appliance import database
from appliance import idempotency
from appliance.idempotency import StillRunning
from appliance.startup import Appliance
from tests.makers import NOW

NAME = idempotency.digest("key", owner="ann", act="studio.create")


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def test_the_second_learns_where_the_first_one_led(appliance: Appliance) -> None:
    assert idempotency.begin(NAME, now=NOW) == ""
    idempotency.end(NAME, "/studio/releases/1")
    assert idempotency.begin(NAME, now=NOW + timedelta(seconds=1)) == "/studio/releases/1"


def test_while_the_first_is_at_work_the_second_is_told_so(appliance: Appliance) -> None:
    idempotency.begin(NAME, now=NOW)
    with pytest.raises(StillRunning):
        idempotency.begin(NAME, now=NOW + timedelta(seconds=2))


def test_whoever_is_told_to_wait_is_told_how_long(appliance: Appliance) -> None:
    idempotency.begin(NAME, now=NOW)
    later = NOW + timedelta(seconds=20.5)
    with pytest.raises(StillRunning) as told:
        idempotency.begin(NAME, now=later)
    assert told.value.again_in_s == 40
    assert idempotency.begin(NAME, now=later + timedelta(seconds=told.value.again_in_s)) == ""


def test_the_second_waits_for_the_first(appliance: Appliance) -> None:
    idempotency.begin(NAME, now=NOW)

    def end() -> None:
        database.hold_open()
        idempotency.end(NAME, "/studio/releases/1")
        database.close_thread()

    first = threading.Timer(0.3, end)
    first.start()
    assert idempotency.begin_or_wait(NAME, now=lambda: NOW) == ("/studio/releases/1", NOW)
    first.join()


def test_the_second_does_not_wait_for_ever(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_S", 0.2)
    idempotency.begin(NAME, now=NOW)
    with pytest.raises(StillRunning):
        idempotency.begin_or_wait(NAME, now=lambda: NOW)


def test_what_was_refused_or_died_may_be_sent_again(appliance: Appliance) -> None:
    begun_at = NOW + timedelta(microseconds=123_457)
    idempotency.begin(NAME, now=begun_at)
    idempotency.give_back(NAME, begun_at=begun_at)
    assert idempotency.begin(NAME, now=NOW) == ""
    assert idempotency.begin(NAME, now=NOW + idempotency.LOST_AFTER) == ""


def test_who_counted_as_lost_and_fails_late_frees_no_key_that_another_took(appliance: Appliance) -> None:
    idempotency.begin(NAME, now=NOW)
    again = NOW + idempotency.LOST_AFTER
    assert idempotency.begin(NAME, now=again) == ""
    idempotency.give_back(NAME, begun_at=NOW)
    with pytest.raises(StillRunning):
        idempotency.begin(NAME, now=again)
    idempotency.end(NAME, "/studio/releases/1")
    idempotency.give_back(NAME, begun_at=again)
    assert idempotency.begin(NAME, now=again) == "/studio/releases/1"


def test_a_key_is_ones_own_and_for_one_act(appliance: Appliance) -> None:
    names = {
        idempotency.digest("key", owner=owner, act=act)
        for owner in ("ann", "bea")
        for act in ("make", "send")
    }
    assert len(names) == 4


def test_of_many_that_come_at_once_one_wins(appliance: Appliance) -> None:
    won: list[str] = []

    def send(number: int) -> None:
        database.hold_open()
        try:
            won.append(idempotency.begin(NAME, now=NOW + timedelta(microseconds=number)))
        except StillRunning:
            pass
        finally:
            database.close_thread()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [""]


def test_nobody_falls_over_a_key_that_is_freed_meanwhile(appliance: Appliance) -> None:
    problems: list[BaseException] = []

    def send() -> None:
        database.hold_open()
        try:
            for _ in range(60):
                try:
                    idempotency.begin(NAME, now=NOW)
                except StillRunning:
                    continue
                idempotency.give_back(NAME, begun_at=NOW)
        except Exception as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_old_keys_are_forgotten(appliance: Appliance) -> None:
    idempotency.begin(NAME, now=NOW)
    idempotency.end(NAME, "/there")
    assert idempotency.expire(now=NOW + idempotency.KEPT) == 0
    assert idempotency.expire(now=NOW + idempotency.KEPT + timedelta(seconds=1)) == 1
