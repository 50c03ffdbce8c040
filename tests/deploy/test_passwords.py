"""No password stands where another account of a host can read it: in a command line, or in what Ansible makes one of, the environment of a task."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played
from tests.servers.ports import free_port

SECRET = re.compile(r"password|passphrase|secret|token|_key\b|PGPASS|AUTH", re.I)
PASSWORD = "password-of-the-test"


def tasks_of(found: Any) -> Iterator[dict[str, Any]]:
    """Every task in a file, those in plays and blocks too."""
    for one in found or []:
        yield one
        for key in ("block", "always", "rescue", "tasks", "pre_tasks", "post_tasks"):
            yield from tasks_of(one.get(key))


@pytest.mark.parametrize(
    "path",
    sorted([*PLAYS.glob("*.yml"), *PLAYS.glob("roles/*/tasks/*.yml"), *PLAYS.glob("roles/*/handlers/*.yml")]),
    ids=lambda path: path.relative_to(PLAYS).as_posix(),
)
def test_no_task_puts_a_password_into_a_command_line_or_an_environment(path: Path) -> None:
    for task in tasks_of(yaml.safe_load(path.read_text("utf-8"))):
        given = [str(task.get("environment", ""))]
        for module in ("ansible.builtin.command", "ansible.builtin.shell"):
            told = task.get(module, "")
            given.append(str(told if isinstance(told, str) else [told.get("argv"), told.get("cmd")]))
        for text in given:
            # Files that hold one may be named: their names are no secret.
            names = re.sub(r"--secret-key'|--no-password|_secret\b|--certificate-key=|privkey", "", text)
            assert not SECRET.search(names), task["name"]


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[int]:
    """A Sentinel that asks for the password, and watches a primary that is away; its port."""
    port, nobody = free_port(), free_port()
    (tmp_path / "sentinel.conf").write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nrequirepass {PASSWORD}\n"
        f"sentinel monitor musicconnect 127.0.0.1 {nobody} 1\n",
        "utf-8",
    )
    with subprocess.Popen(["redis-server", str(tmp_path / "sentinel.conf"), "--sentinel"], stdout=subprocess.DEVNULL) as process:  # fmt: skip
        try:
            while asked(port, "PING") != ["OK", "PONG"]:
                assert process.poll() is None
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def asked(port: int, *lines: str) -> list[str]:
    """What the Sentinel answers."""
    done = subprocess.run(
        ["redis-cli", "--raw", "-p", str(port)], input="\n".join((f"AUTH {PASSWORD}", *lines)),
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.stdout.split("\n")[:-1]


def told(folder: Path, port: int, **more: Any) -> subprocess.CompletedProcess[str]:
    """The role sees to it what the Sentinel goes by."""
    role = {"ansible.builtin.include_role": {"name": "redis", "tasks_from": "sentinel"}}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [role]}
    (folder / "play.json").write_text(json.dumps([play]), "utf-8")
    return played(
        folder, folder / "play.json",
        **({"ansible_python_interpreter": sys.executable, "redis_members": {"localhost": "127.0.0.1"}, "redis_sentinel_port": port, "redis_password": PASSWORD} | more),
    )  # fmt: skip


def test_sentinel_is_asked_and_told_with_the_password(sentinel: int, tmp_path: Path) -> None:
    done = told(tmp_path, sentinel, redis_down_after_ms=4321)
    assert done.returncode == 0, done.stdout
    answer = asked(sentinel, "SENTINEL MASTER musicconnect")
    assert answer[answer.index("down-after-milliseconds") + 1] == "4321"
    again = told(tmp_path, sentinel, redis_down_after_ms=4321)
    assert "changed=0" in again.stdout


def test_what_sentinel_refuses_is_a_failure(sentinel: int, tmp_path: Path) -> None:
    done = told(tmp_path, sentinel, redis_down_after_ms=-1)
    assert done.returncode != 0
    assert PASSWORD not in done.stdout + done.stderr
