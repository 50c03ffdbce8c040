"""The collective's own row, the audit trail, the setup token, settings of plugins, processes, and storage use."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class AuditEntry(Model):
        id = BigAutoField()
        at = UtcDateTimeField(index=True)
        action = CharField(max_length=100)
        actor = CharField(null=True, max_length=26)
        subject = CharField(max_length=200)
        detail = TextField(default="{}")

        class Meta:
            database = db
            table_name = "audit_entry"
            indexes = ((("action", "id"), False), (("actor", "id"), False), (("subject", "id"), False))

    class Collective(Model):
        id = IntegerField(primary_key=True)
        name = CharField(null=True, max_length=100)
        tagline = CharField(max_length=200, default="")
        about = TextField(default="")
        imprint = TextField(default="")
        privacy = TextField(default="")
        accent = CharField(max_length=7, default="")
        logo_key = CharField(max_length=200, default="")
        registration = BooleanField(null=True)
        footer_links = TextField(default="")
        version = IntegerField(default=1)
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "collective"

    class NodeProcess(Model):
        id = CharField(primary_key=True, max_length=120)
        kind = CharField(max_length=10)
        plugins = CharField(max_length=16)
        started_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "node_process"

    class PluginSetting(Model):
        plugin = CharField(max_length=60)
        name = CharField(max_length=60)
        value = TextField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "plugin_setting"
            primary_key = CompositeKey("plugin", "name")

    class SetupToken(Model):
        id = IntegerField(primary_key=True)
        digest = CharField(max_length=64)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "setup_token"

    class StorageUse(Model):
        kind = CharField(max_length=10)
        subject = CharField(max_length=60)
        objects = BigIntegerField(default=0)
        size_bytes = BigIntegerField(default=0)
        counted_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "storage_use"
            primary_key = CompositeKey("kind", "subject")
            indexes = ((("kind", "size_bytes"), False),)

    db.create_tables([AuditEntry, Collective, NodeProcess, PluginSetting, SetupToken, StorageUse])


def down(migrator, db):
    for table in (
        "storage_use",
        "setup_token",
        "plugin_setting",
        "node_process",
        "collective",
        "audit_entry",
    ):
        migrator.migrate(migrator.drop_table(table))
