"""Paying, in our words: what a payment provider can be asked for, and the facts it tells. No vendor is known here.

A provider's word on an object always is a *fact*: a whole statement of how that object stands, with the provider's reference, the mark that
we gave it, and amounts in minor units. Facts can come in any order, any number of times and late; whoever keeps them ends up with the
same. That is why an event only says *which* objects moved, and why asking for the truth later repairs whatever was missed.

A *mark* is an id of ours, at most 64 characters: a subscription's, an order's, a payout's. Objects without one are somebody else's, and a
provider never touches or reports them.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Feature(StrEnum):
    """What not every provider can do; what is missing is not offered to anybody."""

    SUBSCRIPTIONS = "subscriptions"
    ONE_OFF = "one_off"
    PRORATION = "proration"
    PAUSE = "pause"
    PORTAL = "portal"
    REFUNDS = "refunds"
    PAYOUTS = "payouts"
    ONBOARDING = "onboarding"


class Interval(StrEnum):
    """How often a subscription is paid."""

    MONTH = "month"
    YEAR = "year"


class SubscriptionState(StrEnum):
    """How a subscription stands at its provider."""

    INCOMPLETE = "incomplete"
    """Begun, and nothing paid or agreed yet."""
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    ENDED = "ended"


class DisputeState(StrEnum):
    """How a dispute of a payment stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class PayoutState(StrEnum):
    """How a payout stands."""

    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"


class CheckoutState(StrEnum):
    """How a visit to the provider's till stands."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"


# What is asked of a provider.


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of what is paid for: *amount_minor* is for all of its *quantity*, without tax on top."""

    name: str
    amount_minor: int
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """Somebody wants to pay for *items*: once, or each *interval*, beginning after *trial_days*.

    *mark* comes back with every fact about what is made of this; *key* makes asking twice happen once. Without an *email* the till asks for
    one. *customer* is the provider's own reference of somebody who paid before.
    """

    mark: str
    key: str
    currency: str
    items: Sequence[LineItem]
    return_to: str
    cancel_to: str
    interval: Interval | None = None
    trial_days: int = 0
    email: str = ""
    customer: str = ""
    locale: str = "en"
    tax_minor: int = 0

    @property
    def total_minor(self) -> int:
        """What is paid, in minor units, tax included."""
        return sum(item.amount_minor for item in self.items) + self.tax_minor


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the browser goes to pay, and what the provider calls this visit."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a subscription costs each *interval*, in minor units, and what it is called on an invoice."""

    amount_minor: int
    currency: str
    interval: Interval
    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription (*reference*, *mark*) is to cost *price*: *at_once*, with what is left of the paid time taken into account, or at its period's end.

    *agreed* is the preview that the fan agreed to: what is charged is what it says, or nothing happens (``Conflict``).
    """

    reference: str
    mark: str
    price: Price
    at_once: bool
    key: str
    agreed: "Preview | None" = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change costs: *due_now_minor* at once (0: nothing now), and *next_minor* at *next_at*; *as_of* is the instant it was reckoned for."""

    due_now_minor: int
    next_minor: int
    currency: str
    next_at: datetime | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """*amount_minor* of the payment *reference* goes back to who paid it; *mark* is what that payment was for."""

    reference: str
    mark: str
    amount_minor: int
    currency: str
    key: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """*amount_minor* goes to the payee's *account* (the provider's reference of it); *mark* is the payout's id and also the idempotency key."""

    mark: str
    account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Onboarding:
    """Where a payee tells the provider whom to pay, and the *account* there."""

    account: str
    url: str


