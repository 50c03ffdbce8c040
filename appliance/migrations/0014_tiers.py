"""Tiers with the three that every artist begins with, memberships, purchases, and what was taken down and why."""

from peewee import *

from appliance.database import UtcDateTimeField
from appliance.database import new_id

FREE = {
    "kind": "free",
    "name": "Free",
    "position": 1,
    "price_minor": 0,
    "top_quality": "medium",
    "early_access_hours": 0,
    "exclusives": False,
    "downloads_a_month": 0,
    "monthly_qa": False,
    "live_sessions": False,
    "virtual_backstage": False,
    "direct_messages_a_month": 0,
    "offline": False,
    "merchandise_discount_percent": 0,
}
SUPPORTER = FREE | {
    "kind": "supporter",
    "name": "Supporter",
    "position": 2,
    "price_minor": 500,
    "top_quality": "lossless",
    "early_access_hours": 24,
    "exclusives": True,
    "downloads_a_month": 10,
    "monthly_qa": True,
}
SUPERFAN = SUPPORTER | {
    "kind": "superfan",
    "name": "Superfan",
    "position": 3,
    "price_minor": 1000,
    "top_quality": "master",
    "early_access_hours": 48,
    "downloads_a_month": None,
    "live_sessions": True,
    "virtual_backstage": True,
    "direct_messages_a_month": 5,
    "offline": True,
    "merchandise_discount_percent": 20,
}


def up(migrator, db):
    class User(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "user"

    class Artist(Model):
        id = CharField(primary_key=True, max_length=26)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "artist"

    class Release(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "release"

    class Track(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "track"

    class Tier(Model):
        id = CharField(primary_key=True, max_length=26)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        kind = CharField(max_length=10, default="")
        name = CharField(max_length=60)
        about = TextField(default="")
        position = IntegerField()
        price_minor = IntegerField(default=0)
        annual_price_minor = IntegerField(null=True)
        currency = CharField(max_length=3, default="EUR")
        top_quality = CharField(max_length=10, default="medium")
        early_access_hours = IntegerField(default=0)
        exclusives = BooleanField(default=False)
        downloads_a_month = IntegerField(null=True, default=0)
        monthly_qa = BooleanField(default=False)
        live_sessions = BooleanField(default=False)
        virtual_backstage = BooleanField(default=False)
        direct_messages_a_month = IntegerField(default=0)
        offline = BooleanField(default=False)
        merchandise_discount_percent = IntegerField(default=0)
        archived_at = UtcDateTimeField(null=True)
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "tier"
            indexes = ((("artist", "position"), False),)

    class Membership(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        tier = ForeignKeyField(Tier, on_delete="CASCADE")
        origin = CharField(max_length=10)
        paid_through = UtcDateTimeField(null=True)
        granted_by = ForeignKeyField(User, null=True, on_delete="SET NULL")
        note = CharField(max_length=300, default="")
        ended_at = UtcDateTimeField(null=True)
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "membership"
            indexes = ((("user", "artist"), False), (("artist", "ended_at", "id"), False))

    class Purchase(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        release = ForeignKeyField(Release, null=True, on_delete="CASCADE")
        track = ForeignKeyField(Track, null=True, on_delete="CASCADE")
        bought_at = UtcDateTimeField()
        refunded_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "purchase"
            indexes = ((("user", "artist"), False),)

    class Takedown(Model):
        id = CharField(primary_key=True, max_length=26)
        release = ForeignKeyField(Release, null=True, on_delete="CASCADE")
        track = ForeignKeyField(Track, null=True, on_delete="CASCADE")
        reason = CharField(max_length=500)
        taken_by = ForeignKeyField(User, null=True, on_delete="SET NULL")
        taken_at = UtcDateTimeField()
        lifted_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "takedown"

    # The database itself refuses a second free tier, and a second membership that runs.
    Tier.add_index(Tier.index(Tier.artist, Tier.kind, unique=True, where=(Tier.kind != ""), name="tier_kind"))
    Membership.add_index(
        Membership.index(
            Membership.user,
            Membership.artist,
            unique=True,
            where=Membership.ended_at.is_null(),
            name="membership_current",
        )
    )
    db.create_tables([Tier, Membership, Purchase, Takedown])
    for artist in list(Artist.select().order_by(Artist.id)):
        moment = {"artist": artist.id, "created_at": artist.created_at, "updated_at": artist.created_at}
        Tier.insert_many(
            [{"id": new_id(), **moment, **tier} for tier in (FREE, SUPPORTER, SUPERFAN)]
        ).execute()


def down(migrator, db):
    for table in ("takedown", "purchase", "membership", "tier"):
        migrator.migrate(migrator.drop_table(table))
