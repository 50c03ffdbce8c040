"""What is sold once: prices, orders and what they opened, codes, discounts, receipts."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Frozen(Model):
        class Meta:
            database = db

    class User(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Artist(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Release(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Track(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Purchase(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Price(Frozen):
        id = CharField(max_length=26, primary_key=True)
        thing = CharField(max_length=26, unique=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        release = ForeignKeyField(Release, null=True, on_delete="CASCADE")
        track = ForeignKeyField(Track, null=True, on_delete="CASCADE")
        price_minor = BigIntegerField(default=0)
        pay_more = BooleanField(default=True)
        percent_off = IntegerField(default=0)
        preorder = BooleanField(default=False)
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_price"

    class Seller(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = CharField(max_length=26, unique=True)
        name = CharField(max_length=200, default="")
        address = TextField(default="")
        tax_number = CharField(max_length=40, default="")
        last_number = IntegerField(default=0)

        class Meta:
            table_name = "shop_seller"

    class Discount(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        code = CharField(max_length=30)
        percent = IntegerField(null=True)
        amount_minor = BigIntegerField(null=True)
        currency = CharField(max_length=3, default="")
        starts_at = UtcDateTimeField(null=True)
        ends_at = UtcDateTimeField(null=True)
        most_uses = IntegerField(null=True)
        stopped_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_discount"
            indexes = ((("artist", "code"), True),)

    class Order(Frozen):
        id = CharField(max_length=26, primary_key=True)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        email = CharField(max_length=254)
        artist = CharField(max_length=26)
        artist_name = CharField(max_length=200)
        collective = CharField(max_length=200, default="")
        root = CharField(max_length=200, default="")
        provider = CharField(max_length=30, default="")
        reference = CharField(max_length=200, default="")
        url = TextField(default="")
        state = CharField(max_length=10, default="open")
        open_key = CharField(max_length=64, null=True, unique=True)
        currency = CharField(max_length=3)
        total_minor = BigIntegerField()
        tax_minor = BigIntegerField(default=0)
        discount = ForeignKeyField(Discount, null=True, on_delete="SET NULL")
        discount_minor = BigIntegerField(default=0)
        share_bps = IntegerField(default=0)
        country = CharField(max_length=2, default="")
        business_number = CharField(max_length=40, default="")
        locale = CharField(max_length=12, default="en")
        checkout_state = CharField(max_length=10, default="")
        checkout_as_of = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()
        paid_at = UtcDateTimeField(null=True)
        refunded_at = UtcDateTimeField(null=True)
        updated_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_order"
            indexes = (
                (("user", "id"), False),
                (("email", "state"), False),
                (("artist", "id"), False),
                (("state", "created_at"), False),
            )

    class OrderItem(Frozen):
        id = CharField(max_length=26, primary_key=True)
        order = ForeignKeyField(Order, on_delete="CASCADE", index=False)
        position = IntegerField()
        kind = CharField(max_length=10)
        name = CharField(max_length=300)
        message = TextField(default="")
        amount_minor = BigIntegerField()
        tax_minor = BigIntegerField(default=0)
        tax_name = CharField(max_length=40, default="")
        tax_bps = IntegerField(default=0)
        release = CharField(max_length=26, default="")
        track = CharField(max_length=26, default="")
        purchase = ForeignKeyField(Purchase, null=True, on_delete="SET NULL")

        class Meta:
            table_name = "shop_item"
            indexes = ((("order", "position"), True), (("release", "order"), False))

    class Receipt(Frozen):
        id = CharField(max_length=26, primary_key=True)
        order = ForeignKeyField(Order, on_delete="CASCADE", unique=True)
        artist = CharField(max_length=26)
        number = IntegerField()
        seller = CharField(max_length=200)
        address = TextField(default="")
        tax_number = CharField(max_length=40, default="")
        issued_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_receipt"
            indexes = ((("artist", "number"), True),)

    class CodeBatch(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        release = ForeignKeyField(Release, on_delete="CASCADE")
        name = CharField(max_length=100, default="")
        number = IntegerField()
        expires_at = UtcDateTimeField(null=True)
        stopped_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            table_name = "shop_code_batch"

    class DownloadCode(Frozen):
        id = CharField(max_length=26, primary_key=True)
        batch = ForeignKeyField(CodeBatch, on_delete="CASCADE")
        code = CharField(max_length=14, unique=True)
        redeemed_at = UtcDateTimeField(null=True)
        order = ForeignKeyField(Order, null=True, on_delete="SET NULL")

        class Meta:
            table_name = "shop_code"

    db.create_tables([Price, Seller, Discount, Order, OrderItem, Receipt, CodeBatch, DownloadCode])


def down(migrator, db):
    for table in (
        "shop_code",
        "shop_code_batch",
        "shop_receipt",
        "shop_item",
        "shop_order",
        "shop_discount",
        "shop_seller",
        "shop_price",
    ):
        migrator.migrate(migrator.drop_table(table))
