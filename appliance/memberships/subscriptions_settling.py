"""What became of subscriptions: facts of them are noted, and memberships follow."""

from datetime import datetime

from appliance.ledger.payments import Sale
from appliance.payments import CheckoutFact
from appliance.payments import FailureFact
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact


def owns(mark: str) -> bool:
    """Whether the mark is of a subscription."""
    return False


def sale_of(mark: str, fact: PaymentFact) -> Sale | None:
    """What a payment of this subscription is for; ``None`` when the mark is not of one."""
    return None


def note_checkout(fact: CheckoutFact, *, provider: str, now: datetime) -> None:
    """Note how a visit to the till stands."""


def note_subscription(fact: SubscriptionFact, *, provider: str, now: datetime) -> None:
    """Note how a subscription stands."""


def note_failure(fact: FailureFact, *, provider: str, now: datetime) -> None:
    """Note that a payment did not arrive."""


def settle(mark: str, *, now: datetime) -> None:
    """Bring the membership in line with all facts of this subscription; in the caller's transaction."""
