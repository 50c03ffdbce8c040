"""Counting what the database is asked, for tests that hold a page to a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.database import proxy


@contextmanager
def counted() -> Iterator[list[str]]:
    """The SQL of every statement that runs inside, in order; of any thread."""
    statements: list[str] = []
    database = proxy.obj
    real = database.execute_sql

    def execute_sql(sql: str, *arguments: object, **named: object) -> object:
        statements.append(sql)
        return real(sql, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "execute_sql", execute_sql)
        yield statements


def least(act: Callable[[], object]) -> int:
    """How many statements *act* takes, the least of three times: what is kept for some seconds is asked for in one of them."""
    numbers = []
    for _ in range(3):
        with counted() as asked:
            act()
        numbers.append(len(asked))
    return min(numbers)
