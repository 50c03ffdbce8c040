"""Receipts of payments for memberships, credit notes, taxes of memberships, whom an invoice is for, and papers in letters."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Receipt(Model):
        id = CharField(max_length=26, primary_key=True)

        class Meta:
            database = db
            table_name = "shop_receipt"

    class CreditNote(Model):
        id = CharField(max_length=26, primary_key=True)
        receipt = ForeignKeyField(Receipt, on_delete="CASCADE", index=False)
        artist = CharField(max_length=26)
        number = IntegerField()
        cause = CharField(max_length=160)
        amount_minor = BigIntegerField()
        tax_minor = BigIntegerField(default=0)
        parts = TextField(default="[]")
        seller = CharField(max_length=200)
        address = TextField(default="")
        tax_number = CharField(max_length=40, default="")
        issued_at = UtcDateTimeField()
        told_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "shop_credit_note"
            indexes = ((("artist", "number"), True), (("receipt", "id"), False))

    def add(table, name, field):
        # Natively, with a default in the database: a server of the version before still adds rows.
        migrator.migrate(migrator.alter_add_column(table, name, field, allow_not_null=True))

    def text(longest):
        return CharField(max_length=longest, default="", constraints=[SQL("DEFAULT ''")])

    def prose():
        return TextField(default="", constraints=[SQL("DEFAULT ''")])

    def number(kind=IntegerField):
        return kind(default=0, constraints=[SQL("DEFAULT 0")])

    migrator.migrate(migrator.drop_not_null("shop_receipt", "order_id"))
    add("shop_receipt", "payment", CharField(max_length=26, null=True))
    for name, longest in (
        ("subscription", 26),
        ("user", 26),
        ("email", 254),
        ("buyer_name", 200),
        ("country", 2),
        ("business_number", 40),
        ("artist_name", 200),
        ("collective", 200),
        ("thing", 300),
        ("locale", 12),
    ):
        add("shop_receipt", name, text(longest))
    add("shop_receipt", "buyer_address", prose())
    add("shop_receipt", "credited_minor", number(BigIntegerField))
    add("shop_receipt", "told_at", UtcDateTimeField(null=True))
    for name, column, rest in (
        ("UNIQUE INDEX shop_receipt_payment", "payment", ""),
        ("INDEX shop_receipt_subscription", "subscription", " WHERE subscription <> ''"),
        ("INDEX shop_receipt_user", "user", " WHERE \"user\" <> ''"),
        ("INDEX shop_receipt_untold", "id", " WHERE told_at IS NULL AND payment IS NOT NULL"),
    ):
        db.execute_sql(f'CREATE {name} ON shop_receipt ("{column}"){rest}')
    add("shop_seller", "last_credit_number", number())
    db.create_tables([CreditNote])
    db.execute_sql("CREATE INDEX shop_credit_note_untold ON shop_credit_note (id) WHERE told_at IS NULL")

    add("payment", "tax_name", text(40))
    add("payment", "tax_bps", number())
    for table in ("shop_order", "subscription"):
        add(table, "buyer_name", text(200))
        add(table, "buyer_address", prose())
    add("subscription", "country", text(2))
    add("subscription", "business_number", text(40))
    add("subscription", "given_up_at", UtcDateTimeField(null=True))
    add("mail_message", "attached", text(40))


def down(migrator, db):
    migrator.migrate(migrator.drop_table("shop_credit_note"))
    for name in ("payment", "subscription", "user", "untold"):
        db.execute_sql(f"DROP INDEX shop_receipt_{name}")
    db.execute_sql("DELETE FROM shop_receipt WHERE order_id IS NULL")
    columns = {
        "shop_receipt": "payment subscription user email buyer_name buyer_address country business_number artist_name "
        "collective thing locale credited_minor told_at",
        "shop_seller": "last_credit_number",
        "payment": "tax_name tax_bps",
        "shop_order": "buyer_name buyer_address",
        "subscription": "buyer_name buyer_address country business_number given_up_at",
        "mail_message": "attached",
    }
    for table, names in columns.items():
        for name in names.split():
            db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN "{name}"')
    migrator.migrate(migrator.add_not_null("shop_receipt", "order_id"))
