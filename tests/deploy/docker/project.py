"""A compose file that runs: its containers, its node's API, and what it takes to kill one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.deploy.docker.engine import ROOT
from tests.deploy.docker.engine import Engine
from tests.deploy.docker.engine import compose
from tests.servers.node import Node

PATIENCE_S = 240.0


class Project(Node):
    """``docker compose`` with one of our files; speaks the API of what it started."""

    def __init__(self, engine: Engine, file: str, *, name: str, port: int, runs: str, **environ: str) -> None:
        super().__init__(Path("/nonexistent"), port=port)
        self.engine, self.name, self.runs = engine, name, runs
        self.words = [*compose(), "--project-name", name, "--file", str(ROOT / "deploy" / "docker" / file)]
        self.environ = {
            "MUSICCONNECT_PUBLISH": f"127.0.0.1:{port}",
            "MUSICCONNECT_VOLUME": name,
            **environ,
        }

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def __enter__(self) -> Project:
        self.down()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def compose(self, *arguments: str, timeout_s: float = 600, given: str = "") -> str:
        return self.engine.run(
            *self.words, *arguments, timeout_s=timeout_s, environ=self.environ, given=given
        )

    def up(self) -> float:
        """Start all; returns the seconds until it is ready for its first request."""
        began = time.monotonic()
        self.compose("up", "--detach", "--no-build")
        self.wait_until_ready()
        return time.monotonic() - began

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "30")

    def run(self, *arguments: str, given: str = "") -> str:
        """A command of ``musicconnect`` in a container that runs."""
        return self.engine.docker(
            "exec", "--interactive", self.container(self.runs), "musicconnect", *arguments, given=given
        )

    def log(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "40")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.get("/ready")
                return
            except Exception:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.3)

    def containers(self) -> dict[str, Mapping[str, Any]]:
        """Every container by the name of its service, also those that have ended."""
        listed = self.engine.docker(
            "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}"
        )
        looked = self.engine.look(*listed.split()) if listed.split() else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in looked}

    def container(self, service: str) -> str:
        return str(self.containers()[service]["Id"])

    def unwell(self) -> dict[str, str]:
        """Services that run and have not been found healthy, or that ended badly."""
        found = {}
        for service, told in self.containers().items():
            state = told["State"]
            health = state.get("Health", {}).get("Status", "healthy")
            if (state["Running"] and health != "healthy") or (not state["Running"] and state["ExitCode"]):
                found[service] = f"{state['Status']}, {health}, {state['ExitCode']}"
        return found

    def wait_until_well(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.unwell():
            assert time.monotonic() < deadline, (self.unwell(), self.log())
            time.sleep(0.5)

    def kill(self, service: str = "") -> None:
        """The first process of a container dies at once, as by a fault of its own: ``docker kill`` would count as a wish."""
        os.kill(self.containers()[service or self.runs]["State"]["Pid"], signal.SIGKILL)

    def holder(self, track: str, *, patience_s: float = 60) -> str:
        """The service whose worker has the job of a track in hand just now; the row of the job names its machine."""
        sql = f"SELECT lease_owner FROM job WHERE kind = 'transcode' AND subject = '{track}' AND state = 'running'"
        asked = (
            'PGPASSWORD="$(cat /run/secrets/postgres_password)" '
            f'psql -h 127.0.0.1 -U musicconnect -d musicconnect -At -c "{sql}"'
        )
        deadline = time.monotonic() + patience_s
        while True:
            machine = self.engine.docker("exec", self.container("postgres"), "sh", "-c", asked).strip()
            for service, told in self.containers().items():
                if machine and told["Config"]["Hostname"] == machine.partition(":")[0]:
                    return service
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def restarts(self, service: str) -> int:
        return int(self.containers()[service]["RestartCount"])

    def written(self, service: str) -> list[str]:
        """What was written into the root of a container, beside the places that Docker makes there to mount things at."""
        told = self.containers()[service]
        mounted = [mount["Destination"] for mount in told["Mounts"]] + list(told["HostConfig"]["Tmpfs"] or {})
        mounted += ["/usr/sbin/docker-init", "/sbin/docker-init"]
        places = {str(place) for target in mounted for place in (Path(target), *Path(target).parents)}
        lines = self.engine.docker("diff", str(told["Id"])).splitlines()
        return [line for line in lines if line[2:] not in places]

    def stats(self) -> dict[str, str]:
        """The memory of each container."""
        told = self.engine.docker("stats", "--no-stream", "--format", "{{json .}}")
        rows = [json.loads(line) for line in told.splitlines()]
        return {
            row["Name"]: row["MemUsage"].split(" / ")[0] for row in rows if row["Name"].startswith(self.name)
        }
