"""Plays, and how many of them count on each day; models are frozen here as they were."""

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

    class Track(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "track"

    class Play(Model):
        id = CharField(primary_key=True, max_length=36)
        track = ForeignKeyField(Track, on_delete="CASCADE")
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        client = CharField(max_length=36)
        started_at = UtcDateTimeField()
        last_at = UtcDateTimeField()
        claimed_ms = IntegerField()
        heard_ms = IntegerField()
        position_ms = IntegerField()
        outcome = CharField(max_length=10)
        quality = CharField(max_length=10)
        context = CharField(max_length=200)
        counted_at = UtcDateTimeField(null=True)
        received_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "play"
            indexes = ((("user", "started_at", "id"), False),)

    class DailyPlays(Model):
        track = ForeignKeyField(Track, on_delete="CASCADE", index=False)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        day = DateField()
        plays = IntegerField()

        class Meta:
            database = db
            table_name = "daily_plays"
            primary_key = CompositeKey("track", "day")
            indexes = ((("artist", "day"), False),)

    db.create_tables([Play, DailyPlays])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("daily_plays"))
    migrator.migrate(migrator.drop_table("play"))
