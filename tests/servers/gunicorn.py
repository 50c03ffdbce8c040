"""``musicconnect web`` under gunicorn as processes of its own, to be reloaded, wounded and stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.servers.ports import free_port

PATIENCE_S = 60.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Gunicorn:
    """A master with its workers, on a port of its own or a socket."""

    def __init__(self, data: Path, *, unix: str = "", **environ: str) -> None:
        self.unix, self.port, self.log_file = unix, free_port(), data / "web.log"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data),
            "LANG": "C.UTF-8",
            "MUSICCONNECT_RATE_LIMITS": "0",
            "MUSICCONNECT_WEB_SERVER": "gunicorn",
            "MUSICCONNECT_WEB_WORKERS": "2",
            "MUSICCONNECT_WEB_THREADS": "4",
            **environ,
        }
        self.data = data

    def __enter__(self) -> Gunicorn:
        where = ["--port", str(self.port)]
        if self.unix:
            self.environ["MUSICCONNECT_WEB_SOCKET"] = self.unix
        self.run("migrate")
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "--data", str(self.data), "web", *where],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
                start_new_session=True,
            )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *arguments: str) -> None:
        """A command on the same data."""
        argv = [sys.executable, "-m", "appliance", "--data", str(self.data), *arguments]
        subprocess.run(argv, check=True, capture_output=True, env=self.environ, timeout=PATIENCE_S)

    def stop(self) -> int:
        """Stop in order; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def hang_up(self) -> None:
        """SIGHUP: workers are replaced."""
        self.process.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        """Their pids."""
        pid = self.process.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> http.client.HTTPResponse:
        """One request over a connection of its own, read to its end."""
        to = (
            UnixConnection(self.unix)
            if self.unix
            else http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        )
        try:
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            to.request(method, path, body or None, {"Connection": "close", **told})
            answer = to.getresponse()
            answer.text = answer.read().decode(errors="replace")  # type: ignore[attr-defined]
            return answer
        finally:
            to.close()

    def log(self) -> str:
        """What it said."""
        return self.log_file.read_text(errors="replace")

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.ask("/health").status == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.05)
