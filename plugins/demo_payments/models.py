"""What the demo's till knows, in an SQLite file of its own: nothing of it is the product's, just as a real provider's rows are not."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import peewee

from appliance import clock

database = peewee.DatabaseProxy()


class InstantField(peewee.CharField):
    """An instant in UTC as a text that sorts by time."""

    def db_value(self, value: datetime | None) -> str | None:
        """*value* to the microsecond, always as long."""
        return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None

    def python_value(self, value: str | None) -> datetime | None:
        """The instant, aware."""
        return datetime.fromisoformat(value) if value else None


class Row(peewee.Model):
    """Parent of every model: *changed_at* is when it changed by the till's own time, and *noted_at* when that was noted by everybody's."""

    id = peewee.CharField(max_length=40, primary_key=True)
    mark = peewee.CharField(max_length=64, default="")
    changed_at = InstantField()
    noted_at = InstantField(index=True)

    def save(self, *arguments: Any, **named: Any) -> Any:
        """Keep it, and when."""
        self.noted_at = clock.now()
        return super().save(*arguments, **named)

    class Meta:
        database = database


class Customer(Row):
    """Somebody who pays, with the card they chose."""

    email = peewee.CharField()
    card = peewee.CharField()


class Till(Row):
    """A visit to the till."""

    key = peewee.CharField(unique=True)
    digest = peewee.CharField()
    currency = peewee.CharField()
    items = peewee.TextField()
    tax_minor = peewee.IntegerField()
    total_minor = peewee.IntegerField()
    interval = peewee.CharField(default="")
    trial_days = peewee.IntegerField()
    email = peewee.CharField(default="")
    customer = peewee.CharField(default="")
    return_to = peewee.TextField()
    cancel_to = peewee.TextField()
    state = peewee.CharField()
    opened_at = InstantField()


class Subscription(Row):
    """What is paid each *interval*: periods are counted in *months* from the *anchor*; *tax_minor* of *taxed_minor* is the part that is tax."""

    customer = peewee.CharField()
    state = peewee.CharField()
    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    interval = peewee.CharField()
    name = peewee.CharField()
    tax_minor = peewee.IntegerField()
    taxed_minor = peewee.IntegerField()
    credit_minor = peewee.IntegerField(default=0)
    anchor = InstantField()
    months = peewee.IntegerField(default=0)
    period_start = InstantField()
    period_end = InstantField()
    trial_end = InstantField(null=True)
    cancel_at = InstantField(null=True)
    pending_amount_minor = peewee.IntegerField(null=True)
    pending_interval = peewee.CharField(default="")
    pending_name = peewee.CharField(default="")
    tries = peewee.IntegerField(default=0)
    next_try_at = InstantField(null=True)


class Payment(Row):
    """Money that arrived."""

    customer = peewee.CharField()
    subscription = peewee.CharField(default="")
    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    fee_minor = peewee.IntegerField()
    tax_minor = peewee.IntegerField()
    paid_at = InstantField()
    period_start = InstantField(null=True)
    period_end = InstantField(null=True)
    email = peewee.CharField(default="")
    country = peewee.CharField(default="")


class Failure(Row):
    """Money that was due and did not arrive."""

    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    failed_at = InstantField()
    next_try_at = InstantField(null=True)


class Refund(Row):
    """Money that went back."""

    key = peewee.CharField(unique=True)
    digest = peewee.CharField()
    payment = peewee.CharField(index=True)
    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    refunded_at = InstantField()


class Dispute(Row):
    """A payment that is contested."""

    payment = peewee.CharField(index=True)
    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    fee_minor = peewee.IntegerField()
    state = peewee.CharField()
    opened_at = InstantField()
    respond_by = InstantField()


class Account(Row):
    """Where a payee is paid; *bank* is one of the demo's banks."""

    email = peewee.CharField(default="")
    bank = peewee.CharField(default="")
    return_to = peewee.TextField()


class Payout(Row):
    """Money on its way to a payee."""

    digest = peewee.CharField()
    account = peewee.CharField()
    amount_minor = peewee.IntegerField()
    currency = peewee.CharField()
    state = peewee.CharField()
    problem = peewee.CharField(default="")
    arrives_at = InstantField()


class Visit(Row):
    """The way of a *customer* to their own page, and back."""

    customer = peewee.CharField()
    return_to = peewee.TextField()


class Act(Row):
    """An act that was done under the key that is its id; asked again, it is not done again."""

    digest = peewee.CharField()


class Event(Row):
    """What happened, about which objects; *told* once it was handed in."""

    kind = peewee.CharField()
    about = peewee.TextField()
    told = peewee.BooleanField(default=False, index=True)


class Fact(peewee.Model):
    """One value of the till itself: its secret, how far its clock is ahead."""

    name = peewee.CharField(primary_key=True)
    value = peewee.TextField()

    class Meta:
        database = database


MODELS: tuple[type[peewee.Model], ...] = (
    Customer,
    Till,
    Subscription,
    Payment,
    Failure,
    Refund,
    Dispute,
    Account,
    Payout,
    Visit,
    Act,
    Event,
    Fact,
)


def open_at(path: Path) -> None:
    """Take the file at *path* from now on; it is made when it is first needed."""
    database.initialize(
        peewee.SqliteDatabase(str(path), timeout=20, pragmas={"journal_mode": "wal", "synchronous": "normal"})
    )


@contextmanager
def act() -> Iterator[None]:
    """One act, wholly or not at all, on a connection of this thread that is closed when nobody around it uses it."""
    outermost = database.is_closed()
    database.connect(reuse_if_open=True)
    try:
        if outermost and not database.table_exists("fact"):
            database.create_tables(MODELS)
        with database.atomic(*([] if database.in_transaction() else ["IMMEDIATE"])):
            yield
    finally:
        if outermost:
            database.close()


def new(prefix: str) -> str:
    """A reference that nobody can guess."""
    return f"{prefix}_{secrets.token_urlsafe(15)}"


def value(name: str, otherwise: str) -> str:
    """A value of the till; *otherwise* is kept when there is none yet."""
    Fact.insert(name=name, value=otherwise).on_conflict_ignore().execute()
    return str(Fact.get_by_id(name).value)


def keep(name: str, text: str) -> None:
    """Keep a value of the till."""
    Fact.replace(name=name, value=text).execute()


def change(row: Any, *, now: datetime, **values: Any) -> Any:
    """Change *row*; of two changes the second is always the later one, whatever the clock says."""
    for name, one in values.items():
        setattr(row, name, one)
    row.changed_at = max(now, row.changed_at + SMALLEST)
    row.save()
    return row


SMALLEST = datetime.resolution
