"""Payments by hand, in the tables of the plugin: what was asked for, what arrived, who pays again and again, and what goes back."""

from enum import StrEnum
from typing import Any

import peewee

from appliance import database
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField
from appliance.database import proxy
from appliance.database import transaction

LOCK = 0x6D616E75
"""Any number will do that nobody else locks in this database."""
_ready: list[peewee.Database] = []


class DemandState(StrEnum):
    """What became of an amount that was asked for."""

    OPEN = "open"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class RefundState(StrEnum):
    """What became of an amount that is to go back."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Demand(Identified):
    """An amount that is asked for under a *reference*; at the till (*key*), or for a period of a *subscription*."""

    key = peewee.CharField(max_length=200, unique=True)
    digest = peewee.CharField(max_length=64)
    mark = peewee.CharField(max_length=64)
    reference = peewee.CharField(max_length=25, unique=True)
    subscription = peewee.CharField(max_length=26, default="", index=True)
    customer = peewee.CharField(max_length=26, index=True)
    email = peewee.CharField(max_length=254, default="")
    name = peewee.CharField(max_length=300)
    amount_minor = peewee.BigIntegerField()
    tax_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    interval = peewee.CharField(max_length=5, default="")
    trial_days = peewee.IntegerField(default=0)
    state = peewee.CharField(max_length=10, default=DemandState.OPEN, index=True)
    at_till = peewee.BooleanField()
    received_minor = peewee.BigIntegerField(default=0)
    period_start = UtcDateTimeField(null=True)
    period_end = UtcDateTimeField(null=True)
    asked_at = UtcDateTimeField()
    due_at = UtcDateTimeField()
    failed_at = UtcDateTimeField(null=True)
    paid_at = UtcDateTimeField(null=True)
    return_to = peewee.TextField(default="")
    cancel_to = peewee.TextField(default="")
    changed_at = UtcDateTimeField(index=True)

    class Meta:
        table_name = "manual_demand"


class Receipt(Identified):
    """An amount that arrived for a demand, and who confirmed it."""

    demand = peewee.CharField(max_length=26, index=True)
    amount_minor = peewee.BigIntegerField()
    confirmed_by = peewee.CharField(max_length=26)
    at = UtcDateTimeField()

    class Meta:
        table_name = "manual_receipt"


class Subscription(Identified):
    """What is asked for each *interval*: periods are counted in *months* from the *anchor*."""

    mark = peewee.CharField(max_length=64, index=True)
    customer = peewee.CharField(max_length=26)
    email = peewee.CharField(max_length=254, default="")
    name = peewee.CharField(max_length=300)
    state = peewee.CharField(max_length=10)
    amount_minor = peewee.BigIntegerField()
    tax_minor = peewee.BigIntegerField()
    taxed_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    interval = peewee.CharField(max_length=5)
    anchor = UtcDateTimeField()
    months = peewee.IntegerField()
    period_end = UtcDateTimeField(index=True)
    trial_end = UtcDateTimeField(null=True)
    cancel_at = UtcDateTimeField(null=True)
    pending_amount_minor = peewee.BigIntegerField(null=True)
    pending_interval = peewee.CharField(max_length=5, default="")
    pending_name = peewee.CharField(max_length=300, default="")
    changed_at = UtcDateTimeField(index=True)

    class Meta:
        table_name = "manual_subscription"


class Refund(Identified):
    """An amount of a payment that is to be sent back by hand."""

    key = peewee.CharField(max_length=200, unique=True)
    digest = peewee.CharField(max_length=64)
    mark = peewee.CharField(max_length=64)
    payment = peewee.CharField(max_length=26, index=True)
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    state = peewee.CharField(max_length=10, default=RefundState.WAITING)
    refunded_at = UtcDateTimeField()
    changed_at = UtcDateTimeField(index=True)

    class Meta:
        table_name = "manual_refund"


class Done(Base):
    """An act that was done under a *key*: asked again, it is not done again."""

    key = peewee.CharField(max_length=200, primary_key=True)
    digest = peewee.CharField(max_length=64)

    class Meta:
        table_name = "manual_done"


MODELS = (Demand, Receipt, Subscription, Refund, Done)


def make_tables() -> None:
    """Make the tables of the plugin where they are missing; asked once for each database."""
    if any(known is proxy.obj for known in _ready):
        return
    with transaction():
        # Of two processes that start together one makes them, and the other finds them.
        database.in_turn(LOCK)
        proxy.create_tables(MODELS)
    _ready[:] = [proxy.obj]


def change(row: Any, *, now: Any, **values: Any) -> Any:
    """Change *row*; of two changes the second is always the later one."""
    for name, one in values.items():
        setattr(row, name, one)
    row.changed_at = max(now, row.changed_at + now.resolution)
    row.save()
    return row
