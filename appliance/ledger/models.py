"""The books: accounts, transactions and entries; and what providers said of payments, from which the entries follow."""

from enum import StrEnum

import peewee

from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class AccountKind(StrEnum):
    """What an account counts. Its owner is a provider for what a provider holds or keeps, a payee (an artist's id) for what is owed."""

    FAN_PAYMENTS = "fan_payments"
    PROCESSOR_FEES = "processor_fees"
    REFUNDS = "refunds"
    DISPUTE_RESERVE = "dispute_reserve"
    PLATFORM_SHARE = "platform_share"
    TAXES = "taxes"
    PAYABLE = "payable"
    PAYOUTS_IN_TRANSIT = "payouts_in_transit"
    PAID_OUT = "paid_out"


class TransactionKind(StrEnum):
    """What brought a transaction about."""

    PAYMENT = "payment"
    FEE = "fee"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"


class Account(Base):
    """One account: its *balance_minor* is the sum of its entries, debits positive, credits negative; what is owed is negative.

    *moved_at* is the instant of its last entry: no later one is given an earlier instant, so that by instant they stand as by number.
    """

    id = peewee.BigAutoField()
    kind = peewee.CharField(max_length=20)
    owner = peewee.CharField(max_length=40, default="")
    currency = peewee.CharField(max_length=3)
    balance_minor = peewee.BigIntegerField(default=0)
    moved_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "ledger_account"
        indexes = ((("kind", "owner", "currency"), True), (("owner", "currency"), False))


class Transaction(Base):
    """Entries that balance, written at once under a *key* that makes writing them twice impossible; *subject* is what they are about."""

    id = peewee.BigAutoField()
    key = peewee.CharField(max_length=100, unique=True)
    kind = peewee.CharField(max_length=12)
    subject = peewee.CharField(max_length=60, index=True)
    at = UtcDateTimeField()
    memo = peewee.CharField(max_length=200, default="")

    class Meta:
        table_name = "ledger_transaction"


class Entry(Base):
    """*amount_minor* on one account, and the balance of that account *after_minor* it."""

    id = peewee.BigAutoField()
    transaction = peewee.ForeignKeyField(Transaction, backref="entries")
    transaction_id: int
    account = peewee.ForeignKeyField(Account, backref="entries", index=False)
    account_id: int
    amount_minor = peewee.BigIntegerField()
    after_minor = peewee.BigIntegerField()
    at = UtcDateTimeField()

    class Meta:
        table_name = "ledger_entry"
        indexes = ((("account", "id"), False), (("account", "at", "id"), False))


class DaySum(Base):
    """What the entries of one day (UTC) and one kind come to on a payee's account: a statement of years need not add up a million entries."""

    id = peewee.BigAutoField()
    account = peewee.ForeignKeyField(Account, index=False)
    account_id: int
    day = peewee.DateField()
    kind = peewee.CharField(max_length=12)
    amount_minor = peewee.BigIntegerField()

    class Meta:
        table_name = "ledger_day"
        indexes = ((("account", "day", "kind"), True),)


class BookCheck(Identified):
    """What a check of the books found: how many *differences*, of which *told* names the first in JSON; *mailed_at* when admins were told."""

    began_at = UtcDateTimeField()
    ended_at = UtcDateTimeField()
    differences = peewee.IntegerField(default=0)
    told = peewee.TextField(default="[]")
    mailed_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "ledger_check"


class Payment(Identified):
    """What a provider said of one payment, its refunds and disputes added up; the entries follow from this row alone.

    *mark* is the subscription or order it is for and *artist* (an id) whose sale it is; neither is a foreign key, since books outlive what
    they tell of. *fee_minor* is empty until the provider names it. *share_bps* is the platform's, as it was at the time.
    *tax_name* and *tax_bps* are of a tax that was reckoned here, as for memberships; what a provider told or an order says has them elsewhere.
    """

    provider = peewee.CharField(max_length=30)
    reference = peewee.CharField(max_length=120)
    mark = peewee.CharField(max_length=64, index=True)
    artist = peewee.CharField(max_length=26)
    user = peewee.CharField(max_length=26, default="")
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    tax_minor = peewee.BigIntegerField(default=0)
    tax_name = peewee.CharField(max_length=40, default="")
    tax_bps = peewee.IntegerField(default=0)
    fee_minor = peewee.BigIntegerField(null=True)
    share_bps = peewee.IntegerField()
    refunded_minor = peewee.BigIntegerField(default=0)
    contested_minor = peewee.BigIntegerField(default=0)
    lost_minor = peewee.BigIntegerField(default=0)
    dispute_fees_minor = peewee.BigIntegerField(default=0)
    paid_at = UtcDateTimeField()
    period_start = UtcDateTimeField(null=True)
    period_end = UtcDateTimeField(null=True)
    email = peewee.CharField(max_length=254, default="")
    country = peewee.CharField(max_length=2, default="")
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()

    class Meta:
        table_name = "payment"
        indexes = (
            (("provider", "reference"), True),
            (("artist", "paid_at"), False),
            (("user", "paid_at"), False),
        )


