"""The cluster that the drills break: three hosts of engines and one that runs the application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.drills.engines import Engines
from tests.deploy.drills.stage import PLACE
from tests.deploy.drills.stage import Stage
from tests.deploy.drills.stage import there

ENGINES = ["db1", "db2", "db3"]
PASSWORDS = {
    "postgres_superuser_password": "superuser-of-the-drill",
    "postgres_replication_password": "replicator-of-the-drill",
    "postgres_application_password": "application-of-the-drill",
    "postgres_api_password": "api-of-the-drill-only",
    "redis_password": "redis-of-the-drill-only",
}


def certificates(folder: Path) -> dict[str, Any]:
    """The same certificate of a host for each of its engines, by a file lookup."""
    read = "{{{{ lookup('ansible.builtin.file', '" + str(folder) + "/{}') }}}}"
    files = {
        "authority": read.format("authority.crt"),
        "certificate": read.format("' ~ inventory_hostname ~ '.crt"),
        "key": read.format("' ~ inventory_hostname ~ '.key"),
    }
    return {f"{role}_tls_{name}": file for role in ("etcd", "postgres") for name, file in files.items()}


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> None:
    """Open here: the hosts are other machines."""


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Hosts that are empty, and what the plays are told about them."""
    if not there():
        pytest.skip("Drills need root, systemd-nspawn and tests/deploy/hosts.sh.")
    folder = Path(PLACE["TH_DIR"], "drill")
    folder.mkdir(parents=True, exist_ok=True)
    groups = {"etcd": ENGINES, "postgres": ENGINES, "redis": ENGINES, "engine_clients": ["app1"]}
    groups["monitoring"] = ["app1"]
    stage = Stage(
        folder, groups, {"musicconnect_container": True, **PASSWORDS, **certificates(folder / "tls")}
    )
    try:
        stage.up()
        yield stage
    finally:
        stage.down()


@pytest.fixture(scope="session")
def engines(stage: Stage) -> Engines:
    """The engines, installed and well."""
    stage.play("services.yml", "--skip-tags", "monitoring,objectstore")
    return Engines(stage)
