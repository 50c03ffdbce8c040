"""A whole node as its own processes: ``musicconnect serve`` on a free port, with a client that speaks its API."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0


class Refused(Exception):
    """The node answered with an error; *status* and *body* say which."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        super().__init__(f"{status}: {body[:500]!r}")


class Node:
    """One data folder and the processes that serve it."""

    def __init__(self, data: Path, *, port: int = 0, **environ: str) -> None:
        self.data = data
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(data),
            "LANG": "C.UTF-8",
            "MUSICCONNECT_DATA": str(data),
            # Journeys sign in as the same people from one address, many times in a minute.
            "MUSICCONNECT_RATE_LIMITS": "10000",
        }
        self.environ.update(environ)
        self.process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.token = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Node:
        self.data.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *arguments: str, given: str = "") -> str:
        """A command of ``musicconnect`` to its end; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "appliance", *arguments],
            input=given.encode(),
            capture_output=True,
            env=self.environ,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout.decode()} {done.stderr.decode()}"
        return done.stdout.decode()

    def start(self) -> None:
        """Start ``serve`` and wait until it is ready; a port once taken is kept."""
        with (self.data / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "serve", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environ,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        if "http://" not in line:
            raise RuntimeError(f"serve did not start: {line}{self.log()[-2000:]}")
        # With a public address that one is printed; then the port was given.
        self.port = self.port or int(line.split("http://")[1].split()[0].rpartition(":")[2])
        self.wait_until_ready()

    def stop(self) -> float:
        """Stop in order; returns the seconds it took."""
        if self.process is None:
            return 0.0
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill the supervisor with -9 and wait until its children have noticed."""
        assert self.process is not None
        children = list(self.children().values())
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < deadline, "children outlived their supervisor"
            time.sleep(0.05)

    def children(self) -> dict[str, int]:
        """The pids of the web server and the worker by name."""
        assert self.process is not None
        found: dict[str, int] = {}
        for text in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            try:
                argv = Path(f"/proc/{text}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            for name in ("web", "worker"):
                if name.encode() in argv:
                    found[name] = int(text)
        return found

    def wait_until_ready(self) -> None:
        """Until ``/ready`` says so."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.get("/ready")
                return
            except (OSError, Refused):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def log(self) -> str:
        """What the processes logged."""
        return (self.data / "serve.log").read_text("utf-8", "replace")

    def link_to(self, email: str) -> str:
        """The link in the newest letter to this address: without a mail server, letters wait in the outbox."""
        with closing(sqlite3.connect(self.data / "musicconnect.sqlite3", timeout=PATIENCE_S)) as rows:
            asked = 'SELECT text FROM mail_message WHERE "to" = ? ORDER BY id DESC'
            text = str(rows.execute(asked, (email,)).fetchone()[0])
        return next(word for word in text.split() if word.startswith(self.url))

    def sign_up(self, email: str = "artist@example.org", role: str = "artist") -> str:
        """Make a person and a token, which later requests carry."""
        self.run(
            "user", "create", "--email", email, "--role", role, "--password-stdin", given="a good password\n"
        )
        self.token = self.run("token", "create", "--email", email).strip()
        return self.token

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request; raises ``Refused`` for an error status, ``OSError`` when nobody answers."""
        address = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(address, data=body, method=method, headers=dict(headers or {}))
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read()) from error

    def get(self, path: str) -> Any:
        """JSON from *path*."""
        return json.loads(self.send("GET", path)[2])

    def post(self, path: str, sent: object | None = None, *, method: str = "POST") -> Any:
        """Send JSON, get JSON."""
        body = json.dumps(sent).encode() if sent is not None else b""
        answer = self.send(method, path, body, {"Content-Type": "application/json"})[2]
        return json.loads(answer) if answer else None

    def make_release(self, title: str = "First Light") -> str:
        """An artist (once) and a draft; returns the id of the draft."""
        try:
            self.get("/api/v1/artists/trio")
        except Refused:
            self.post("/api/v1/artists", {"name": "Trio", "slug": "trio"})
        return str(self.post("/api/v1/artists/trio/releases", {"title": title, "kind": "ep"})["id"])

    def announce_upload(self, release: str, name: str, size_bytes: int) -> str:
        """The tus creation request; returns the path of the upload."""
        metadata = f"filename {base64.b64encode(name.encode()).decode()},release {base64.b64encode(release.encode()).decode()}"
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size_bytes), "Upload-Metadata": metadata}
        _, answered, _ = self.send("POST", "/api/v1/uploads", b"", headers)
        return answered["Location"].removeprefix(self.url)

    def send_bytes(self, upload: str, chunk: bytes, offset: int) -> int:
        """One tus PATCH; returns the new offset."""
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        return int(self.send("PATCH", upload, chunk, headers)[1]["Upload-Offset"])

    def offset_of(self, upload: str) -> int:
        """The tus HEAD request."""
        return int(self.send("HEAD", upload, headers={"Tus-Resumable": "1.0.0"})[1]["Upload-Offset"])

    def upload(self, release: str, name: str, content: bytes) -> str:
        """A whole file by tus; returns the id of the track."""
        path = self.announce_upload(release, name, len(content))
        self.send_bytes(path, content, 0)
        return path.rpartition("/")[2]

    def wait_for(self, track: str, state: str = "ready", *, patience_s: float = PATIENCE_S) -> Any:
        """The track as soon as it is in *state*; fails when it gets stuck elsewhere."""
        deadline = time.monotonic() + patience_s
        while True:
            shown = self.get(f"/api/v1/tracks/{track}")
            if shown["state"] == state:
                return shown
            assert shown["state"] not in {"failed", "ready"}, shown
            assert time.monotonic() < deadline, (shown, self.log()[-3000:])
            time.sleep(0.2)
