"""A PostgreSQL server of a test's own, to be restarted, killed, and followed by a replica."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tests.servers import postgresql
from tests.servers.ports import free_port

PATIENCE_S = 60


class PostgresqlNode:
    """One server on a port of the loopback, which it keeps; a replica of *primary* when that is given.

    *parameters* are settings of PostgreSQL beside, or instead of, those that make it quick and careless.
    """

    def __init__(self, primary: PostgresqlNode | None = None, **parameters: str) -> None:
        self.primary, self.parameters = primary, parameters
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresqlNode:
        user = postgresql._user()
        self.folder = Path(tempfile.mkdtemp(prefix="pgn-", dir=postgresql._place()))
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.become = [postgresql._found("setpriv"), *([] if os.geteuid() else ids)]
        self.data = self.folder / "data"
        if self.primary is None:
            flags = [
                "--no-sync",
                "--auth=trust",
                "--username=musicconnect",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ]
            self._run("initdb", *flags, f"--pgdata={self.data}")
        else:
            source = f"host=127.0.0.1 port={self.primary.port} user=musicconnect"
            self._run(
                "pg_basebackup",
                "-D",
                str(self.data),
                "-d",
                source,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://musicconnect@127.0.0.1:{self.port}/{name}"

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """What the server answers."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 60,
            **self.parameters,
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.become,
                    "--pdeathsig=INT",
                    postgresql._binary("postgres"),
                    "-D",
                    str(self.data),
                    *arguments,
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.ask("SELECT 1")
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-3000:]
                time.sleep(0.05)

    def stop(self) -> None:
        """PostgreSQL's fast shutdown: whoever is connected is told that it ends."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_S)
            self.process = None

    def restart(self) -> None:
        """As an upgrade of its package does."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """All of its processes at once, as when the machine loses power."""
        if self.process is None:
            return
        # The postmaster is the leader of nobody: its children are told by their parent's number.
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.kill()
        for pid in map(int, children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process = None
        for pid in children:
            while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
                time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self.become, "--pdeathsig=KILL", postgresql._binary(program), *arguments],
            capture_output=True,
            cwd=self.folder,
            timeout=PATIENCE_S * 2,
        )
        assert done.returncode == 0, done.stderr.decode()
