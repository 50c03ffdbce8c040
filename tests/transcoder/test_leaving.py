"""A worker that is asked to leave does what it has in hand, and nothing else."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.servers.node import Node
from tests.servers.worker import Worker
from tests.waiting import until
from transcoder.commands import EXIT_LEFT


def jobs_of(data: Path) -> dict[str, tuple[str, int]]:
    """The songs of the demo by id: how far their jobs are, and in which attempt."""
    with closing(sqlite3.connect(data / "musicconnect.sqlite3", timeout=30)) as rows:
        asked = "SELECT id, state, attempts FROM job WHERE kind = 'demo_song'"
        return {row[0]: (row[1], row[2]) for row in rows.execute(asked)}


def in_hand(data: Path) -> list[str]:
    return [name for name, (state, _) in jobs_of(data).items() if state == "running"]


def test_a_worker_that_is_asked_to_leave_finishes_its_job_and_takes_no_other(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Node(data).run("demo")
    with Worker(data, "--lanes", "transcode", MUSICCONNECT_WORKER_THREADS="1") as worker:
        [song] = until(lambda: in_hand(data))
        worker.process.send_signal(signal.SIGUSR1)
        assert worker.process.wait(120) == EXIT_LEFT
    found = jobs_of(data)
    assert found.pop(song) == ("done", 1)
    assert {state for state, _ in found.values()} <= {"queued", "done"}
    assert "queued" in {state for state, _ in found.values()}


def test_one_that_leaves_can_still_be_hurried(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    Node(data).run("demo")
    with Worker(data, "--lanes", "transcode", MUSICCONNECT_WORKER_THREADS="1") as worker:
        until(lambda: in_hand(data))
        worker.process.send_signal(signal.SIGUSR1)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(120) == 0
    assert in_hand(data) == []
