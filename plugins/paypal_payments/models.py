"""What was made at PayPal, in tables of the plugin: PayPal lists neither orders nor subscriptions, so this is how they are found again."""

from enum import StrEnum

import peewee

from appliance import database
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.database import proxy
from appliance.database import transaction

LOCK = 0x70617970
"""Any number will do that nobody else locks in this database."""
_ready: list[peewee.Database] = []


class Kind(StrEnum):
    """What a thing at PayPal is."""

    ORDER = "order"
    SUBSCRIPTION = "subscription"
    PAYMENT = "payment"
    REFUND = "refund"


class Thing(Base):
    """A thing at PayPal by its *id* there; *parent* is the order or subscription of a payment, or the payment of a refund.

    *ends_at* is when a subscription that is suspended is to be cancelled; *over* when nothing will become of it any more.
    """

    id = peewee.CharField(max_length=64, primary_key=True)
    kind = peewee.CharField(max_length=12, index=True)
    mark = peewee.CharField(max_length=64)
    parent = peewee.CharField(max_length=64, default="", index=True)
    key = peewee.CharField(max_length=200, null=True, unique=True)
    digest = peewee.CharField(max_length=64, default="")
    url = peewee.TextField(default="")
    total_minor = peewee.BigIntegerField(default=0)
    tax_minor = peewee.BigIntegerField(default=0)
    ends_at = UtcDateTimeField(null=True)
    over = peewee.BooleanField(default=False)
    created_at = UtcDateTimeField(index=True)
    changed_at = UtcDateTimeField()

    class Meta:
        table_name = "paypal_thing"


class Kept(Base):
    """A value by its name: the product, plans by what they are, the webhook, certificates."""

    name = peewee.CharField(max_length=200, primary_key=True)
    value = peewee.TextField()

    class Meta:
        table_name = "paypal_kept"


class Done(Base):
    """An act that was done under a *key*: asked again, it is not done again."""

    key = peewee.CharField(max_length=200, primary_key=True)
    digest = peewee.CharField(max_length=64)

    class Meta:
        table_name = "paypal_done"


MODELS = (Thing, Kept, Done)


def make_tables() -> None:
    """Make the tables of the plugin where they are missing; asked once for each database."""
    if any(known is proxy.obj for known in _ready):
        return
    with transaction():
        # Of two processes that start together one makes them, and the other finds them.
        database.in_turn(LOCK)
        proxy.create_tables(MODELS)
    _ready[:] = [proxy.obj]


def note(**values: object) -> None:
    """Note a thing, unless it is known."""
    Thing.insert(**values).on_conflict_ignore().execute()


def kept(name: str) -> str:
    """The value of this name; empty for none."""
    found = Kept.get_or_none(Kept.name == name)
    return str(found.value) if found else ""


def keep(name: str, value: str) -> None:
    """Keep a value."""
    Kept.insert(name=name, value=value).on_conflict(
        conflict_target=[Kept.name], preserve=[Kept.value]
    ).execute()
