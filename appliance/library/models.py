"""Favourites, follows and playlists; all of it goes with the account."""

import secrets
import time
from enum import StrEnum

import peewee
from ulid import ULID

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class Visibility(StrEnum):
    """Who may see a playlist."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


def unguessable_id() -> str:
    """An identifier with 80 fresh random bits, which is all that keeps an unlisted playlist among those who were given it.

    ``new_id`` will not do: of two ids made in the same millisecond, the second is the first plus one.
    """
    time_ms = time.time_ns() // 1_000_000
    return str(ULID.from_bytes(time_ms.to_bytes(6, "big") + secrets.token_bytes(10)))


class FavouriteTrack(Base):
    """A person keeps a track."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    added_at = UtcDateTimeField()

    class Meta:
        primary_key = peewee.CompositeKey("user", "track")
        indexes = ((("user", "added_at", "track"), False),)


class FavouriteRelease(Base):
    """A person keeps a release."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    release = peewee.ForeignKeyField(Release, on_delete="CASCADE")
    release_id: str
    added_at = UtcDateTimeField()

    class Meta:
        primary_key = peewee.CompositeKey("user", "release")
        indexes = ((("user", "added_at", "release"), False),)


class Follow(Base):
    """A person follows an artist."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    added_at = UtcDateTimeField()

    class Meta:
        primary_key = peewee.CompositeKey("user", "artist")
        indexes = ((("user", "added_at", "artist"), False),)


class Playlist(Base):
    """Tracks in an order that a person chose; *version* counts its changes."""

    id = peewee.CharField(max_length=26, primary_key=True, default=unguessable_id)
    owner = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    owner_id: str
    title = peewee.CharField(max_length=200)
    about = peewee.TextField(default="")
    visibility = peewee.CharField(max_length=10, default=Visibility.PRIVATE)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("owner", "updated_at", "id"), False),
            (("visibility", "updated_at", "id"), False),
        )


class PlaylistEntry(Identified):
    """A track at its place in a playlist; the same track may stand in it twice."""

    playlist = peewee.ForeignKeyField(Playlist, on_delete="CASCADE", index=False)
    playlist_id: str
    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    position = peewee.IntegerField()
    added_at = UtcDateTimeField()

    class Meta:
        indexes = ((("playlist", "position", "id"), False),)
