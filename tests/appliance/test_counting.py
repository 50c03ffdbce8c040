"""What workers count of their work: how runs of jobs ended, and which chores were done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance import clock
from appliance import jobs
from appliance import measures
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.jobs import running
from appliance.jobs.queue import crontab
from appliance.jobs.queue import huey
from appliance.startup import Appliance

KIND = "counted_in_a_test"


def runs(outcome: str) -> float:
    return measures.JOB_RUNS.labels(KIND, outcome)._value.get()


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    running._handlers.pop(KIND, None)


def run(*, attempts: int = 5, error: Exception | None = None) -> None:
    def work(job: jobs.Running) -> None:
        if error:
            raise error

    jobs.handles(KIND)(work)
    jobs.send(jobs.add(KIND, new_id(), now=clock.now(), max_attempts=attempts).id)


@pytest.mark.parametrize(
    ("outcome", "attempts", "error"),
    [
        ("done", 5, None),
        ("failed", 5, Invalid("This is no music.")),
        ("failed", 1, Unavailable("The store does not answer.")),
        ("retried", 5, Unavailable("The store does not answer.")),
        ("interrupted", 5, jobs.Interrupted()),
    ],
)
def test_a_run_of_a_job_is_counted_by_how_it_ended_and_timed(
    appliance: Appliance,
    monkeypatch: pytest.MonkeyPatch,
    outcome: str,
    attempts: int,
    error: Exception | None,
) -> None:
    # What is tried again is not tried again within this test.
    monkeypatch.setattr(running.run_job, "schedule", lambda *arguments, **named: None)
    before = {name: runs(name) for name in ("done", "failed", "retried", "interrupted")}
    timed = measures.JOB_SECONDS.labels(KIND)._sum.get()
    run(attempts=attempts, error=error)
    after = {name: runs(name) for name in before}
    assert after == {**before, outcome: before[outcome] + 1}
    assert measures.JOB_SECONDS.labels(KIND)._sum.get() > timed


def test_a_chore_is_counted_and_when_it_was_last_done_is_kept(appliance: Appliance) -> None:
    faults: list[Exception] = []

    def chore() -> None:
        if faults:
            raise faults[0]

    declared = huey.periodic_task(crontab(minute="0"), name="counted_chore")(chore)
    try:
        began = clock.now().timestamp()
        huey.execute(declared.task_class())
        last = measures.CHORE_LAST_DONE.labels("counted_chore")._value.get()
        assert last >= began
        faults.append(Unavailable("The store does not answer."))
        huey.execute(declared.task_class())
        assert measures.CHORE_LAST_DONE.labels("counted_chore")._value.get() == last
        counted = {
            outcome: measures.CHORE_RUNS.labels("counted_chore", outcome)._value.get()
            for outcome in ("done", "failed")
        }
        assert counted == {"done": 1, "failed": 1}
    finally:
        huey._registry.unregister(declared.task_class)


def test_messages_of_jobs_are_no_chores(appliance: Appliance) -> None:
    run()
    told = {sample.labels["chore"] for family in measures.CHORE_RUNS.collect() for sample in family.samples}
    assert "run_job" not in told
