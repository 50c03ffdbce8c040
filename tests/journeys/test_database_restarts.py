"""PostgreSQL is restarted and killed while people look and artists write: nobody fails twice, and nothing is started anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.database import new_id
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.postgresql_node import PostgresqlNode
from tests.sounds import tone

READERS, WRITERS = 3, 2


class Load:
    """People who ask one thing after the other; when each question began, and how it was answered."""

    def __init__(self, node: Node) -> None:
        self.node, self.answers = node, list[tuple[float, str, int]]()
        self._over = threading.Event()
        kinds = [self.read] * READERS + [self.write] * WRITERS
        self._threads = [threading.Thread(target=self._go_on, args=(kind,)) for kind in kinds]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def read(self) -> None:
        self.node.get("/api/v1/releases")

    def write(self) -> None:
        self.node.post("/api/v1/artists/trio/releases", {"title": new_id(), "kind": "single"})

    def _go_on(self, kind: Callable[[], None]) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                kind()
                status = 200
            except Refused as refused:
                status = refused.status
            self.answers.append((began, kind.__name__, status))

    def statuses(self, kind: str, *, since: float) -> list[int]:
        """How what began since then was answered."""
        return [status for began, what, status in self.answers if what == kind and began >= since]


@pytest.mark.timeout(300)
def test_nobody_fails_twice_when_the_database_is_restarted_and_killed(tmp_path: Path) -> None:
    with (
        PostgresqlNode() as server,
        Node(tmp_path / "data", MUSICCONNECT_DATABASE_URL=server.url(), MUSICCONNECT_JOB_LEASE_S="5") as node,
    ):
        node.sign_up()
        release = node.make_release()
        before = node.children()
        began = time.monotonic()
        with Load(node) as load:
            for fault in (server.restart, server.kill, server.start):
                while len(load.statuses("write", since=began)) < 10:
                    time.sleep(0.05)
                fault()
                if fault == server.kill:
                    time.sleep(0.5)  # Some find nobody there.
                    continue
                back = began = time.monotonic()
                while min(len(load.statuses(kind, since=back)) for kind in ("read", "write")) < 40:
                    time.sleep(0.05)
                for kind in ("read", "write"):
                    assert set(load.statuses(kind, since=back)) == {200}, kind
        answered = [status for _, _, status in load.answers]
        assert set(answered) == {200, 503}, "and nothing worse"
        assert node.children() == before, "no process was started anew"
        track = node.upload(release, "01 Song.flac", tone(2.0, 220))
        node.wait_for(track)
