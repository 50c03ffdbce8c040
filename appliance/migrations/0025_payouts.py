"""Accounts of payees, payouts, and files for the bank."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class PayoutAccount(Model):
        id = CharField(primary_key=True, max_length=26)
        payee = CharField(max_length=26)
        provider = CharField(max_length=30)
        account = CharField(max_length=120, default="")
        holder = CharField(max_length=70, default="")
        bic = CharField(max_length=11, default="")
        payable = BooleanField(default=False)
        wants = CharField(max_length=300, default="")
        monthly = BooleanField(default=True)
        as_of = UtcDateTimeField()
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "payout_account"
            indexes = ((("payee", "provider"), True), (("provider", "account"), False))

    class BankFile(Model):
        id = CharField(primary_key=True, max_length=26)
        currency = CharField(max_length=3)
        count = IntegerField()
        total_minor = BigIntegerField()
        xml = TextField(default="")
        made_by = CharField(max_length=26)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "bank_file"

    class Payout(Model):
        id = CharField(primary_key=True, max_length=26)
        payee = CharField(max_length=26)
        provider = CharField(max_length=30)
        account = CharField(max_length=120)
        holder = CharField(max_length=70, default="")
        bic = CharField(max_length=11, default="")
        amount_minor = BigIntegerField()
        currency = CharField(max_length=3)
        state = CharField(max_length=12, default="requested")
        run = CharField(max_length=10, null=True)
        reference = CharField(max_length=120, default="")
        problem = CharField(max_length=300, default="")
        bank_file = ForeignKeyField(BankFile, null=True, on_delete="SET NULL")
        requested_by = CharField(max_length=26, default="")
        as_of = UtcDateTimeField()
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "payout"
            indexes = (
                # A month is paid once, however often its run is begun; requests by hand have no run, and two NULLs differ.
                (("payee", "currency", "run"), True),
                (("payee", "id"), False),
                (("state", "provider"), False),
            )

    db.create_tables([PayoutAccount, BankFile, Payout])


def down(migrator, db):
    for table in ("payout", "bank_file", "payout_account"):
        migrator.migrate(migrator.drop_table(table))
