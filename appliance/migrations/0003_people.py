"""Several people on one artist: members, invitations, former addresses; and what an artist says on their page."""

from peewee import *

from appliance.database import UtcDateTimeField

# Added by the engine itself, with a default, so that no table that others refer to is built anew.
COLUMNS = {
    "picture_key": "VARCHAR(200) NOT NULL DEFAULT ''",
    "colour": "VARCHAR(7) NOT NULL DEFAULT ''",
    "location": "VARCHAR(100) NOT NULL DEFAULT ''",
    "links": "TEXT NOT NULL DEFAULT ''",
    "accent": "VARCHAR(7) NOT NULL DEFAULT ''",
    "version": "INTEGER NOT NULL DEFAULT 1",
}


def up(migrator, db):
    for name, kind in COLUMNS.items():
        db.execute_sql(f'ALTER TABLE "artist" ADD COLUMN "{name}" {kind}')

    class User(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "user"

    class Artist(Model):
        id = CharField(primary_key=True, max_length=26)
        owner = ForeignKeyField(User)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "artist"

    class ArtistMember(Model):
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        user = ForeignKeyField(User, on_delete="CASCADE")
        role = CharField(max_length=12)
        since = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "artist_member"
            indexes = ((("artist", "user"), True),)

    class Invitation(Model):
        id = CharField(primary_key=True, max_length=26)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        email = CharField(max_length=254)
        role = CharField(max_length=12)
        digest = CharField(unique=True, max_length=64)
        invited_by = ForeignKeyField(User, null=True, on_delete="SET NULL")
        created_at = UtcDateTimeField()
        expires_at = UtcDateTimeField()
        closed_at = UtcDateTimeField(null=True)
        outcome = CharField(max_length=10, default="")

        class Meta:
            database = db
            table_name = "invitation"
            indexes = ((("artist", "closed_at"), False), (("email", "closed_at"), False))

    class ArtistAddress(Model):
        slug = CharField(primary_key=True, max_length=60)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        left_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "artist_address"

    # The database itself refuses a second owner, and a second open invitation of the same person.
    ArtistMember.add_index(
        ArtistMember.index(
            ArtistMember.artist, unique=True, where=(ArtistMember.role == "owner"), name="artist_member_owner"
        )
    )
    Invitation.add_index(
        Invitation.index(
            Invitation.artist,
            Invitation.email,
            unique=True,
            where=Invitation.closed_at.is_null(),
            name="invitation_open",
        )
    )
    db.create_tables([ArtistMember, Invitation, ArtistAddress])
    owners = Artist.select(Artist.id, Artist.owner, Value("owner"), Artist.created_at)
    ArtistMember.insert_from(
        owners, [ArtistMember.artist, ArtistMember.user, ArtistMember.role, ArtistMember.since]
    ).execute()


def down(migrator, db):
    for table in ("artist_address", "invitation", "artist_member"):
        migrator.migrate(migrator.drop_table(table))
    for name in COLUMNS:
        db.execute_sql(f'ALTER TABLE "artist" DROP COLUMN "{name}"')
