"""An owner of marks that keeps nothing but what a test must know: whose sale it is, how it stands, and through when it is paid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import peewee
import pytest

from appliance.billing import purposes
from appliance.database import Base
from appliance.database import UtcDateTimeField
from appliance.ledger import payments
from appliance.ledger.payments import Sale
from appliance.ledger.payments import Sold
from appliance.payments import CheckoutFact
from appliance.payments import FailureFact
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState

SHARE_BPS = 1000


class SimulatedSale(Base):
    """A subscription or an order; *paid_through* and *standing* follow from the payments alone."""

    mark = peewee.CharField(max_length=64, primary_key=True)
    artist = peewee.CharField(max_length=26)
    user = peewee.CharField(max_length=26, default="")
    recurring = peewee.BooleanField(default=False)
    state = peewee.CharField(max_length=12, default="")
    as_of = UtcDateTimeField(null=True)
    paid_through = UtcDateTimeField(null=True)
    standing = peewee.BooleanField(default=False)


class SimulatedSales:
    """The owner of those that recur, or of those that do not."""

    def __init__(self, *, recurring: bool) -> None:
        self.recurring = recurring

    def find(self, mark: str) -> SimulatedSale | None:
        here = (SimulatedSale.mark == mark) & (SimulatedSale.recurring == self.recurring)
        found: SimulatedSale | None = SimulatedSale.select().where(here).first()
        return found

    def owns(self, mark: str) -> bool:
        return self.find(mark) is not None

    def hold(self, mark: str) -> SimulatedSale | None:
        return self.find(mark)

    def sale_of(self, mark: str, fact: PaymentFact) -> Sale | None:
        found = self.find(mark)
        if found is None:
            return None
        return Sale(found.artist, found.user, SHARE_BPS, [Sold("A thing", fact.amount_minor)])

    def note_checkout(self, fact: CheckoutFact, *, provider: str, now: datetime) -> None:
        pass

    def note_subscription(self, fact: SubscriptionFact, *, provider: str, now: datetime) -> None:
        later = SimulatedSale.as_of.is_null() | (SimulatedSale.as_of < fact.as_of)
        over = SimulatedSale.state == SubscriptionState.ENDED
        SimulatedSale.update(state=fact.state, as_of=fact.as_of).where(
            SimulatedSale.mark == fact.mark, later, ~over | (fact.state == SubscriptionState.ENDED)
        ).execute()

    def note_failure(self, fact: FailureFact, *, provider: str, now: datetime) -> None:
        pass

    def note_invoice(self, fact: InvoiceFact, *, provider: str, now: datetime) -> None:
        pass

    def settle(self, mark: str, *, now: datetime) -> None:
        kept = [payment for payment in payments.of_mark(mark) if payments.kept(payment) > 0]
        ends = [payment.period_end for payment in kept if payment.period_end is not None]
        SimulatedSale.update(paid_through=max(ends, default=None), standing=bool(kept)).where(
            SimulatedSale.mark == mark
        ).execute()


@contextmanager
def open_for_business() -> Iterator[None]:
    """Their table is there, and billing knows of no other owners."""
    SimulatedSale.create_table()
    with pytest.MonkeyPatch.context() as patch:
        use(patch)
        yield


def use(patch: pytest.MonkeyPatch) -> None:
    """Put them in the place of the owners that there are."""
    patch.setattr(purposes, "SUBSCRIPTIONS", SimulatedSales(recurring=True))
    patch.setattr(purposes, "ORDERS", SimulatedSales(recurring=False))


def sell(mark: str, artist: str, *, user: str = "", recurring: bool = False) -> SimulatedSale:
    """Somebody is about to pay for something."""
    made: SimulatedSale = SimulatedSale.create(mark=mark, artist=artist, user=user, recurring=recurring)
    return made
