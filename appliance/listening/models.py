"""Plays as browsers report them, and how many of them count on each day."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import Track
from appliance.database import Base
from appliance.database import UtcDateTimeField

PREVIEW = "preview"
"""Where the whole was not allowed: heard, and never counted."""
HEARD_IN = ("", *Quality, PREVIEW)
"""What a play can have been heard in, least first; of several the last counts, so that a preview never becomes a whole."""


class Outcome(StrEnum):
    """How a play went, in the only direction it can go."""

    STARTED = "started"
    SKIPPED = "skipped"
    ENDED = "ended"


class Play(Base):
    """A track put on once by one listener; *id* and *client* are made by the player.

    *claimed_ms* is what the player says was heard, *heard_ms* what can have been. Who listened is forgotten with their account; that
    somebody did stays.
    """

    id = peewee.CharField(max_length=36, primary_key=True)
    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_id: str | None
    client = peewee.CharField(max_length=36)
    started_at = UtcDateTimeField()
    last_at = UtcDateTimeField()
    claimed_ms = peewee.IntegerField()
    heard_ms = peewee.IntegerField()
    position_ms = peewee.IntegerField()
    outcome = peewee.CharField(max_length=10)
    quality = peewee.CharField(max_length=10)
    context = peewee.CharField(max_length=200)
    # The instant it counts for, which is its start: an hour offline must not move a play to another day.
    counted_at = UtcDateTimeField(null=True)
    received_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        indexes = ((("user", "started_at", "id"), False),)


class DailyPlays(Base):
    """How many plays of a track count on a day (UTC); kept with each play, so that figures need not count millions."""

    track = peewee.ForeignKeyField(Track, on_delete="CASCADE", index=False)
    track_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    day = peewee.DateField()
    plays = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("track", "day")
        indexes = ((("artist", "day"), False),)
