"""The database, on both engines: the schema, transactions, instants, and what an operator is told."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from pathlib import Path
from typing import Any

import peewee
import pytest
from playhouse.schema_diff import diff_models

from appliance import afterwards
from appliance import database
from appliance.accounts import factor_models as factors
from appliance.accounts import models as accounts
from appliance.accounts.models import Role
from appliance.accounts.models import User
from appliance.billing import models as billing
from appliance.catalog import member_models as members
from appliance.catalog import models as catalog
from appliance.catalog import takedowns
from appliance.catalog import topics
from appliance.collective import models as collective
from appliance.database import Base
from appliance.discovery import featured
from appliance.downloads import models as downloads
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.idempotency import IdempotencyKey
from appliance.jobs.leases import Lease
from appliance.jobs.models import Job
from appliance.jobs.rota import ChoreSlot
from appliance.ledger import models as ledger
from appliance.library import models as library
from appliance.listening import models as listening
from appliance.mail import Message
from appliance.memberships import models as memberships
from appliance.memberships import subscription_models as subscriptions
from appliance.node_processes import NodeProcess
from appliance.payouts import models as payouts
from appliance.plugin_settings import PluginSetting
from appliance.revocations import Revocation
from appliance.shop import bundle_models as bundles
from appliance.shop import gift_models as gifts
from appliance.shop import models as shop
from appliance.shop.merchandise import models as merchandise
from tests.makers import make_user

MODELS = [
    model
    for module in (
        accounts,
        factors,
        billing,
        catalog,
        members,
        collective,
        downloads,
        ledger,
        library,
        payouts,
        listening,
        memberships,
        subscriptions,
        shop,
        merchandise,
        gifts,
        bundles,
        takedowns,
        topics,
        featured,
    )
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Base) and model.__module__ == module.__name__
] + [ChoreSlot, Job, IdempotencyKey, Lease, Message, NodeProcess, PluginSetting, Revocation]
INSTANT = datetime(2026, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.fixture
def connected(empty_engine: str) -> Iterator[peewee.Database]:
    """An empty database that every model is bound to."""
    yield database.connect(empty_engine)
    database.close()


@pytest.fixture
def migrated(connected: peewee.Database) -> peewee.Database:
    database.migrate()
    return connected


def columns(db: peewee.Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of the models as the engine itself describes it."""
    return {
        model._meta.table_name: sorted(
            (column.name, column.data_type.upper(), column.null, column.primary_key)
            for column in db.get_columns(model._meta.table_name)
        )
        for model in MODELS
    }


def rules(db: peewee.Database) -> dict[str, Any]:
    """Indexes and foreign keys by what they say, not by how they are called."""
    return {
        model._meta.table_name: (
            sorted(
                (tuple(index.columns), bool(index.unique)) for index in db.get_indexes(model._meta.table_name)
            ),
            sorted(
                (key.column, key.dest_table, key.dest_column)
                for key in db.get_foreign_keys(model._meta.table_name)
            ),
        )
        for model in MODELS
    }


def test_the_migrations_make_exactly_the_tables_of_the_models(migrated: peewee.Database) -> None:
    difference = diff_models(migrated, MODELS)
    assert not difference, str(difference)
    made = columns(migrated), rules(migrated)
    migrated.drop_tables(MODELS)
    migrated.create_tables(MODELS)
    assert made == (columns(migrated), rules(migrated))


def test_migrating_twice_changes_nothing(connected: peewee.Database) -> None:
    assert database.migrate() != []
    assert database.migrate() == []


def test_pending_names_what_is_missing_until_it_is_applied(connected: peewee.Database) -> None:
    names = [path.stem for path in sorted(database.MIGRATIONS.glob("0*.py"))]
    assert database.pending() == names
    database.migrate()
    assert database.pending() == []


def test_an_operator_is_told_to_migrate(connected: peewee.Database) -> None:
    with pytest.raises(Unavailable, match="run 'musicconnect migrate'"):
        database.check()
    database.migrate()
    database.check()


