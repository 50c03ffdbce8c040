"""Memberships that are paid for, beside those that are given, and how long a tier can be tried."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class User(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "user"

    class Artist(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "artist"

    class Tier(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "tier"

    class Subscription(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        artist = ForeignKeyField(Artist, on_delete="RESTRICT", index=False)
        tier = ForeignKeyField(Tier, on_delete="RESTRICT")
        interval = CharField(max_length=5)
        price_minor = BigIntegerField()
        currency = CharField(max_length=3)
        trial_days = IntegerField(default=0)
        provider = CharField(max_length=30)
        reference = CharField(max_length=120, default="")
        customer = CharField(max_length=120, default="")
        checkout = CharField(max_length=200, default="")
        checkout_url = TextField(default="")
        checkout_state = CharField(max_length=10, default="open")
        state = CharField(max_length=12, default="incomplete")
        period_end = UtcDateTimeField(null=True)
        trial_end = UtcDateTimeField(null=True)
        cancel_at = UtcDateTimeField(null=True)
        pending_tier = ForeignKeyField(Tier, null=True, on_delete="RESTRICT", backref="coming", index=False)
        pending_price_minor = BigIntegerField(null=True)
        pending_interval = CharField(max_length=5, default="")
        as_of = UtcDateTimeField(null=True)
        past_due_since = UtcDateTimeField(null=True)
        ended_at = UtcDateTimeField(null=True)
        current = BooleanField(default=True)
        locale = CharField(max_length=10, default="en")
        root = CharField(max_length=200, default="")
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "subscription"
            indexes = (
                (("user", "artist"), False),
                (("artist", "id"), False),
                (("state", "id"), False),
                (("updated_at",), False),
            )

    Subscription.add_index(
        Subscription.index(
            Subscription.user,
            Subscription.artist,
            unique=True,
            where=Subscription.current,
            name="subscription_current",
        )
    )

    class SubscriptionAct(Model):
        id = CharField(primary_key=True, max_length=26)
        subscription = ForeignKeyField(Subscription, on_delete="CASCADE", index=False)
        kind = CharField(max_length=10)
        state = CharField(max_length=10)
        tier = ForeignKeyField(Tier, null=True, on_delete="RESTRICT", index=False)
        interval = CharField(max_length=5, default="")
        price_minor = BigIntegerField(null=True)
        currency = CharField(max_length=3, default="")
        at_once = BooleanField(default=False)
        due_now_minor = BigIntegerField(null=True)
        next_minor = BigIntegerField(null=True)
        next_at = UtcDateTimeField(null=True)
        as_of = UtcDateTimeField(null=True)
        version = IntegerField()
        created_at = UtcDateTimeField()
        asked_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "subscription_act"
            indexes = ((("subscription", "id"), False),)

    class PaymentFailure(Model):
        id = BigAutoField()
        subscription = ForeignKeyField(Subscription, on_delete="CASCADE", index=False)
        reference = CharField(max_length=120)
        first_failed_at = UtcDateTimeField()
        last_failed_at = UtcDateTimeField()
        next_try_at = UtcDateTimeField(null=True)
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)

        class Meta:
            database = db
            table_name = "payment_failure"
            indexes = ((("subscription", "reference"), True),)

    class SubscriptionLetter(Model):
        id = BigAutoField()
        subscription = ForeignKeyField(Subscription, on_delete="CASCADE", index=False)
        step = CharField(max_length=20)
        occasion = CharField(max_length=120, default="")
        written_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "subscription_letter"
            indexes = ((("subscription", "step", "occasion"), True),)

    db.create_tables([Subscription, SubscriptionAct, PaymentFailure, SubscriptionLetter])
    migrator.migrate(migrator.add_column("tier", "trial_days", IntegerField(default=0)))
    # Who was given a membership may pay for a better one.
    db.execute_sql("DROP INDEX membership_current")
    db.execute_sql(
        "CREATE UNIQUE INDEX membership_given ON membership (user_id, artist_id) WHERE ended_at IS NULL AND origin <> 'paid'"
    )


def down(migrator, db):
    for table in ("subscription_letter", "payment_failure", "subscription_act", "subscription"):
        migrator.migrate(migrator.drop_table(table))
    # The version before knows one membership of a person and an artist: the given one stays.
    db.execute_sql(
        "UPDATE membership SET ended_at = created_at WHERE origin = 'paid' AND ended_at IS NULL AND EXISTS "
        "(SELECT 1 FROM membership AS other WHERE other.user_id = membership.user_id AND other.artist_id = membership.artist_id "
        "AND other.id <> membership.id AND other.ended_at IS NULL)"
    )
    db.execute_sql("DROP INDEX membership_given")
    db.execute_sql(
        "CREATE UNIQUE INDEX membership_current ON membership (user_id, artist_id) WHERE ended_at IS NULL"
    )
    migrator.migrate(migrator.drop_column("tier", "trial_days"))
