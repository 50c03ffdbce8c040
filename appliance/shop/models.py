"""What is sold once: prices, orders and what they opened, codes, discounts, receipts."""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.memberships.models import Purchase


class Kind(StrEnum):
    """What can be bought, and what stands in an order."""

    TRACK = "track"
    RELEASE = "release"
    CATALOGUE = "catalogue"
    TIP = "tip"
    CODE = "code"
    MERCHANDISE = "goods"
    SHIPPING = "shipping"
    GIFT = "gift"
    BUNDLE = "bundle"


class OrderState(StrEnum):
    """How an order stands; it follows from what the provider told, whatever came first."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class Price(Identified):
    """What a release or a track costs at least, in minor units of the artist's currency; of the whole catalogue (neither) how much is taken off.

    *thing* is the id of the release, the track or the artist. Who likes may *pay_more*. A release with *preorder* is sold before its day.
    """

    thing = peewee.CharField(max_length=26, unique=True)
    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    release = peewee.ForeignKeyField(Release, null=True, on_delete="CASCADE")
    release_id: str | None
    track = peewee.ForeignKeyField(Track, null=True, on_delete="CASCADE")
    track_id: str | None
    price_minor = peewee.BigIntegerField(default=0)
    pay_more = peewee.BooleanField(default=True)
    percent_off = peewee.IntegerField(default=0)
    preorder = peewee.BooleanField(default=False)
    version = peewee.IntegerField(default=1)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "shop_price"


class Seller(Identified):
    """What stands on an artist's receipts as the seller, and the numbers of the last receipt and the last credit note: numbers have no gaps."""

    artist = peewee.CharField(max_length=26, unique=True)
    name = peewee.CharField(max_length=200, default="")
    address = peewee.TextField(default="")
    tax_number = peewee.CharField(max_length=40, default="")
    last_number = peewee.IntegerField(default=0)
    last_credit_number = peewee.IntegerField(default=0)

    class Meta:
        table_name = "shop_seller"


