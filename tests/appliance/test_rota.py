"""The chores are done by one worker, each once in its slot, and go on by another when that one dies or stands still."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import peewee
import pytest

from appliance import cluster_checks
from appliance import database
from appliance.database import new_id
from appliance.jobs import leases
from appliance.jobs import process
from appliance.jobs import rota
from appliance.jobs.leases import Lease
from appliance.jobs.queue import crontab
from appliance.jobs.queue import huey
from appliance.jobs.rota import ChoreSlot
from appliance.jobs.rota import Rota
from appliance.startup import Appliance
from tests.servers.worker import Worker
from tests.waiting import until

MINUTE = timedelta(minutes=1)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def done(appliance: Appliance) -> Iterator[list[str]]:
    """A chore that is due every minute, and what it did; it is the only one."""
    before, did = list(huey._registry._periodic_tasks), []
    huey._registry._periodic_tasks.clear()
    chore = huey.periodic_task(crontab(minute="*"), name="note")(lambda: did.append("note"))
    yield did
    chore.unregister()
    huey._registry._periodic_tasks.extend(before)


def due(rota_: Rota) -> list[str]:
    """What this one hands out now."""
    rota_.look()
    found = []
    while not rota_._due.empty():
        entry = rota_._due.get()
        assert entry is not None
        found.append(entry[0].name)
    return found


def at_rota(holder: str) -> Rota:
    made = Rota(lease_s=30)
    made.holder = holder
    return made


def expire() -> None:
    Lease.update(until=database.present(later_s=-1)).execute()


def test_of_two_one_has_the_chores_until_its_lease_ends(done: list[str]) -> None:
    first, second = at_rota("a:1:1"), at_rota("b:1:1")
    assert due(first) == ["note"]
    assert due(second) == []
    expire()
    assert due(second) == ["note"]
    assert due(first) == []


def test_a_lease_is_renewed_and_given_up(appliance: Appliance) -> None:
    assert leases.take("duty", "a:1:1", lasts_s=10)
    first = leases.holder("duty")
    assert leases.take("duty", "a:1:1", lasts_s=60)
    later = leases.holder("duty")
    assert first is not None
    assert later is not None
    assert later[1] > first[1]
    assert not leases.take("duty", "b:1:1", lasts_s=10)
    leases.release("duty", "b:1:1")
    assert leases.holder("duty") == later
    leases.release("duty", "a:1:1")
    assert leases.holder("duty") is None
    assert leases.take("duty", "b:1:1", lasts_s=10)


def test_the_lease_of_a_process_of_this_machine_that_is_gone_is_taken_over_at_once(
    appliance: Appliance,
) -> None:
    here = process.identity().rsplit(":", 2)[0]
    assert leases.take("duty", f"{here}:{os.getpid()}:1", lasts_s=600)
    assert leases.take("duty", "b:1:1", lasts_s=10)


def test_the_lease_of_another_machine_of_the_same_name_is_left_to_it(appliance: Appliance) -> None:
    host = process.identity().partition(":")[0]
    assert leases.take(rota.DUTY, f"{host}:aaaaaaaa.bbbbbbbb.4026531836:999999999:1", lasts_s=600)
    assert not leases.take(rota.DUTY, process.identity(), lasts_s=10)
    assert cluster_checks.chores(appliance.settings).startswith(f"done by {host}:999999999, who")


def test_of_many_that_want_a_free_duty_one_gets_it(appliance: Appliance) -> None:
    got, start = [], threading.Barrier(6)

    def want(name: str) -> None:
        start.wait()
        try:
            if leases.take("duty", name, lasts_s=30):
                got.append(name)
        finally:
            database.close_thread()

    in_threads([lambda n=n: want(f"{n}:1:1") for n in "abcdef"])
    assert len(got) == 1


def test_a_slot_is_claimed_once_however_many_want_it(appliance: Appliance) -> None:
    leases.take(rota.DUTY, "a:1:1", lasts_s=600)
    now = database.instant()
    ChoreSlot.create(name="note", slot=now - MINUTE)
    got, start = [], threading.Barrier(6)

    def want() -> None:
        start.wait()
        try:
            got.append(rota.claim("note", now, holder="a:1:1"))
        finally:
            database.close_thread()

    in_threads([want] * 6)
    assert sorted(got) == [False] * 5 + [True]


def test_who_lost_the_lease_claims_nothing_though_the_slot_is_free(appliance: Appliance) -> None:
    leases.take(rota.DUTY, "a:1:1", lasts_s=600)
    now = database.instant()
    ChoreSlot.create(name="note", slot=now - MINUTE)
    expire()
    assert not rota.claim("note", now, holder="a:1:1")
    leases.take(rota.DUTY, "b:1:1", lasts_s=600)
    assert not rota.claim("note", now, holder="a:1:1")
    assert rota.claim("note", now, holder="b:1:1")


def test_a_chore_that_was_missed_is_made_up_for_once(done: list[str]) -> None:
    one = at_rota("a:1:1")
    due(one)
    ChoreSlot.update(slot=database.instant() - timedelta(hours=3)).execute()
    one._in_hand.clear()
    assert due(one) == ["note"]
    assert due(one) == [], "it is in hand"
    assert rota.claim("note", database.instant().replace(second=0, microsecond=0), holder="a:1:1")
    one._in_hand.clear()
    assert set(due(one)) <= {"note"}, "what was missed before is over"


def test_a_chore_that_nobody_knew_has_nothing_to_make_up_for(done: list[str]) -> None:
    yearly = huey.periodic_task(crontab(month="2", day="30"), name="never")(lambda: done.append("never"))
    assert due(at_rota("a:1:1")) == ["note"]
    yearly.unregister()


def test_a_chore_runs_and_the_rota_is_left_to_others(done: list[str]) -> None:
    working = Rota(lease_s=2)
    working.start()
    until(lambda: done)
    working.stop(within_s=20)
    assert leases.holder(rota.DUTY) is None


def test_a_chore_that_fails_does_not_keep_the_next_from_running(done: list[str]) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    failing = huey.periodic_task(crontab(minute="*"), name="fail")(fail)
    working = Rota(lease_s=2)
    working.start()
    until(lambda: done)
    assert len(working._threads) == len([t for t in working._threads if t.is_alive()])
    working.stop(within_s=20)
    failing.unregister()


def test_a_database_that_is_away_is_a_line_in_the_log_and_the_chores_go_on_when_it_is_back(
    done: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = iter([peewee.OperationalError("the connection is closed")])
    take = leases.take

    def take_or_fail(duty: str, holder: str, *, lasts_s: int) -> bool:
        for error in away:
            raise error
        return take(duty, holder, lasts_s=lasts_s)

    monkeypatch.setattr(leases, "take", take_or_fail)
    working = Rota(lease_s=2)
    working.start()
    until(lambda: done)
    working.stop(within_s=20)
    [line] = [line for line in caplog.records if line.msg == "the rota was not looked at"]
    assert (line.__dict__["why"], line.exc_info) == ("the connection is closed", None)


def test_the_doctor_says_who_does_the_chores(appliance: Appliance) -> None:
    assert cluster_checks.chores(appliance.settings).startswith("nobody")
    leases.take(rota.DUTY, "a:1:1", lasts_s=600)
    assert "done by a:1, who" in cluster_checks.chores(appliance.settings)


def in_threads(work: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rewind(name: str) -> None:
    """Let an hourly chore be due, as if nobody had done it for a while."""
    ChoreSlot.update(slot=database.instant() - timedelta(hours=2)).where(ChoreSlot.name == name).execute()


def ran(workers: list[Worker], name: str) -> Counter[str]:
    """How often each did the chore."""
    return Counter(
        worker.log_file.stem for worker in workers for chore, _ in worker.chores() if chore == name
    )


@pytest.mark.timeout(240)
def test_workers_that_are_killed_and_frozen_leave_the_chores_to_the_others(
    appliance: Appliance, tmp_path: Path
) -> None:
    folder = tmp_path / new_id()
    url = appliance.settings.database_url
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                Worker(
                    folder,
                    name=name,
                    MUSICCONNECT_DATABASE_URL=url,
                    MUSICCONNECT_QUEUE_URL=f"sqlite:///{folder / 'queue.sqlite3'}",
                )
            )
            for name in ("one", "two", "three")
        ]
        by_pid = {str(worker.process.pid): worker for worker in workers}

        def holder() -> Worker | None:
            found = leases.holder(rota.DUTY)
            return by_pid[found[0].split(":")[-2]] if found else None

        until(holder)
        first = holder()
        assert first is not None
        until(lambda: ran(workers, "sweep_jobs"))
        first.kill()
        until(lambda: holder() not in {None, first})
        second = holder()
        assert second is not None
        # It does the chores from now on: what is due is done, and by it alone.
        before = ran(workers, "expire_keys")
        rewind("expire_keys")
        until(lambda: ran([second], "expire_keys"))
        assert (ran(workers, "expire_keys") - before).total() == 1
        second.freeze()
        until(lambda: holder() not in {None, first, second})
        third = holder()
        assert third is not None
        done_by_second = second.chores()
        second.thaw()
        rewind("expire_keys")
        until(lambda: ran([third], "expire_keys"))
        until(lambda: "another has the chores" in second.log())
        assert second.chores() == done_by_second
    every = Counter(
        (chore, slot) for worker in workers for chore, slot in worker.chores() if chore != "expire_keys"
    )
    assert set(every.values()) == {1}, every
