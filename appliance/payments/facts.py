"""What a payment provider tells: whole statements of how an object stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime

from appliance.payments.requests import Price
from appliance.payments.states import CheckoutState
from appliance.payments.states import DisputeState
from appliance.payments.states import PayoutState
from appliance.payments.states import SubscriptionState


@dataclass(frozen=True, slots=True)
class PaymentFact:
    """Money arrived: *amount_minor* with *tax_minor* in it, of which the provider keeps *fee_minor* (``None``: it is not known yet).

    A tax that the provider says nothing of is ``None``; what it says holds, whatever is reckoned elsewhere.

    For a subscription, *period_start* and *period_end* tell which time is paid for. *mark* is of the order or the subscription.
    """

    reference: str
    mark: str
    amount_minor: int
    currency: str
    paid_at: datetime
    fee_minor: int | None = None
    tax_minor: int | None = None
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
class InvoiceFact:
    """Somebody is asked to pay for the next period of a subscription by themselves, as by a transfer, until *due_at*.

    *amount_minor* is what is missing of it. *words* are what they write beside it, and *url* (or a path of this server) where they read
    how to pay. Once it is not *open* it is not waited for any more, since it was paid or withdrawn, and stays so.
    """

    reference: str
    mark: str
    amount_minor: int
    currency: str
    due_at: datetime
    as_of: datetime
    words: str
    url: str
    open: bool = True


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
    | InvoiceFact
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
