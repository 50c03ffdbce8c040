"""What became of orders: facts of them are noted, and purchases follow."""

from datetime import datetime

from appliance.ledger.payments import Sale
from appliance.payments import CheckoutFact
from appliance.payments import PaymentFact


def owns(mark: str) -> bool:
    """Whether the mark is of an order."""
    return False


def sale_of(mark: str, fact: PaymentFact) -> Sale | None:
    """What a payment of this order is for; ``None`` when the mark is not of one."""
    return None


def note_checkout(fact: CheckoutFact, *, provider: str, now: datetime) -> None:
    """Note how a visit to the till stands."""


def settle(mark: str, *, now: datetime) -> None:
    """Bring order and purchases in line with all facts of it; in the caller's transaction."""
