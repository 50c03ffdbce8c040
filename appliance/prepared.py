"""Queries put into words once: peewee spends more time on writing such a query anew than the database on answering it.

Measured on ``GET /api/v1/tracks/{id}``: four fifths of its 3.3 ms went into making SQL and taking rows apart. For queries that every
request of a kind asks; all others stay plain peewee.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Generic
from typing import TypeVar

import peewee

from appliance.database import proxy

M = TypeVar("M", bound=peewee.Model)
_PLAIN = (peewee.CharField, peewee.TextField, peewee.IntegerField, peewee.FloatField, peewee.ForeignKeyField)
"""Fields whose values come from both engines as Python wants them."""


class Prepared(Generic[M]):
    """A SELECT with parameters; calling it with their values, as the database takes them, gives the rows of its first model.

    *build* makes the query from as many values as are given. *links* are the foreign keys whose rows are selected too, in the order of
    their models, and set where the key points.
    """

    def __init__(self, build: Callable[..., peewee.ModelSelect[M]], *links: peewee.ForeignKeyField) -> None:
        self._build = build
        self._links = links
        self._plans: dict[tuple[type, int], _Plan[M]] = {}

    def __call__(self, *values: object) -> list[M]:
        """The rows for these values."""
        # By engine, since their SQL differs, and by number, for IN.
        key = (type(proxy.obj), len(values))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _Plan(self._build, self._links, len(values))
        return plan.rows(values)


class Statement:
    """Any statement with parameters; calling it with their values, as the database takes them, runs it and gives the cursor.

    *build* is given stand-ins, to be used where the values go: in a condition, in what is written, never in an expression of Python.
    """

    def __init__(self, build: Callable[..., Any], count: int) -> None:
        self._build = build
        self._count = count
        self._plans: dict[type, tuple[str, list[tuple[int | None, object]]]] = {}

    def __call__(self, *values: object) -> Any:
        """Run it with these values."""
        sql, slots = self._plans.get(type(proxy.obj)) or self._plan()
        return proxy.execute_sql(sql, [fixed if slot is None else values[slot] for slot, fixed in slots])

    def _plan(self) -> tuple[str, list[tuple[int | None, object]]]:
        markers = [f"\0{number}" for number in range(self._count)]
        # As values that no field converts: a stand-in is not what the field expects.
        query = self._build(*(peewee.Value(marker, converter=False) for marker in markers))
        sql, parameters = query.sql()
        slots: list[tuple[int | None, object]] = []
        for given in parameters:
            slots.append((markers.index(given), None) if given in markers else (None, given))
        self._plans[type(proxy.obj)] = str(sql), slots
        return str(sql), slots


class _Plan(Generic[M]):
    def __init__(
        self,
        build: Callable[..., peewee.ModelSelect[M]],
        links: tuple[peewee.ForeignKeyField, ...],
        count: int,
    ) -> None:
        # No text of the product begins with NUL, so these are found again among the parameters.
        markers = [f"\0{number}" for number in range(count)]
        query = build(*markers)
        self.sql, parameters = query.sql()
        self.slots = [
            (markers.index(given), None) if given in markers else (None, given) for given in parameters
        ]
        self.models: list[_Columns] = []
        for index, column in enumerate(query.selected_columns):
            if not self.models or self.models[-1].model is not column.model:
                self.models.append(_Columns(column.model, index))
            self.models[-1].add(column)
        known = [columns.model for columns in self.models]
        self.links = [(known.index(link.model), link.name, known.index(link.rel_model)) for link in links]

    def rows(self, values: tuple[object, ...]) -> list[M]:
        given = [fixed if slot is None else values[slot] for slot, fixed in self.slots]
        return [self._row(row) for row in proxy.execute_sql(self.sql, given).fetchall()]

    def _row(self, row: tuple[Any, ...]) -> M:
        made = [columns.instance(row) for columns in self.models]
        for source, name, target in self.links:
            made[source].__rel__[name] = made[target]
        first: M = made[0]
        return first


class _Columns:
    """The columns of a row that belong to one model."""

    def __init__(self, model: type[peewee.Model], start: int) -> None:
        self.model = model
        self.part = slice(start, start)
        self.names: tuple[str, ...] = ()
        self.converters: tuple[tuple[str, Callable[[Any], Any]], ...] = ()

    def add(self, field: peewee.Field) -> None:
        self.part = slice(self.part.start, self.part.stop + 1)
        self.names += (field.name,)
        if not isinstance(field, _PLAIN):
            self.converters += ((field.name, field.python_value),)

    def instance(self, row: tuple[Any, ...]) -> Any:
        made: Any = self.model(__no_default__=1)
        data = made.__data__ = dict(zip(self.names, row[self.part], strict=True))
        for name, convert in self.converters:
            data[name] = convert(data[name])
        return made