class PaymentLine(Base):
    """A part of a payment that is for one thing: a *release* or a *track* (ids), or the artist as such. *booked_minor* is the artists' part of it.

    *agreement* (an id) is the one by which that part is shared, chosen once: corrections go to whom the money went. Empty: the artist has it all.
    """

    id = peewee.BigAutoField()
    payment = peewee.ForeignKeyField(Payment, backref="lines", on_delete="CASCADE")
    payment_id: str
    position = peewee.IntegerField()
    name = peewee.CharField(max_length=300, default="")
    release = peewee.CharField(max_length=26, default="")
    track = peewee.CharField(max_length=26, default="")
    amount_minor = peewee.BigIntegerField()
    booked_minor = peewee.BigIntegerField(default=0)
    agreement = peewee.CharField(max_length=26, default="", index=True)

    class Meta:
        table_name = "payment_line"
        indexes = ((("payment", "position"), True),)


class Refund(Identified):
    """Money that went back; its payment may be told of later."""

    provider = peewee.CharField(max_length=30)
    reference = peewee.CharField(max_length=120)
    payment = peewee.CharField(max_length=120)
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    failed = peewee.BooleanField(default=False)
    refunded_at = UtcDateTimeField()

    class Meta:
        table_name = "refund"
        indexes = ((("provider", "reference"), True), (("provider", "payment"), False))


class Dispute(Identified):
    """A payment that is contested; of two words on it the one of the later *as_of* holds, and what is decided stays so."""

    provider = peewee.CharField(max_length=30)
    reference = peewee.CharField(max_length=120)
    payment = peewee.CharField(max_length=120)
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    fee_minor = peewee.BigIntegerField(default=0)
    state = peewee.CharField(max_length=10)
    opened_at = UtcDateTimeField()
    respond_by = UtcDateTimeField(null=True)
    as_of = UtcDateTimeField()

    class Meta:
        table_name = "dispute"
        indexes = (
            (("provider", "reference"), True),
            (("provider", "payment"), False),
            (("state",), False),
        )


class SplitAgreement(Identified):
    """Who shares what is earned with an artist, one *release* or one *track* (ids), for payments from *starts_at* on until the next one begins."""

    artist = peewee.CharField(max_length=26)
    release = peewee.CharField(max_length=26, default="")
    track = peewee.CharField(max_length=26, default="")
    starts_at = UtcDateTimeField()
    made_by = peewee.CharField(max_length=26, default="")
    created_at = UtcDateTimeField()

    class Meta:
        table_name = "split_agreement"
        indexes = ((("artist", "release", "track", "starts_at"), True),)


class SplitPart(Base):
    """A payee's part: *share_bps* of 10,000, and before that *recoup_minor* of *recoup_currency* which they get back first, in order of *position*."""

    id = peewee.BigAutoField()
    agreement = peewee.ForeignKeyField(SplitAgreement, backref="parts", on_delete="CASCADE")
    agreement_id: str
    payee = peewee.CharField(max_length=26, index=True)
    share_bps = peewee.IntegerField()
    recoup_minor = peewee.BigIntegerField(default=0)
    recoup_currency = peewee.CharField(max_length=3, default="")
    position = peewee.IntegerField()

    class Meta:
        table_name = "split_part"
        indexes = ((("agreement", "payee"), True),)


class SplitTotal(Base):
    """All that was shared by an agreement so far in one currency: shares are reckoned on it, so that odd cents even out over time."""

    id = peewee.BigAutoField()
    agreement = peewee.ForeignKeyField(SplitAgreement, on_delete="CASCADE", index=False)
    agreement_id: str
    currency = peewee.CharField(max_length=3)
    total_minor = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "split_total"
        indexes = ((("agreement", "currency"), True),)


MODELS: tuple[type[Base], ...] = (
    Account,
    Transaction,
    Entry,
    DaySum,
    BookCheck,
    Payment,
    PaymentLine,
    Refund,
    Dispute,
    SplitAgreement,
    SplitPart,
    SplitTotal,
)
