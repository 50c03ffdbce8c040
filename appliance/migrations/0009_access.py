"""What an access that can end needs: an epoch of revocations, exclusive tracks, and what was taken down."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Revocation(Model):
        id = BigAutoField()
        subject = CharField(max_length=60)
        at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "revocation"

    db.create_tables([Revocation])

    def add(table, name, field):
        # Natively, with a default in the database: a server of the version before still adds rows.
        migrator.migrate(migrator.alter_add_column(table, name, field, allow_not_null=True))

    add("track", "exclusive", BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]))
    add("track", "taken_down_at", UtcDateTimeField(null=True))
    add("release", "taken_down_at", UtcDateTimeField(null=True))


def down(migrator, db):
    for table, name in (("release", "taken_down_at"), ("track", "taken_down_at"), ("track", "exclusive")):
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN "{name}"')
    migrator.migrate(migrator.drop_table("revocation"))
