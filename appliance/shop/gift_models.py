"""A membership that somebody pays for once and somebody else has."""

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.memberships.models import Tier
from appliance.shop.models import Order


class Gift(Identified):
    """What one order gives: so many *months* of a tier, to whoever redeems the *code*; the membership has the id of its gift.

    Whether it can be redeemed follows from its order. Without an *email* the buyer hands the code on; with one a letter brings it, not
    before *send_at*. *begins_at* is the earliest that the months are counted from, known once it is redeemed.
    """

    order = peewee.ForeignKeyField(Order, on_delete="CASCADE", unique=True)
    order_id: str
    artist = peewee.ForeignKeyField(Artist, on_delete="RESTRICT", index=False)
    artist_id: str
    tier = peewee.ForeignKeyField(Tier, on_delete="RESTRICT", index=False)
    tier_id: str
    months = peewee.IntegerField()
    code = peewee.CharField(max_length=19, unique=True)
    by = peewee.CharField(max_length=80)
    message = peewee.TextField(default="")
    email = peewee.CharField(max_length=254, default="")
    send_at = UtcDateTimeField(null=True)
    sent_at = UtcDateTimeField(null=True)
    letters = peewee.IntegerField(default=0)
    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    user_id: str | None
    redeemed_at = UtcDateTimeField(null=True)
    begins_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()

    class Meta:
        table_name = "shop_gift"
        indexes = (
            (("user", "tier"), False),
            (("sent_at", "send_at"), False),
        )


MODELS: tuple[type[Base], ...] = (Gift,)
