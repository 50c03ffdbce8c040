"""Whatever process is killed with -9 at whatever moment: what was acknowledged ends ready, and nothing twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.servers.node import Node
from tests.servers.node import Refused
from tests.sounds import tone

UPLOADS = 20
KILLS = 14
CHUNK_BYTES = 40_000


class Artist(threading.Thread):
    """Uploads files one after the other and goes on where it stood, as tus clients do."""

    def __init__(self, node: Node, release: str, files: list[tuple[str, bytes]]) -> None:
        super().__init__(daemon=True)
        self.node, self.release, self.files = node, release, files
        self.acknowledged: list[str] = []
        self.problems: list[BaseException] = []

    def run(self) -> None:
        try:
            for name, content in self.files:
                self.acknowledged.append(self.send(name, content))
        except BaseException as error:
            self.problems.append(error)

    def send(self, name: str, content: bytes) -> str:
        path = self.again(lambda: self.node.announce_upload(self.release, name, len(content)))
        offset = 0
        while offset < len(content):
            part = content[offset : offset + CHUNK_BYTES]
            try:
                offset = self.node.send_bytes(path, part, offset)
            except (OSError, Refused):
                offset = self.again(lambda: self.node.offset_of(path))
        return str(path).rpartition("/")[2]

    def again(self, act):  # type: ignore[no-untyped-def]
        """Until it works: a server that is being killed refuses, hangs up, or is not there."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return act()
            except (OSError, Refused):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


@pytest.mark.timeout(240)
def test_every_acknowledged_upload_ends_ready_once_however_the_processes_are_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("DRILL_SEED", "0")) or random.randrange(1, 10**6)
    dice = random.Random(seed)
    files = [(f"{n:02} Song {n}.flac", tone(1.0, 200 + 20 * n, format="flac")) for n in range(1, UPLOADS + 1)]
    with Node(tmp_path / "data", MUSICCONNECT_JOB_LEASE_S="4", MUSICCONNECT_JOB_ATTEMPTS="20") as node:
        node.sign_up()
        release = node.make_release()
        artist = Artist(node, release, files)
        artist.start()
        killed = []
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.2, 1.6))
            victim = dice.choice(["web", "worker", "worker", "supervisor"])
            killed.append(victim)
            if victim == "supervisor":
                node.kill()
                node.start()
            elif pid := node.children().get(victim):
                os.kill(pid, signal.SIGKILL)
        artist.join(120)
        told = f"seed {seed}, killed {killed}\n{node.log()[-4000:]}"
        assert not artist.problems, (artist.problems, told)
        assert len(artist.acknowledged) == UPLOADS, told
        for track in artist.acknowledged:
            shown = node.wait_for(track, patience_s=120)
            assert shown["qualities"] == ["low", "medium", "high", "lossless"], told
        tracks = node.get(f"/api/v1/releases/{release}")["tracks"]
        assert sorted(row["id"] for row in tracks) == sorted(artist.acknowledged), told
        assert sorted(row["original"]["name"] for row in tracks) == [name for name, _ in files], told
        assert sorted(row["position"] for row in tracks) == list(range(1, UPLOADS + 1)), told
        originals = list((node.data / "media" / "originals").iterdir())
        assert len(originals) == UPLOADS, told
    assert not list((tmp_path / "data" / "uploads").glob("*.part"))
