"""Releases that go out by themselves or by a private link, addresses of tracks, credits, and masters that take another's place."""

import re
import unicodedata

from peewee import *

from appliance.database import UtcDateTimeField

LICENCES = {
    "All rights reserved": "all-rights-reserved",
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "CC BY-NC 4.0": "CC-BY-NC-4.0",
    "CC BY-ND 4.0": "CC-BY-ND-4.0",
    "CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    "CC BY-NC-ND 4.0": "CC-BY-NC-ND-4.0",
    "CC0 1.0": "CC0-1.0",
}


def up(migrator, db):
    def add(table, name, field):
        # Natively, with a default in the database: a server of the version before still adds rows, and SQLite need not write the
        # table anew, which would take the rows that point to it along.
        migrator.migrate(migrator.alter_add_column(table, name, field, allow_not_null=True))

    def word(longest, default=""):
        return CharField(max_length=longest, default=default, constraints=[SQL(f"DEFAULT '{default}'")])

    def count():
        return IntegerField(default=1, constraints=[SQL("DEFAULT 1")])

    add("release", "version", count())
    add("release", "publish_at", UtcDateTimeField(null=True))
    add("release", "private_key", word(64))
    add("release", "audience", word(10, "everyone"))
    add("track", "slug", word(80))
    add("track", "version", count())
    add("track", "synced_lyrics", TextField(default="", constraints=[SQL("DEFAULT ''")]))
    add("track", "licence", word(60))
    add("upload", "replaces", word(26))

    class Release(Model):
        id = CharField(primary_key=True, max_length=26)
        licence = CharField(max_length=60, default="")

        class Meta:
            database = db
            table_name = "release"

    class Track(Model):
        id = CharField(primary_key=True, max_length=26)
        release = ForeignKeyField(Release)
        position = IntegerField()
        title = CharField(max_length=300)
        slug = CharField(max_length=80, default="")

        class Meta:
            database = db
            table_name = "track"

    for told, key in LICENCES.items():
        Release.update(licence=key).where(Release.licence == told).execute()
    give_addresses(Track)
    migrator.migrate(
        migrator.add_index("track", ("release_id", "slug"), True),
        migrator.add_index("release", ("artist_id", "state", "published_at", "id"), False),
    )

    class Credit(Model):
        id = CharField(primary_key=True, max_length=26)
        release = ForeignKeyField(Release, on_delete="CASCADE")
        track = ForeignKeyField(Track, null=True, on_delete="CASCADE")
        name = CharField(max_length=200)
        role = CharField(max_length=100, default="")
        position = IntegerField()

        class Meta:
            database = db
            table_name = "credit"

    class Replacement(Model):
        id = CharField(primary_key=True, max_length=26)
        track = ForeignKeyField(Track, unique=True, on_delete="CASCADE")
        original_key = CharField(max_length=200)
        original_name = CharField()
        original_type = CharField(max_length=60)
        original_size_bytes = BigIntegerField()
        original_sha256 = CharField(max_length=64)
        problem = TextField(default="")
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "replacement"

    db.create_tables([Credit, Replacement])


def give_addresses(Track):
    """Each track gets a slug made of its title, alone in its release."""
    for (release_id,) in list(Track.select(Track.release).distinct().tuples()):
        rows = Track.select(Track.id, Track.title).where(Track.release == release_id)
        taken = set()
        for track_id, title in list(rows.order_by(Track.position, Track.id).tuples()):
            wanted = slug = slugify(title)
            number = 1
            while slug in taken:
                number += 1
                slug = f"{wanted}-{number}"
            taken.add(slug)
            Track.update(slug=slug).where(Track.id == track_id).execute()


def slugify(text):
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "untitled"


def down(migrator, db):
    migrator.migrate(migrator.drop_table("replacement"))
    migrator.migrate(migrator.drop_table("credit"))
    migrator.migrate(migrator.drop_index("release", "release_artist_id_state_published_at_id"))
    migrator.migrate(migrator.drop_index("track", "track_release_id_slug"))
    for table, names in {
        "upload": ("replaces",),
        "track": ("licence", "synced_lyrics", "version", "slug"),
        "release": ("audience", "private_key", "publish_at", "version"),
    }.items():
        for name in names:
            db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN "{name}"')
