"""Where backups go: a folder or a real S3 server; and an empty machine to restore onto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from appliance.settings import Settings
from appliance.startup import Appliance
from appliance.storage import open_store
from tests.appliance.backup import nodes
from tests.servers.postgresql import Cluster
from tests.servers.s3 import S3Server
from tests.servers.s3 import s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.getbasetemp()) as server:
        yield server


def bucket(server: S3Server) -> str:
    """The address of a new bucket."""
    url = server.url(f"bucket-{uuid4().hex}", create="1")
    open_store(url).check()
    return url


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where backups go; a test that takes it runs twice."""
    if request.param == "s3":
        return bucket(request.getfixturevalue("s3"))
    return str(tmp_path / "backup")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for backups."""
    return tmp_path / "backup"


@pytest.fixture
def node(appliance: Appliance, folder: Path) -> Appliance:
    """A node with something to lose, whose backups go to a folder unencrypted."""
    nodes.fill(appliance)
    return nodes.with_backup(appliance, str(folder))


@pytest.fixture
def elsewhere(tmp_path: Path, request: pytest.FixtureRequest, database_url: str) -> Iterator[Settings]:
    """An empty machine with an empty database of the same engine."""
    data = tmp_path / "elsewhere"
    if not database_url.startswith("postgres"):
        yield Settings(data=data, queue_url="memory://")
        return
    server: Cluster = request.getfixturevalue("postgresql")
    url = server.new_database()
    yield Settings(data=data, queue_url="memory://", database_url=url)
    server.drop(url)


@pytest.fixture
def target(elsewhere: Settings, folder: Path) -> Settings:
    """The empty machine, which knows where the backup is."""
    return replace(elsewhere, backup_url=str(folder))
