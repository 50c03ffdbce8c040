"""What is known of backups: each run, and that this node came out of one."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class BackupRun(Model):
        id = CharField(max_length=26, primary_key=True)
        place = CharField(max_length=200)
        state = CharField(max_length=10)
        snapshot = CharField(max_length=40, default="")
        objects_new = IntegerField(default=0)
        objects_known = IntegerField(default=0)
        bytes_new = BigIntegerField(default=0)
        bytes_total = BigIntegerField(default=0)
        problem = TextField(default="")
        started_at = UtcDateTimeField(index=True)
        ended_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "backup_run"

    class Restoration(Model):
        id = CharField(max_length=26, primary_key=True)
        snapshot = CharField(max_length=40)
        taken_at = UtcDateTimeField()
        restored_at = UtcDateTimeField()
        settled_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "restoration"

    db.create_tables([BackupRun, Restoration])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("backup_run"), migrator.drop_table("restoration"))
