"""Short words for what providers tell, shared by the tests of the books."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

from appliance.accounts.letters import Letters
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.ledger.payments import Sale
from appliance.ledger.payments import Sold
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from tests.makers import NOW


def letters() -> Letters:
    return Letters("The Harbour", "en")


def pay(
    artist: str,
    amount: int = 1000,
    *,
    number: int = 1,
    currency: str = "EUR",
    fee: int | None = 59,
    sold: tuple[Sold, ...] = (),
    at: datetime = NOW,
    paid_at: datetime | None = None,
) -> Payment:
    """A payment for the artist of this id, as its provider tells of it."""
    fact = PaymentFact(f"pay_{number}", "mark", amount, currency, paid_at or at, fee_minor=fee)
    return payments.note(fact, Sale(artist, "", 1000, sold), provider="demo", now=at)


def give_back(
    amount: int, *, of: int = 1, number: int = 1, currency: str = "EUR", at: datetime = NOW
) -> None:
    """A refund of the payment of that number."""
    fact = RefundFact(f"re_{number}", f"pay_{of}", amount, currency, at)
    payments.note_refund(fact, provider="demo", now=at)


def contest(
    amount: int, state: DisputeState = DisputeState.OPEN, *, of: int = 1, at: datetime = NOW, day: int = 0
) -> None:
    """A dispute of the payment of that number, and how it stands on that day."""
    fact = DisputeFact(
        f"dp_{of}", f"pay_{of}", amount, "EUR", state, NOW, NOW + timedelta(days=day), fee_minor=1500
    )
    payments.note_dispute(fact, provider="demo", now=at)
