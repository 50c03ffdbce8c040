"""The tax a receipt names, frozen with it: what a payment says of its tax may be corrected later."""

from peewee import *


def up(migrator, db):
    def add(name, field):
        # With a default in the database: a server of the version before still adds rows.
        migrator.migrate(migrator.alter_add_column("shop_receipt", name, field, allow_not_null=True))

    add("tax_name", CharField(max_length=40, default="", constraints=[SQL("DEFAULT ''")]))
    add("tax_bps", IntegerField(default=0, constraints=[SQL("DEFAULT 0")]))
    add("tax_minor", BigIntegerField(default=0, constraints=[SQL("DEFAULT 0")]))
    # Receipts of memberships that were issued before showed the tax of their payment.
    db.execute_sql(
        "UPDATE shop_receipt SET (tax_name, tax_bps, tax_minor) ="
        " (SELECT p.tax_name, p.tax_bps, p.tax_minor FROM payment AS p WHERE p.id = shop_receipt.payment)"
        " WHERE EXISTS (SELECT 1 FROM payment AS p WHERE p.id = shop_receipt.payment)"
    )


def down(migrator, db):
    for name in ("tax_name", "tax_bps", "tax_minor"):
        db.execute_sql(f"ALTER TABLE shop_receipt DROP COLUMN {name}")
