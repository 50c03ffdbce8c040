"""Taking turns at writing: who waits comes next, and nobody waits for one who is gone."""

from __future__ import annotations

import threading
import time
from multiprocessing import get_context
from multiprocessing.synchronize import Event

import pytest

from appliance import database
from appliance import turns
from appliance.startup import Appliance
from tests.servers.postgresql import Cluster

PATIENCE_S = 20.0


@pytest.fixture
def database_url() -> str:
    """SQLite, whatever the others run on: elsewhere nobody takes turns."""
    return ""


def until_awaited() -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not turns.awaited():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_waits_comes_before_whoever_had_the_turn_comes_again(appliance: Appliance) -> None:
    order: list[str] = []

    def wait() -> None:
        with turns.taken():
            order.append("who waited")

    for _ in range(20):
        order.clear()
        with turns.taken():
            assert not turns.awaited()
            waiting = threading.Thread(target=wait)
            waiting.start()
            until_awaited()
            order.append("who had it")
        with turns.taken():
            order.append("who had it, again")
        waiting.join()
        assert order == ["who had it", "who waited", "who had it, again"]
        assert not turns.awaited()


def test_one_at_a_time_has_a_turn(appliance: Appliance) -> None:
    inside, most = [0], [0]

    def take() -> None:
        for _ in range(40):
            with turns.taken():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def hold(url: str, begun: Event) -> None:
    database.connect(url)
    with turns.taken():
        begun.set()
        time.sleep(PATIENCE_S)


def test_the_turn_of_a_process_that_is_killed_ends(appliance: Appliance) -> None:
    # A process that begins anew: a fork would take along whatever other tests left in this one.
    context = get_context("spawn")
    begun = context.Event()
    child = context.Process(target=hold, args=(f"sqlite:///{database.file()}", begun))
    child.start()
    assert begun.wait(PATIENCE_S)
    child.kill()
    child.join()
    began = time.monotonic()
    with turns.taken():
        assert time.monotonic() < began + turns.PATIENCE_S


def test_a_turn_that_never_ends_is_waited_for_only_so_long(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.02)
    done = threading.Event()

    def take() -> None:
        with turns.taken():
            done.set()

    with turns.taken():
        other = threading.Thread(target=take)
        other.start()
        assert done.wait(PATIENCE_S)
    other.join()


def test_on_postgresql_nobody_waits(postgresql: Cluster) -> None:
    url = postgresql.new_database()
    database.connect(url)
    try:
        with turns.taken(), turns.taken():
            assert not turns.awaited()
    finally:
        database.close()
        postgresql.drop(url)
