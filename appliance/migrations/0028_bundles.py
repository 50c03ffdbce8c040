"""Releases that are sold together."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Frozen(Model):
        class Meta:
            database = db

    class Artist(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Release(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Bundle(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        title = CharField(max_length=200)
        about = TextField(default="")
        price_minor = BigIntegerField()
        pay_more = BooleanField(default=True)
        stopped_at = UtcDateTimeField(null=True)
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_bundle"
            indexes = ((("artist", "id"), False),)

    class BundlePart(Frozen):
        id = CharField(max_length=26, primary_key=True)
        bundle = ForeignKeyField(Bundle, on_delete="CASCADE", index=False)
        release = ForeignKeyField(Release, on_delete="CASCADE")
        position = IntegerField()

        class Meta:
            table_name = "shop_bundle_part"
            indexes = ((("bundle", "release"), True),)

    db.create_tables([Bundle, BundlePart])


def down(migrator, db):
    for table in ("shop_bundle_part", "shop_bundle"):
        migrator.migrate(migrator.drop_table(table))
