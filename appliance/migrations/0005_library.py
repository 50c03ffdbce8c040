"""Favourites, follows and playlists; models are frozen here as they were."""

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

    class FavouriteTrack(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        track = ForeignKeyField(Track, on_delete="CASCADE")
        added_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "favourite_track"
            primary_key = CompositeKey("user", "track")
            indexes = ((("user", "added_at", "track"), False),)

    class FavouriteRelease(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        release = ForeignKeyField(Release, on_delete="CASCADE")
        added_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "favourite_release"
            primary_key = CompositeKey("user", "release")
            indexes = ((("user", "added_at", "release"), False),)

    class Follow(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        added_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "follow"
            primary_key = CompositeKey("user", "artist")
            indexes = ((("user", "added_at", "artist"), False),)

    class Playlist(Model):
        id = CharField(primary_key=True, max_length=26)
        owner = ForeignKeyField(User, on_delete="CASCADE", index=False)
        title = CharField(max_length=200)
        about = TextField(default="")
        visibility = CharField(max_length=10, default="private")
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "playlist"
            indexes = (
                (("owner", "updated_at", "id"), False),
                (("visibility", "updated_at", "id"), False),
            )

    class PlaylistEntry(Model):
        id = CharField(primary_key=True, max_length=26)
        playlist = ForeignKeyField(Playlist, on_delete="CASCADE", index=False)
        track = ForeignKeyField(Track, on_delete="CASCADE")
        position = IntegerField()
        added_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "playlist_entry"
            indexes = ((("playlist", "position", "id"), False),)

    db.create_tables([FavouriteTrack, FavouriteRelease, Follow, Playlist, PlaylistEntry])


def down(migrator, db):
    for table in ("playlist_entry", "playlist", "follow", "favourite_release", "favourite_track"):
        migrator.migrate(migrator.drop_table(table))
