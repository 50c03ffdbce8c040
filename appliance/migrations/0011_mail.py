"""Messages that are sent, or wait in the outbox."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Message(Model):
        id = CharField(primary_key=True, max_length=26)
        kind = CharField(max_length=40)
        to = CharField(max_length=320)
        sender = CharField(max_length=200, default="")
        subject = CharField(max_length=300)
        text = TextField(default="")
        html = TextField(default="")
        state = CharField(max_length=10, default="waiting")
        problem = TextField(default="")
        created_at = UtcDateTimeField(index=True)
        sent_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "mail_message"

    db.create_tables([Message])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("mail_message"))
