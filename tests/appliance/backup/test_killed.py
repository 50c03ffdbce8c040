"""A backup, a prune or a restore that is killed at any step has damaged nothing, and is simply run once more."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance import clock
from appliance import database
from appliance import startup
from appliance.backup import locks
from appliance.backup import mending
from appliance.backup import postgresql
from appliance.backup import pruning
from appliance.backup import repository
from appliance.backup import taking
from appliance.backup import verifying
from appliance.errors import MusicConnectError
from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage.local import LocalStore
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY
from tests.servers.node import Node

PATIENCE_S = 60
ROUNDS = 3


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Either engine for the tests that take it."""
    return str(request.getfixturevalue("engine")) if "engine" in request.fixturenames else ""


class Killed(BaseException):
    """What no code of ours catches for good."""


class Death:
    """Lets so many steps happen, and from then on none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        self.left: int | None = None

    def at(self, owner: object, name: str) -> None:
        """Count this as a step."""
        real: Callable[..., Any] = getattr(owner, name)

        def step(*arguments: Any, **named: Any) -> Any:
            if self.left is not None:
                if not self.left:
                    raise Killed
                self.left -= 1
            return real(*arguments, **named)

        self.patch.setattr(owner, name, step)

    def after_each_step(self, act: Callable[[], object], *, most: int = 300) -> Iterator[int]:
        """Do *act* again and again, each time killed one step later, until it comes to its end."""
        for steps in range(most):
            self.left = steps
            try:
                act()
            except (Killed, MusicConnectError) as error:
                assert isinstance(error, Killed) or self.left == 0, error
            else:
                self.left = None
                return
            self.left = None
            yield steps
        raise AssertionError("it never came to its end")


@pytest.fixture
def death(monkeypatch: pytest.MonkeyPatch) -> Death:
    # Whoever died here is this process, which lives.
    monkeypatch.setattr(locks, "is_gone", lambda holder: True)
    return Death(monkeypatch)


def require_whole(folder: Path, scratch: Path, *, key: str = "") -> int:
    """Every snapshot is whole; how many there are."""
    if not (folder / "repository.json").exists():
        return 0
    opened = repository.open_repository(str(folder), key)
    known = verifying.known(opened)
    for name in opened.names():
        assert verifying.verify(opened, name, known, read=True, scratch=scratch).problems == []
    return len(opened.names())


def test_a_backup_that_died_at_any_step_is_none_and_the_next_goes_on(
    appliance: Appliance, folder: Path, death: Death
) -> None:
    nodes.fill(appliance, tracks=1, large_bytes=5 * nodes.MIB)
    node = nodes.with_backup(appliance, str(folder))
    death.at(LocalStore, "put")
    written = 0
    for _ in death.after_each_step(lambda: taking.take(node)):
        assert require_whole(folder, appliance.scratch) == 0
        now = nodes.stored_bytes(folder / "pieces") if (folder / "pieces").exists() else 0
        assert now >= written
        written = now
    assert require_whole(folder, appliance.scratch) == 1
    assert taking.take(node).tally.bytes_new < 100_000


def test_a_prune_that_died_at_any_step_leaves_whole_snapshots(
    appliance: Appliance, folder: Path, death: Death, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes.fill(appliance, tracks=1, large_bytes=nodes.MIB)
    node = nodes.with_backup(appliance, str(folder), backup_keep="50 latest")
    for number in range(4):
        nodes.put(node.store, "originals/changing.flac", bytes([number]) * 100_000)
        taking.take(node)
    monkeypatch.setattr(pruning, "GRACE", timedelta(0))
    opened = repository.open_repository(str(folder), "")

    def prune() -> None:
        with locks.held(opened.store) as lock:
            pruning.prune(opened, {"latest": 2}, lock=lock, now=a_moment_later())

    death.at(LocalStore, "delete")
    for _ in death.after_each_step(prune):
        assert 2 <= require_whole(folder, appliance.scratch) <= 4
    assert require_whole(folder, appliance.scratch) == 2
    needed = {seen.key for _, seen in opened.pieces().stored()}
    prune()
    assert {seen.key for _, seen in opened.pieces().stored()} == needed


def a_moment_later() -> datetime:
    """A moment later than every file that was just written."""
    return clock.now() + timedelta(seconds=5)


@pytest.mark.parametrize("force", [False, True], ids=["onto nothing", "over a node"])
def test_a_restore_that_died_at_any_step_is_no_node_and_the_next_goes_on(
    engine: str, node: Appliance, target: Settings, death: Death, force: bool
) -> None:
    taking.take(node)
    rows = nodes.rows(startup.database_url(node.settings))
    media = nodes.contents(node.store)
    if force:
        nodes.restored(target, secret=node.secret)
    death.at(LocalStore, "put")
    death.at(Path, "replace")
    death.at(Path, "unlink")
    death.at(database, "migrate")
    death.at(mending, "mend")
    death.at(postgresql, "empty")
    death.at(postgresql, "restore")
    begun = False
    for _ in death.after_each_step(lambda: nodes.restored(target, secret=node.secret, force=force)):
        database.close()
        if (target.data / startup.RESTORING).exists():
            begun = True
            with pytest.raises(MusicConnectError, match="did not come to its end"):
                startup.start(target)
        else:
            assert not begun
    nodes.same(rows, nodes.rows(startup.database_url(target)))
    assert nodes.contents(nodes.store_of(target)) == media
    assert not (target.data / startup.RESTORING).exists()
    assert not list(target.data.glob("*.restoring*"))


# Real processes, killed with -9


def begin(node: Node, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=node.environ,
    )


def kill_when_it_wrote(process: subprocess.Popen[bytes], folder: Path, files: int) -> bool:
    """Kill it with -9 as soon as there are so many more files in *folder*; whether it still ran."""
    wanted = files_in(folder) + files
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and files_in(folder) < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    return process.wait() == -9


def files_in(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


@pytest.mark.timeout(300)
def test_processes_killed_with_9_leave_whole_snapshots_and_no_half_a_node(
    appliance: Appliance, tmp_path: Path
) -> None:
    dice = random.Random(int(os.environ.get("DRILL_SEED", "0")) or None)
    nodes.fill(appliance, tracks=20, large_bytes=30 * nodes.MIB)
    folder = tmp_path / "backup"
    rows = nodes.rows(startup.database_url(appliance.settings))
    media = nodes.contents(appliance.store)
    startup.stop()
    environ = {"MUSICCONNECT_BACKUP_URL": str(folder), "MUSICCONNECT_BACKUP_KEY": KEY}
    node = Node(appliance.settings.data, **environ)
    killed = 0
    for _ in range(ROUNDS):
        killed += kill_when_it_wrote(begin(node, "backup"), folder, dice.randrange(1, 25))
        require_whole(folder, tmp_path / "scratch", key=KEY)
    # The lock of who was killed holds nobody.
    node.run("backup")
    assert require_whole(folder, tmp_path / "scratch", key=KEY) >= 1
    other = Node(tmp_path / "other", **environ)
    other.data.mkdir()
    place = other.data / "media"
    for _ in range(ROUNDS):
        killed += kill_when_it_wrote(begin(other, "restore"), place, dice.randrange(1, 20))
        assert not (other.data / "musicconnect.sqlite3").exists() or files_in(place) == len(media)
    if (other.data / startup.RESTORING).exists() or not (other.data / "musicconnect.sqlite3").exists():
        other.run("restore")
    assert killed >= ROUNDS
    target = Settings(data=other.data)
    nodes.same(rows, nodes.rows(startup.database_url(target)))
    assert nodes.contents(nodes.store_of(target)) == media
    assert "All is well" in other.run("doctor")


def test_a_full_disk_makes_no_snapshot_and_no_node(appliance: Appliance, tmp_path: Path) -> None:
    """The kernel refuses what goes beyond a size, as a full disk does."""
    nodes.fill(appliance, tracks=1)
    startup.stop()
    folder = tmp_path / "backup"
    node = Node(appliance.settings.data, MUSICCONNECT_BACKUP_URL=str(folder), MUSICCONNECT_BACKUP_KEY=KEY)

    def limited(which: Node, *arguments: str, size: int) -> subprocess.CompletedProcess[bytes]:
        argv = [
            str(shutil.which("prlimit")),
            f"--fsize={size}",
            sys.executable,
            "-m",
            "appliance",
            *arguments,
        ]
        return subprocess.run(argv, env=which.environ, capture_output=True, timeout=PATIENCE_S)

    done = limited(node, "backup", size=3 * nodes.MIB)
    assert done.returncode == 3, done.stderr
    assert b"full" in done.stderr
    assert require_whole(folder, tmp_path / "scratch", key=KEY) == 0
    node.run("backup")
    other = Node(
        tmp_path / "other", **{name: node.environ[name] for name in node.environ if "BACKUP" in name}
    )
    other.data.mkdir()
    done = limited(other, "restore", size=3 * nodes.MIB)
    assert done.returncode == 3, done.stderr
    assert b"full" in done.stderr
    assert not (other.data / "musicconnect.sqlite3").exists()
    other.run("restore")
