"""Who takes the money: the verbs of a payment provider."""

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from appliance.payments.facts import Balance
from appliance.payments.facts import Delivery
from appliance.payments.facts import Fact
from appliance.payments.facts import Notice
from appliance.payments.facts import PayoutFact
from appliance.payments.facts import RefundFact
from appliance.payments.facts import SubscriptionFact
from appliance.payments.requests import Change
from appliance.payments.requests import Checkout
from appliance.payments.requests import CheckoutRequest
from appliance.payments.requests import Onboarding
from appliance.payments.requests import PayoutRequest
from appliance.payments.requests import Preview
from appliance.payments.requests import RefundRequest
from appliance.payments.states import Feature


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
