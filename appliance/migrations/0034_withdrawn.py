"""When a release was last taken back from the public: who bought it before then keeps it."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    field = UtcDateTimeField(null=True)
    migrator.migrate(migrator.alter_add_column("release", "withdrawn_at", field, allow_not_null=True))
    # Whatever was out once and is not now was withdrawn at its last change at the latest.
    db.execute_sql(
        "UPDATE \"release\" SET withdrawn_at = updated_at WHERE published_at IS NOT NULL AND state <> 'published'"
    )


def down(migrator, db):
    db.execute_sql('ALTER TABLE "release" DROP COLUMN "withdrawn_at"')
