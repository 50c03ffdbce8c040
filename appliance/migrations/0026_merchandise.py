"""What is sent to people: articles, their variants with stock, shipping zones, and a parcel for each order."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    class Frozen(Model):
        class Meta:
            database = db

    class Artist(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Release(Frozen):
        id = CharField(max_length=26, primary_key=True)

    class Order(Frozen):
        id = CharField(max_length=26, primary_key=True)

        class Meta:
            table_name = "shop_order"

    class Article(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE", index=False)
        slug = CharField(max_length=60)
        title = CharField(max_length=200)
        about = TextField(default="")
        state = CharField(max_length=10, default="hidden")
        first_option = CharField(max_length=40, default="")
        second_option = CharField(max_length=40, default="")
        release = ForeignKeyField(Release, null=True, on_delete="SET NULL")
        picture_key = CharField(max_length=120, default="")
        version = IntegerField(default=1)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            table_name = "merchandise_article"
            indexes = ((("artist", "slug"), True),)

    class Variant(Frozen):
        id = CharField(max_length=26, primary_key=True)
        article = ForeignKeyField(Article, backref="variants", on_delete="CASCADE", index=False)
        position = IntegerField()
        first = CharField(max_length=40, default="")
        second = CharField(max_length=40, default="")
        sku = CharField(max_length=40, default="")
        price_minor = BigIntegerField()
        # The database itself refuses to sell what there is not.
        stock = IntegerField(null=True, constraints=[Check("stock >= 0")])

        class Meta:
            table_name = "merchandise_variant"
            indexes = ((("article", "first", "second"), True),)

    class Zone(Frozen):
        id = CharField(max_length=26, primary_key=True)
        artist = ForeignKeyField(Artist, on_delete="CASCADE")
        name = CharField(max_length=60)
        countries = TextField(default="")
        first_minor = BigIntegerField()
        further_minor = BigIntegerField()
        created_at = UtcDateTimeField()

        class Meta:
            table_name = "merchandise_zone"

    class Parcel(Frozen):
        id = CharField(max_length=26, primary_key=True)
        order = ForeignKeyField(Order, on_delete="CASCADE", unique=True)
        artist = CharField(max_length=26)
        state = CharField(max_length=10, default="held")
        name = CharField(max_length=100, default="")
        lines = TextField(default="")
        postal_code = CharField(max_length=20, default="")
        city = CharField(max_length=100, default="")
        country = CharField(max_length=2)
        zone = CharField(max_length=60)
        shipping_minor = BigIntegerField()
        tier = CharField(max_length=60, default="")
        member_percent = IntegerField(default=0)
        member_off_minor = BigIntegerField(default=0)
        tracking = CharField(max_length=500, default="")
        sent_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()
        updated_at = UtcDateTimeField()

        class Meta:
            table_name = "merchandise_parcel"
            indexes = ((("artist", "state", "order"), False), (("state", "created_at"), False))

    class ParcelLine(Frozen):
        id = CharField(max_length=26, primary_key=True)
        parcel = ForeignKeyField(Parcel, backref="contents", on_delete="CASCADE", index=False)
        position = IntegerField()
        variant = CharField(max_length=26)
        name = CharField(max_length=300)
        sku = CharField(max_length=40, default="")
        quantity = IntegerField()
        taken = BooleanField(default=False)

        class Meta:
            table_name = "merchandise_line"
            indexes = ((("parcel", "position"), True),)

    db.create_tables([Article, Variant, Zone, Parcel, ParcelLine])


def down(migrator, db):
    for name in ("line", "parcel", "zone", "variant", "article"):
        migrator.migrate(migrator.drop_table(f"merchandise_{name}"))
