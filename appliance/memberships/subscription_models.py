"""Memberships that are paid for: the subscription, what its member asked of it, payments that failed, and letters that were sent.

A subscription outlives the account that began it, as its payments do; nobody removes an artist or a tier that one was paid for.
"""

from enum import StrEnum

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.memberships.models import Tier
from appliance.payments import CheckoutState
from appliance.payments import SubscriptionState


class ActKind(StrEnum):
    """What its member can ask of a subscription."""

    BEGIN = "begin"
    CHANGE = "change"
    CANCEL = "cancel"
    END = "end"
    RESUME = "resume"
    PAUSE = "pause"


class ActState(StrEnum):
    """What became of what was asked."""

    SHOWN = "shown"
    """The figures were shown, and nobody agreed to them yet."""
    ASKED = "asked"
    """The provider was asked; whether it answered is not known yet."""
    DONE = "done"
    REFUSED = "refused"


class Subscription(Identified):
    """A person pays for a tier, month by month or year by year; the id is the mark that the provider's facts come back with.

    *tier*, price and *interval* are what holds now, *pending_…* what holds from the next period on. *state*, *period_end*, *trial_end*
    and *cancel_at* are the provider's word of *as_of*. Of several rows of a person and an artist one is *current*; the database refuses
    a second. *locale* and *root* are the language and the address of this server as the member last had them, for letters.
    *given_up_at* is when nobody waited any longer for its till to be paid. *country* and the fields below it stand on its receipts.
    """

    user = peewee.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="subscriptions", index=False)
    user_id: str | None
    artist = peewee.ForeignKeyField(Artist, on_delete="RESTRICT", backref="subscriptions", index=False)
    artist_id: str
    tier = peewee.ForeignKeyField(Tier, on_delete="RESTRICT", backref="subscriptions")
    tier_id: str
    interval = peewee.CharField(max_length=5)
    price_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    trial_days = peewee.IntegerField(default=0)
    provider = peewee.CharField(max_length=30)
    reference = peewee.CharField(max_length=120, default="")
    customer = peewee.CharField(max_length=120, default="")
    checkout = peewee.CharField(max_length=200, default="")
    checkout_url = peewee.TextField(default="")
    checkout_state = peewee.CharField(max_length=10, default=CheckoutState.OPEN)
    state = peewee.CharField(max_length=12, default=SubscriptionState.INCOMPLETE)
    period_end = UtcDateTimeField(null=True)
    trial_end = UtcDateTimeField(null=True)
    cancel_at = UtcDateTimeField(null=True)
    pending_tier = peewee.ForeignKeyField(
        Tier, null=True, on_delete="RESTRICT", backref="coming", index=False
    )
    pending_tier_id: str | None
    pending_price_minor = peewee.BigIntegerField(null=True)
    pending_interval = peewee.CharField(max_length=5, default="")
    as_of = UtcDateTimeField(null=True)
    past_due_since = UtcDateTimeField(null=True)
    ended_at = UtcDateTimeField(null=True)
    current = peewee.BooleanField(default=True)
    given_up_at = UtcDateTimeField(null=True)
    country = peewee.CharField(max_length=2, default="")
    business_number = peewee.CharField(max_length=40, default="")
    buyer_name = peewee.CharField(max_length=200, default="")
    buyer_address = peewee.TextField(default="")
    locale = peewee.CharField(max_length=10, default="en")
    root = peewee.CharField(max_length=200, default="")
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()
    version = peewee.IntegerField(default=1)

    class Meta:
        table_name = "subscription"
        indexes = (
            (("user", "artist"), False),
            (("artist", "id"), False),
            (("state", "id"), False),
            (("updated_at",), False),
        )


class SubscriptionAct(Identified):
    """What was asked of a subscription. Its id is the key under which the provider is asked, so asking again does it once.

    A change says which *tier*, price and *interval* it leads to, and the figures that were shown; *version* is that of the subscription
    they were reckoned for.
    """

    subscription = peewee.ForeignKeyField(Subscription, on_delete="CASCADE", backref="acts", index=False)
    subscription_id: str
    kind = peewee.CharField(max_length=10)
    state = peewee.CharField(max_length=10)
    tier = peewee.ForeignKeyField(Tier, null=True, on_delete="RESTRICT", backref="changes", index=False)
    tier_id: str | None
    interval = peewee.CharField(max_length=5, default="")
    price_minor = peewee.BigIntegerField(null=True)
    currency = peewee.CharField(max_length=3, default="")
    at_once = peewee.BooleanField(default=False)
    due_now_minor = peewee.BigIntegerField(null=True)
    next_minor = peewee.BigIntegerField(null=True)
    next_at = UtcDateTimeField(null=True)
    as_of = UtcDateTimeField(null=True)
    version = peewee.IntegerField()
    created_at = UtcDateTimeField()
    asked_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "subscription_act"
        indexes = ((("subscription", "id"), False),)


class PaymentFailure(Base):
    """A payment for a subscription that was due and did not arrive, tried perhaps several times under one *reference*."""

    id = peewee.BigAutoField()
    subscription = peewee.ForeignKeyField(Subscription, on_delete="CASCADE", backref="failures", index=False)
    subscription_id: str
    reference = peewee.CharField(max_length=120)
    first_failed_at = UtcDateTimeField()
    last_failed_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField(null=True)
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)

    class Meta:
        table_name = "payment_failure"
        indexes = ((("subscription", "reference"), True),)


class PaymentAsked(Base):
    """A payment for the next period that its member makes by themselves, as by a transfer: *words* go with it, *url* is where one reads how.

    *amount_minor* is what is missing of it. When it is not *open* it is not waited for any more.
    """

    id = peewee.BigAutoField()
    subscription = peewee.ForeignKeyField(Subscription, on_delete="CASCADE", backref="asked", index=False)
    subscription_id: str
    reference = peewee.CharField(max_length=120)
    words = peewee.CharField(max_length=60)
    url = peewee.TextField()
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    due_at = UtcDateTimeField()
    as_of = UtcDateTimeField()
    open = peewee.BooleanField()

    class Meta:
        table_name = "payment_asked"
        indexes = ((("subscription", "reference"), True), (("open", "due_at"), False))


class SubscriptionLetter(Base):
    """A letter about a subscription that was written, or whose time had passed: each *step* once for each *occasion*."""

    id = peewee.BigAutoField()
    subscription = peewee.ForeignKeyField(Subscription, on_delete="CASCADE", backref="letters", index=False)
    subscription_id: str
    step = peewee.CharField(max_length=20)
    occasion = peewee.CharField(max_length=120, default="")
    written_at = UtcDateTimeField()

    class Meta:
        table_name = "subscription_letter"
        indexes = ((("subscription", "step", "occasion"), True),)


MODELS: tuple[type[Base], ...] = (
    Subscription,
    SubscriptionAct,
    PaymentFailure,
    PaymentAsked,
    SubscriptionLetter,
)

Subscription.add_index(
    Subscription.index(
        Subscription.user,
        Subscription.artist,
        unique=True,
        where=Subscription.current,
        name="subscription_current",
    )
)
