"""Which tables and migrations there are: a backup is also of a database that is not migrated yet, or of one by another version."""

import peewee
from playhouse.migrations import Runner

from appliance import database
from appliance.database import Base


def has(model: type[Base]) -> bool:
    """Whether the table of *model* is there, which it is not before its migration has run."""
    return bool(database.proxy.table_exists(model._meta.table_name))


def applied() -> list[str]:
    """Names of the migrations that have run, in their order."""
    return [m.name for m in Runner(database.proxy.obj, str(database.MIGRATIONS)).status() if m.applied]


def known() -> list[str]:
    """Names of the migrations that this version has."""
    return sorted(path.stem for path in database.MIGRATIONS.glob("[0-9]*.py"))


def continue_from(model: type[peewee.Model], number: int) -> None:
    """Count the rows of *model* on from *number*, which was written by hand; SQLite does so by itself."""
    if not isinstance(database.proxy.obj, peewee.SqliteDatabase):
        table = f'"{model._meta.table_name}"'
        database.proxy.execute_sql("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, number))
