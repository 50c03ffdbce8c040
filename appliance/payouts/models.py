"""Where payees want their money, and what was sent to them."""

from enum import StrEnum

import peewee

from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField

BANK = "bank"
"""The provider of payouts that people make by hand, from a file for the bank."""


class PayoutStanding(StrEnum):
    """How a payout stands. The money left the payee's balance with the request, and comes back to it when it fails."""

    REQUESTED = "requested"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"


MOVES = {
    PayoutStanding.REQUESTED: {PayoutStanding.IN_TRANSIT, PayoutStanding.PAID, PayoutStanding.FAILED},
    PayoutStanding.IN_TRANSIT: {PayoutStanding.PAID, PayoutStanding.FAILED},
    PayoutStanding.PAID: {PayoutStanding.FAILED},
    PayoutStanding.FAILED: {PayoutStanding.PAID},
}
"""From where a payout may go to where: a bank may send back what it had paid, and a provider may pay after all what it took for failed."""


class PayoutAccount(Identified):
    """A payee's (an artist's id) account at a *provider*, or with a bank: then *account* is an IBAN. *monthly*: it is paid each month by itself."""

    payee = peewee.CharField(max_length=26)
    provider = peewee.CharField(max_length=30)
    account = peewee.CharField(max_length=120, default="")
    holder = peewee.CharField(max_length=70, default="")
    bic = peewee.CharField(max_length=11, default="")
    payable = peewee.BooleanField(default=False)
    wants = peewee.CharField(max_length=300, default="")
    monthly = peewee.BooleanField(default=True)
    as_of = UtcDateTimeField()
    created_at = UtcDateTimeField()

    class Meta:
        indexes = ((("payee", "provider"), True), (("provider", "account"), False))


class BankFile(Identified):
    """One file for the bank: the text as it was made, so that fetching it again gives the same orders and nobody pays twice."""

    currency = peewee.CharField(max_length=3)
    count = peewee.IntegerField()
    total_minor = peewee.BigIntegerField()
    xml = peewee.TextField(default="")
    made_by = peewee.CharField(max_length=26)
    created_at = UtcDateTimeField()


class Payout(Identified):
    """Money on its way to a payee; its id is the mark, and the idempotency key wherever it goes. *run* names the month of a monthly one."""

    payee = peewee.CharField(max_length=26)
    provider = peewee.CharField(max_length=30)
    account = peewee.CharField(max_length=120)
    holder = peewee.CharField(max_length=70, default="")
    bic = peewee.CharField(max_length=11, default="")
    amount_minor = peewee.BigIntegerField()
    currency = peewee.CharField(max_length=3)
    state = peewee.CharField(max_length=12, default=PayoutStanding.REQUESTED)
    run = peewee.CharField(max_length=10, null=True)
    reference = peewee.CharField(max_length=120, default="")
    problem = peewee.CharField(max_length=300, default="")
    bank_file = peewee.ForeignKeyField(BankFile, null=True, backref="payouts", on_delete="SET NULL")
    bank_file_id: str | None
    requested_by = peewee.CharField(max_length=26, default="")
    as_of = UtcDateTimeField()
    created_at = UtcDateTimeField()

    class Meta:
        indexes = (
            # A month is paid once, however often its run is begun; requests by hand have no run, and two NULLs differ.
            (("payee", "currency", "run"), True),
            (("payee", "id"), False),
            (("state", "provider"), False),
        )


MODELS: tuple[type[Base], ...] = (PayoutAccount, BankFile, Payout)
