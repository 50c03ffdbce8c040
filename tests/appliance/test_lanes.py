"""Lanes: what must not wait for each other has queues and threads of its own, on every engine, and goes on without a queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import clock
from appliance import jobs
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.jobs import consuming
from appliance.jobs import hints
from appliance.jobs import lanes
from appliance.jobs import queue
from appliance.jobs import running
from appliance.jobs import sweeping
from appliance.jobs.lanes import Lane
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.jobs.running import Running
from appliance.startup import Appliance
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgresql import Cluster
from tests.servers.postgresql_node import PostgresqlNode
from tests.servers.redis import Redis
from tests.servers.worker import Worker
from tests.waiting import until
from transcoder import demo
from transcoder import downloads
from transcoder import resealing
from transcoder import tasks

DECLARING = (demo, downloads, resealing, tasks)
SECRET = "a secret of a test"


@pytest.fixture(autouse=True)
def idle(appliance: Appliance) -> Iterator[None]:
    """Messages wait for workers; handlers of the test are forgotten at its end."""
    jobs.huey.immediate = False
    before, storage = dict(running._handlers), jobs.huey.storage
    yield
    running._handlers.clear()
    running._handlers.update(before)
    running.resume()
    hints._quiet_until = 0.0
    if jobs.huey.storage is not storage:
        jobs.huey.storage.close()


@contextmanager
def working(*taken: Lane, transcode: int = 2) -> Iterator[None]:
    """The threads of a worker, in this process."""
    consumers = consuming.Consumers(consuming.threads(taken or tuple(Lane), transcode=transcode, others=1))
    with pytest.MonkeyPatch.context() as patch:
        # The signals belong to pytest.
        patch.setattr("huey.consumer.Consumer._set_signal_handlers", lambda self: None)
        consumers.start()
        try:
            yield
        finally:
            consumers.stop()


def ask(kind: str) -> str:
    """A job of this kind, sent; its id."""
    job = jobs.add(kind, new_id(), now=clock.now())
    jobs.send(job.id)
    return str(job.id)


def state(job_id: str) -> str:
    return str(Job.get_by_id(job_id).state)


def on_queue(lane: Lane) -> int:
    with lanes.on(lane):
        return int(jobs.huey.storage.queue_size())


def use_queue(url: str) -> None:
    queue.configure(url, secret=SECRET)
    jobs.huey.storage.stand_in = sweeping.stand_in


@pytest.mark.parametrize(
    ("kind", "lane"),
    [
        ("transcode", Lane.TRANSCODE),
        ("make_download", Lane.TRANSCODE),
        ("demo_song", Lane.TRANSCODE),
        ("mail", Lane.MAIL),
        ("provider_event", Lane.WEBHOOKS),
        ("send_payout", Lane.WEBHOOKS),
        ("check_books", Lane.ANALYTICS),
        ("announce_track", Lane.PLUGINS),
        ("of a plugin", Lane.PLUGINS),
    ],
)
def test_each_kind_is_in_its_lane(kind: str, lane: Lane) -> None:
    assert lanes.of(kind) is lane


def test_every_kind_of_our_own_says_its_lane() -> None:
    ours = {
        kind
        for kind, handler in running._handlers.items()
        if handler.run.__module__.partition(".")[0] in {"appliance", "transcoder", "web"}
    }
    assert ours and ours <= set(lanes._of_kind)


def test_lanes_are_named_or_all() -> None:
    assert lanes.named(["mail", "webhooks", "mail"]) == (Lane.MAIL, Lane.WEBHOOKS)
    assert lanes.named([]) == tuple(Lane)
    with pytest.raises(Invalid, match="no lane 'post'; there are transcode, mail"):
        lanes.named(["post"])


def test_a_message_waits_in_the_queue_of_its_lane() -> None:
    ask("mail")
    assert [lane for lane in Lane if on_queue(lane)] == [Lane.MAIL]
    assert jobs.check() == 1


def test_what_a_lane_lost_is_sent_again_however_full_the_others_are() -> None:
    for _ in range(4):
        ask("transcode")
    lost = jobs.add("mail", new_id(), now=clock.now())
    assert jobs.sweep(clock.now()) == 1
    assert (on_queue(Lane.MAIL), on_queue(Lane.TRANSCODE)) == (1, 4)
    assert state(lost.id) == JobState.QUEUED


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Every engine that carries messages."""
    match request.param:
        case "memory":
            yield "memory://"
        case "sqlite":
            yield f"sqlite:///{tmp_path / 'queue.sqlite3'}"
        case "postgresql":
            server: Cluster = request.getfixturevalue("postgresql")
            url = server.new_database()
            yield url
            server.drop(url)
        case _:
            with Redis() as redis:
                yield redis.url


