"""What the collective says of itself, the key to its first setup, and how much room everything takes."""

import peewee

from appliance.database import Base
from appliance.database import UtcDateTimeField


class CollectiveRow(Base):
    """The one row of what was written on the admin's pages; NULL where the settings still speak."""

    id = peewee.IntegerField(primary_key=True)
    name = peewee.CharField(max_length=100, null=True)
    tagline = peewee.CharField(max_length=200, default="")
    about = peewee.TextField(default="")
    imprint = peewee.TextField(default="")
    privacy = peewee.TextField(default="")
    accent = peewee.CharField(max_length=7, default="")
    logo_key = peewee.CharField(max_length=200, default="")
    registration = peewee.BooleanField(null=True)
    footer_links = peewee.TextField(default="")  # one a line: its text, a tab, its address
    version = peewee.IntegerField(default=1)
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "collective"


class SetupToken(Base):
    """The key to the setup page, as a SHA-256 of its 256 random bits; there is at most one, and who uses it takes it away."""

    id = peewee.IntegerField(primary_key=True)
    digest = peewee.CharField(max_length=64)
    created_at = UtcDateTimeField()


class StorageUse(Base):
    """How much room a folder of the store or an artist took when it was last counted."""

    kind = peewee.CharField(max_length=10)
    subject = peewee.CharField(max_length=60)
    objects = peewee.BigIntegerField(default=0)
    size_bytes = peewee.BigIntegerField(default=0)
    counted_at = UtcDateTimeField()

    class Meta:
        primary_key = peewee.CompositeKey("kind", "subject")
        indexes = ((("kind", "size_bytes"), False),)
