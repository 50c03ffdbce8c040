"""Ways back that would lead hosts apart are refused before anything is changed: to a release, and to databases of an instant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

HERE = {"ansible_become": False, "ansible_python_interpreter": sys.executable}


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def going_back(folder: Path, **releases: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """``rollback.yml`` on web servers that have each a release of now and one of before."""
    hosts = {}
    for host, named in releases.items():
        home = folder / host
        home.mkdir()
        for link, release in zip(("current", "previous"), named, strict=True):
            if release:
                (home / link).symlink_to(home / "releases" / release)
        hosts[host] = {"musicconnect_home": str(home)}
    (folder / "hosts.json").write_text(json.dumps({"web": {"hosts": hosts}}), "utf-8")
    return played(folder, PLAYS / "rollback.yml", "-v", "-i", str(folder / "hosts.json"), **HERE)


def test_hosts_of_one_release_go_back_to_the_one_before(tmp_path: Path) -> None:
    done = going_back(tmp_path, web1=("0.3.0-aa", "0.2.0-bb"), web2=("0.3.0-aa", "0.2.0-bb"))
    # These web servers lack all else, so the next play refuses them.
    said = refusal(done)
    assert said.count('"musicconnect_release": "0.2.0-bb"') == 2
    assert "'secret_key' is missing" in said or "'musicconnect_peers' is missing" in said


@pytest.mark.parametrize(
    "other", [("0.2.0-bb", "0.1.0-cc"), ("0.2.0-bb", "0.3.0-aa")], ids=["an upgrade was cut", "a way back was cut"]
)  # fmt: skip
def test_hosts_of_several_releases_are_not_sent_to_different_ones(
    other: tuple[str, str], tmp_path: Path
) -> None:
    said = refusal(going_back(tmp_path, web1=("0.3.0-aa", "0.2.0-bb"), web2=other))
    assert "web1 has 0.3.0-aa, before it 0.2.0-bb;" in said
    assert f"web2 has {other[0]}, before it {other[1]}." in said
    assert "-e musicconnect_release=NAME" in said
    assert '"musicconnect_release"' not in said


def test_a_host_that_came_with_this_release_keeps_all_from_going_back_unasked(tmp_path: Path) -> None:
    said = refusal(going_back(tmp_path, web1=("0.3.0-aa", "0.2.0-bb"), web2=("0.3.0-aa", "")))
    assert "web2 has had one release only" in said
    assert '"musicconnect_release"' not in said


def test_databases_are_not_restored_while_a_member_is_out_of_reach(tmp_path: Path) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    members = {"data1": away, "data2": {}}
    told = {"postgres": {"hosts": members}, "etcd": {"hosts": {"keys1": {}}}}
    (tmp_path / "hosts.json").write_text(json.dumps(told), "utf-8")
    # Only as if: this machine may have databases of its own.
    words = ("--check", "-i", str(tmp_path / "hosts.json"))
    more = {
        "restore_postgres_to": "latest",
        "postgres_backup_repository": "s3",
        "postgres_cluster": "of-no-one",
    }
    done = played(tmp_path, PLAYS / "services_restore.yml", *words, **HERE, **more)
    said = refusal(done)
    assert "PLAY [Make room]" in said
    assert "TASK [Stop Patroni" not in said
    assert "TASK [Remove what Patroni wrote" not in said
    assert "TASK [postgres" not in said
    assert "Not every member could be reached" in said