# What a provider tells.


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money arrived: *amount_minor* with *tax_minor* in it, of which the provider keeps *fee_minor* (``None``: it is not known yet).

    For a subscription, *period_start* and *period_end* tell which time is paid for. *mark* is of the order or the subscription.
    """

    reference: str
    mark: str
    amount_minor: int
    currency: str
    paid_at: datetime
    fee_minor: int | None = None
    tax_minor: int = 0
    period_start: datetime | None = None
    period_end: datetime | None = None
    email: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class FailureFact:
    """A payment that was due did not arrive; the provider tries again at *next_try_at*, if ever."""

    reference: str
    mark: str
    failed_at: datetime
    amount_minor: int
    currency: str
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundFact:
    """Money went back; *failed*: it did not after all."""

    reference: str
    payment: str
    amount_minor: int
    currency: str
    refunded_at: datetime
    failed: bool = False


@dataclass(frozen=True, slots=True)
class DisputeFact:
    """Who paid says to their bank that they did not; *fee_minor* is what the provider keeps for that, whatever comes of it."""

    reference: str
    payment: str
    amount_minor: int
    currency: str
    state: DisputeState
    opened_at: datetime
    as_of: datetime
    fee_minor: int = 0
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionFact:
    """How a subscription stands at *as_of*; of two facts the later one holds. *pending* is the price from the next period on, if it changes."""

    reference: str
    mark: str
    state: SubscriptionState
    as_of: datetime
    price: Price | None = None
    customer: str = ""
    period_end: datetime | None = None
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    pending: Price | None = None


@dataclass(frozen=True, slots=True)
class CheckoutFact:
    """How a visit to the till stands."""

    reference: str
    mark: str
    state: CheckoutState
    as_of: datetime
    customer: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class PayoutFact:
    """How a payout stands; *mark* is its id with us."""

    reference: str
    mark: str
    state: PayoutState
    as_of: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AccountFact:
    """Whether a payee's account can be paid."""

    account: str
    mark: str
    payable: bool
    as_of: datetime
    wants: str = ""


Fact = (
    PaymentFact
    | FailureFact
    | RefundFact
    | DisputeFact
    | SubscriptionFact
    | CheckoutFact
    | PayoutFact
    | AccountFact
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A webhook whose signature holds: the provider's *id* of the event, what it calls it, and when it happened."""

    id: str
    kind: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """What the provider holds for us in one currency, by its own books: what is available and what is on the way there."""

    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook as it came: the raw body and the headers, names in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxableSale:
    """What is about to be sold: *kind* is ``digital``, ``goods``, ``membership`` or ``tip``; *country* of who buys is ISO 3166-1 alpha-2, or empty."""

    kind: str
    country: str
    amount_minor: int
    currency: str
    business_number: str = ""


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax that is part of a price, such as ``VAT``; *rate_bps* is in hundredths of a percent of the price without it."""

    name: str
    rate_bps: int

    def included_minor(self, amount_minor: int) -> int:
        """Pure: how much of *amount_minor*, a price with tax, is the tax; a half is rounded up."""
        return (2 * amount_minor * self.rate_bps + 10_000 + self.rate_bps) // (2 * (10_000 + self.rate_bps))


class PaymentProvider(Protocol):
    """Who takes the money. Every verb may be slow or fail (``Unavailable``); asking twice with the same key does it once.

    ``Invalid`` says that what was asked cannot be (an amount below the minimum, say), ``Conflict`` that it does not fit how things stand.
    """

    @property
    def name(self) -> str:
        """A short word for addresses and rows, such as ``stripe``; it never changes."""

    @property
    def label(self) -> str:
        """What people read where they choose, such as ``Card, wallet or bank``."""

    @property
    def features(self) -> frozenset[Feature]:
        """What it can do."""

    def minimum_minor(self, currency: str) -> int | None:
        """The smallest amount it takes in this currency; ``None`` when it does not take the currency."""

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a till; that the browser comes back from there proves nothing."""

    def preview(self, change: Change) -> Preview:
        """What a change would cost, reckoned by the provider itself."""

    def change(self, change: Change) -> SubscriptionFact:
        """Change what a subscription costs."""

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """End a subscription now, or at the end of what is paid."""

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Take back a cancellation or a pause that has not run out."""

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Ask for no money until it is resumed."""

    def portal(self, customer: str, *, return_to: str) -> str:
        """Where somebody changes their card and sees their invoices, at the provider."""

    def refund(self, request: RefundRequest) -> RefundFact:
        """Give money back."""

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """Where a payee (its mark) says whom to pay; *account* is what it has there already, or empty."""

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """Send a payee their money."""

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        """Check the signature and the age of a webhook, asking nobody; ``NotAllowed`` when they do not hold, ``Invalid`` for rubbish."""

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        """What a checked webhook is about, as it stands now or as the body says; none when it is not about our marks."""

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        """The truth about all of ours that may have changed since, oldest first; for reconciliation."""

    def balances(self) -> Sequence[Balance] | None:
        """What the provider holds for us by its own books, or ``None`` when it holds nothing for anybody."""
