"""When a release was last taken back from the public, for those who bought it before then; and payments that somebody is asked for."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Subscription(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "subscription"

    class PaymentAsked(Model):
        id = BigAutoField()
        subscription = ForeignKeyField(Subscription, on_delete="CASCADE", index=False)
        reference = CharField(max_length=120)
        words = CharField(max_length=60)
        url = TextField()
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)
        due_at = UtcDateTimeField()
        as_of = UtcDateTimeField()
        open = BooleanField()

        class Meta:
            database = db
            table_name = "payment_asked"
            indexes = ((("subscription", "reference"), True), (("open", "due_at"), False))

    db.create_tables([PaymentAsked])
    field = UtcDateTimeField(null=True)
    migrator.migrate(migrator.alter_add_column("release", "withdrawn_at", field, allow_not_null=True))
    # Whatever was out once and is not now was withdrawn at its last change at the latest.
    db.execute_sql(
        "UPDATE \"release\" SET withdrawn_at = updated_at WHERE published_at IS NOT NULL AND state <> 'published'"
    )


def down(migrator, db):
    db.execute_sql('ALTER TABLE "release" DROP COLUMN "withdrawn_at"')
    migrator.migrate(migrator.drop_table("payment_asked"))
