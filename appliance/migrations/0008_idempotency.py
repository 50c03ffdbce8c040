"""Forms that were sent: a second sending finds what the first one made."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class IdempotencyKey(Model):
        digest = CharField(primary_key=True, max_length=64)
        location = TextField(default="")
        created_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "idempotency_key"

    db.create_tables([IdempotencyKey])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("idempotency_key"))
