"""Downloads: made files, what was granted in a month, and what people asked for."""

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

    class Release(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Track(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class DownloadFile(Frozen):
        id = CharField(max_length=26, primary_key=True)
        track = ForeignKeyField(Track, on_delete="CASCADE")
        run_id = CharField(max_length=26)
        format = CharField(max_length=10)
        digest = CharField(max_length=32)
        listener = CharField(max_length=26, default="")
        state = CharField(max_length=10)
        key = CharField(max_length=200, default="")
        size_bytes = BigIntegerField(default=0)
        sha256 = CharField(max_length=64, default="")
        crc32 = BigIntegerField(default=0)
        problem = TextField(default="")
        used_at = UtcDateTimeField()
        promised_until = UtcDateTimeField()
        created_at = UtcDateTimeField()

        class Meta:
            table_name = "download_file"
            indexes = (
                (("track", "run_id", "format", "digest", "listener"), True),
                (("state", "used_at"), False),
            )

    class DownloadGrant(Frozen):
        user = ForeignKeyField(User, on_delete="CASCADE")
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        track = ForeignKeyField(Track, on_delete="CASCADE")
        month = CharField(max_length=7)
        granted_at = UtcDateTimeField()

        class Meta:
            table_name = "download_grant"
            indexes = (
                (("user", "month", "track"), True),
                (("user", "month", "artist"), False),
            )

    class Download(Frozen):
        id = CharField(max_length=26, primary_key=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        release = ForeignKeyField(Release, on_delete="CASCADE")
        subject = CharField(max_length=80)
        whole = BooleanField()
        format = CharField(max_length=10)
        epoch = BigIntegerField()
        asked_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)

        class Meta:
            table_name = "download"
            indexes = (
                (("user", "subject", "format"), True),
                (("user", "asked_at"), False),
            )

    class DownloadItem(Frozen):
        download = ForeignKeyField(Download, on_delete="CASCADE")
        track = ForeignKeyField(Track, on_delete="CASCADE")
        file = ForeignKeyField(DownloadFile, on_delete="CASCADE")
        position = IntegerField()
        name = CharField(max_length=255)

        class Meta:
            table_name = "download_item"

    db.create_tables([DownloadFile, DownloadGrant, Download, DownloadItem])


def down(migrator, db):
    for table in ("download_item", "download", "download_grant", "download_file"):
        migrator.migrate(migrator.drop_table(table))
