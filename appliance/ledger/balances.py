"""What a payee is owed: by currency, what of it is held back, and what can be paid out.

What is contested has left the payee's account already and stands in a reserve. So the balance of the account is what can be paid out, and what
is held is told beside it: it comes back when the dispute is won.
"""

from dataclasses import dataclass

import peewee

from appliance.ledger import booking
from appliance.ledger import posting
from appliance.ledger import settlement
from appliance.ledger import splits
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import SplitPart
from appliance.ledger.models import SplitTotal
from appliance.payments import DisputeState


@dataclass(frozen=True, slots=True)
class Owed:
    """What a payee has earned and was not paid yet: of *owed_minor*, *held_minor* is contested now, and *available_minor* can be paid out.

    Negative when more went back than was earned since the last payout; then nothing is available.
    """

    currency: str
    owed_minor: int
    held_minor: int
    available_minor: int


def of_payee(payee: str) -> list[Owed]:
    """What this payee (an artist's id) is owed, a line for each currency they ever had money in, by its code."""
    rows = Account.select().where(Account.kind == AccountKind.PAYABLE, Account.owner == payee)
    held = held_of(payee)
    return [
        _owed(row.currency, -row.balance_minor, held.get(row.currency, 0))
        for row in sorted(rows, key=lambda row: row.currency)
    ]


def hold(payee: str, currency: str) -> Owed:
    """The same in one currency with the account held until the transaction ends, so that nobody spends it meanwhile."""
    balance = posting.hold(AccountKind.PAYABLE, payee, currency)
    return _owed(currency, -balance, held_of(payee).get(currency, 0))


def held_of(payee: str) -> dict[str, int]:
    """By currency, what would come back to this payee if all disputes that are open now were won."""
    held: dict[str, int] = {}
    totals: dict[tuple[str, str], int] = {}
    for payment in _contested(payee):
        known = booking.known(payment)
        artists = settlement.target(settlement.without_contest(known))[1]
        for line, part in booking.parts_by_line(payment, artists):
            back = _part(payee, payment, line, part - line.booked_minor, totals)
            held[payment.currency] = held.get(payment.currency, 0) + back
    return {currency: amount for currency, amount in held.items() if amount}


def _part(
    payee: str, payment: Payment, line: PaymentLine, amount: int, totals: dict[tuple[str, str], int]
) -> int:
    """The payee's part of *amount* more on this line, after what *totals* has for its agreement; which then has it too."""
    if not line.agreement:
        return amount if payment.artist == payee else 0
    key = (line.agreement, payment.currency)
    if key not in totals:
        here = (SplitTotal.agreement == line.agreement) & (SplitTotal.currency == payment.currency)
        found = SplitTotal.get_or_none(here)
        totals[key] = found.total_minor if found else 0
    before, totals[key] = totals[key], totals[key] + amount
    parts = splits.parts_of(line.agreement, payment.currency)
    return splits.difference(parts, before, totals[key]).get(payee, 0)


def _contested(payee: str) -> list[Payment]:
    """Payments with an open dispute that this payee may have a part in, the oldest first."""
    shared = SplitPart.select(SplitPart.agreement).where(SplitPart.payee == payee)
    lines = PaymentLine.select(PaymentLine.payment).where(PaymentLine.agreement.in_(shared))
    same = (Dispute.provider == Payment.provider) & (Dispute.payment == Payment.reference)
    query = (
        Payment.select()
        .join(Dispute, on=same)
        .where(
            Dispute.state == DisputeState.OPEN,
            peewee.fn.EXISTS(lines.where(PaymentLine.payment == Payment.id)) | (Payment.artist == payee),
        )
        .order_by(Payment.id)
        .distinct()
    )
    return list(query)


def _owed(currency: str, balance: int, held: int) -> Owed:
    return Owed(currency, balance + held, held, max(0, balance))
