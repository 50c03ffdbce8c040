"""How much of the machine the units that roles write may touch, as systemd itself rates it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLAYS = Path(__file__).parents[2] / "deploy" / "ansible"
ANALYZE = shutil.which("systemd-analyze") or ""
UNITS = {
    "musicconnect-firewall.service": ("common", "musicconnect-firewall.service"),
    "musicconnect-web@.service": ("web", "musicconnect-web@.service"),
    "musicconnect-worker.service": ("worker", "musicconnect-worker.service"),
    "musicconnect-backup.service": ("backup", "musicconnect-backup.service"),
    "postgres-backup-full.service": ("postgres", "backup.service.j2"),
    "objectstore.service": ("objectstore", "objectstore.service.j2"),
}
WORST = 3.0


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of them, as they are on a host of the example for six."""
    folder = tmp_path_factory.mktemp("units")
    roles = sorted({role for role, _ in UNITS.values()} | {"appliance"})
    files = [
        str(PLAYS / "roles" / role / part / "main.yml")
        for part in ("defaults", "vars")
        for role in roles
        if (PLAYS / "roles" / role / part / "main.yml").exists()
    ]
    write = {
        "ansible.builtin.template": {
            "src": f"{PLAYS}/roles/{{{{ unit[1][0] }}}}/templates/{{{{ unit[1][1] }}}}",
            "dest": f"{folder}/{{{{ unit[0] }}}}",
        },
        "loop": [list(unit) for unit in UNITS.items()],
        "loop_control": {"loop_var": "unit"},
    }
    told = {
        "ansible_python_interpreter": sys.executable,
        "_musicconnect_release": "1.0.0",
        "musicconnect_backup_url": "/var/backups/musicconnect",
        "item": "full",
    }
    play = {"hosts": "data-1", "gather_facts": False, "vars_files": files, "tasks": [write]}
    (folder / "play.json").write_text(json.dumps([play]), "utf-8")
    (folder / "told.json").write_text(json.dumps(told), "utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-c", "local", "-i", str(PLAYS / "inventories" / "six.yml")),
            *("-e", f"@{folder / 'told.json'}", str(folder / "play.json")),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_unit_that_a_role_writes_is_looked_at() -> None:
    written = {
        (path.parts[-3], path.name)
        for path in PLAYS.glob("roles/*/templates/*.service*")
        if "[Service]" in path.read_text("utf-8")
    }
    assert written == set(UNITS.values())


@pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_shut_in(unit: str, units: Path) -> None:
    done = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--no-pager", str(units / unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    told = re.search(r"Overall exposure level for \S+ ([\d.]+)", done.stdout)
    assert told is not None, done.stderr
    assert float(told[1]) <= WORST


def test_a_web_server_is_told_to_read_its_settings_anew_only_where_that_does_not_end_it(units: Path) -> None:
    """Gunicorn takes SIGHUP so; the embedded server would be ended by it."""
    [reload] = re.findall(r"^ExecReload=(.*)$", (units / "musicconnect-web@.service").read_text("utf-8"), re.M)  # fmt: skip
    script = reload.removeprefix("/bin/sh -c '").removesuffix("'").replace("%i", "1.0.0")
    said = subprocess.run(["/bin/sh", "-c", script], env={"MAINPID": str(os.getpid())}, timeout=30, check=False)  # fmt: skip
    assert said.returncode != 0
    assert "/releases/1.0.0/bin/gunicorn && exec kill -HUP" in script
