"""The audit trail is chained: a digest in each entry, a head that says where it ends, and a database that refuses to change it.

The digest is made as ``accounts/audit_chain.py`` says. No seal is put on what was there before: that is for an operator to do, who looks
at it first.
"""

import hashlib
import json
from datetime import UTC

from peewee import *

from appliance.database import UtcDateTimeField

WORDS = "the audit trail is only appended to"


def up(migrator, db):
    class AuditEntry(Model):
        id = BigAutoField()
        at = UtcDateTimeField(index=True)
        action = CharField(max_length=100)
        actor = CharField(max_length=26, null=True)
        subject = CharField(max_length=200)
        detail = TextField(default="{}")
        digest = CharField(max_length=64, default="")

        class Meta:
            database = db
            table_name = "audit_entry"

    class AuditHead(Model):
        id = SmallIntegerField(primary_key=True)
        count = BigIntegerField(default=0)
        last = BigIntegerField(default=0)
        digest = CharField(max_length=64)
        seal = CharField(max_length=64, default="")

        class Meta:
            database = db
            table_name = "audit_head"

    field = CharField(max_length=64, default="", constraints=[SQL("DEFAULT ''")])
    migrator.migrate(migrator.alter_add_column("audit_entry", "digest", field, allow_not_null=True))
    db.create_tables([AuditHead])
    count, last, previous = 0, 0, "0" * 64
    # Read in pages: a trail of years fits into no memory.
    while rows := list(AuditEntry.select().where(AuditEntry.id > last).order_by(AuditEntry.id).limit(1000)):
        for row in rows:
            at = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            form = [row.id, at, row.action, row.actor, row.subject, row.detail, previous]
            text = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
            previous = hashlib.sha256(text.encode()).hexdigest()
            AuditEntry.update(digest=previous).where(AuditEntry.id == row.id).execute()
            count, last = count + 1, row.id
    AuditHead.create(id=1, count=count, last=last, digest=previous)
    if isinstance(db, SqliteDatabase):
        for act in ("UPDATE", "DELETE"):
            db.execute_sql(
                f"CREATE TRIGGER audit_entry_no_{act.lower()} BEFORE {act} ON audit_entry "
                f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
            )
        return
    db.execute_sql(
        "CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$"
    )
    db.execute_sql(
        "CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse()"
    )
    db.execute_sql(
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse()"
    )


def down(migrator, db):
    if isinstance(db, SqliteDatabase):
        for act in ("update", "delete"):
            db.execute_sql(f"DROP TRIGGER audit_entry_no_{act}")
    else:
        db.execute_sql("DROP TRIGGER audit_entry_no_change ON audit_entry")
        db.execute_sql("DROP TRIGGER audit_entry_no_truncate ON audit_entry")
        db.execute_sql("DROP FUNCTION audit_entry_refuse()")
    db.execute_sql('ALTER TABLE "audit_entry" DROP COLUMN "digest"')
    migrator.migrate(migrator.drop_table("audit_head"))
