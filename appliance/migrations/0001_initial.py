"""The first schema: accounts, catalogue, uploads and jobs; models are frozen here as they were."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class User(Model):
        id = CharField(primary_key=True, max_length=26)
        email = CharField(unique=True, max_length=254)
        display_name = CharField(max_length=100, default="")
        password = CharField()
        active = BooleanField(default=True)
        fs_uniquifier = CharField(unique=True, max_length=64)
        demo = BooleanField(default=False)
        confirmed_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "user"

    db.create_tables([User])

    class ApiToken(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE")
        name = CharField(max_length=100, default="")
        digest = CharField(unique=True, max_length=64)
        scopes = CharField(max_length=100)
        created_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(null=True)
        last_used_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "api_token"

    db.create_tables([ApiToken])

    class Artist(Model):
        id = CharField(primary_key=True, max_length=26)
        slug = CharField(unique=True, max_length=60)
        name = CharField(max_length=200)
        about = TextField(default="")
        owner = ForeignKeyField(User)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "artist"

    db.create_tables([Artist])

    class Job(Model):
        id = CharField(primary_key=True, max_length=26)
        kind = CharField(max_length=40)
        subject = CharField(max_length=200)
        payload = TextField(default="")
        state = CharField(max_length=10, default="queued")
        active = SmallIntegerField(null=True, default=1)
        attempts = IntegerField(default=0)
        max_attempts = IntegerField(default=5)
        run_after = UtcDateTimeField()
        lease_owner = CharField(null=True, max_length=120)
        lease_until = UtcDateTimeField(null=True)
        progress = FloatField(default=0.0)
        last_error = TextField(default="")
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "job"
            indexes = ((("kind", "subject", "active"), True), (("state", "run_after"), False))

    db.create_tables([Job])

    class Release(Model):
        id = CharField(primary_key=True, max_length=26)
        artist = ForeignKeyField(Artist)
        slug = CharField(max_length=80)
        title = CharField(max_length=300)
        kind = CharField(max_length=10, default="album")
        state = CharField(max_length=10, default="draft")
        about = TextField(default="")
        genre = CharField(max_length=60, default="")
        tags = TextField(default="")
        credits = TextField(default="")
        licence = CharField(max_length=60, default="")
        catalogue_number = CharField(max_length=60, default="")
        release_date = DateField(null=True)
        artwork_key = CharField(max_length=200, default="")
        colour = CharField(max_length=7, default="")
        published_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "release"
            indexes = ((("artist", "slug"), True), (("state", "published_at", "id"), False))

    db.create_tables([Release])

    class Track(Model):
        id = CharField(primary_key=True, max_length=26)
        release = ForeignKeyField(Release)
        position = IntegerField()
        title = CharField(max_length=300)
        state = CharField(max_length=12, default="uploaded")
        problem = TextField(default="")
        isrc = CharField(max_length=12, default="")
        lyrics = TextField(default="")
        original_key = CharField(max_length=200)
        original_name = CharField()
        original_type = CharField(max_length=60)
        original_size_bytes = BigIntegerField()
        original_sha256 = CharField(max_length=64)
        original_format = CharField(max_length=100, default="")
        run_id = CharField(max_length=26, default="")
        duration_ms = IntegerField(null=True)
        loudness_lufs = FloatField(null=True)
        true_peak_dbtp = FloatField(null=True)
        fingerprint = TextField(default="")
        waveform_key = CharField(max_length=200, default="")
        preview_key = CharField(max_length=200, default="")
        announced_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "track"
            indexes = ((("release", "position"), False),)

    db.create_tables([Track])

    class Rendition(Model):
        track = ForeignKeyField(Track, on_delete="CASCADE")
        run_id = CharField(max_length=26)
        quality = CharField(max_length=10)
        codecs = CharField(max_length=40)
        bandwidth = IntegerField()
        average_bandwidth = IntegerField()
        sample_rate_hz = IntegerField()
        channels = IntegerField()
        bits = IntegerField(null=True)
        size_bytes = BigIntegerField()

        class Meta:
            database = db
            table_name = "rendition"
            indexes = ((("track", "run_id", "quality"), True),)

    db.create_tables([Rendition])

    class Role(Model):
        id = CharField(primary_key=True, max_length=26)
        name = CharField(unique=True, max_length=20)
        description = TextField(default="")

        class Meta:
            database = db
            table_name = "role"

    db.create_tables([Role])

    class Upload(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User)
        release = ForeignKeyField(Release)
        filename = CharField()
        size_bytes = BigIntegerField()
        offset_bytes = BigIntegerField(default=0)
        problem = TextField(default="")
        finished_at = UtcDateTimeField(null=True)
        expires_at = UtcDateTimeField()
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "upload"

    db.create_tables([Upload])

    class UserRole(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        role = ForeignKeyField(Role, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "user_role"
            indexes = ((("user", "role"), True),)

    db.create_tables([UserRole])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("user_role"))
    migrator.migrate(migrator.drop_table("upload"))
    migrator.migrate(migrator.drop_table("role"))
    migrator.migrate(migrator.drop_table("rendition"))
    migrator.migrate(migrator.drop_table("track"))
    migrator.migrate(migrator.drop_table("release"))
    migrator.migrate(migrator.drop_table("job"))
    migrator.migrate(migrator.drop_table("artist"))
    migrator.migrate(migrator.drop_table("api_token"))
    migrator.migrate(migrator.drop_table("user"))
