"""Hosts for drills: made by a script of test hosts, set up by the plays of ``deploy/ansible``, broken and mended by name."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PLAYS = ROOT / "deploy" / "ansible"
SCRIPT = Path(os.environ.get("TESTHOSTS", ROOT / "tests" / "deploy" / "hosts.sh"))
PLACE = {
    "TH_DIR": os.environ.get("TH_DIR", "/var/tmp/testhosts-drills"),
    "TH_NET": os.environ.get("TH_NET", "10.77.0"),
    "TH_BRIDGE": os.environ.get("TH_BRIDGE", "th0"),
}
KEEP = bool(os.environ.get("KEEP_HOSTS"))
"""Whether hosts stay when the drills end, for whoever repeats one while they change a role."""
PLAY_S, COMMAND_S = 900, 120
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


@dataclass
class Stage:
    """The hosts of one drill, their inventory, and what they are told."""

    folder: Path
    groups: dict[str, list[str]]
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return sorted({name for names in self.groups.values() for name in names})

    def hosts(self, *arguments: str, timeout_s: int = COMMAND_S) -> str:
        """Ask the script of test hosts for something."""
        return run(["bash", str(SCRIPT), *arguments], timeout_s=timeout_s, environment=PLACE)

    def on(self, name: str, *argv: str, timeout_s: int = COMMAND_S) -> str:
        """Run a command on a host."""
        return self.hosts("exec", name, *argv, timeout_s=timeout_s)

    def up(self, *names: str) -> None:
        """Boot hosts, with lists of packages as a host of Debian has them, and certificates."""
        names = names or tuple(self.names)
        self.hosts("up", *names, timeout_s=600)
        for name in names:
            self.on(name, "apt-get", "update", "-qq", timeout_s=300)
            self._certificate(name)
        self._write_inventory()

    def address(self, name: str) -> str:
        return Path(PLACE["TH_DIR"], "hosts", name, "ip").read_text("utf-8").strip()

    @property
    def authority(self) -> Path:
        return self.folder / "tls" / "authority.crt"

    @property
    def gateway(self) -> str:
        """This machine, as the hosts see it."""
        return f"{PLACE['TH_NET']}.1"

    def _certificate(self, name: str) -> None:
        certificate(
            self.folder / "tls", name, f"DNS:{name},DNS:localhost,IP:{self.address(name)},IP:127.0.0.1"
        )

    def _write_inventory(self) -> None:
        lines = self.hosts("inventory").splitlines()
        for group, names in self.groups.items():
            lines += [f"[{group}]", *names]
        (self.folder / "hosts.ini").write_text("\n".join(lines) + "\n", "utf-8")

    def play(self, name: str, *arguments: str, timeout_s: int = PLAY_S, **more: Any) -> dict[str, int]:
        """Run a play; how many things it changed, by host."""
        (self.folder / "variables.json").write_text(json.dumps(self.variables | more), "utf-8")
        program = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(program), "-i", str(self.folder / "hosts.ini"), str(PLAYS / name)]
        argv += ["-e", f"@{self.folder / 'variables.json'}", *arguments]
        environment = {"ANSIBLE_HOME": str(self.folder / "ansible"), "ANSIBLE_PIPELINING": "1"}
        said = run(argv, timeout_s=timeout_s, environment=environment)
        return {host: int(changed) for host, _, changed, _, _ in RECAP.findall(said)}

    @contextlib.contextmanager
    def process(self, host: str, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program of this machine in the network of *host* until the block ends."""
        with subprocess.Popen(
            ["ip", "netns", "exec", f"{PLACE['TH_BRIDGE']}-{host}", *argv], stdin=subprocess.PIPE, cwd=ROOT
        ) as process:
            try:
                yield process
            finally:
                assert process.stdin is not None
                process.stdin.close()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()

    def down(self) -> None:
        if not KEEP:
            self.hosts("down", timeout_s=300)


def run(argv: list[str], *, timeout_s: int, environment: dict[str, str] | None = None) -> str:
    """Standard output; an error carries what the program said."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode(errors="replace")[-6000:]
        raise AssertionError(f"{argv[:4]} took longer than {timeout_s} s:\n{said}") from error
    if done.returncode:
        raise AssertionError(
            f"{argv[:6]} ended with {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        )
    return done.stdout


def certificate(folder: Path, name: str, names: str) -> None:
    """A key and a certificate by the authority of the drill, which is made when it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = folder / "authority.crt"
    if not authority.exists():
        key = folder / "authority.key"
        run([*make, "-subj", "/CN=drill", "-keyout", str(key), "-out", str(authority)], timeout_s=30)
    by = ["-CA", str(authority), "-CAkey", str(folder / "authority.key"), "-days", "30"]
    out = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
    run([*make, *by, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", *out], timeout_s=30)


def until(question: str, ask: Any, *, patience_s: float = 120, pause_s: float = 0.5) -> Any:
    """The first answer of *ask* that is true, asked again and again; the question is told when none comes."""
    deadline = time.monotonic() + patience_s
    last: Any = None
    while time.monotonic() < deadline:
        try:
            last = ask()
        except AssertionError as error:
            last = error
        else:
            if last:
                return last
        threading.Event().wait(pause_s)
    raise AssertionError(f"{question}? Not within {patience_s} s; the last answer was {last!r}")


def there() -> bool:
    """Whether this machine can make hosts."""
    return SCRIPT.exists() and os.geteuid() == 0 and shutil.which("systemd-nspawn") is not None
