"""Machines to set up: containers with systemd, an address, a disk and sshd of their own (``hosts.sh``), and Ansible's way to them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAYS = ROOT / "deploy" / "ansible"
SCRIPT = Path(__file__).with_name("hosts.sh")
# What the hosts keep and what is built for them: not where other tests clear up behind each other.
FOLDER = Path(os.environ.get("TH_DIR", "/var/tmp/testhosts-deploy"))
KEPT = bool(os.environ.get("KEEP_HOSTS"))
ENVIRON = {
    **os.environ,
    "TH_DIR": str(FOLDER),
    "TH_NET": os.environ.get("TH_NET", "10.78.0"),
    "TH_BRIDGE": os.environ.get("TH_BRIDGE", "th1"),
}


@dataclass(frozen=True)
class Played:
    """What a play did: its output, how long it took, and the names of the tasks that changed something."""

    output: str
    seconds: float
    changed: list[str]


def script(*words: str, timeout_s: float = 600) -> str:
    """One command of ``hosts.sh``."""
    done = subprocess.run(
        [str(SCRIPT), *words], env=ENVIRON, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
    return done.stdout


@dataclass(frozen=True)
class Host:
    """One machine."""

    name: str

    @property
    def address(self) -> str:
        return (FOLDER / "hosts" / self.name / "ip").read_text().strip()

    def run(self, *argv: str, given: str = "", timeout_s: float = 120, fine: bool = True) -> str:
        """A command on the host, as root; returns what it printed."""
        done = subprocess.run(
            [str(SCRIPT), "exec", self.name, *argv],
            env=ENVIRON,
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert not fine or done.returncode == 0, f"{argv}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
        return done.stdout

    def reboot(self) -> None:
        """Shut down in order and come up again."""
        script("stop", self.name)
        script("start", self.name)

    def memory_mb(self) -> int:
        """What all processes of the host take together (PSS)."""
        line = next(line for line in script("list").splitlines() if line.split()[0] == self.name)
        return int(line.split()[-2])


@contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Fresh machines of these names, gone afterwards; ``KEEP_HOSTS=1`` leaves them for a look."""
    script("up", *names)
    try:
        yield [Host(name) for name in names]
    finally:
        if not KEPT:
            script("down")


def play(name: str, inventory: Path, *words: str, timeout_s: float = 900, fine: bool = True) -> Played:
    """Run a playbook of the project."""
    began = time.monotonic()
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            str(inventory),
            f"{name}.yml",
            *words,
        ],
        cwd=PLAYS,
        env={**ENVIRON, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == fine, output[-6000:]
    tasks = re.split(r"^(?:TASK|RUNNING HANDLER) \[", output, flags=re.MULTILINE)[1:]
    changed = [task.partition("]")[0] for task in tasks if re.search(r"^changed:", task, re.MULTILINE)]
    return Played(output, time.monotonic() - began, changed)


def reach(host: Host) -> dict[str, object]:
    """How Ansible gets to *host*, as variables of an inventory."""
    return {
        "ansible_host": host.address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(FOLDER / "id_ed25519"),
        "ansible_ssh_common_args": f"-F {FOLDER / 'ssh_config'}",
        "ansible_python_interpreter": "/usr/bin/python3",
        # No kernel settings and no clock in a container.
        "musicconnect_container": True,
    }
