"""Questions to the engines of a cluster, asked on its hosts."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.drills.stage import Stage
from tests.deploy.drills.stage import until
from tests.deploy.drills.traffic import Attempts


class Engines:
    """PostgreSQL and Redis as their own tools tell of them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def postgres_url(self) -> str:
        """What an operator writes into the setting database_url."""
        password = self.stage.variables["postgres_application_password"]
        return (
            f"postgresql://musicconnect:{password}@127.0.0.1:5000/musicconnect"
            f"?sslmode=verify-full&sslrootcert={self.stage.authority}&connect_timeout=35"
        )

    @property
    def redis_url(self) -> str:
        """What an operator writes into the setting queue_url."""
        return f"redis://:{self.stage.variables['redis_password']}@127.0.0.1:6380/0"

    def members(self, asked: str) -> dict[str, dict[str, str]]:
        """The members of PostgreSQL as *asked* sees them, by name."""
        said = self.stage.on(asked, "patronictl", "-c", "/etc/patroni/config.yml", "list", "--format", "json")
        return {member["Member"]: member for member in json.loads(said)}

    def primary(self, *asked: str) -> str:
        """Who is the primary of PostgreSQL."""
        return until("Who is the primary", lambda: self._leader(*asked))

    def _leader(self, *asked: str) -> str:
        for name in asked or self.stage.groups["postgres"]:
            found = [m["Member"] for m in self.members(name).values() if m["Role"] == "Leader"]
            if found:
                return found[0]
        return ""

    def whole(self, *asked: str) -> None:
        """Wait until all members run on one timeline, and one of them has all that is acknowledged."""

        def well() -> bool:
            members = self.members((asked or tuple(self.stage.groups["postgres"]))[0]).values()
            roles = sorted(member["Role"] for member in members)
            return (
                roles == ["Leader", "Replica", "Sync Standby"]
                and len({member.get("TL") for member in members}) == 1
                and all(member["State"] in {"running", "streaming"} for member in members)
            )

        until("Are all members well", well, patience_s=240, pause_s=2)

    def sql(self, host: str, query: str, database: str = "musicconnect") -> list[str]:
        """The rows that *host* itself tells."""
        psql = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query]
        return self.stage.on(host, "runuser", "-u", "postgres", "--", *psql).splitlines()

    def writes(self, host: str) -> bool:
        """Whether *host* believes that it is the primary."""
        try:
            return self.sql(host, "SELECT pg_is_in_recovery()") == ["f"]
        except AssertionError:
            return False

    def redis(self, host: str, *command: str, port: int = 6379) -> list[str]:
        password = self.stage.variables["redis_password"]
        address = self.stage.address(host)
        cli = ["redis-cli", "--no-auth-warning", "-a", password, "-h", address, "-p", str(port), "--raw"]
        return self.stage.on(host, *cli, *command).splitlines()

    def redis_primary(self, asked: str) -> str:
        """Who is the primary of Redis, as the Sentinel of *asked* says."""
        address = self.redis(asked, "SENTINEL", "get-master-addr-by-name", "musicconnect", port=26379)[0]
        return next(n for n in self.stage.groups["redis"] if self.stage.address(n) == address)

    @contextmanager
    def traffic(self, engine: str) -> Iterator[Path]:
        """A constant load from the host of the application while the block runs; yields where it is noted."""
        notes = self.stage.folder / f"{engine}-{time.time():.0f}.jsonl"
        url = {"postgres": self.postgres_url, "redis": self.redis_url}[engine]
        script = str(Path(__file__).with_name("traffic.py"))
        with self.stage.process("app1", sys.executable, script, engine, url, str(notes)):
            until("Does the load run", lambda: len(Attempts.of(notes).acknowledged()) > 50, patience_s=60)
            yield notes

    @staticmethod
    def again(notes: Path, since: float, patience_s: float = 90) -> None:
        """Wait until a write that began after *since* is acknowledged, and see it go on for a while."""
        until(
            "Are writes taken again",
            lambda: Attempts.of(notes).acknowledged_since(since),
            patience_s=patience_s,
            pause_s=0.2,
        )
        threading.Event().wait(10)
