"""Settings are tried by the release before they stand where a service reads them: the role's own tasks, on this machine, in folders of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="Only root can ask the release as the account of a host."
)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder with what the role finds on a host: a release that is this checkout, and settings of before."""
    (tmp_path / "release" / "bin").mkdir(parents=True)
    (tmp_path / "release" / "bin" / "musicconnect").symlink_to(Path(sys.executable).with_name("musicconnect"))
    (tmp_path / "storage" / "data").mkdir(parents=True)
    (tmp_path / "storage" / "data" / "musicconnect.toml").write_text('collective_name = "Before"\n', "utf-8")
    return tmp_path


def written(
    host: Path, *words: str, there: bool = True, listens: str = "127.0.0.1:8000", **settings: Any
) -> subprocess.CompletedProcess[str]:
    """The role tries and writes *settings*, by a release that is *there*."""
    roles = [{"ansible.builtin.include_role": {"name": "appliance", "tasks_from": part}} for part in ("trial", "settings")]  # fmt: skip
    play = [
        {
            "hosts": "one",
            "gather_facts": False,
            "vars_files": [str(PLAYS / "roles" / "common" / "vars" / "main.yml")],
            "tasks": roles,
        }
    ]
    (host / "play.json").write_text(json.dumps(play), "utf-8")
    (host / "hosts.yml").write_text("single: {hosts: {one: null}}\n", "utf-8")
    return played(
        host, host / "play.json", "-i", str(host / "hosts.yml"), *words,
        ansible_python_interpreter=sys.executable, musicconnect_user="root", musicconnect_domain="music.example",
        musicconnect_storage=str(host / "storage"), musicconnect_settings=settings, musicconnect_home=str(host),
        _musicconnect_release_folder=str(host / "release"), _musicconnect_command=str(host / "musicconnect"),
        _musicconnect_complete={"stat": {"exists": there}}, musicconnect_web_listen=listens,
    )  # fmt: skip


def in_place(host: Path) -> str:
    return (host / "storage" / "data" / "musicconnect.toml").read_text("utf-8")


def left() -> list[Path]:
    return list(Path("/run").glob("musicconnect-*"))


@pytest.mark.parametrize("wrong", [{"collective_nmae": "Tide"}, {"trusted_proxies": "many"}])
@pytest.mark.parametrize("words", [(), ("--check",)])
def test_settings_that_the_release_does_not_take_are_told_and_never_stand_where_a_service_reads_them(
    wrong: dict[str, str], words: tuple[str, ...], host: Path
) -> None:
    secret = "a-secret-key-that-nobody-may-see-0123"
    done = written(host, *words, **wrong, secret_key=secret)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert next(iter(wrong)) in said
    assert secret not in said
    assert in_place(host) == 'collective_name = "Before"\n'
    assert left() == []


def test_settings_that_it_takes_are_put_in_place_for_the_account_alone(
    host: Path,
) -> None:
    done = written(host, collective_name="Tide")
    assert done.returncode == 0, done.stdout
    assert 'collective_name = "Tide"\n' in in_place(host)
    found = (host / "storage" / "data" / "musicconnect.toml").stat()
    assert (found.st_uid, oct(found.st_mode & 0o777)) == (0, "0o640")
    assert left() == []
    again = written(host, collective_name="Tide")
    assert "changed=0" in again.stdout


def test_a_dry_run_on_a_bare_host_asks_no_release(host: Path) -> None:
    done = written(host, "--check", there=False, collective_nmae="Tide")
    assert done.returncode == 0, done.stdout
    assert in_place(host) == 'collective_name = "Before"\n'


@pytest.mark.parametrize(
    ("listens", "told"), [("10.0.0.12:8017", ("10.0.0.12", 8017)), ("[::1]:8017", ("::1", 8017))]
)
def test_the_application_is_told_where_its_web_server_listens_and_so_is_nginx_by_it(
    listens: str, told: tuple[str, int], host: Path
) -> None:
    done = written(host, listens=listens)
    assert done.returncode == 0, done.stdout
    found = tomllib.loads(in_place(host))
    assert (found["host"], found["port"]) == told
