"""What became of payouts: facts of them and of payees' accounts are noted, and the books follow."""

from datetime import datetime

from appliance.payments import AccountFact
from appliance.payments import PayoutFact


def note_payout(fact: PayoutFact, *, provider: str, now: datetime) -> None:
    """Note how a payout stands."""


def note_account(fact: AccountFact, *, provider: str, now: datetime) -> None:
    """Note whether a payee's account can be paid."""
