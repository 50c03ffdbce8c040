"""PgBouncer in front of a PostgreSQL server: in transaction mode every transaction may get another session of the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers import postgresql
from tests.servers.ports import free_port
from tests.servers.postgresql_node import PostgresqlNode

PATIENCE_S = 20


@contextmanager
def pgbouncer(server: PostgresqlNode, *, sessions: int = 3, mode: str = "transaction") -> Iterator[int]:
    """Run it with few sessions of the server; yields its port."""
    user, port = postgresql._user(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="pgb-"))
    (folder / "pgbouncer.ini").write_text(
        f"""
[databases]
* = host=127.0.0.1 port={server.port} user=musicconnect
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
max_client_conn = 200
server_round_robin = 1
logfile = {folder / "log"}
pidfile = {folder / "pid"}
"""
    )
    os.chown(folder, user.pw_uid, user.pw_gid)
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    become = [postgresql._found("setpriv"), *([] if os.geteuid() else ids), "--pdeathsig=TERM"]
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    process = subprocess.Popen(
        [*become, program, str(folder / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(f"postgresql://musicconnect@127.0.0.1:{port}/postgres").close()
                break
            except psycopg.OperationalError as error:
                log = (folder / "log").read_text() if (folder / "log").exists() else ""
                assert process.poll() is None, (error, log)
                assert time.monotonic() < deadline, (error, log)
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        shutil.rmtree(folder, ignore_errors=True)
