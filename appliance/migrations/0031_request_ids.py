"""A job knows which request gave reason for it, and its place in a trace."""

from peewee import *


def up(migrator, db):
    def add(name, longest):
        # With a default in the database: the version before goes on adding jobs without these.
        field = CharField(max_length=longest, default="", constraints=[SQL("DEFAULT ''")])
        migrator.migrate(migrator.alter_add_column("job", name, field, allow_not_null=True))

    add("request_id", 64)
    add("trace_parent", 55)


def down(migrator, db):
    for name in ("request_id", "trace_parent"):
        db.execute_sql(f"ALTER TABLE job DROP COLUMN {name}")
