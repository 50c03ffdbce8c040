"""Opening the database, by its address: SQLite in WAL mode, or PostgreSQL by a pool of connections."""

import time
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import peewee

from appliance.connections import Limits
from appliance.connections import Pool
from appliance.connections import Source
from appliance.errors import Invalid


class _Timed:
    """Tells the hooks of a database of the two statements that peewee leaves out: one waits for the write lock, the other for the disk."""

    def begin(self, *arguments: Any, **named: Any) -> None:
        """Begin a transaction."""
        self._timed("BEGIN", partial(super().begin, *arguments, **named))  # type: ignore[misc]

    def commit(self) -> None:
        """End it, with all that happened in it."""
        self._timed("COMMIT", super().commit)  # type: ignore[misc]

    def _timed(self: Any, statement: str, act: Callable[[], None]) -> None:
        if not self.query_hooks:
            act()
            return
        start = time.perf_counter()
        failed: Exception | None = None
        try:
            act()
        except Exception as error:
            failed = error
            raise
        finally:
            self._notify_hooks(statement, None, start, failed)


class _Sqlite(_Timed, peewee.SqliteDatabase):
    """One file, where one writes at a time."""

    def read(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a query at once."""
        rows: list[tuple[Any, ...]] = self.execute_sql(sql, params).fetchall()  # type: ignore[no-untyped-call]
        return rows


class _Postgresql(_Timed, Pool):
    """A server, where many do."""


def opened(url: str, pool_size: int, limits: Limits, replica_url: str) -> peewee.Database:
    """The database at *url*, not connected yet; ``Invalid`` for an address of another kind."""
    if url.startswith("sqlite:///"):
        return _Sqlite(
            url.removeprefix("sqlite:///"),
            timeout=20,
            pragmas={
                "journal_mode": "wal",
                "foreign_keys": 1,
                # FULL: what an artist was told is kept must outlive a power cut, not only a killed process.
                "synchronous": "full",
                "cache_size": -16_000,
                "temp_store": "memory",
            },
        )
    if urlsplit(url).scheme in {"postgres", "postgresql"}:
        primary, replica = (
            Source(address, size=pool_size, wait_s=10, parameters=limits.parameters(address))
            if address
            else None
            for address in (url, replica_url)
        )
        assert primary is not None
        return _Postgresql(primary, replica)
    raise Invalid(
        "The setting 'database_url' must begin with sqlite:/// or postgresql://.", field="database_url"
    )
