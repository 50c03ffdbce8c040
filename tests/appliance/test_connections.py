"""Connections to PostgreSQL: as many as threads, bounded in time, and never a broken one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import peewee
import pytest

from appliance import database
from appliance import jobs
from appliance.accounts.models import Role
from appliance.connections import Limits
from appliance.connections import Pool
from appliance.errors import Unavailable
from appliance.jobs import leases
from appliance.settings import Settings
from appliance.startup import database_limits
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgresql import Cluster
from tests.servers.postgresql_node import PostgresqlNode


@pytest.fixture
def url(postgresql: Cluster, postgresql_tables: str) -> Iterator[str]:
    """A PostgreSQL database with all tables."""
    made = postgresql.new_database(like=postgresql_tables)
    yield made
    database.close()
    postgresql.drop(made)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlNode]:
    """A server of our own, to be restarted."""
    with PostgresqlNode() as running:
        yield running


def opened(url: str, *, size: int = 2, limits: Limits | None = None) -> Pool:
    found = database.connect(url, pool_size=size, limits=limits)
    assert isinstance(found, Pool)
    return found


def shown(name: str) -> str:
    return str(database.proxy.execute_sql(f"SHOW {name}").fetchone()[0])


def backend() -> int:
    return int(database.proxy.execute_sql("SELECT pg_backend_pid()").fetchone()[0])


def test_the_settings_bound_what_a_statement_may_take(url: str) -> None:
    settings = Settings(database_statement_s=7, database_lock_s=3, database_idle_s=9)
    opened(url, limits=database_limits(settings, "web"))
    assert [shown(f"{name}_timeout") for name in ("statement", "lock", "idle_in_transaction_session")] == [
        "7s",
        "3s",
        "9s",
    ]
    assert shown("application_name") == "musicconnect web"
    database.close()
    opened(url, limits=database_limits(settings, "worker"))
    assert (shown("statement_timeout"), shown("lock_timeout")) == ("70s", "3s")


def test_a_connection_that_is_given_back_after_the_end_is_not_kept(url: str) -> None:
    """Such as by a thread that asked for figures while the process stopped."""
    pool = opened(url)
    database.proxy.execute_sql("SELECT 1")
    held = pool.connection()
    pool.close_idle()
    database.let_go()
    assert (held.closed, pool.primary.counts()) == (True, (0, 0))
    database.proxy.execute_sql("SELECT 1")
    database.let_go()
    assert pool.primary.counts() == (0, 1)


def test_what_the_address_says_wins(url: str) -> None:
    opened(f"{url}&application_name=mine&options=-c%20statement_timeout%3D11s", limits=Limits(statement_s=7))
    assert (shown("application_name"), shown("statement_timeout")) == ("mine", "11s")


def test_a_statement_that_takes_too_long_is_ended_and_the_connection_stays(url: str) -> None:
    opened(url, limits=Limits(statement_s=1))
    before = backend()
    with pytest.raises(peewee.OperationalError, match="statement timeout"):
        database.proxy.execute_sql("SELECT pg_sleep(30)")
    assert not database.is_broken()
    assert backend() == before


def test_who_waits_for_what_another_holds_is_let_go(url: str) -> None:
    opened(url, limits=Limits(lock_s=1))
    Role.create(name="one")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            Role.update(description="held").execute()
            held.set()
            assert done.wait(30)
        database.close_thread()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    with pytest.raises(peewee.OperationalError, match="lock timeout"), database.transaction():
        Role.update(description="mine").execute()
    done.set()
    holder.join()


def test_no_more_connections_than_the_pool_has_and_a_free_one_is_taken_again(url: str) -> None:
    pool = opened(url, size=2)
    pool.primary.wait_s = 0.2
    first = backend()
    got: list[object] = []
    inside, leave = threading.Event(), threading.Event()

    def take() -> None:
        got.append(backend())
        inside.set()
        assert leave.wait(30)
        database.close_thread()

    def take_one_too_many() -> None:
        with pytest.raises(peewee.OperationalError, match="in use"):
            backend()
        got.append("refused")

    other = threading.Thread(target=take)
    other.start()
    assert inside.wait(30)
    third = threading.Thread(target=take_one_too_many)
    third.start()
    third.join()
    assert got[1:] == ["refused"]
    assert pool.primary.counts() == (2, 0)
    leave.set()
    other.join()
    database.let_go()
    assert pool.primary.counts() == (0, 2)
    database.hold_open()
    assert backend() == first, "the one that was used last"
    database.let_go()


def test_a_transaction_that_was_left_open_is_ended_when_its_connection_goes_back(url: str) -> None:
    opened(url)
    database.proxy.execute_sql("BEGIN")
    Role.create(name="lost")
    database.let_go()
    assert Role.select().count() == 0


def test_it_is_known_whether_something_was_written(url: str) -> None:
    opened(url)
    database.let_go()
    with database.transaction():
        assert Role.select().count() == 0
    assert not database.wrote()
    Role.create(name="one")
    assert database.wrote()
    database.let_go()
    database.hold_open()
    assert not database.wrote()


def test_what_broke_off_may_have_been_written_unless_a_transaction_takes_it_back(url: str) -> None:
    opened(url)
    Role.create(name="one")
    database.let_go()
    last_words = "UPDATE role SET description = 'x' WHERE pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(peewee.OperationalError):
        database.proxy.execute_sql(last_words)
    assert database.is_broken()
    assert database.wrote()
    database.mend()
    with pytest.raises(peewee.OperationalError), database.transaction():
        database.proxy.execute_sql(last_words)
    assert database.is_broken()
    assert not database.wrote()
    database.mend()


def test_a_server_that_was_restarted_while_nobody_asked_is_asked_anew(server: PostgresqlNode) -> None:
    opened(server.url())
    database.let_go()
    server.restart()
    assert backend()
    database.let_go()
    server.kill()
    server.start()
    assert backend()
    database.close()


def test_who_asks_while_the_server_dies_fails_once(server: PostgresqlNode) -> None:
    opened(server.url())
    server.kill()
    with pytest.raises(peewee.OperationalError):
        backend()
    assert database.is_broken()
    database.mend()
    with pytest.raises(peewee.OperationalError):
        database.hold_open()
    server.start()
    assert backend()
    database.close()


def test_a_server_that_is_not_the_primary_any_more_is_left(server: PostgresqlNode) -> None:
    opened(server.url())
    database.proxy.execute_sql("CREATE TABLE IF NOT EXISTS thing (id int)")
    database.proxy.execute_sql("SET default_transaction_read_only = on")
    with pytest.raises(peewee.OperationalError, match="read-only"):
        database.proxy.execute_sql("INSERT INTO thing VALUES (1)")
    assert database.is_broken()
    database.mend()
    database.proxy.execute_sql("INSERT INTO thing VALUES (1)")
    database.close()


def test_an_address_where_nobody_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="timeout"):
            database.connect(
                f"postgresql://musicconnect@127.0.0.1:{deaf.getsockname()[1]}/x", limits=Limits(connect_s=2)
            )
        assert time.monotonic() - began < 60
    database.close()


def test_migrations_wait_for_each_other_and_step_back_from_who_holds_a_table(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MIGRATION_LOCK_S", 1)
    monkeypatch.setattr(database, "MIGRATION_TRIES", 2)
    monkeypatch.setattr(database, "MIGRATION_PAUSE_S", 0.1)
    opened(url)
    database.proxy.execute_sql("DELETE FROM schema_migration WHERE name LIKE '0032%%'")
    database.proxy.execute_sql("DROP TABLE lease, chore_slot")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            database.proxy.execute_sql("LOCK TABLE schema_migration")
            held.set()
            assert done.wait(30)
        database.close_thread()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    with pytest.raises(Unavailable, match="nothing was changed"):
        database.migrate()
    done.set()
    holder.join()
    assert database.migrate() == ["0032_rota"]
    assert shown("lock_timeout") == "0", "what was set for the migration ends with it"


def test_all_works_behind_pgbouncer_in_transaction_mode(server: PostgresqlNode) -> None:
    server.ask("DROP DATABASE IF EXISTS pooled")
    server.ask("CREATE DATABASE pooled")
    with pgbouncer(server) as port:
        url = f"postgresql://musicconnect@127.0.0.1:{port}/pooled"
        with pytest.raises(Unavailable, match="unsupported startup parameter"):
            database.connect(url)
        database.close()
        opened(url, size=8, limits=Limits(pooler=True))
        database.migrate()
        sessions: set[int] = set()
        problems: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for turn in range(15):
                    name = f"{number}-{turn}"
                    with database.transaction():
                        database.in_turn(7)
                        sessions.add(backend())
                        Role.create(name=name, description="x")
                    with database.snapshot():
                        assert Role.select().where(Role.name == name).count() == 1
                    assert leases.take(name, f"a:{number}:1", lasts_s=30)
                    jobs.add("test", name, now=database.instant())
                    database.let_go()
            except BaseException as error:
                problems.append(error)
            finally:
                database.close_thread()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(sessions) > 1, "or nothing was shared"
        assert (Role.select().count(), jobs.Job.select().count()) == (90, 90)
        database.close()
