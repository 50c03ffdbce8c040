"""Money as payees see it: what is owed, and a statement line by line, in words and in figures with all digits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from appliance.ledger.balances import Owed
from appliance.ledger.models import TransactionKind
from appliance.ledger.statements import Line
from web.presentation.wording import amount

KINDS = {
    TransactionKind.PAYMENT: lazy_gettext("Payment"),
    TransactionKind.FEE: lazy_gettext("Fee corrected"),
    TransactionKind.REFUND: lazy_gettext("Refund"),
    TransactionKind.DISPUTE: lazy_gettext("Dispute"),
    TransactionKind.PAYOUT: lazy_gettext("Payout"),
    TransactionKind.ADJUSTMENT: lazy_gettext("Adjustment"),
}


@dataclass(frozen=True, slots=True)
class OwedView:
    """What is owed in one currency; *held* is empty when nothing is contested."""

    currency: str
    owed: str
    held: str
    available: str


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a statement."""

    at: datetime
    kind: str
    names: str
    artist: str
    amount: str
    balance: str


def owed(rows: Iterable[Owed]) -> list[OwedView]:
    """What is owed, by currency."""
    return [
        OwedView(
            currency=row.currency,
            owed=amount(row.owed_minor, row.currency),
            held=amount(row.held_minor, row.currency) if row.held_minor else "",
            available=amount(row.available_minor, row.currency),
        )
        for row in rows
    ]


def lines(rows: Iterable[Line], currency: str) -> list[LineView]:
    """The lines of a statement."""
    return [
        LineView(
            at=row.at,
            kind=str(KINDS[row.kind]),
            names=", ".join(row.names),
            artist=row.artist,
            amount=amount(row.amount_minor, currency),
            balance=amount(row.balance_minor, currency),
        )
        for row in rows
    ]