class Discount(Identified):
    """A code that takes *percent* or *amount_minor* (of *currency*) off, from a day to a day, at most *most_uses* times."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE", index=False)
    artist_id: str
    code = peewee.CharField(max_length=30)
    percent = peewee.IntegerField(null=True)
    amount_minor = peewee.BigIntegerField(null=True)
    currency = peewee.CharField(max_length=3, default="")
    starts_at = UtcDateTimeField(null=True)
    ends_at = UtcDateTimeField(null=True)
    most_uses = peewee.IntegerField(null=True)
    stopped_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()

    class Meta:
        table_name = "shop_discount"
        indexes = ((("artist", "code"), True),)


class Order(Identified):
    """What somebody buys of one artist; its id is the mark of its payments, and its *state* follows from them.

    Without a *user* it waits for whoever confirms that *email* is theirs. *artist* is an id and no foreign key, since books outlive what
    they tell of. *open_key* is taken by one open order of the same buyer for the same things, so that two tabs are one order. One that keeps
    what others may want, stock or a use of a code, does so until *held_until* unless its money is on the way.
    """

    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_id: str | None
    email = peewee.CharField(max_length=254)
    artist = peewee.CharField(max_length=26)
    artist_name = peewee.CharField(max_length=200)
    collective = peewee.CharField(max_length=200, default="")
    root = peewee.CharField(max_length=200, default="")
    provider = peewee.CharField(max_length=30, default="")
    reference = peewee.CharField(max_length=200, default="")
    url = peewee.TextField(default="")
    state = peewee.CharField(max_length=10, default=OrderState.OPEN)
    open_key = peewee.CharField(max_length=64, null=True, unique=True)
    currency = peewee.CharField(max_length=3)
    total_minor = peewee.BigIntegerField()
    tax_minor = peewee.BigIntegerField(default=0)
    discount = peewee.ForeignKeyField(Discount, null=True, on_delete="SET NULL")
    discount_id: str | None
    discount_minor = peewee.BigIntegerField(default=0)
    share_bps = peewee.IntegerField(default=0)
    country = peewee.CharField(max_length=2, default="")
    business_number = peewee.CharField(max_length=40, default="")
    buyer_name = peewee.CharField(max_length=200, default="")
    buyer_address = peewee.TextField(default="")
    locale = peewee.CharField(max_length=12, default="en")
    checkout_state = peewee.CharField(max_length=10, default="")
    checkout_as_of = UtcDateTimeField(null=True)
    held_until = UtcDateTimeField(null=True)
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


class OrderItem(Identified):
    """One line of an order, named as it was called then: *amount_minor* with *tax_minor* in it; a *release* or *track* (ids) that it opens."""

    order = peewee.ForeignKeyField(Order, backref="items", on_delete="CASCADE", index=False)
    order_id: str
    position = peewee.IntegerField()
    kind = peewee.CharField(max_length=10)
    name = peewee.CharField(max_length=300)
    message = peewee.TextField(default="")
    amount_minor = peewee.BigIntegerField()
    tax_minor = peewee.BigIntegerField(default=0)
    tax_name = peewee.CharField(max_length=40, default="")
    tax_bps = peewee.IntegerField(default=0)
    release = peewee.CharField(max_length=26, default="")
    track = peewee.CharField(max_length=26, default="")
    purchase = peewee.ForeignKeyField(Purchase, null=True, on_delete="SET NULL")
    purchase_id: str | None

    class Meta:
        table_name = "shop_item"
        indexes = ((("order", "position"), True), (("release", "order"), False))


class Receipt(Identified):
    """A receipt: a *number* of its seller's, without gaps, and who sold at that time.

    It is for a paid *order*, which says the rest, or for one *payment* (an id) of a *subscription*; then who bought (*user* is their id) and
    the *thing* stand here as they were at that time, and the tax in it, whatever is told of that later. *credited_minor* is what its credit notes come to. *told_at* is when the letter about a
    payment was written.
    """

    order = peewee.ForeignKeyField(Order, null=True, on_delete="CASCADE", unique=True)
    order_id: str | None
    payment = peewee.CharField(max_length=26, null=True, unique=True)
    artist = peewee.CharField(max_length=26)
    number = peewee.IntegerField()
    seller = peewee.CharField(max_length=200)
    address = peewee.TextField(default="")
    tax_number = peewee.CharField(max_length=40, default="")
    subscription = peewee.CharField(max_length=26, default="")
    user = peewee.CharField(max_length=26, default="")
    email = peewee.CharField(max_length=254, default="")
    buyer_name = peewee.CharField(max_length=200, default="")
    buyer_address = peewee.TextField(default="")
    country = peewee.CharField(max_length=2, default="")
    business_number = peewee.CharField(max_length=40, default="")
    artist_name = peewee.CharField(max_length=200, default="")
    collective = peewee.CharField(max_length=200, default="")
    thing = peewee.CharField(max_length=300, default="")
    locale = peewee.CharField(max_length=12, default="")
    tax_name = peewee.CharField(max_length=40, default="")
    tax_bps = peewee.IntegerField(default=0)
    tax_minor = peewee.BigIntegerField(default=0)
    credited_minor = peewee.BigIntegerField(default=0)
    issued_at = UtcDateTimeField()
    told_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "shop_receipt"
        indexes = ((("artist", "number"), True),)


class CreditNote(Identified):
    """What of a receipt holds no longer, since money went back, and of which refund or lost dispute that follows (*cause*).

    Below nothing, it takes an earlier one of the same *cause* back. *parts* says in JSON how much is of which tax. It has a *number* of a
    series of its own, without gaps.
    """

    receipt = peewee.ForeignKeyField(Receipt, on_delete="CASCADE", backref="notes", index=False)
    receipt_id: str
    artist = peewee.CharField(max_length=26)
    number = peewee.IntegerField()
    cause = peewee.CharField(max_length=160)
    amount_minor = peewee.BigIntegerField()
    tax_minor = peewee.BigIntegerField(default=0)
    parts = peewee.TextField(default="[]")
    seller = peewee.CharField(max_length=200)
    address = peewee.TextField(default="")
    tax_number = peewee.CharField(max_length=40, default="")
    issued_at = UtcDateTimeField()
    told_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "shop_credit_note"
        indexes = ((("artist", "number"), True), (("receipt", "id"), False))


class CodeBatch(Identified):
    """Download codes for one release, made at once; they end at *expires_at*, or when they are stopped."""

    artist = peewee.ForeignKeyField(Artist, on_delete="CASCADE")
    artist_id: str
    release = peewee.ForeignKeyField(Release, on_delete="CASCADE")
    release_id: str
    name = peewee.CharField(max_length=100, default="")
    number = peewee.IntegerField()
    expires_at = UtcDateTimeField(null=True)
    stopped_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()

    class Meta:
        table_name = "shop_code_batch"


class DownloadCode(Identified):
    """One code: who redeems it first has the release."""

    batch = peewee.ForeignKeyField(CodeBatch, backref="codes", on_delete="CASCADE")
    batch_id: str
    code = peewee.CharField(max_length=14, unique=True)
    redeemed_at = UtcDateTimeField(null=True)
    order = peewee.ForeignKeyField(Order, null=True, on_delete="SET NULL")
    order_id: str | None

    class Meta:
        table_name = "shop_code"


MODELS: tuple[type[Base], ...] = (
    Price,
    Seller,
    Discount,
    Order,
    OrderItem,
    Receipt,
    CreditNote,
    CodeBatch,
    DownloadCode,
)

Receipt.add_index(
    Receipt.index(Receipt.subscription, where=Receipt.subscription != "", name="shop_receipt_subscription")
)
Receipt.add_index(Receipt.index(Receipt.user, where=Receipt.user != "", name="shop_receipt_user"))
Receipt.add_index(
    Receipt.index(
        Receipt.id,
        where=Receipt.told_at.is_null() & Receipt.payment.is_null(False),
        name="shop_receipt_untold",
    )
)
CreditNote.add_index(
    CreditNote.index(CreditNote.id, where=CreditNote.told_at.is_null(), name="shop_credit_note_untold")
)
