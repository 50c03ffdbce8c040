"""A host that is away keeps the plays from nothing that others can tell: their own tasks, on hosts that are this machine or that nobody answers for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

HERE: dict[str, Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
AWAY = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-F /dev/null",
}


def program(folder: Path, name: str, text: str) -> str:
    """What answers on a host in place of the release."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def played_on(
    folder: Path, hosts: dict[str, Any], play: dict[str, Any], **told: Any
) -> subprocess.CompletedProcess[str]:
    names = {"web": [name for name in hosts if name.startswith("web")], "proxy": ["proxy-1"]}
    groups = {group: {"hosts": dict.fromkeys(those)} for group, those in names.items()}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": groups}}), "utf-8")
    (folder / "play.json").write_text(json.dumps([play]), "utf-8")
    return played(folder, folder / "play.json", "-i", str(folder / "hosts.yml"), **told)


def told_to_nginx(folder: Path, **webs: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What a proxy that is no web server is told by *webs*."""
    hosts = {"proxy-1": HERE} | {name.replace("_", "-"): {"musicconnect_web_listen": f"{name[-1]}.example:8000"} | web for name, web in webs.items()}  # fmt: skip
    play = {
        "hosts": "proxy-1",
        "gather_facts": False,
        # On each host another one, where the role has one for all.
        "vars": {"_musicconnect_command": "{{ hostvars[item].answers | default('/nowhere') }}"},
        "tasks": [
            {"ansible.builtin.include_role": {"name": "proxy", "tasks_from": "ask"}},
            {"ansible.builtin.debug": {"msg": "nginx is told {{ _musicconnect_told }}"}},
        ],
    }
    return played_on(folder, hosts, play, musicconnect_domain="music.example")


def test_a_proxy_is_told_by_the_first_web_server_that_answers(tmp_path: Path) -> None:
    answers = program(tmp_path, "answers", 'echo "upstreams: $*"')
    done = told_to_nginx(tmp_path, web_1=AWAY, web_2=HERE | {"answers": answers})
    assert done.returncode == 0, done.stdout
    assert "nginx is told upstreams: nginx " in done.stdout
    # It asks the one that is away, too, as soon as that is back.
    assert "--upstream=1.example:8000 --upstream=2.example:8000" in done.stdout


def test_where_none_can_tell_each_says_why_and_a_secret_is_not_shown(tmp_path: Path) -> None:
    fails = program(tmp_path, "fails", "echo KEY-OF-THE-GATE; echo 'musicconnect: no bucket' >&2; exit 3")
    done = told_to_nginx(tmp_path, web_1=AWAY, web_2=HERE | {"answers": fails})
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "Nobody can tell what nginx has to do. web-1: " in said
    assert "web-2: musicconnect: no bucket" in said
    assert "KEY-OF-THE-GATE" not in said


@pytest.mark.parametrize(("release", "expected"), [("1.0.0", 0), ("0.9.0", 2)])
def test_a_node_that_comes_is_held_against_the_first_that_can_tell_its_release(
    release: str, expected: int, tmp_path: Path
) -> None:
    (tmp_path / "releases" / release).mkdir(parents=True)
    (tmp_path / "current").symlink_to(tmp_path / "releases" / release)
    added = next(play for play in yaml.safe_load((PLAYS / "add_node.yml").read_text("utf-8")) if play["name"] == "It is set up")  # fmt: skip
    names = ("Look which release the others run", "Refuse another one")
    tasks = [task for task in added["pre_tasks"] if task["name"] in names]
    assert len(tasks) == len(names)
    play = {"hosts": "web-3", "gather_facts": False, "vars": added["vars"], "tasks": tasks}
    hosts = {"proxy-1": HERE, "web-1": AWAY, "web-2": HERE, "web-3": HERE}
    done = played_on(tmp_path, hosts, play, node="web-3", musicconnect_home=str(tmp_path), _musicconnect_release="1.0.0")  # fmt: skip
    assert done.returncode == expected, done.stdout
    assert ("web-2 runs 0.9.0 and this would be 1.0.0" in " ".join(done.stdout.split())) == bool(expected)
