"""What is asked of a payment provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.payments.states import Interval


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
    one. *customer* is the provider's own reference of somebody who paid before. After *open_until* what is sold may be gone, so a provider
    that can closes its till then.
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
    open_until: datetime | None = None

    @property
    def total_minor(self) -> int:
        """What is paid, in minor units, tax included."""
        return sum(item.amount_minor for item in self.items) + self.tax_minor


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the browser goes to pay, and what the provider calls this visit; *due_at* is how long somebody has who pays elsewhere, as by a transfer."""

    reference: str
    url: str
    due_at: datetime | None = None


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
