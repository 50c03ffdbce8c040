"""The keys of rungs that are stored encrypted, wrapped by a master key."""

from peewee import *


def up(migrator, db):
    class Rendition(Model):
        class Meta:
            database = db
            table_name = "rendition"

    class RenditionKey(Model):
        rendition = ForeignKeyField(Rendition, unique=True, on_delete="CASCADE")
        master = CharField(max_length=16, index=True)
        wrapped = CharField(max_length=100)
        layout = TextField()
        clear_sha256 = CharField(max_length=64)

        class Meta:
            database = db
            table_name = "rendition_key"

    db.create_tables([RenditionKey])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("rendition_key"))
