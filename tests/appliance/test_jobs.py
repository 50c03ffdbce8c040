"""Durable work: nothing is lost, nothing is done by two at once, on SQLite and PostgreSQL alike."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest

from appliance import chores
from appliance import clock
from appliance import database
from appliance import jobs
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.jobs import process
from appliance.jobs import running
from appliance.jobs import sweeping
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.running import Running
from appliance.startup import Appliance
from tests.waiting import until

KIND = "test"


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture(autouse=True)
def idle(appliance: Appliance) -> Iterator[None]:
    """Messages wait until the test runs them; handlers of the test are forgotten at its end."""
    jobs.huey.immediate = False
    before = dict(running._handlers)
    yield
    running._handlers.clear()
    running._handlers.update(before)
    running.resume()
    running.use_lease(30)


@pytest.fixture
def ran() -> list[Running]:
    """What the handler of ``KIND`` was called with."""
    calls: list[Running] = []
    jobs.handles(KIND)(calls.append)
    return calls


def add(subject: str = "", **more: object) -> Job:
    return jobs.add(KIND, subject or new_id(), now=clock.now(), **more)  # type: ignore[arg-type]


def work() -> int:
    """Run the messages that are on the queue now; how many they were."""
    waiting = jobs.check()
    for _ in range(waiting):
        task = jobs.huey.dequeue()
        if task is not None:
            jobs.huey.execute(task)
    return waiting


def row(job: Job) -> Job:
    found: Job = Job.get_by_id(job.id)
    return found


def test_a_job_is_run_once_and_done(ran: list[Running]) -> None:
    job = add("song", payload="words")
    jobs.send(job.id)
    work()
    assert [(r.subject, r.payload, r.attempt) for r in ran] == [("song", "words", 1)]
    done = row(job)
    assert (done.state, done.active, done.progress, done.lease_owner) == (JobState.DONE, None, 1.0, None)


def test_a_message_that_comes_twice_does_no_harm(ran: list[Running]) -> None:
    job = add()
    for _ in range(3):
        jobs.send(job.id)
    work()
    assert len(ran) == 1


def test_a_message_for_a_job_that_is_gone_is_dropped(ran: list[Running]) -> None:
    jobs.send(new_id())
    work()
    assert ran == []


def test_of_many_workers_exactly_one_gets_the_job(ran: list[Running]) -> None:
    job = add()
    claimed: list[Job | None] = []
    start = threading.Barrier(4)

    def claim() -> None:
        start.wait()
        try:
            claimed.append(running._claim(job.id, clock.now()))
        finally:
            database.close_thread()

    in_threads([claim] * 4)
    assert len([one for one in claimed if one is not None]) == 1
    assert row(job).attempts == 1


def test_asking_for_the_same_work_at_once_makes_one_job() -> None:
    subject, found = new_id(), []
    start = threading.Barrier(4)

    def ask() -> None:
        start.wait()
        try:
            found.append(add(subject).id)
        finally:
            database.close_thread()

    in_threads([ask] * 4)
    assert len(set(found)) == 1
    assert Job.select().count() == 1


def test_the_same_work_can_be_asked_for_again_when_it_ended(ran: list[Running]) -> None:
    first = add("song")
    assert add("song").id == first.id
    jobs.send(first.id)
    work()
    second = add("song")
    assert second.id != first.id
    assert jobs.latest(KIND, ["song", "other"])["song"].id == second.id


def test_a_heartbeat_keeps_the_lease() -> None:
    running.use_lease(2)
    leases: list[datetime] = []

    def slow(job: Running) -> None:
        leases.append(Job.get_by_id(job.job_id).lease_until)
        until(lambda: Job.get_by_id(job.job_id).lease_until > leases[0])

    jobs.handles(KIND)(slow)
    job = add()
    jobs.send(job.id)
    work()
    assert row(job).state == JobState.DONE


def test_a_worker_that_lost_its_lease_stops_and_changes_nothing() -> None:
    def robbed(job: Running) -> None:
        other = {"lease_owner": "elsewhere:1:1", "attempts": 2}
        Job.update(**other).where(Job.id == job.job_id).execute()
        job.lost.set()
        job.progress(0.5)
        pytest.fail("it went on")

    jobs.handles(KIND)(robbed)
    job = add()
    jobs.send(job.id)
    work()
    left = row(job)
    assert (left.state, left.lease_owner, left.attempts, left.progress) == (
        "running",
        "elsewhere:1:1",
        2,
        0.0,
    )


def test_a_worker_that_lost_its_lease_unknowingly_cannot_end_the_job() -> None:
    def robbed(job: Running) -> None:
        Job.update(lease_owner="elsewhere:1:1", attempts=2).where(Job.id == job.job_id).execute()
        job.progress(0.5)

    jobs.handles(KIND)(robbed)
    job = add()
    jobs.send(job.id)
    work()
    assert (row(job).state, row(job).progress) == (JobState.RUNNING, 0.0)


def test_a_job_whose_lease_ran_out_goes_to_the_next_worker(ran: list[Running]) -> None:
    job = held(add(), owner="elsewhere:77:1", until=clock.now() - timedelta(seconds=1))
    assert jobs.sweep(clock.now()) == 2  # Given back, and sent.
    work()
    assert [r.attempt for r in ran] == [2]
    assert row(job).state == JobState.DONE


def test_a_job_in_good_hands_stays_there(ran: list[Running]) -> None:
    here = held(add(), owner=process.identity())
    there = held(add(), owner="elsewhere:77:1")
    host = process.identity().partition(":")[0]
    of_another_of_that_name = held(add(), owner=f"{host}:aaaaaaaa.bbbbbbbb.4026531836:999999999:1")
    of_an_earlier_version = held(add(), owner=f"{host}:999999999:1")
    assert jobs.sweep(clock.now()) == 0
    found = [row(job).state for job in (here, there, of_another_of_that_name, of_an_earlier_version)]
    assert found == [JobState.RUNNING] * 4


def test_a_job_of_a_process_that_is_gone_goes_on_at_once(ran: list[Running]) -> None:
    here = process.identity().rsplit(":", 2)[0]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    jobs_held = [
        held(add(), owner=f"{here}:{dead.pid}:12345"),
        # The number of this very process, but of one that began at another time.
        held(add(), owner=f"{here}:{os.getpid()}:1"),
    ]
    jobs.sweep(clock.now())
    work()
    assert {row(job).state for job in jobs_held} == {JobState.DONE}
    assert len(ran) == 2


def test_a_process_that_nobody_buried_is_gone_too() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    here = process.identity().rsplit(":", 2)[0]
    owner = f"{here}:{child.pid}:{process._started(str(child.pid))}"
    assert not process.is_gone(owner)
    child.stdin.close()
    until(lambda: process.is_gone(owner))
    assert child.wait() == 0


def test_a_heartbeat_that_comes_during_the_sweep_keeps_the_job() -> None:
    stale = held(add(), owner="elsewhere:77:1", until=clock.now() - timedelta(seconds=1))
    Job.update(lease_until=clock.now() + timedelta(seconds=30)).where(Job.id == stale.id).execute()
    assert sweeping._release(stale, clock.now()) == 0
    assert row(stale).state == JobState.RUNNING


def test_a_job_that_kills_every_worker_ends_and_its_owner_is_told() -> None:
    told: list[tuple[str, str]] = []
    jobs.handles(KIND, failed=lambda subject, sentence: told.append((subject, sentence)))(lambda job: None)
    job = add("song", max_attempts=3)
    for attempt in (1, 2, 3):
        claimed = running._claim(job.id, clock.now())
        assert claimed is not None
        assert claimed.attempts == attempt
        Job.update(lease_owner="elsewhere:1:1", lease_until=clock.now() - timedelta(1)).execute()
        jobs.sweep(clock.now())
    assert (row(job).state, row(job).active) == (JobState.FAILED, None)
    assert told == [("song", "Our server gave up on this file after several tries.")]


def test_a_failure_is_tried_again_after_a_while_and_then_no_more() -> None:
    told: list[str] = []

    def fail(job: Running) -> None:
        raise Unavailable("The disk is full.")

    jobs.handles(KIND, failed=lambda subject, sentence: told.append(sentence))(fail)
    job = add(max_attempts=3)
    waits = []
    for _ in range(2):
        jobs.send(job.id)
        work()
        failed = row(job)
        assert (failed.state, failed.last_error) == (JobState.QUEUED, "Unavailable: The disk is full.")
        waits.append(round((failed.run_after - clock.now()).total_seconds() / 5))
        jobs.send(job.id)
        work()
        assert row(job).attempts == failed.attempts, "it was not due"
        Job.update(run_after=clock.now()).execute()
    jobs.send(job.id)
    work()
    assert waits == [1, 6]
    assert (row(job).state, told) == (JobState.FAILED, ["The disk is full."])


def test_what_the_input_is_to_blame_for_is_not_tried_again() -> None:
    told: list[str] = []

    def refuse(job: Running) -> None:
        raise Invalid("This file has no sound.")

    jobs.handles(KIND, failed=lambda subject, sentence: told.append(sentence))(refuse)
    job = add()
    jobs.send(job.id)
    work()
    assert (row(job).state, row(job).attempts, told) == (JobState.FAILED, 1, ["This file has no sound."])


def test_a_bug_is_kept_for_the_operator_and_not_told_to_the_artist() -> None:
    told: list[str] = []

    def broken(job: Running) -> None:
        raise ZeroDivisionError("secret detail " + "x" * 5000)

    jobs.handles(KIND, failed=lambda subject, sentence: told.append(sentence))(broken)
    job = add(max_attempts=1)
    jobs.send(job.id)
    work()
    assert told == ["Something went wrong on our side."]
    assert row(job).last_error.startswith("ZeroDivisionError: secret detail")
    assert len(row(job).last_error) == 2000


def test_a_job_fails_together_with_what_its_owner_is_told_or_not_at_all() -> None:
    def refuse(job: Running) -> None:
        raise Invalid("No.")

    def told(subject: str, sentence: str) -> None:
        Job.update(progress=0.7).where(Job.subject == subject).execute()
        raise RuntimeError("the database went away")

    jobs.handles(KIND, failed=told)(refuse)
    job = add("song")
    with pytest.raises(RuntimeError):
        running.run_job.call_local(job.id)
    assert (row(job).state, row(job).progress) == (JobState.RUNNING, 0.0)
    # Its lease runs out, and then it is tried once more.
    jobs.handles(KIND)(refuse)
    jobs.sweep(clock.now() + timedelta(minutes=1))
    Job.update(run_after=clock.now()).execute()
    work()
    assert row(job).state == JobState.FAILED


def test_an_interrupted_job_costs_no_attempt_and_goes_on_elsewhere(ran: list[Running]) -> None:
    def interrupted(job: Running) -> None:
        jobs.interrupt_all()
        job.progress(0.1)
        pytest.fail("it went on")

    jobs.handles(KIND)(interrupted)
    job = add()
    jobs.send(job.id)
    work()
    left = row(job)
    assert (left.state, left.attempts, left.lease_owner) == (JobState.QUEUED, 0, None)
    jobs.send(job.id)
    work()
    assert row(job).attempts == 0, "a worker that stops begins nothing"
    running.resume()
    jobs.handles(KIND)(ran.append)
    jobs.sweep(clock.now())
    work()
    assert [r.attempt for r in ran] == [1]


def test_work_nobody_knows_is_kept_for_the_day_somebody_does() -> None:
    job = jobs.add("of a plugin", "song", now=clock.now())
    jobs.send(job.id)
    work()
    kept = row(job)
    assert (kept.state, kept.attempts, kept.active, kept.lease_owner) == (JobState.QUEUED, 0, 1, None)
    assert kept.run_after > clock.now() + timedelta(minutes=30)


def test_lost_messages_are_sent_again_and_no_more_than_were_lost(ran: list[Running]) -> None:
    made = [add() for _ in range(5)]
    for job in made[3:]:
        jobs.send(job.id)
    assert jobs.sweep(clock.now()) == 3
    assert jobs.check() == 5
    assert jobs.sweep(clock.now()) == 0, "a queue must not grow by looking at it"
    work()
    jobs.sweep(clock.now())
    work()
    assert sorted(r.job_id for r in ran) == [job.id for job in made]


def test_a_chore_on_the_way_does_not_pass_for_a_lost_message(ran: list[Running]) -> None:
    job = add()
    chores.expire_keys()
    chores.sweep_scratch()
    assert jobs.sweep(clock.now()) == 1
    work()
    assert [r.job_id for r in ran] == [job.id]


def test_what_is_not_due_is_left_in_peace(ran: list[Running]) -> None:
    job = add()
    Job.update(run_after=clock.now() + timedelta(minutes=5)).execute()
    assert jobs.sweep(clock.now()) == 0
    assert jobs.sweep(clock.now() + timedelta(minutes=6)) == 1
    assert row(job).state == JobState.QUEUED


def test_a_failed_job_can_be_retried_with_all_its_attempts(ran: list[Running]) -> None:
    job = add(max_attempts=2)
    Job.update(state=JobState.FAILED, active=None, attempts=2).execute()
    again = jobs.retry(job.id, now=clock.now())
    assert (again.state, again.attempts, again.active) == (JobState.QUEUED, 0, 1)
    jobs.send(job.id)
    work()
    assert row(job).state == JobState.DONE


def test_only_what_failed_can_be_retried() -> None:
    with pytest.raises(NotFound):
        jobs.retry(new_id(), now=clock.now())
    job = add("song")
    with pytest.raises(Conflict, match="only a failed job"):
        jobs.retry(job.id, now=clock.now())
    Job.update(state=JobState.FAILED, active=None).execute()
    add("song")
    with pytest.raises(Conflict, match="already queued"):
        jobs.retry(job.id, now=clock.now())


def test_jobs_are_listed_newest_first_and_by_page() -> None:
    made = [add().id for _ in range(5)]
    first = jobs.page(limit=2)
    assert [job.id for job in first] == sorted(made, reverse=True)[:2]
    assert [job.id for job in jobs.page(limit=9, before=first[-1].id)] == sorted(made, reverse=True)[2:]
    assert jobs.page(state="failed") == []
    assert len(jobs.page(kind=KIND, state="queued")) == 5


def test_progress_is_kept_between_nothing_and_all() -> None:
    seen: list[float] = []

    def report(job: Running) -> None:
        for fraction in (-1.0, 0.25, 7.0):
            job._told_at = 0.0
            job.progress(fraction)
            seen.append(Job.get_by_id(job.job_id).progress)

    jobs.handles(KIND)(report)
    jobs.send(add().id)
    work()
    assert seen == [0.0, 0.25, 1.0]


def test_many_threads_work_off_many_jobs_and_each_once(ran: list[Running]) -> None:
    made = [add() for _ in range(12)]
    for job in made * 2:
        jobs.send(job.id)

    def worker() -> None:
        while (task := jobs.huey.dequeue()) is not None:
            jobs.huey.execute(task)
        database.close_thread()

    in_threads([worker] * 4)
    assert sorted(r.job_id for r in ran) == [job.id for job in made]
    assert Job.select().where(Job.state == JobState.DONE).count() == 12


def held(job: Job, *, owner: str, until: datetime | None = None) -> Job:
    """The job in the hands of *owner*."""
    Job.update(
        state=JobState.RUNNING,
        attempts=1,
        lease_owner=owner,
        lease_until=until or datetime.now(UTC) + timedelta(seconds=30),
    ).where(Job.id == job.id).execute()
    return row(job)


def in_threads(targets: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
