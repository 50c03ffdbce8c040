"""What is sent to people: articles, their variants with stock, shipping zones, and a parcel for each order."""

from enum import StrEnum

import peewee

from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.shop.models import Order


class ArticleState(StrEnum):
    """Whether fans see an article, and can buy it."""

    HIDDEN = "hidden"
    FOR_SALE = "for_sale"
    SOLD_OUT = "sold_out"
    """Shown, and not sold, whatever the stock says."""
    ARCHIVED = "archived"


class ParcelState(StrEnum):
    """How what was ordered stands; only ``parcels`` and ``dispatch`` move it."""

    HELD = "held"
    """Stock is kept for an order that is not paid yet."""
    LET_GO = "let_go"
    """The order was given up: its stock is for others, and its address is erased."""
    TO_SEND = "to_send"
    SHORT = "short"
    """The payment came when the stock had been let go and was gone: the money goes back."""
    SENT = "sent"
    RETURNED = "returned"
    """The money went back before anything was sent."""


class Article(Identified):
    """A thing that an artist sells and sends: its options have up to two names, such as Size and Colour; a *release* comes with it."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    artist_id: str
    slug = peewee.CharField(max_length=60)
    title = peewee.CharField(max_length=200)
    about = peewee.TextField(default="")
    state = peewee.CharField(max_length=10, default=ArticleState.HIDDEN)
    first_option = peewee.CharField(max_length=40, default="")
    second_option = peewee.CharField(max_length=40, default="")
    release = peewee.ForeignKeyField(Release, null=True, on_delete="SET NULL")
    release_id: str | None
    picture_key = peewee.CharField(max_length=120, default="")
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "merchandise_article"
        indexes = ((("artist", "slug"), True),)


class Variant(Identified):
    """One choice of an article, such as M in black: *stock* is what can still be sold; without it, it is made to order."""

    article = peewee.ForeignKeyField(Article, backref="variants", on_delete="CASCADE", index=False)
    article_id: str
    position = peewee.IntegerField()
    first = peewee.CharField(max_length=40, default="")
    second = peewee.CharField(max_length=40, default="")
    sku = peewee.CharField(max_length=40, default="")
    price_minor = peewee.BigIntegerField()
    stock = peewee.IntegerField(null=True, constraints=[peewee.Check("stock >= 0")])

    class Meta:
        table_name = "merchandise_variant"
        indexes = ((("article", "first", "second"), True),)


class Zone(Identified):
    """Where an artist ships to and for how much: *countries* are ISO 3166-1 codes, or none for everywhere that is in no other zone."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    name = peewee.CharField(max_length=60)
    countries = peewee.TextField(default="")
    first_minor = peewee.BigIntegerField()
    further_minor = peewee.BigIntegerField()
    created_at = UtcDateTimeField()

    class Meta:
        table_name = "merchandise_zone"


class Parcel(Identified):
    """What an order has to send and where to; *member_off_minor* is what the buyer's *tier* took off.

    *artist* is an id and no foreign key, as on the order. Without a *name* the address is not known: it was erased when the order was given up.
    """

    order = peewee.ForeignKeyField(Order, on_delete="CASCADE", unique=True)
    order_id: str
    artist = peewee.CharField(max_length=26)
    state = peewee.CharField(max_length=10, default=ParcelState.HELD)
    name = peewee.CharField(max_length=100, default="")
    lines = peewee.TextField(default="")
    postal_code = peewee.CharField(max_length=20, default="")
    city = peewee.CharField(max_length=100, default="")
    country = peewee.CharField(max_length=2)
    zone = peewee.CharField(max_length=60)
    shipping_minor = peewee.BigIntegerField()
    tier = peewee.CharField(max_length=60, default="")
    member_percent = peewee.IntegerField(default=0)
    member_off_minor = peewee.BigIntegerField(default=0)
    tracking = peewee.CharField(max_length=500, default="")
    sent_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "merchandise_parcel"
        indexes = ((("artist", "state", "order"), False), (("state", "created_at"), False))


class ParcelLine(Identified):
    """So many of a variant (an id), named as it was then; *taken*: they are out of its stock now."""

    parcel = peewee.ForeignKeyField(Parcel, backref="contents", on_delete="CASCADE", index=False)
    parcel_id: str
    position = peewee.IntegerField()
    variant = peewee.CharField(max_length=26)
    name = peewee.CharField(max_length=300)
    sku = peewee.CharField(max_length=40, default="")
    quantity = peewee.IntegerField()
    taken = peewee.BooleanField(default=False)

    class Meta:
        table_name = "merchandise_line"
        indexes = ((("parcel", "position"), True),)


MODELS: tuple[type[Base], ...] = (Article, Variant, Zone, Parcel, ParcelLine)
