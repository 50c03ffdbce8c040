"""Plays on hosts that are all this machine, for what changes nothing on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PLAYS = Path(__file__).parents[2] / "deploy" / "ansible"


def played(folder: Path, play: Path, *words: str, **told: Any) -> subprocess.CompletedProcess[str]:
    """Run *play* with *words* for Ansible, which keeps what is its own in *folder*, and variables that go before all others."""
    (folder / "told.json").write_text(json.dumps(told), "utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        "ANSIBLE_ROLES_PATH": str(PLAYS / "roles"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return subprocess.run(
        [program, "-c", "local", "-e", f"@{folder / 'told.json'}", *words, str(play)],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
