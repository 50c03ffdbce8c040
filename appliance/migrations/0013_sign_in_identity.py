"""Accounts elsewhere that open one here."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class User(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "user"

    class SignInIdentity(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE")
        way = CharField(max_length=30)
        issuer = CharField(max_length=300)
        subject = CharField(max_length=255)
        email = CharField(max_length=254, default="")
        created_at = UtcDateTimeField()
        last_used_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "sign_in_identity"
            indexes = ((("issuer", "subject"), True),)

    db.create_tables([SignInIdentity])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("sign_in_identity"))
