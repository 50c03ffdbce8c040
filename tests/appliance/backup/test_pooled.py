"""A node whose way to PostgreSQL goes through PgBouncer: backed up, restored, and what is left in the sessions that all share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from appliance import database
from appliance import startup
from appliance.backup import taking
from appliance.errors import Conflict
from appliance.errors import Unavailable
from appliance.jobs import leases
from appliance.jobs import rota
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.appliance.backup import nodes
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgresql_node import PostgresqlNode

SESSIONS = 3


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlNode]:
    with PostgresqlNode() as running:
        yield running


@pytest.fixture
def direct(server: PostgresqlNode) -> str:
    """The address of an empty database."""
    server.ask("DROP DATABASE IF EXISTS pooled WITH (FORCE)")
    server.ask("CREATE DATABASE pooled")
    return f"postgresql://musicconnect@127.0.0.1:{server.port}/pooled"


@pytest.fixture
def pooled(server: PostgresqlNode, direct: str) -> Iterator[str]:
    """The address of the same behind PgBouncer."""
    with pgbouncer(server, sessions=SESSIONS) as port:
        yield direct.replace(f":{server.port}/", f":{port}/")


@pytest.fixture
def node(direct: str, tmp_path: Path, folder: Path) -> Iterator[Appliance]:
    """A node with something to lose, whose backups are taken around the pooler."""
    settings = Settings(data=tmp_path / "data", database_url=direct, queue_url="memory://")
    startup.make_data_folder(settings)
    startup.connect_database(settings)
    database.migrate()
    database.close()
    running = startup.start(settings, immediate=True)
    nodes.fill(running, tracks=1, large_bytes=5 * nodes.MIB)
    try:
        yield nodes.with_backup(running, str(folder))
    finally:
        startup.stop()


def behind(url: str, node: Appliance) -> Settings:
    """The settings of the node when it goes by this address of a pooler."""
    return replace(node.settings, database_url=url, database_pooler=True)


def paths(url: str) -> set[str]:
    """Where the sessions that PgBouncer keeps look for tables; each is asked, since each is in a transaction meanwhile."""
    with ExitStack() as all_of_them:
        found = set()
        for _ in range(SESSIONS):
            one = all_of_them.enter_context(psycopg.connect(url, prepare_threshold=None))
            [(path,)] = one.execute("SHOW search_path").fetchall()
            found.add(path)
        return found


def test_a_cluster_comes_back_through_its_pooler(
    node: Appliance, pooled: str, server: PostgresqlNode, tmp_path: Path
) -> None:
    taking.take(node)
    before, media = nodes.rows(node.settings.database_url), nodes.contents(node.store)
    startup.stop()
    server.ask("DROP DATABASE pooled WITH (FORCE)")
    server.ask("CREATE DATABASE pooled")
    paths(pooled)
    target = replace(behind(pooled, node), data=tmp_path / "elsewhere")
    nodes.restored(target, secret=node.secret)
    nodes.same(before, nodes.rows(pooled))
    assert nodes.contents(nodes.store_of(target)) == media
    # And once more over what is there.
    nodes.restored(target, secret=node.secret, force=True)
    assert paths(pooled) == {'"$user", public'}, "nobody finds no table in a session that is left"


def test_a_worker_elsewhere_is_seen_through_a_pooler(node: Appliance, pooled: str) -> None:
    taking.take(node)
    leases.take(rota.DUTY, "away.example:17:4711", lasts_s=600)
    with pytest.raises(Conflict, match=r"A worker on away\.example"):
        nodes.restored(behind(pooled, node), secret=node.secret, force=True)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("again", [False, True])
def test_nothing_is_touched_while_the_database_does_not_answer(
    node: Appliance, tmp_path: Path, force: bool, again: bool
) -> None:
    taking.take(node)
    url = "postgresql://musicconnect@127.0.0.1:1/pooled"
    target = replace(node.settings, data=tmp_path / "elsewhere", database_url=url)
    if again:
        startup.make_data_folder(target)
        (target.data / startup.RESTORING).write_text("{}")
    with pytest.raises(Unavailable, match="does not answer"):
        nodes.restored(target, secret=node.secret, force=force)
    assert (target.data / startup.RESTORING).exists() == again
    assert nodes.contents(nodes.store_of(target)) == {}


@pytest.mark.parametrize("many", [False, True], ids=["one session", "several"])
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_a_backup_leaves_the_sessions_of_others_alone(
    node: Appliance, server: PostgresqlNode, mode: str, many: bool
) -> None:
    startup.stop()
    with pgbouncer(server, sessions=SESSIONS, mode=mode) as port:
        url = f"postgresql://musicconnect@127.0.0.1:{port}/pooled"
        if many:
            paths(url)
        running = startup.start(behind(url, node), immediate=True)
        if mode == "session":
            taking.take(running)
        else:
            with pytest.raises(Unavailable, match="gives each transaction another session"):
                taking.take(running)
        startup.stop()
        assert paths(url) == {'"$user", public'}
