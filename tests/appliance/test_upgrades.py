"""An upgrade one node after the other: the version before goes on working on the database of the next.

So a migration only adds: tables, and columns that the version before need not know. What must go is taken away one version later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from datetime import datetime
from typing import Any

import peewee
import pytest
from playhouse.migrations import Runner

from appliance import database

SINCE = "0030_receipt_taxes"
"""The last migration of the version before; what comes after it is held to the rule."""
EXCEPTIONS: dict[str, str] = {}
"""Migrations that may take something away, each with the reason why the version before does not miss it."""
VALUES: dict[str, Any] = {
    "VARCHAR": "x",
    "CHARACTER VARYING": "x",
    "TEXT": "x",
    "INTEGER": 7,
    "SMALLINT": 7,
    "BIGINT": 7,
    "REAL": 1.0,
    "DOUBLE PRECISION": 1.0,
    "NUMERIC": 7,
    "BOOLEAN": True,
    "BLOB": b"x",
    "BYTEA": b"x",
    "DATE": date(2026, 5, 1),
    "DATETIME": datetime(2026, 5, 1),
    "TIMESTAMP WITHOUT TIME ZONE": datetime(2026, 5, 1),
}


@pytest.fixture
def before(empty_engine: str) -> Iterator[peewee.Database]:
    """A database of the version before."""
    connected = database.connect(empty_engine)
    Runner(connected, str(database.MIGRATIONS)).up(SINCE)
    yield connected
    database.close()


def shape(db: peewee.Database) -> dict[str, dict[str, peewee.ColumnMetadata]]:
    """Tables and their columns; those of the index of words are the engine's own."""
    tables = [name for name in db.get_tables() if not name.startswith(("search_", "schema_migration"))]
    return {name: {column.name: column for column in db.get_columns(name)} for name in tables}


def unique(db: peewee.Database, table: str) -> set[tuple[str, ...]]:
    return {tuple(sorted(index.columns)) for index in db.get_indexes(table) if index.unique}


def faults(db: peewee.Database, name: str, was: dict[str, Any], rules: dict[str, Any]) -> Iterator[str]:
    """What the version before would miss after the migration *name*."""
    now = shape(db)
    for table, columns in was.items():
        if table not in now:
            yield f"{name} takes the table {table} away"
            continue
        for column, told in columns.items():
            found = now[table].get(column)
            if found is None:
                yield f"{name} takes {table}.{column} away"
            elif found.data_type != told.data_type:
                yield f"{name} makes {table}.{column} a {found.data_type}"
            elif told.null and not found.null:
                yield f"{name} requires {table}.{column}"
        for column, found in now[table].items():
            if column not in columns and not found.null and found.default is None:
                yield f"{name} requires {table}.{column}, which the version before does not write"
        for index in unique(db, table) - rules[table]:
            if set(index) <= set(columns):
                yield f"{name} allows {table}.{', '.join(index)} once only"


def test_every_migration_only_adds(before: peewee.Database) -> None:
    runner = Runner(before, str(database.MIGRATIONS))
    wrong: list[str] = []
    for name in database.pending():
        was = shape(before)
        rules = {table: unique(before, table) for table in was}
        assert runner.up(name) == [name]
        if name not in EXCEPTIONS:
            wrong += faults(before, name, was, rules)
    assert wrong == []


def test_what_the_version_before_inserts_is_still_taken(before: peewee.Database) -> None:
    was = shape(before)
    database.migrate()
    if isinstance(before, peewee.SqliteDatabase):
        before.execute_sql("PRAGMA foreign_keys = 0")
    else:
        before.execute_sql("SET session_replication_role = replica")
    for table, columns in was.items():
        rows = before.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0]
        # All it must name: what has no default of the database's own and may not be nothing.
        named = [column for column in columns.values() if not column.null and column.default is None]
        values = [VALUES[column.data_type.upper().partition("(")[0]] for column in named]
        names = ", ".join(f'"{column.name}"' for column in named)
        marks = ", ".join(["?" if isinstance(before, peewee.SqliteDatabase) else "%s"] * len(values))
        before.execute_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)
        assert before.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] == rows + 1


def test_what_a_migration_must_not_do_is_seen(before: peewee.Database) -> None:
    was = shape(before)
    rules = {table: unique(before, table) for table in was}
    before.execute_sql("CREATE UNIQUE INDEX once ON job (subject)")
    before.execute_sql("ALTER TABLE role RENAME COLUMN description TO told")
    before.execute_sql("DROP TABLE idempotency_key")
    assert sorted(faults(before, "0099", was, rules)) == [
        "0099 allows job.subject once only",
        "0099 requires role.told, which the version before does not write",
        "0099 takes role.description away",
        "0099 takes the table idempotency_key away",
    ]