def test_two_processes_that_migrate_at_once_both_succeed(empty_engine: str) -> None:
    code = (
        "import sys; from appliance import database; database.connect(sys.argv[1]); sys.stdin.readline(); "
        "print(len(database.migrate())); database.check(); database.close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, empty_engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert sum(int(out) for out, _ in answers) == len(list(database.MIGRATIONS.glob("0*.py")))


def test_a_transaction_that_fails_leaves_nothing(migrated: peewee.Database) -> None:
    with pytest.raises(RuntimeError), database.transaction():
        Role.create(name="listener")
        raise RuntimeError
    assert Role.select().count() == 0


def test_an_inner_transaction_that_fails_leaves_the_outer_one(migrated: peewee.Database) -> None:
    with database.transaction():
        Role.create(name="listener")
        with pytest.raises(peewee.IntegrityError), database.transaction():
            Role.create(name="listener")
        Role.create(name="artist")
    assert sorted(role.name for role in Role.select()) == ["artist", "listener"]


def test_a_hint_is_given_when_all_of_it_is_committed(migrated: peewee.Database) -> None:
    seen: list[int] = []

    def hint() -> None:
        with database.transaction():
            seen.append(Role.select().count())
        assert not migrated.in_transaction()

    with database.transaction():
        with database.transaction():
            Role.create(name="listener")
            afterwards.give(hint)
        assert seen == []
        Role.create(name="artist")
    assert seen == [2]
    afterwards.give(hint)
    assert seen == [2, 2], "without a transaction it is given at once"


def test_of_what_is_taken_back_no_hint_is_given(migrated: peewee.Database) -> None:
    seen: list[int] = []
    with pytest.raises(RuntimeError), database.transaction():
        afterwards.give(lambda: seen.append(1))
        raise RuntimeError
    with database.transaction():
        Role.create(name="listener")
    assert seen == []


def test_a_transaction_that_is_to_be_quick_gives_few_hints(migrated: peewee.Database) -> None:
    seen: list[int] = []
    with database.transaction():
        for number in range(1000):
            afterwards.give(lambda number=number: seen.append(number))  # type: ignore[misc]
    assert seen == list(range(afterwards.MOST))


def test_two_that_read_and_then_write_lose_no_update(migrated: peewee.Database) -> None:
    """On SQLite by the write lock taken at once; on PostgreSQL the row is counted up by the database itself."""
    Role.create(name="counter", description="0")
    problems: list[BaseException] = []

    def count_up() -> None:
        try:
            for _ in range(10):
                with database.transaction():
                    row = Role.get(Role.name == "counter") if _is_sqlite(migrated) else _locked_row()
                    Role.update(description=str(int(row.description) + 1)).where(
                        Role.name == "counter"
                    ).execute()
        except BaseException as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=count_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert Role.get(Role.name == "counter").description == "30"


def _is_sqlite(db: peewee.Database) -> bool:
    return isinstance(db, peewee.SqliteDatabase)


def _locked_row() -> Role:
    row: Role = Role.select().where(Role.name == "counter").for_update().get()
    return row


def test_somebody_who_goes_through_rows_may_write_although_others_write_meanwhile(
    migrated: peewee.Database,
) -> None:
    for name in ("drums", "bass", "voice"):
        Role.create(name=name)

    def write_elsewhere() -> None:
        Role.create(name="elsewhere")
        Role.delete().where(Role.name == "elsewhere").execute()
        database.close_thread()

    for role in Role.select().order_by(Role.name):
        other = threading.Thread(target=write_elsewhere)
        other.start()
        other.join()
        with database.transaction():
            Role.update(description="heard").where(Role.name == role.name).execute()
    assert {row.description for row in Role.select()} == {"heard"}


def test_an_instant_comes_back_aware_and_in_utc(migrated: peewee.Database) -> None:
    user = make_user(now=INSTANT.astimezone(timezone(timedelta(hours=5, minutes=30))))
    found = User.get_by_id(user.id).created_at
    assert (found, found.tzinfo) == (INSTANT, UTC)
    assert User.select().where(User.created_at == INSTANT).exists()
    assert not User.select().where(User.created_at < INSTANT).exists()


def test_an_instant_without_a_time_zone_is_refused(migrated: peewee.Database) -> None:
    with pytest.raises(ValueError, match="time zone"):
        make_user(now=datetime(2026, 5, 1, 12))


def test_what_belongs_to_a_person_goes_with_them(migrated: peewee.Database) -> None:
    user = make_user()
    User.delete().where(User.id == user.id).execute()
    assert accounts.UserRole.select().count() == 0


def test_ids_sort_by_the_time_they_were_made() -> None:
    first = database.new_id()
    threading.Event().wait(0.002)
    assert first < database.new_id()


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="'database_url' must begin with") as caught:
        database.connect("mysql://localhost/music")
    assert caught.value.field == "database_url"


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.sqlite3", "postgresql://nobody@/none?host=/nowhere"]
)
def test_a_database_that_cannot_be_reached_is_told_in_one_line(url: str) -> None:
    with pytest.raises(Unavailable, match="The database does not answer: ") as caught:
        database.connect(url)
    assert "\n" not in str(caught.value)
    database.close()
