"""A process that stops while the database is away, or has been, stops in order."""

from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from urllib.parse import urlsplit

import psycopg
import pytest

from appliance import database
from appliance import node_processes
from tests.servers.postgresql import Cluster

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def url(postgresql: Cluster, postgresql_tables: str) -> Iterator[str]:
    made = postgresql.new_database(like=postgresql_tables)
    database.connect(made)
    try:
        yield made
    finally:
        database.close()
        postgresql.drop(made)


def end_connections(url: str, *, allow: bool) -> None:
    """Every connection to this database ends, as when its server dies; *allow* says whether there may be new ones."""
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(url, autocommit=True, dbname="postgres") as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allow}')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


def test_a_process_whose_connection_died_leaves_by_another(url: str) -> None:
    node_processes.enter("worker", plugins="x", now=NOW)
    end_connections(url, allow=True)
    node_processes.leave()
    assert node_processes.running() == []


def test_a_process_leaves_a_database_that_is_away(url: str) -> None:
    node_processes.enter("worker", plugins="x", now=NOW)
    end_connections(url, allow=False)
    try:
        node_processes.leave()
    finally:
        end_connections(url, allow=True)
    database.close_thread()
    database.connect(url)
    assert [process.kind for process in node_processes.running()] == ["worker"]
