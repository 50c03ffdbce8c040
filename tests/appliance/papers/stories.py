"""Short words for who joins, what providers tell, and which papers there are then."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

from appliance.accounts.models import User
from appliance.billing import processing
from appliance.catalog.models import Artist
from appliance.ledger.models import Payment
from appliance.memberships import subscription_joining
from appliance.memberships import tiers
from appliance.memberships.models import Tier
from appliance.memberships.subscription_invoicing import Invoiced
from appliance.memberships.subscription_joining import Reader
from appliance.memberships.subscription_models import Subscription
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.shop.models import CreditNote
from appliance.shop.models import Receipt
from tests.makers import NOW
from tests.makers import make_user
from tests.tills import Till


def tier_of(artist: Artist, kind: str = "supporter") -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def begin(
    artist: Artist, user: User | None = None, *, invoiced: Invoiced | None = None, locale: str = "en"
) -> Subscription:
    """Somebody goes to the till."""
    return subscription_joining.begin(
        user or make_user(),
        tier_of(artist),
        interval="month",
        provider="till",
        return_to=lambda mark: f"https://music.example/{mark}",
        cancel_to="https://music.example/",
        reader=Reader(locale, "https://music.example"),
        invoiced=invoiced or Invoiced(),
        now=NOW,
    )


def join(artist: Artist, till: Till, user: User | None = None, **values: object) -> Subscription:
    """Somebody goes to the till and pays."""
    row = begin(artist, user, **values)  # type: ignore[arg-type]
    till.pay(row.id)
    deliver(till)
    return Subscription.get_by_id(row.id)


def deliver(till: Till, *, now: datetime | None = None) -> list[Fact]:
    """Everything that waits is told, in its order; what it was."""
    told, till.facts = till.facts, []
    for fact in told:
        tell(fact, now=now or till.now)
    return told


def tell(*facts: Fact, now: datetime = NOW) -> None:
    """What billing does with facts that came together."""
    processing.apply(facts, provider="till", now=now)


def give_back(payment: Payment, amount: int, *, number: int = 1, failed: bool = False) -> RefundFact:
    at = NOW + timedelta(days=number)
    return RefundFact(
        f"re_{payment.id}_{number}", payment.reference, amount, payment.currency, at, failed=failed
    )


def contest(payment: Payment, state: DisputeState, *, day: int = 5, amount: int = 0) -> DisputeFact:
    return DisputeFact(
        f"dp_{payment.id}",
        payment.reference,
        amount or payment.amount_minor,
        payment.currency,
        state,
        opened_at=NOW + timedelta(days=4),
        as_of=NOW + timedelta(days=day),
    )


def pay(mark: str, reference: str, amount: int = 500, *, at: datetime = NOW, **values: object) -> PaymentFact:
    return PaymentFact(reference, mark, amount, "EUR", at, fee_minor=30, **values)  # type: ignore[arg-type]


def receipts() -> list[Receipt]:
    return list(Receipt.select().order_by(Receipt.artist, Receipt.number))


def notes() -> list[tuple[int, int]]:
    """The credit notes by number, with their amounts."""
    query = CreditNote.select().order_by(CreditNote.artist, CreditNote.number)
    return [(row.number, row.amount_minor) for row in query]
