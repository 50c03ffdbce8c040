"""The books, which the database itself refuses to change, and what providers said of payments."""

from peewee import *

from appliance.database import UtcDateTimeField

WORDS = "the books are only appended to"
KEPT = ("ledger_transaction", "ledger_entry")


def up(migrator, db):
    class Account(Model):
        id = BigAutoField()
        kind = CharField(max_length=20)
        owner = CharField(max_length=40, default="")
        currency = CharField(max_length=3)
        balance_minor = BigIntegerField(default=0)
        moved_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "ledger_account"
            indexes = ((("kind", "owner", "currency"), True), (("owner", "currency"), False))

    class Transaction(Model):
        id = BigAutoField()
        key = CharField(max_length=100, unique=True)
        kind = CharField(max_length=12)
        subject = CharField(max_length=60, index=True)
        at = UtcDateTimeField()
        memo = CharField(max_length=200, default="")

        class Meta:
            database = db
            table_name = "ledger_transaction"

    class Entry(Model):
        id = BigAutoField()
        transaction = ForeignKeyField(Transaction)
        account = ForeignKeyField(Account, index=False)
        amount_minor = BigIntegerField()
        after_minor = BigIntegerField()
        at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "ledger_entry"
            indexes = ((("account", "id"), False), (("account", "at", "id"), False))

    class DaySum(Model):
        id = BigAutoField()
        account = ForeignKeyField(Account, index=False)
        day = DateField()
        kind = CharField(max_length=12)
        amount_minor = BigIntegerField()

        class Meta:
            database = db
            table_name = "ledger_day"
            indexes = ((("account", "day", "kind"), True),)

    class BookCheck(Model):
        id = CharField(primary_key=True, max_length=26)
        began_at = UtcDateTimeField()
        ended_at = UtcDateTimeField()
        differences = IntegerField(default=0)
        told = TextField(default="[]")
        mailed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "ledger_check"

    class Payment(Model):
        id = CharField(primary_key=True, max_length=26)
        provider = CharField(max_length=30)
        reference = CharField(max_length=120)
        mark = CharField(max_length=64, index=True)
        artist = CharField(max_length=26)
        user = CharField(max_length=26, default="")
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)
        tax_minor = BigIntegerField(default=0)
        fee_minor = BigIntegerField(null=True)
        share_bps = IntegerField()
        refunded_minor = BigIntegerField(default=0)
        contested_minor = BigIntegerField(default=0)
        lost_minor = BigIntegerField(default=0)
        dispute_fees_minor = BigIntegerField(default=0)
        paid_at = UtcDateTimeField()
        period_start = UtcDateTimeField(null=True)
        period_end = UtcDateTimeField(null=True)
        email = CharField(max_length=254, default="")
        country = CharField(max_length=2, default="")
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "payment"
            indexes = (
                (("provider", "reference"), True),
                (("artist", "paid_at"), False),
                (("user", "paid_at"), False),
            )

    class PaymentLine(Model):
        id = BigAutoField()
        payment = ForeignKeyField(Payment, on_delete="CASCADE")
        position = IntegerField()
        name = CharField(max_length=300, default="")
        release = CharField(max_length=26, default="")
        track = CharField(max_length=26, default="")
        amount_minor = BigIntegerField()
        booked_minor = BigIntegerField(default=0)
        agreement = CharField(max_length=26, default="", index=True)

        class Meta:
            database = db
            table_name = "payment_line"
            indexes = ((("payment", "position"), True),)

    class Refund(Model):
        id = CharField(primary_key=True, max_length=26)
        provider = CharField(max_length=30)
        reference = CharField(max_length=120)
        payment = CharField(max_length=120)
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)
        failed = BooleanField(default=False)
        refunded_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "refund"
            indexes = ((("provider", "reference"), True), (("provider", "payment"), False))

    class Dispute(Model):
        id = CharField(primary_key=True, max_length=26)
        provider = CharField(max_length=30)
        reference = CharField(max_length=120)
        payment = CharField(max_length=120)
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)
        fee_minor = BigIntegerField(default=0)
        state = CharField(max_length=10)
        opened_at = UtcDateTimeField()
        respond_by = UtcDateTimeField(null=True)
        as_of = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "dispute"
            indexes = (
                (("provider", "reference"), True),
                (("provider", "payment"), False),
                (("state",), False),
            )

    class SplitAgreement(Model):
        id = CharField(primary_key=True, max_length=26)
        artist = CharField(max_length=26)
        release = CharField(max_length=26, default="")
        track = CharField(max_length=26, default="")
        starts_at = UtcDateTimeField()
        made_by = CharField(max_length=26, default="")
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "split_agreement"
            indexes = ((("artist", "release", "track", "starts_at"), True),)

    class SplitPart(Model):
        id = BigAutoField()
        agreement = ForeignKeyField(SplitAgreement, on_delete="CASCADE")
        payee = CharField(max_length=26, index=True)
        share_bps = IntegerField()
        recoup_minor = BigIntegerField(default=0)
        recoup_currency = CharField(max_length=3, default="")
        position = IntegerField()

        class Meta:
            database = db
            table_name = "split_part"
            indexes = ((("agreement", "payee"), True),)

    class SplitTotal(Model):
        id = BigAutoField()
        agreement = ForeignKeyField(SplitAgreement, on_delete="CASCADE", index=False)
        currency = CharField(max_length=3)
        total_minor = BigIntegerField(default=0)

        class Meta:
            database = db
            table_name = "split_total"
            indexes = ((("agreement", "currency"), True),)

    db.create_tables(
        [
            Account,
            Transaction,
            Entry,
            DaySum,
            BookCheck,
            Payment,
            PaymentLine,
            Refund,
            Dispute,
            SplitAgreement,
            SplitPart,
            SplitTotal,
        ]
    )
    if isinstance(db, SqliteDatabase):
        for table in KEPT:
            for act in ("UPDATE", "DELETE"):
                db.execute_sql(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
                )
        return
    db.execute_sql(
        f"CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$"
    )
    for table in KEPT:
        db.execute_sql(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        db.execute_sql(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )


def down(migrator, db):
    for table in (
        "split_total",
        "split_part",
        "split_agreement",
        "dispute",
        "refund",
        "payment_line",
        "payment",
        "ledger_check",
        "ledger_day",
        "ledger_entry",
        "ledger_transaction",
        "ledger_account",
    ):
        migrator.migrate(migrator.drop_table(table))
    if not isinstance(db, SqliteDatabase):
        db.execute_sql("DROP FUNCTION ledger_refuse()")
