"""Queries put into words once: peewee spends more time on writing such a query anew than the database on answering it.

Measured on ``GET /api/v1/tracks/{id}``: four fifths of its 3.3 ms went into making SQL and taking rows apart. For queries that every
request of a kind asks; all others stay plain peewee.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from typing import Generic
from typing import TypeVar

import peewee

from appliance.database import locked
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
        plan = self._plan(len(values))
        return [plan.row(told) for told in plan.told(values)]

    def tuples(self, *values: object) -> list[tuple[Any, ...]]:
        """The same as the database tells them, where a few texts and numbers are all that is wanted."""
        return self._plan(len(values)).told(values)

    def _plan(self, count: int) -> _Plan[M]:
        # By engine, since their SQL differs, and by number, for IN.
        key = (type(proxy.obj), count)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _Plan(self._build, self._links, count)
        return plan


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
        query = self._build(*map(_as_it_is, markers))
        sql, parameters = query.sql()
        slots: list[tuple[int | None, object]] = []
        for given in parameters:
            slots.append((markers.index(given), None) if given in markers else (None, given))
        self._plans[type(proxy.obj)] = str(sql), slots
        return str(sql), slots


def one(model: type[M], *, hold: bool = False, **where: object) -> M | None:
    """The row whose fields are these, such as ``one(Order, id=mark)``; with *hold* it is held until the transaction ends."""
    names = tuple(where)
    found = _selection(model, names, hold)(*_stored(model, names, where))
    return found[0] if found else None


def exists(model: type[peewee.Model], **where: object) -> bool:
    """Whether there is a row whose fields are these."""
    names = tuple(where)
    return _question(model, names)(*_stored(model, names, where)).fetchone() is not None


def insert(model: type[peewee.Model], *, ignore: bool = False, **values: object) -> int:
    """Write a row, with the defaults of its fields; how many that were: with *ignore* none when there is one with its keys."""
    # Here and not by peewee, which would put them into the words: a default such as an id is another each time.
    row = {**model._meta.get_default_dict(), **values}  # type: ignore[no-untyped-call]
    names = tuple(row)
    return int(_insertion(model, names, ignore)(*_stored(model, names, row)).rowcount)


def update(model: type[peewee.Model], key: object, **values: object) -> int:
    """Change these fields of the row with this primary key; how many rows that were."""
    names = tuple(values)
    return int(_change(model, names)(*_stored(model, names, values), key).rowcount)


def _stored(model: type[peewee.Model], names: tuple[str, ...], values: dict[str, Any]) -> list[Any]:
    """The values as the database takes them."""
    fields = model._meta.fields
    return [fields[name].db_value(values[name]) for name in names]


def _equal(model: type[peewee.Model], names: tuple[str, ...], values: tuple[object, ...]) -> list[Any]:
    return [model._meta.fields[name] == value for name, value in zip(names, values, strict=True)]


def _as_it_is(marker: str) -> Any:
    """A stand-in that no field converts: it is not what the field expects."""
    return peewee.Value(marker, converter=False)


@cache
def _selection(model: type[M], names: tuple[str, ...], hold: bool) -> Prepared[M]:
    def build(*values: object) -> peewee.ModelSelect[M]:
        query = model.select().where(*_equal(model, names, values))
        return locked(query) if hold else query

    return Prepared(build)


@cache
def _question(model: type[peewee.Model], names: tuple[str, ...]) -> Statement:
    def build(*values: object) -> Any:
        return model.select(peewee.SQL("1")).where(*_equal(model, names, values)).limit(1)

    return Statement(build, len(names))


@cache
def _insertion(model: type[peewee.Model], names: tuple[str, ...], ignore: bool) -> Statement:
    def build(*values: object) -> Any:
        query = model.insert(
            {model._meta.fields[name]: value for name, value in zip(names, values, strict=True)}
        )
        return (query.on_conflict_ignore() if ignore else query).as_rowcount()

    return Statement(build, len(names))


@cache
def _change(model: type[peewee.Model], names: tuple[str, ...]) -> Statement:
    def build(*values: object) -> Any:
        *changed, key = values
        query = model.update(
            {model._meta.fields[name]: value for name, value in zip(names, changed, strict=True)}
        )
        return query.where(model._meta.primary_key == key)

    return Statement(build, len(names) + 1)


class _Plan(Generic[M]):
    def __init__(
        self,
        build: Callable[..., peewee.ModelSelect[M]],
        links: tuple[peewee.ForeignKeyField, ...],
        count: int,
    ) -> None:
        # No text of the product begins with NUL, so these are found again among the parameters.
        markers = [f"\0{number}" for number in range(count)]
        query = build(*map(_as_it_is, markers))
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

    def told(self, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        given = [fixed if slot is None else values[slot] for slot, fixed in self.slots]
        rows: list[tuple[Any, ...]] = proxy.obj.read(self.sql, given)
        return rows

    def row(self, row: tuple[Any, ...]) -> M:
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
