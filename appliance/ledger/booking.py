"""A payment in the books: what they should say by all that is known of it, and the entries that they lack."""

from datetime import datetime

from appliance import database
from appliance import prepared
from appliance.database import transaction
from appliance.ledger import posting
from appliance.ledger import settlement
from appliance.ledger import splits
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import TransactionKind
from appliance.ledger.posting import Line
from appliance.prepared import Prepared

OF_PROVIDER = frozenset(
    {
        AccountKind.FAN_PAYMENTS,
        AccountKind.PROCESSOR_FEES,
        AccountKind.REFUNDS,
        AccountKind.DISPUTE_RESERVE,
    }
)
"""Accounts that each provider has of its own."""
# What every payment asks, put into words once.
_by_id = Prepared(lambda row: database.locked(Payment.select().where(Payment.id == row)))
_lines = Prepared(
    lambda row: PaymentLine.select().where(PaymentLine.payment == row).order_by(PaymentLine.position)
)


def book(payment_id: str, kind: TransactionKind, *, now: datetime) -> Payment:
    """Write what the books lack of this payment; nothing when they say it all."""
    with transaction():
        [payment] = _by_id(payment_id)
        books, artists = settlement.target(known(payment))
        wanted: dict[Line, int] = {
            (kind_, payment.provider if kind_ in OF_PROVIDER else ""): amount
            for kind_, amount in books.items()
        }
        subject = subject_of(payment)
        said = posting.booked(subject)
        entries = {
            line: wanted.get(line, 0) - said.get(line, 0)
            for line in wanted.keys() | said.keys()
            if line[0] is not AccountKind.PAYABLE
        }
        for payee, amount in _shares(payment, artists).items():
            entries[(AccountKind.PAYABLE, payee)] = -amount
        posting.post(
            f"{subject}#{posting.count(subject)}",
            kind,
            entries,
            currency=payment.currency,
            subject=subject,
            now=now,
        )
    return payment


def parts_by_line(payment: Payment, artists: int) -> list[tuple[PaymentLine, int]]:
    """The lines of a payment, each with its part of *artists*."""
    lines = _lines(payment.id)
    parts = settlement.apportion(artists, [row.amount_minor for row in lines])
    return list(zip(lines, parts, strict=True))


def subject_of(payment: Payment) -> str:
    """Pure: what all entries of a payment stand under."""
    return f"payment:{payment.id}"


def known(payment: Payment) -> settlement.Known:
    """Pure: what the row of a payment knows, as ``settlement.target`` takes it."""
    return settlement.Known(
        amount=payment.amount_minor,
        currency=payment.currency,
        tax=payment.tax_minor,
        fee=payment.fee_minor,
        share_bps=payment.share_bps,
        refunded=payment.refunded_minor,
        contested=payment.contested_minor,
        lost=payment.lost_minor,
        dispute_fees=payment.dispute_fees_minor,
    )


def _shares(payment: Payment, artists: int) -> dict[str, int]:
    """What each payee gets more or less, when the artists' part of the whole payment is *artists*."""
    got: dict[str, int] = {}
    for line, part in sorted(parts_by_line(payment, artists), key=lambda found: _turn(found[0])):
        if part == line.booked_minor:
            continue
        prepared.update(PaymentLine, line.id, booked_minor=part)
        shares = splits.share(
            part - line.booked_minor,
            agreement=line.agreement,
            artist=payment.artist,
            currency=payment.currency,
        )
        for payee, amount in shares.items():
            got[payee] = got.get(payee, 0) + amount
    return got


def _turn(line: PaymentLine) -> tuple[str, int]:
    # Agreements are held in one order everywhere, or two payments that meet on two of them would wait for each other.
    return line.agreement, line.position
