"""A private PostgreSQL server for tests: one process tree, a Unix socket, no port, nothing kept."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

PATIENCE_S = 30
MEMORY = Path("/dev/shm")
"""A file system in memory. A database is 900 files: to copy them here takes 0.04 s, on a disk up to a second."""
ROOM_BYTES = 1 << 30


@dataclass(frozen=True)
class Cluster:
    """A running server and where its socket is."""

    folder: Path

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://musicconnect@/{name}?host={self.folder}"

    def new_database(self, name: str = "", *, like: str = "template1") -> str:
        """Make a database with what is in *like*, which nobody may be connected to; returns its address."""
        name = name or f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove the database at this address, whoever is still connected."""
        name = urlsplit(url).path.removeprefix("/")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Run PostgreSQL in a folder of its own, as somebody who is not root; it dies with this process."""
    user = _user()
    # Not below pytest's folder, which nobody else may enter; and a socket's path has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_place()))
    os.chown(folder, user.pw_uid, user.pw_gid)
    become = [_found("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if os.geteuid():
        become = become[:1]
    data = folder / "data"
    try:
        initdb = [
            "--no-sync",
            "--auth=trust",
            "--username=musicconnect",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run(
            [*become, "--pdeathsig=KILL", _binary("initdb"), *initdb, f"--pgdata={data}"],
            check=True,
            capture_output=True,
            cwd=folder,
            timeout=PATIENCE_S * 2,
        )
        careless = [
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "wal_level=minimal",
            "-c",
            "max_wal_senders=0",
            "-c",
            "max_wal_size=64MB",
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={folder}",
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*become, "--pdeathsig=INT", _binary("postgres"), "-D", str(data), *careless],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        try:
            running = Cluster(folder)
            _wait(running, server, folder / "log")
            yield running
        finally:
            # SIGINT is PostgreSQL's fast shutdown: it disconnects whoever is left.
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path | None:
    """In memory, where there is room for it; otherwise where temporary files are."""
    room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if room else None


def _wait(running: Cluster, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(running.url("postgres")).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)


def _user() -> pwd.struct_passwd:
    if os.geteuid():
        return pwd.getpwuid(os.geteuid())
    # PostgreSQL refuses to run as root.
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _binary(name: str) -> str:
    # Debian keeps the server's programs off the path.
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(places[-1]) if places else _found(name)


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed; 'make test' says which package it comes in")
    return path
