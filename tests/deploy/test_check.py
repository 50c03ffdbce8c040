"""What ``check.yml`` says of what hosts answered: its own last tasks, run by Ansible on answers that are given here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.playing import PLAYS
from tests.deploy.playing import played

LEADER = {"name": "data-1", "role": "leader", "state": "running"}
STANDBY = {"name": "data-2", "role": "sync_standby", "state": "streaming", "lag": 0}
BROKEN = {"name": "data-2", "role": "replica", "state": "start failed", "lag": "unknown"}
BEHIND = {"name": "data-2", "role": "sync_standby", "state": "running", "lag": 99_999_999}


def said(
    folder: Path,
    host: str,
    *,
    units: list[str],
    members: list[dict[str, Any]] | None = None,
    doctor: dict[str, Any] | None = None,
) -> str:
    """What the play says of *host* of the example for six, whose units, Patroni and doctor answered so; nothing when all is well."""
    play = yaml.safe_load((PLAYS / "check.yml").read_text("utf-8"))[0]
    nothing: dict[str, Any] = {"stdout_lines": []}
    answers = {
        "ansible_facts": {"mounts": [], "memory_mb": {"nocache": {"free": 1}}},
        "_failed": nothing, "_units": nothing, "_backup": nothing,
        "_release": {"stat": {"exists": False}}, "_site": {"stat": {"exists": False}},
        "_doctor": doctor or {"skipped": True}, "_certificate": {"skipped": True}, "_ready": {"skipped": True},
        "_active": {"stdout_lines": units},
        "_patroni": {"skipped": True} if members is None else {"json": {"members": members}},
    }  # fmt: skip
    play |= {"hosts": host, "become": False, "gather_facts": False, "vars": play["vars"] | answers}
    play["tasks"] = play["tasks"][-2:]
    (folder / "check.json").write_text(json.dumps([play]), "utf-8")
    (folder / "more.yml").write_text(f"europe: {{hosts: {{{host}: null}}}}\n", "utf-8")
    inventories = ("-i", str(PLAYS / "inventories" / "six.yml"), "-i", str(folder / "more.yml"))
    done = played(folder, folder / "check.json", *inventories)
    text = " ".join((done.stdout + done.stderr).split())
    assert f"TASK [{play['tasks'][-1]['name']}]" in text, text
    assert (done.returncode == 0) == ("Action failed" not in text)
    return text.partition("Action failed: ")[2].partition(" Origin")[0]


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ([LEADER, STANDBY], ""),
        ([LEADER | {"role": "replica"}, STANDBY], "['no member of PostgreSQL is the primary']"),
        ([], "['no member of PostgreSQL is the primary']"),
        ([LEADER, BROKEN], "['no replica of PostgreSQL has all that was acknowledged', 'PostgreSQL does not run on data-2']"),
        ([LEADER, BEHIND], "['data-2 is more than 64 MB behind']"),
    ],
)  # fmt: skip
def test_databases_that_are_not_well_are_told(members: list[dict[str, Any]], wrong: str, tmp_path: Path) -> None:  # fmt: skip
    assert said(tmp_path, "data-1", units=["active"] * 5, members=members) == wrong


def test_what_should_run_and_does_not_is_told(tmp_path: Path) -> None:
    assert said(tmp_path, "work-1", units=["active"] * 5) == ""
    found = said(tmp_path, "front-1", units=["active", "inactive", "failed"])
    # A group of one's own is nothing that runs.
    assert {"is inactive", "is failed"} <= {one.strip("'[]").partition(" ")[2] for one in found.split(", ")}
    assert "europe" not in found


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"rc": 0, "stdout_lines": ["ok    python: Python 3.11.2", "All is well."], "stderr": ""}, ""),
        ({"rc": 1, "stdout_lines": ["WRONG disk: 1 GB is free", "1 thing(s) to mend."], "stderr": ""}, "['WRONG disk: 1 GB is free']"),
        # It could not begin: a setting is wrong, or a file of the release is gone.
        ({"rc": 2, "stdout_lines": [], "stderr": "musicconnect: There is no setting x."}, "['the doctor cannot be asked: musicconnect: There is no setting x.']"),
        ({"rc": 1, "stdout_lines": [], "stderr": "Traceback: ...\nImportError: no flask"}, "['the doctor cannot be asked: ImportError: no flask']"),
        ({"rc": 2, "stdout_lines": [], "stderr": "", "msg": "No such file"}, "['the doctor cannot be asked: No such file']"),
        # It was ended before it had said all.
        ({"rc": 137, "stdout_lines": ["WRONG disk: full"], "stderr": "", "msg": "non-zero return code"}, "['WRONG disk: full', 'the doctor cannot be asked: exit status 137']"),
    ],
)  # fmt: skip
def test_a_doctor_who_could_not_be_asked_does_not_count_as_one_who_found_nothing(
    answer: dict[str, Any], wrong: str, tmp_path: Path
) -> None:
    assert said(tmp_path, "work-1", units=["active"] * 5, doctor=answer) == wrong
