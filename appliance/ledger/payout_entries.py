"""Payouts in the books: from the payable to what is in transit, and on to what is paid out, or back."""

from datetime import datetime

from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.models import TransactionKind


def begin(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> None:
    """The money leaves the payee's balance."""
    _book(
        payout_id,
        {
            (AccountKind.PAYABLE, payee): amount_minor,
            (AccountKind.PAYOUTS_IN_TRANSIT, provider): -amount_minor,
        },
        currency,
        now,
    )


def paid(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> None:
    """It has arrived."""
    _book(
        payout_id,
        {(AccountKind.PAYABLE, payee): amount_minor, (AccountKind.PAID_OUT, provider): -amount_minor},
        currency,
        now,
    )


def failed(
    payout_id: str, *, payee: str, amount_minor: int, currency: str, provider: str, now: datetime
) -> None:
    """It comes back to the balance."""
    _book(payout_id, {}, currency, now)


def _book(payout_id: str, wanted: dict[posting.Line, int], currency: str, now: datetime) -> None:
    subject = f"payout:{payout_id}"
    said = posting.booked(subject)
    entries = {line: wanted.get(line, 0) - said.get(line, 0) for line in wanted.keys() | said.keys()}
    posting.post(
        f"{subject}#{posting.count(subject)}",
        TransactionKind.PAYOUT,
        entries,
        currency=currency,
        subject=subject,
        now=now,
    )
