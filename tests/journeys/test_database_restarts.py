"""PostgreSQL is restarted and killed while people look and artists write: nobody fails twice, and nothing is started anew."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from appliance.database import new_id
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.postgresql_node import PostgresqlNode
from tests.servers.repeated import Repeated
from tests.sounds import tone

READERS, WRITERS = 3, 2


class Load(Repeated):
    """People who ask one thing after the other; when each question began, and how it was answered."""

    def __init__(self, node: Node) -> None:
        self.node, self.answers = node, list[tuple[float, str, int]]()
        super().__init__([partial(self.ask, "read")] * READERS + [partial(self.ask, "write")] * WRITERS)

    def ask(self, kind: str) -> None:
        """One question that only looks, or one that writes."""
        began = time.monotonic()
        try:
            if kind == "read":
                self.node.get("/api/v1/releases")
            else:
                self.node.post("/api/v1/artists/trio/releases", {"title": new_id(), "kind": "single"})
            status = 200
        except Refused as refused:
            status = refused.status
        self.answers.append((began, kind, status))

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
