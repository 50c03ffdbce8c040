"""Memberships that somebody pays for once and somebody else has."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Frozen(Model):
        class Meta:
            database = db

    class User(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Artist(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Tier(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Order(Frozen):
        id = CharField(max_length=26, primary_key=True)

        class Meta:
            table_name = "shop_order"

    class Gift(Frozen):
        id = CharField(max_length=26, primary_key=True)
        order = ForeignKeyField(Order, on_delete="CASCADE", unique=True)
        artist = ForeignKeyField(Artist, on_delete="RESTRICT", index=False)
        tier = ForeignKeyField(Tier, on_delete="RESTRICT", index=False)
        months = IntegerField()
        code = CharField(max_length=19, unique=True)
        by = CharField(max_length=80)
        message = TextField(default="")
        email = CharField(max_length=254, default="")
        send_at = UtcDateTimeField(null=True)
        sent_at = UtcDateTimeField(null=True)
        letters = IntegerField(default=0)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        redeemed_at = UtcDateTimeField(null=True)
        begins_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_gift"
            indexes = ((("user", "tier"), False), (("sent_at", "send_at"), False))

    db.create_tables([Gift])
    # Who was given a membership by hand may redeem presents beside it, one after the other.
    db.execute_sql("DROP INDEX membership_given")
    db.execute_sql(
        "CREATE UNIQUE INDEX membership_given ON membership (user_id, artist_id) "
        "WHERE ended_at IS NULL AND origin NOT IN ('paid', 'present')"
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_table("shop_gift"))
    # The version before knows no presents; for it they are memberships that were paid for, which they are.
    db.execute_sql("UPDATE membership SET origin = 'paid' WHERE origin = 'present'")
    db.execute_sql("DROP INDEX membership_given")
    db.execute_sql(
        "CREATE UNIQUE INDEX membership_given ON membership (user_id, artist_id) WHERE ended_at IS NULL AND origin <> 'paid'"
    )
