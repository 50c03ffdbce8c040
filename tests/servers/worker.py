"""A worker as a process of its own, to be killed and frozen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 60.0


class Worker:
    """``musicconnect worker`` with settings of its own, and what it logs."""

    def __init__(self, data: Path, *arguments: str, name: str = "worker", **environ: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.log_file = data / f"{name}.log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data),
            "LANG": "C.UTF-8",
            "MUSICCONNECT_DATA": str(data),
            "MUSICCONNECT_LOG_LEVEL": "debug",
            "MUSICCONNECT_JOB_LEASE_S": "2",
            **environ,
        }
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "worker", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
                start_new_session=True,
            )

    def __enter__(self) -> Worker:
        self.wait_for("worker ready")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def kill(self) -> None:
        """By -9, and buried."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """By SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """By SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """All that it said so far."""
        return self.log_file.read_text(errors="replace")

    def chores(self) -> list[tuple[str, str]]:
        """The chores that it did, each with its slot."""
        return re.findall(r": chore chore=(\S+) slot=(\S+)", self.log())

    def wait_for(self, words: str, *, times: int = 1) -> None:
        """Until it has said *words* so often."""
        deadline = time.monotonic() + PATIENCE_S
        while self.log().count(words) < times:
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < deadline, f"no {words!r} in:\n{self.log()[-3000:]}"
            time.sleep(0.05)
