"""What providers sent, and what was found out by asking them."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class ProviderEvent(Model):
        id = CharField(primary_key=True, max_length=26)
        provider = CharField(max_length=30)
        event = CharField(max_length=255)
        kind = CharField(max_length=120)
        happened_at = UtcDateTimeField()
        received_at = UtcDateTimeField(index=True)
        body = TextField()
        state = CharField(max_length=10, default="received")
        attempts = IntegerField(default=0)
        due_at = UtcDateTimeField()
        taken_by = CharField(max_length=26, null=True)
        marks = TextField(default="")
        problem = TextField(default="")
        processed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "provider_event"
            indexes = (
                (("provider", "event"), True),
                (("state", "provider", "due_at"), False),
                (("state", "id"), False),
            )

    class Reconciliation(Model):
        id = CharField(primary_key=True, max_length=26)
        provider = CharField(max_length=30)
        since = UtcDateTimeField()
        state = CharField(max_length=10, default="running")
        facts = IntegerField(default=0)
        strangers = IntegerField(default=0)
        problem = TextField(default="")
        asked_by = CharField(max_length=26, default="")
        started_at = UtcDateTimeField()
        ended_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "reconciliation"
            indexes = ((("provider", "state", "started_at"), False),)

    class Repaired(Model):
        id = BigAutoField()
        run = ForeignKeyField(Reconciliation, on_delete="CASCADE")
        what = CharField(max_length=20)
        subject = CharField(max_length=120)
        before = TextField(default="")
        after = TextField(default="")

        class Meta:
            database = db
            table_name = "repaired"

    class RefundAsked(Model):
        id = CharField(primary_key=True, max_length=26)
        payment = CharField(max_length=26, index=True)
        amount_minor = BigIntegerField()
        reason = CharField(max_length=300, default="")
        asked_by = CharField(max_length=26)
        state = CharField(max_length=10, default="asked")
        reference = CharField(max_length=120, default="")
        problem = TextField(default="")
        asked_at = UtcDateTimeField()
        ended_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "refund_asked"
            indexes = ((("state", "asked_at"), False),)

    db.create_tables([ProviderEvent, Reconciliation, Repaired, RefundAsked])


def down(migrator, db):
    for table in ("refund_asked", "repaired", "reconciliation", "provider_event"):
        migrator.migrate(migrator.drop_table(table))
