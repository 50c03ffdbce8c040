"""Ids of requests and traces: what is taken from outside, and what goes from a request to its jobs on both engines."""

from __future__ import annotations

import threading

import pytest

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import outgoing
from appliance import traces
from appliance.jobs import running
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.startup import Appliance
from appliance.traces import Place
from appliance.traces import Work
from tests.servers.receiver import Receiver

REQUEST_ID = "0123456789abcdef0123456789abcdef"
# The examples of W3C Trace Context, sections 3.2.3 and 3.2.4.
KEPT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LEFT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


@pytest.mark.parametrize(
    ("told", "sampled"), [(KEPT, True), (LEFT, False), (KEPT.replace("00-", "cc-", 1) + "-more", True)]
)
def test_a_traceparent_names_trace_step_and_whether_it_is_kept(told: str, sampled: bool) -> None:
    assert traces.place_of(told) == Place("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "none",
        KEPT + "-more",
        KEPT + "\n",
        KEPT.upper(),
        KEPT.replace("00-", "ff-", 1),
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
    ],
)
def test_what_is_no_traceparent_names_nothing(told: str) -> None:
    assert traces.place_of(told) is None


def test_a_step_is_told_as_it_is_read() -> None:
    place = traces.place_of(KEPT)
    assert place is not None
    assert place.parent == KEPT
    after = traces.next_step(place)
    assert (after.trace_id, after.sampled) == (place.trace_id, True)
    assert traces.place_of(after.parent) == after != place


@pytest.mark.parametrize("told", [REQUEST_ID, "A-request_id-0001", "a" * 64])
def test_what_can_be_the_id_of_a_request(told: str) -> None:
    assert traces.is_request_id(told)


@pytest.mark.parametrize(
    "told", ["", "short", "a" * 65, REQUEST_ID + "\n", "with a space here", "é" * 20, '"><script>alert()']
)
def test_what_cannot_be_the_id_of_a_request(told: str) -> None:
    assert not traces.is_request_id(told)


def test_fresh_ids_are_of_their_form_and_none_comes_twice() -> None:
    made = {traces.new_request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(traces.is_request_id(one) for one in made)
    place = Place(traces.new_trace_id(), traces.new_span_id(), sampled=True)
    assert traces.place_of(place.parent) == place


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def seen(appliance: Appliance) -> object:
    """What a job of the kind ``test`` finds that its thread works on; the first attempt fails."""
    jobs.huey.immediate = False
    before = dict(running._handlers)
    found: list[Work | None] = []

    def run(job: jobs.Running) -> None:
        found.append(traces.current())
        if len(found) == 1:
            jobs.send(jobs.add("test", "made by a job", now=clock.now()).id)
            raise OSError("once")

    jobs.handles("test")(run)
    yield found
    running._handlers.clear()
    running._handlers.update(before)


def work() -> None:
    """Run what waits in a thread of its own, as a worker does."""

    def consume() -> None:
        while jobs.check():
            task = jobs.huey.dequeue()
            if task is not None:
                jobs.huey.execute(task)
        database.close_thread()

    thread = threading.Thread(target=consume)
    thread.start()
    thread.join()


def test_the_id_of_a_request_goes_with_its_job_to_every_attempt_and_to_what_that_asks_for(
    seen: list[Work | None],
) -> None:
    with traces.working(Work("request", "/", request_id=REQUEST_ID)):
        job = jobs.add("test", "song", now=clock.now())
    jobs.send(job.id)
    work()
    Job.update(run_after=job.run_after).where(Job.id == job.id).execute()
    jobs.send(job.id)
    work()
    assert Job.get_by_id(job.id).state == JobState.DONE
    assert [(one.kind, one.name, one.request_id) for one in seen if one] == [("job", "test", REQUEST_ID)] * 3
    assert {one.job_id for one in seen if one} == {row.id for row in Job.select()}
    assert traces.current() is None


def test_work_that_nobody_asked_for_has_no_id(seen: list[Work | None]) -> None:
    jobs.send(jobs.add("test", "song", now=clock.now()).id)
    work()
    assert [one.request_id for one in seen if one] == ["", ""]


def test_two_who_ask_for_the_same_work_have_one_job_that_names_the_first(appliance: Appliance) -> None:
    for number in (1, 2):
        with traces.working(Work("request", "/", request_id=f"{number}" * 32)):
            job = jobs.add("test", "song", now=clock.now())
    assert job.request_id == "1" * 32


def test_the_version_before_goes_on_adding_jobs(appliance: Appliance) -> None:
    named = "kind, subject, payload, state, active, attempts, max_attempts, run_after, progress, last_error, created_at, updated_at"
    told = "'test', 'old', '', 'queued', 1, 0, 5, '2026-01-01', 0, '', '2026-01-01', '2026-01-01'"
    database.proxy.execute_sql(f"INSERT INTO job (id, {named}) VALUES ('01', {told})")
    assert (Job.get_by_id("01").request_id, Job.get_by_id("01").trace_parent) == ("", "")


@pytest.mark.parametrize("sampled", [True, False])
def test_a_trace_that_is_kept_goes_on_at_an_address_that_somebody_gave(sampled: bool) -> None:
    place = Place("a" * 32, "b" * 16, sampled)
    with Receiver() as receiver, traces.working(Work("job", "test", place=place)):
        outgoing.post(
            outgoing.checked(receiver.url, allow_private=True), b"{}", timeout_s=20, allow_private=True
        )
    [(_, headers, _)] = receiver.received
    assert headers.get("traceparent") == (place.parent if sampled else None)