def test_a_flood_of_transcoding_keeps_no_letter_and_no_payment_waiting(queue_url: str) -> None:
    use_queue(queue_url)
    go_on, began = threading.Event(), []

    def slow(job: Running) -> None:
        began.append(job.job_id)
        assert go_on.wait(60)

    jobs.handles("transcode")(slow)
    jobs.handles("mail")(lambda job: None)
    jobs.handles("provider_event")(lambda job: None)
    flood = [ask("transcode") for _ in range(20)]
    with working():
        until(lambda: len(began) == 2)
        small = [ask(kind) for kind in ("mail", "provider_event", "mail")]
        until(lambda: all(state(job_id) == JobState.DONE for job_id in small))
        assert len(began) == 2, "its lane has two threads"
        go_on.set()
        until(lambda: all(state(job_id) == JobState.DONE for job_id in flood))
    assert len(began) == 20


def test_a_queue_in_postgresql_works_through_pgbouncer() -> None:
    jobs.handles("mail")(lambda job: None)
    with PostgresqlNode() as server, pgbouncer(server, sessions=2) as port:
        use_queue(f"postgresql://musicconnect@127.0.0.1:{port}/postgres")
        asked = [ask("mail") for _ in range(30)]
        assert jobs.check() == 30, "each has a message, also those of statements that come often"
        with working():
            until(lambda: all(state(job_id) == JobState.DONE for job_id in asked))
        jobs.huey.storage.close()


def test_a_worker_takes_the_lanes_it_is_told_and_leaves_the_rest() -> None:
    jobs.handles("mail")(lambda job: None)
    jobs.handles("transcode")(lambda job: None)
    left, taken = ask("transcode"), ask("mail")
    with working(Lane.MAIL):
        until(lambda: state(taken) == JobState.DONE)
    assert state(left) == JobState.QUEUED


def test_a_killed_redis_stops_neither_who_asks_nor_who_works() -> None:
    jobs.handles("mail")(lambda job: None)
    with Redis() as redis:
        use_queue(redis.url)
        with working(Lane.MAIL):
            first = ask("mail")
            until(lambda: state(first) == JobState.DONE)
            redis.kill()
            without = [ask("mail") for _ in range(5)]
            until(lambda: all(state(job_id) == JobState.DONE for job_id in without))
            assert jobs.sweep(clock.now()) == 0
            redis.start()
            hints._quiet_until = 0.0
            again = ask("mail")
            until(lambda: state(again) == JobState.DONE)


def test_a_queue_that_is_away_fills_no_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Lane] = []
    look = queue.Lanes.dequeue

    def dequeue(self: queue.Lanes) -> bytes | None:
        tries.append(lanes.current())
        return look(self)

    monkeypatch.setattr(queue.Lanes, "dequeue", dequeue)
    monkeypatch.setattr(consuming._filter, "_said_at", dict.fromkeys(consuming.OF_THE_QUEUE, 0.0))
    with Redis() as redis:
        use_queue(redis.url)
        redis.kill()
        with working():
            until(lambda: len(tries) > 20)
    said = [record.msg for record in caplog.records if record.msg in consuming.OF_THE_QUEUE]
    assert sorted(said) == sorted(set(said)), "each of them once"
    assert "Error reading from queue" in said


def test_a_frozen_redis_stops_neither_who_asks_nor_who_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "ANSWER_S", 2)
    jobs.handles("mail")(lambda job: None)
    with Redis() as redis:
        use_queue(redis.url)
        with working(Lane.MAIL):
            redis.freeze()
            asked = [ask("mail") for _ in range(20)]
            redis.kill()
            until(lambda: all(state(job_id) == JobState.DONE for job_id in asked))


def test_what_was_on_a_flushed_redis_is_sent_again() -> None:
    jobs.handles("mail")(lambda job: None)
    jobs.handles("transcode")(lambda job: None)
    with Redis() as redis:
        use_queue(redis.url)
        asked = [ask(kind) for kind in ("mail", "transcode", "mail")]
        with redis.client() as client:
            client.flushall()
        assert jobs.sweep(clock.now()) == 3
        with working():
            until(lambda: all(state(job_id) == JobState.DONE for job_id in asked))


def test_messages_of_the_version_before_are_still_read() -> None:
    """It had one queue, with the name that the lane of transcoding has now."""
    assert jobs.huey.storage.of_lane[Lane.TRANSCODE].name == "musicconnect"
    assert len({storage.name for storage in jobs.huey.storage.of_lane.values()}) == len(Lane)


@pytest.mark.timeout(120)
def test_a_worker_process_says_which_lanes_it_takes(appliance: Appliance, tmp_path: Path) -> None:
    data, rows = appliance.settings.data, {"MUSICCONNECT_DATABASE_URL": appliance.settings.database_url}
    with Worker(data, "--lanes", "mail,webhooks", **rows) as worker:
        worker.wait_for("lanes=mail,webhooks")
    with (
        pytest.raises(AssertionError, match="There is no lane 'post'"),
        Worker(data, "--lanes", "post", name="other", **rows),
    ):
        pass
