"""Leases of duties that one process has at a time, and which slots of the chores were claimed."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Lease(Model):
        name = CharField(primary_key=True, max_length=40)
        holder = CharField(max_length=120, default="")
        until = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "lease"

    class ChoreSlot(Model):
        name = CharField(primary_key=True, max_length=80)
        slot = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "chore_slot"

    db.create_tables([Lease, ChoreSlot])


def down(migrator, db):
    for table in ("chore_slot", "lease"):
        migrator.migrate(migrator.drop_table(table))
