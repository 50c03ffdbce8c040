"""Payouts in the books: from what is owed into transit, from there to paid out, or back to what is owed when they failed.

Each word on a payout is written once, however often it comes, and what was begun is begun once. The last word holds: a bank may send back what it
had paid, and pay after all what it had sent back. As with payments, what is written is the difference between what the books should say and what
they say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.database import transaction
from appliance.errors import Invalid
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Transaction
from appliance.ledger.models import TransactionKind
from appliance.ledger.posting import Line
from appliance.payments import PayoutState


@dataclass(frozen=True, slots=True)
class _Payout:
    id: str
    payee: str
    amount_minor: int
    currency: str
    provider: str

    @property
    def subject(self) -> str:
        return f"payout:{self.id}"


def begin(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> bool:
    """*amount_minor* is on its way to the payee; False when that was written before. Call it with the account held (``balances.hold``)."""
    payout = _Payout(payout_id, payee, amount_minor, currency, provider)
    return _write(payout, PayoutState.IN_TRANSIT, now=now)


def paid(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> bool:
    """It arrived, perhaps after it was said to have failed; False when that was the last word already."""
    payout = _Payout(payout_id, payee, amount_minor, currency, provider)
    return _write(payout, PayoutState.PAID, now=now)


def failed(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> bool:
    """It did not arrive, or came back: the payee is owed it again. False when that was the last word already, or when it was never begun."""
    payout = _Payout(payout_id, payee, amount_minor, currency, provider)
    return _write(payout, PayoutState.FAILED, now=now)


def _write(payout: _Payout, state: PayoutState, *, now: datetime) -> bool:
    if not 0 < payout.amount_minor <= posting.MOST_MINOR:
        raise Invalid("A payout is of more than nothing.")
    with transaction():
        # The payee's account is held first, so that two words on one payout are taken one after the other.
        posting.hold(AccountKind.PAYABLE, payout.payee, payout.currency)
        written = _written(payout)
        if written and (state is PayoutState.IN_TRANSIT or state is written[-1]):
            return False
        said = posting.booked(payout.subject)
        wanted = _target(payout, state)
        return posting.post(
            # What comes a second time, after another word, is a transaction of its own.
            f"{payout.subject}#{len(written)}#{state}" if state in written else f"{payout.subject}#{state}",
            TransactionKind.PAYOUT,
            {line: wanted.get(line, 0) - said.get(line, 0) for line in wanted.keys() | said.keys()},
            currency=payout.currency,
            subject=payout.subject,
            now=now,
        )


def _target(payout: _Payout, state: PayoutState) -> Mapping[Line, int]:
    """Pure: the balances that a payout in this state must have."""
    if state is PayoutState.FAILED:
        return {}
    there = AccountKind.PAID_OUT if state is PayoutState.PAID else AccountKind.PAYOUTS_IN_TRANSIT
    return {
        (AccountKind.PAYABLE, payout.payee): payout.amount_minor,
        (there, payout.provider): -payout.amount_minor,
    }


def _written(payout: _Payout) -> list[PayoutState]:
    """The words that were written on it, the last one last."""
    rows = Transaction.select(Transaction.key).where(Transaction.subject == payout.subject)
    return [PayoutState(row.key.rpartition("#")[2]) for row in rows.order_by(Transaction.id)]
