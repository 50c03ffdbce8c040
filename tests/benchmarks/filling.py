"""Filling an empty database with a large catalogue, on either engine: past the product, by the quickest way that the engine has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from appliance import database
from tests.benchmarks import catalogue
from tests.benchmarks.catalogue import Place

_COUNTED = "UPDATE topic SET count = (SELECT COUNT(*) FROM topic_release WHERE topic_id = topic.id)"


def sqlite(path: Path, tracks: int) -> Place:
    """Fill the empty database at *path* with so many tracks."""
    _migrate(f"sqlite:///{path}")
    place = catalogue.place_of(tracks)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -200000")
    with connection:
        for table, rows in catalogue.tables(place):
            first, columns, rows = _whole(rows, _columns_of_sqlite(connection, table))
            names = ", ".join(columns)
            values = ", ".join(f":{name}" for name in columns)
            insert = f'INSERT INTO "{table}" ({names}) VALUES ({values})'
            connection.execute(insert, first)
            connection.executemany(insert, rows)
        connection.execute(_COUNTED)
        connection.execute("ANALYZE")
    connection.close()
    return place


def postgresql(url: str, tracks: int) -> Place:
    """Fill the empty database at *url* with so many tracks, by COPY, with all indexes and statistics."""
    _migrate(url)
    place = catalogue.place_of(tracks)
    with psycopg.connect(url, autocommit=True) as connection:
        for table, rows in catalogue.tables(place):
            _, columns, rows = _whole(rows, _columns_of_postgresql(connection, table), with_first=True)
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in rows:
                    copy.write_row([row[name] for name in columns])
        connection.execute(_COUNTED)
        # Also what vacuuming leaves behind, so that nothing of it is done while somebody measures.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return place


def _migrate(url: str) -> None:
    database.connect(url)
    try:
        database.migrate()
    finally:
        database.close()


def _whole(
    rows: Iterable[dict[str, Any]], columns: Iterable[tuple[str, str, bool]], *, with_first: bool = False
) -> tuple[dict[str, Any], list[str], Iterator[dict[str, Any]]]:
    """The first of *rows*, the columns to write, and the rest of them (or all, *with_first*) with a value for each.

    A column that is not given has the empty value of its kind: the models' defaults are in Python.
    """
    rows = iter(rows)
    first = next(rows)
    given = {name: _empty(kind) for name, kind, key in columns if not key or name in first}
    given = {name: value for name, value in given.items() if name in first or value is not None}

    def rest() -> Iterator[dict[str, Any]]:
        if with_first:
            yield given | first
        for row in rows:
            yield given | row

    return given | first, list(given), rest()


def _columns_of_sqlite(connection: sqlite3.Connection, table: str) -> list[tuple[str, str, bool]]:
    """Name, kind (empty for one that may be), and whether the engine gives it."""
    rows = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    return [(row[1], row[2] if row[3] else "", bool(row[5])) for row in rows]


def _columns_of_postgresql(connection: psycopg.Connection[Any], table: str) -> list[tuple[str, str, bool]]:
    rows = connection.execute(
        "SELECT column_name, data_type, is_nullable = 'NO', "
        "column_name = 'id' OR column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS' "
        "FROM information_schema.columns WHERE table_name = %s AND table_schema = 'public' ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    return [(name, kind.upper() if required else "", given) for name, kind, required, given in rows]


def _empty(kind: str) -> object:
    """A value for a column that must have one; None for one that may be empty."""
    if not kind:
        return None
    if kind.startswith("BOOL"):
        return False
    if kind.startswith(("INTEGER", "BIGINT", "SMALLINT", "REAL", "DOUBLE", "NUMERIC")):
        return 0
    return "2020-01-01 00:00:00" if kind.startswith(("DATETIME", "TIMESTAMP")) else ""
