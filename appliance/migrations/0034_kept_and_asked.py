"""Releases that were withdrawn, for those who bought them before; payments that somebody is asked for; how long unpaid orders keep things."""

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
    # What was led to its till before keeps its things for a week, as it was told then.
    field = UtcDateTimeField(null=True)
    migrator.migrate(migrator.alter_add_column("shop_order", "held_until", field, allow_not_null=True))
    kept = "state = 'open' AND (discount_id IS NOT NULL OR id IN (SELECT order_id FROM merchandise_parcel))"
    if isinstance(db, SqliteDatabase):
        db.execute_sql(f"UPDATE shop_order SET held_until = datetime(created_at, '+7 days') WHERE {kept}")  # noqa: S608
    else:
        db.execute_sql(f"UPDATE shop_order SET held_until = created_at + interval '7 days' WHERE {kept}")  # noqa: S608


def down(migrator, db):
    db.execute_sql('ALTER TABLE "shop_order" DROP COLUMN "held_until"')
    db.execute_sql('ALTER TABLE "release" DROP COLUMN "withdrawn_at"')
    migrator.migrate(migrator.drop_table("payment_asked"))
