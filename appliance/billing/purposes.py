"""What payments can be for: the parts of the product that own marks, and what each must be able to answer."""

from datetime import datetime
from typing import Protocol

from appliance.ledger.payments import Sale
from appliance.memberships import subscriptions_settling
from appliance.payments import CheckoutFact
from appliance.payments import FailureFact
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact
from appliance.shop import settling as orders_settling


class Purpose(Protocol):
    """An owner of marks: it says whose sale a payment is, and brings what is its own in line with the facts."""

    def owns(self, mark: str) -> bool:
        """Whether the mark is one of its own."""

    def hold(self, mark: str) -> object:
        """Hold what the mark is about until the transaction ends."""

    def sale_of(self, mark: str, fact: PaymentFact) -> Sale | None:
        """What the payment is for; ``None`` when the mark is not one of its own."""

    def note_checkout(self, fact: CheckoutFact, *, provider: str, now: datetime) -> None:
        """Note how a visit to the till stands."""

    def settle(self, mark: str, *, now: datetime) -> None:
        """Recompute what follows from all facts of this mark, in the caller's transaction."""


class Recurring(Purpose, Protocol):
    """One whose payments come again and again."""

    def note_subscription(self, fact: SubscriptionFact, *, provider: str, now: datetime) -> None:
        """Note how a subscription stands."""

    def note_failure(self, fact: FailureFact, *, provider: str, now: datetime) -> None:
        """Note that a payment did not arrive."""

    def note_invoice(self, fact: InvoiceFact, *, provider: str, now: datetime) -> None:
        """Note that somebody is asked to pay, or is not any more."""


SUBSCRIPTIONS: Recurring = subscriptions_settling
ORDERS: Purpose = orders_settling


def every() -> tuple[Purpose, ...]:
    """All of them."""
    return (SUBSCRIPTIONS, ORDERS)


def owner_of(mark: str) -> Purpose | None:
    """Whose mark it is; ``None`` for nobody's."""
    return next((purpose for purpose in every() if purpose.owns(mark)), None)
