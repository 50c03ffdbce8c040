"""Made files, what a person was granted in a month, and what they asked for."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class FileState(StrEnum):
    """How far a file is; one that went for want of room is made again when somebody asks."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    GONE = "gone"


class DownloadFile(Identified):
    """A track in one format, with the tags of one moment: what *digest* was made of.

    It lies in the store at *key* while it is ready. *crc32* is kept because a zip tells it before the bytes. Until *promised_until* it is
    not removed for want of room. *listener* is whose copy it is where a plugin marks each one, and empty for a copy for all.
    """

    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    run_id = peewee.CharField(max_length=26)
    format = peewee.CharField(max_length=10)
    digest = peewee.CharField(max_length=32)
    listener = peewee.CharField(max_length=26, default="")
    state = peewee.CharField(max_length=10, default=FileState.WAITING)
    key = peewee.CharField(max_length=200, default="")
    size_bytes = peewee.BigIntegerField(default=0)
    sha256 = peewee.CharField(max_length=64, default="")
    crc32 = peewee.BigIntegerField(default=0)
    problem = peewee.TextField(default="")
    used_at = UtcDateTimeField()
    promised_until = UtcDateTimeField()
    created_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("track", "run_id", "format", "digest", "listener"), True),
            (("state", "used_at"), False),
        )


class DownloadGrant(Base):
    """One of the downloads a month that come with a membership, spent on *track*; *month* is in UTC, such as ``2026-05``."""

    id: int
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    user_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    month = peewee.CharField(max_length=7)
    granted_at = UtcDateTimeField()

    class Meta:
        indexes = (
            (("user", "month", "track"), True),
            (("user", "month", "artist"), False),
        )


class Download(Identified):
    """What a person asked for: a track or a release in one format; its link works until *expires_at*.

    *subject* tells apart what was asked: the same again renews the row. *epoch* is that of the revocations when the right was looked at.
    """

    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    user_id: str
    release = peewee.ForeignKeyField(Release, on_delete="CASCADE")
    release_id: str
    subject = peewee.CharField(max_length=80)
    whole = peewee.BooleanField()
    format = peewee.CharField(max_length=10)
    epoch = peewee.BigIntegerField()
    asked_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)

    class Meta:
        indexes = (
            (("user", "subject", "format"), True),
            (("user", "asked_at"), False),
        )


class DownloadItem(Base):
    """One track of a download, with the file that stands for it and the name it is given."""

    id: int
    download = peewee.ForeignKeyField(Download, on_delete="CASCADE")
    download_id: str
    track = peewee.ForeignKeyField(Track, on_delete="CASCADE")
    track_id: str
    file = peewee.ForeignKeyField(DownloadFile, on_delete="CASCADE")
    file_id: str
    position = peewee.IntegerField()
    name = peewee.CharField(max_length=255)
