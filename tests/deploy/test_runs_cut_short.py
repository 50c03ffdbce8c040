"""A run that was cut short before it restarted anything is made good by the next: the tasks that look for it, on what systemd said of a host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

STARTED_S = 1_800_000_000
SAID = """#!/bin/sh
test "$*" = "show --timestamp=unix --property=ActiveState,ExecMainStartTimestamp music.service" || exit 64
cat <<END
ActiveState={state}
ExecMainStartTimestamp={started}
END
"""
"""What ``systemctl`` of Debian 12 prints; there is no systemd here."""


def told(folder: Path, monkeypatch: pytest.MonkeyPatch, *, state: str = "active", started: str = f"@{STARTED_S}", **written_s: int) -> str:  # fmt: skip
    """What the play says of a service in this state, whose files were written then."""
    program = folder / "bin" / "systemctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(SAID.format(state=state, started=started), "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    reads = [str(folder / name) for name in ("unit", "settings")]
    for path in reads:
        if (at := written_s.get(Path(path).name)) is not None:
            Path(path).touch()
            os.utime(path, (at, at))
    given = {
        "_musicconnect_unit": "music.service",
        "_musicconnect_reads": reads,
        "_musicconnect_since": "ExecMainStartTimestamp",
        "_musicconnect_tell": "Restart it",
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "ansible.builtin.include_role": {"name": "common", "tasks_from": "outdated"},
                "vars": given,
            }
        ],
        "handlers": [{"name": "Restart it", "ansible.builtin.debug": {"msg": "started anew"}}],
    }
    (folder / "play.json").write_text(json.dumps([play]), "utf-8")
    done: subprocess.CompletedProcess[str] = played(folder, folder / "play.json", ansible_python_interpreter=sys.executable)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("changed=1" in done.stdout) == ("started anew" in done.stdout)
    return "started anew" if "started anew" in done.stdout else "left alone"


@pytest.mark.parametrize(
    ("unit_s", "settings_s", "expected"),
    [
        (-60, -90, "left alone"),
        # Written and started within one second.
        (0, 0, "left alone"),
        (60, -90, "started anew"),
        (-60, 90, "started anew"),
        (-60, None, "left alone"),
    ],
)
def test_a_service_that_runs_since_before_its_unit_or_its_settings_is_started_anew(
    unit_s: int, settings_s: int | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {"unit": STARTED_S + unit_s}
    if settings_s is not None:
        written["settings"] = STARTED_S + settings_s
    assert told(tmp_path, monkeypatch, **written) == expected


@pytest.mark.parametrize(
    ("state", "started", "expected"),
    [
        ("inactive", "", "left alone"),
        ("failed", f"@{STARTED_S}", "left alone"),
        # It tries again and again, by settings of before.
        ("activating", f"@{STARTED_S}", "started anew"),
    ],
)
def test_a_service_that_does_not_run_is_left_alone(
    state: str, started: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(tmp_path, monkeypatch, state=state, started=started, unit=STARTED_S + 60) == expected


@pytest.mark.parametrize("role", ["web", "worker", "backup", "proxy"])
def test_no_service_of_ours_waits_for_a_file_to_change_within_one_run(role: str) -> None:
    """What is told only when a file changes is lost with the run; so these tell it by what they look at in the end."""
    folder = PLAYS / "roles" / role
    handlers = {handler["name"] for handler in yaml.safe_load((folder / "handlers" / "main.yml").read_text("utf-8"))}  # fmt: skip
    ends = [task["vars"]["_musicconnect_tell"] for path in folder.glob("tasks/*.yml") for task in yaml.safe_load(path.read_text("utf-8")) if task.get("vars", {}).get("_musicconnect_tell")]  # fmt: skip
    assert set(ends) == handlers
    for path in folder.glob("tasks/*.yml"):
        for task in yaml.safe_load(path.read_text("utf-8")):
            if task.get("notify") in handlers:
                assert "ansible.builtin.file" in task, (path, task["name"])


def test_nginx_is_asked_about_its_configuration_in_every_run() -> None:
    tasks = yaml.safe_load((PLAYS / "roles" / "proxy" / "tasks" / "site.yml").read_text("utf-8"))
    [tries] = [task for task in tasks if "nginx -t" in str(task.get("ansible.builtin.command"))]
    assert "when" not in tries
    assert tries["changed_when"] is False


def test_a_web_server_listens_at_another_address_as_soon_as_the_inventory_says_so_and_not_at_each_release() -> None:  # fmt: skip
    """systemd keeps a socket at the address at which it was opened; so what says that address is written only with it."""
    folder = PLAYS / "roles" / "web"
    tasks = yaml.safe_load((folder / "tasks" / "install.yml").read_text("utf-8"))
    names = [task["name"] for task in tasks]
    [looks] = [task for task in tasks if "_musicconnect_reads" in task.get("vars", {}) and "socket" in task["vars"]["_musicconnect_unit"]]  # fmt: skip
    [path] = looks["vars"]["_musicconnect_reads"]
    assert "ListenStream=" not in (folder / "templates" / "musicconnect-web.socket").read_text("utf-8")
    text = (folder / "templates" / Path(path).name).read_text("utf-8")
    assert set(re.findall(r"{{ (\w+) }}", text)) == {"musicconnect_web_listen"}
    # Before the next release asks for the socket.
    restarts = next(at for at, task in enumerate(tasks) if (task.get("ansible.builtin.systemd_service") or {}).get("state") == "restarted")  # fmt: skip
    assert names.index(looks["name"]) < restarts < names.index("Bring the web server of this release up")
