"""What arrived of an upload lies in the store in pieces, so that any node goes on with it."""

from peewee import *


def up(migrator, db):
    class Upload(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "upload"

    class UploadPiece(Model):
        id = BigAutoField()
        upload = ForeignKeyField(Upload, on_delete="CASCADE", index=False)
        start_bytes = BigIntegerField()
        size_bytes = BigIntegerField()
        sha256 = CharField(max_length=64)
        key = CharField(max_length=80, unique=True)

        class Meta:
            database = db
            table_name = "upload_piece"
            indexes = ((("upload", "start_bytes"), True),)

    db.create_tables([UploadPiece])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("upload_piece"))
