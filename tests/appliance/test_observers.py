"""Plugins that look on: told of errors and of steps of traces, and in nobody's way, whatever they do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import observers
from appliance import traces
from appliance.errors import Unavailable
from appliance.jobs import running
from appliance.jobs.models import Job
from appliance.observed import ErrorFacts
from appliance.observed import Span
from appliance.observed import SpansWanted
from appliance.startup import Appliance
from appliance.traces import Place
from appliance.traces import Work
from tests import onlookers

REQUEST_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def plugged(appliance: Appliance) -> Iterator[Callable[..., None]]:
    """Let these functions be the hooks of a plugin each, until the end of the test."""
    before = dict(running._handlers)
    with ExitStack() as stack:
        yield lambda *plugins: stack.enter_context(onlookers.loaded(*plugins))
    running._handlers.clear()
    running._handlers.update(before)


def run_job(work: Callable[[jobs.Running], None], *, request_id: str = REQUEST_ID, parent: str = "") -> Job:
    jobs.handles("test")(work)
    place = traces.place_of(parent)
    with traces.working(Work("request", "/", request_id=request_id, place=place)):
        job = jobs.add("test", "song", now=clock.now())
    jobs.send(job.id)
    observers.stop()
    found: Job = Job.get_by_id(job.id)
    return found


def test_hook_error_noticed(plugged: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    seen, looks = onlookers.of_errors()

    def breaks(error: BaseException) -> None:
        raise RuntimeError("a plugin breaks")

    plugged(looks, {"error_noticed": breaks})
    error = ValueError("nobody expected this")

    def fails(running: jobs.Running) -> None:
        raise error

    run_job(fails)
    assert seen == [(error, ErrorFacts("job", "test", request_id=REQUEST_ID, attempt=1))]
    assert error.__traceback__ is not None
    assert [record.plugin for record in caplog.records if record.msg == "a plugin failed"] == ["looks1"]


def test_what_is_raised_on_purpose_is_nobody_s_surprise(plugged: Callable[..., None]) -> None:
    seen, looks = onlookers.of_errors()
    plugged(looks)

    def away(running: jobs.Running) -> None:
        raise Unavailable("The receiver does not answer.")

    run_job(away)
    assert seen == []


def test_an_error_in_a_chore_is_told_with_its_name(plugged: Callable[..., None]) -> None:
    seen, looks = onlookers.of_errors()
    plugged(looks)
    before = dict(jobs.huey._registry._registry)

    def sweep() -> None:
        raise ZeroDivisionError("once a minute")

    chore = jobs.huey.task(name="broken_chore")(sweep)
    try:
        jobs.huey.execute(chore.s())
    finally:
        jobs.huey._registry._registry.clear()
        jobs.huey._registry._registry.update(before)
    observers.stop()
    assert [(type(error), facts.kind, facts.name) for error, facts in seen] == [
        (ZeroDivisionError, "chore", "broken_chore")
    ]
    assert traces.current() is None


def test_hook_spans_wanted(plugged: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    assert observers.step(None) is None

    def breaks() -> SpansWanted:
        raise RuntimeError("no")

    plugged(
        {"spans_wanted": lambda: SpansWanted(0, queries_from_ms=100)},
        {"spans_wanted": lambda: SpansWanted(1000)},
        {"spans_wanted": breaks},
        {"spans_wanted": lambda: None},
    )
    assert observers.queries_from_ms() == 100
    place = observers.step(None)
    assert place is not None and place.sampled
    assert [record.plugin for record in caplog.records if record.msg == "a plugin failed"] == ["looks2"]


@pytest.mark.parametrize(("per_1000", "least", "most"), [(0, 0, 0), (250, 150, 350), (1000, 1000, 1000)])
def test_as_many_traces_are_kept_as_are_wanted(
    plugged: Callable[..., None], per_1000: int, least: int, most: int
) -> None:
    plugged({"spans_wanted": lambda: SpansWanted(per_1000)})
    places = [observers.step(None) for _ in range(1000)]
    assert least <= sum(place.sampled for place in places if place) <= most
    # Whether a trace is kept follows from its id, so that all who see it agree.
    assert all(
        place.sampled == (int(place.trace_id[16:], 16) < per_1000 * 2**64 // 1000)
        for place in places
        if place
    )


@pytest.mark.parametrize("sampled", [True, False])
def test_a_trace_that_began_elsewhere_is_kept_when_it_was_there(
    plugged: Callable[..., None], sampled: bool
) -> None:
    plugged({"spans_wanted": lambda: SpansWanted(0 if sampled else 1000)})
    before = Place("a" * 32, "b" * 16, sampled)
    after = observers.step(before)
    assert after is not None
    assert (after.trace_id, after.sampled) == ("a" * 32, sampled)
    assert after.span_id != before.span_id


def test_hook_spans_ended(plugged: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    seen, looks = onlookers.of_spans(SpansWanted(1000, queries_from_ms=0))

    def breaks(spans: list[Span]) -> None:
        raise RuntimeError("no")

    plugged(looks, {"spans_ended": breaks})
    parent = Place("a" * 32, "b" * 16, sampled=True)

    def work(running: jobs.Running) -> None:
        list(Job.select().where(Job.subject == "a secret"))

    run_job(work, parent=parent.parent)
    assert {span.trace_id for span in seen} == {"a" * 32}
    [queue] = [span for span in seen if span.kind == "queue"]
    [job] = [span for span in seen if span.kind == "job"]
    assert (queue.name, queue.parent_id) == ("test", "b" * 16)
    assert (job.name, job.parent_id, job.error) == ("test", queue.span_id, "")
    assert dict(job.facts) == {"attempt": 1, "outcome": "done"}
    assert queue.started_at_ns <= queue.ended_at_ns <= job.started_at_ns < job.ended_at_ns
    asked = [span for span in seen if span.kind == "query" and span.parent_id == job.span_id]
    assert "SELECT job" in {span.name for span in asked}
    assert "a secret" not in str(seen)
    assert "looks1" in [record.plugin for record in caplog.records if record.msg == "a plugin failed"]


def test_each_attempt_is_a_step_of_the_same_trace(plugged: Callable[..., None]) -> None:
    seen, looks = onlookers.of_spans()
    plugged(looks)
    attempts: list[int] = []

    def work(running: jobs.Running) -> None:
        attempts.append(running.attempt)
        if len(attempts) == 1:
            raise OSError("once")

    job = run_job(work, parent=f"00-{'a' * 32}-{'b' * 16}-01")
    Job.update(run_after=clock.now() - timedelta(seconds=1)).where(Job.id == job.id).execute()
    jobs.send(job.id)
    observers.stop()
    done = [span for span in seen if span.kind == "job"]
    assert [(span.facts["attempt"], span.facts["outcome"], span.error) for span in done] == [
        (1, "failed", "OSError"),
        (2, "done", ""),
    ]
    assert {span.trace_id for span in seen} == {"a" * 32}


def test_a_trace_that_nobody_keeps_costs_no_step(plugged: Callable[..., None]) -> None:
    seen, looks = onlookers.of_spans(SpansWanted(1000, queries_from_ms=0))
    plugged(looks)
    run_job(lambda running: None, parent=f"00-{'a' * 32}-{'b' * 16}-00")
    assert seen == []


def test_one_work_with_very_many_statements_crowds_out_no_other(
    plugged: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "MOST_QUERIES", 5)
    seen, looks = onlookers.of_spans(SpansWanted(1000, queries_from_ms=0))
    plugged(looks)

    def work(running: jobs.Running) -> None:
        for _ in range(50):
            database.proxy.execute_sql("SELECT 1")

    run_job(work)
    [job] = [span for span in seen if span.kind == "job"]
    assert len([span for span in seen if span.parent_id == job.span_id]) == 5


def test_nobody_waits_for_a_plugin_that_hangs_and_what_waits_for_it_is_bounded(
    plugged: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(observers, "_errors", observers._Teller("errors", 3, gathered_s=0))
    monkeypatch.setattr(observers, "STOP_WITHIN_S", 0.1)
    hangs, enough, seen = threading.Event(), threading.Event(), []

    def error_noticed(error: BaseException) -> None:
        hangs.set()
        enough.wait(20)
        seen.append(error)

    plugged({"error_noticed": error_noticed})
    observers.error(ValueError("first"), ErrorFacts("job", "test"))
    assert hangs.wait(20)
    for number in range(100):
        observers.error(ValueError(str(number)), ErrorFacts("job", "test"))
    # The process may end nevertheless.
    observers.stop()
    assert seen == []
    with caplog.at_level(logging.WARNING):
        enough.set()
        observers._errors.finish(time.monotonic() + 20)
    assert [str(error) for error in seen] == ["first", "0", "1", "2"]
    lost = [record.lost for record in caplog.records if record.msg == "plugins that look on fall behind"]
    assert sum(lost) == 97


def test_without_a_plugin_that_looks_on_nothing_is_begun(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, teller in zip(("_errors", "_spans"), observers._tellers(), strict=True):
        monkeypatch.setattr(observers, name, teller)
    observers.error(ValueError("unheard"), ErrorFacts("job", "test"))
    assert observers.step(Place("a" * 32, "b" * 16, sampled=True)) is None
    observers.span("job", "test", None, before=None, started_at_ns=1, ended_at_ns=2)
    assert (observers._errors._thread, observers._spans._thread) == (None, None)
