"""The database of a cluster, by the programs that come with PostgreSQL: a logical dump of one moment, and putting it back.

For a large cluster pgBackRest is the better backup, since it goes back to any second; this one makes ``musicconnect backup`` right on either engine.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from appliance.database import proxy
from appliance.errors import Unavailable
from appliance.sandbox import running
from appliance.sandbox.room import Bounds
from appliance.sandbox.room import Room
from appliance.sandbox.walls import Wall

PIECE_BYTES = 1024 * 1024
DEBIAN = Path("/usr/lib/postgresql")
QUEUE_TABLES = "huey_*"
"""Messages to workers, where the queue is in the same database: the rows of the jobs are the truth."""
_BOUNDS = Bounds(cpu_s=86_400, wall_s=86_400.0, memory_bytes=1 << 36, file_bytes=1 << 50)
_HEARD_BYTES = 2000


def dump(url: str, write: Callable[[bytes], None]) -> None:
    """Hand the dump of the database at *url* to *write*, piece by piece, as it was at one moment."""
    program = _program("pg_dump", _server_version())
    if _is_shared(url):
        raise Unavailable(
            "'database_url' leads to a pooler that gives each transaction another session: pg_dump would leave its own settings in the "
            "sessions of web servers, which would then find no table. For the machine that takes backups let it lead around the pooler, "
            "or to a pool by session."
        )
    with _connection(url) as words:
        # Not packed here: pieces are.
        argv = [
            str(program),
            "--format=custom",
            "--compress=0",
            "--no-owner",
            "--no-privileges",
            f"--exclude-table-data={QUEUE_TABLES}",
            "--lock-wait-timeout=60000",
            *words,
        ]
        _run(argv, "dumped", on_stdout=write)


def restore(path: Path, url: str) -> None:
    """Put the dump in the file at *path* into the empty database at *url*, wholly or not at all."""
    program = _program("pg_restore", _server_version())
    with _connection(url) as words:
        argv = [str(program), "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        _run([*argv, *words, str(path)], "restored")


def require_sound(path: Path) -> None:
    """Raise ``Unavailable`` when the file at *path* is no dump that can be put back."""
    program = _program("pg_restore", 0)
    # Into a script and away: every block of the dump is read.
    _run([str(program), "--file=/dev/null", str(path)], "read")


def empty() -> None:
    """Remove all that is in the connected database."""
    with proxy.atomic():
        # Behind a pooler the role bounds statements, for those that answer people.
        proxy.execute_sql("SET LOCAL statement_timeout = 0")
        proxy.execute_sql("DROP SCHEMA public CASCADE")
        proxy.execute_sql("CREATE SCHEMA public")


def renew_sessions() -> None:
    """Leave no session to a pooler in which ``pg_restore`` set anything: whoever got it next would find no table."""
    with proxy.atomic():
        proxy.execute_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
        proxy.execute_sql("RESET ALL")


def _is_shared(url: str) -> bool:
    """Whether a session at *url* is lent to others between two transactions: it is given to one who comes, or we are given another."""
    # Here because psycopg is an extra: one node runs without it.
    import psycopg

    first = _session()
    try:
        with psycopg.connect(url, prepare_threshold=None) as other:
            row = other.execute("SELECT pg_backend_pid()").fetchone()
            return row == (first,) or _session() != first
    except psycopg.OperationalError:
        # The program tells it better.
        return False


def _session() -> int:
    return int(proxy.execute_sql("SELECT pg_backend_pid()").fetchone()[0])


def _server_version() -> int:
    return int(proxy.execute_sql("SHOW server_version_num").fetchone()[0]) // 10_000


def _program(name: str, least: int) -> Path:
    """The newest program of this name; one that is older than the server cannot read it."""
    found = {int(path.parts[-3]): path for path in DEBIAN.glob(f"*/bin/{name}") if path.parts[-3].isdigit()}
    elsewhere = shutil.which(name)
    if not found and elsewhere:
        found = {_version_of(Path(elsewhere)): Path(elsewhere)}
    if not found or max(found) < least:
        raise Unavailable(
            "A backup of PostgreSQL {version} needs its program {name}, of this version or a later one; install "
            "postgresql-client.",
            name=name,
            version=least or "",
        )
    # The one of the server where it is there: a later one writes what an earlier pg_restore cannot read.
    return found[least] if least in found else found[max(found)]


def _version_of(program: Path) -> int:
    said: list[bytes] = []
    _run([str(program), "--version"], "asked", on_stdout=said.append)
    found = re.search(rb"(\d+)(\.\d+)*", b"".join(said))
    return int(found[1]) if found else 0


@contextlib.contextmanager
def _connection(url: str) -> Iterator[list[str]]:
    """Words that lead a program to the database; the password is in a file, since everybody sees the words of others."""
    # Here because psycopg is an extra: one node runs without it.
    from psycopg.conninfo import conninfo_to_dict
    from psycopg.conninfo import make_conninfo

    facts: dict[str, Any] = conninfo_to_dict(url)
    password = str(facts.pop("password", "") or "")
    with tempfile.TemporaryDirectory(prefix="musicconnect-") as folder:
        if password:
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            path = Path(folder) / "passwords"
            path.touch(mode=0o600)
            path.write_text(f"*:*:*:*:{escaped}\n", "utf-8")
            facts["passfile"] = str(path)
        yield [f"--dbname={make_conninfo('', **facts)}"]


def _run(argv: Sequence[str], what: str, *, on_stdout: Callable[[bytes], None] | None = None) -> None:
    said = bytearray()

    def hear(block: bytes) -> None:
        said.extend(block)
        del said[:-_HEARD_BYTES]

    # No wall: it is a program of ours that must reach the server. Its bounds, its clean environment and its death with us it has.
    ended = running.run(
        Wall.OFF,
        lambda news: argv,
        room=Room(program=(Path(argv[0]),)),
        bounds=_BOUNDS,
        on_stderr=hear,
        on_stdout=on_stdout,
    )
    if ended.returncode or not ended.in_time:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
        raise Unavailable(
            "The database cannot be {what}: {program} said: {why}",
            what=what,
            program=os.path.basename(argv[0]),  # noqa: PTH119 - a name, no file
            why=told or f"exit code {ended.returncode}",
        )
