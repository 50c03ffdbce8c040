"""A payment provider that lives in memory: for tests of what is sold, where no real one is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime

from appliance.errors import Unavailable
from appliance.payments import Checkout
from appliance.payments import CheckoutRequest
from appliance.payments import Feature
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.payments import RefundRequest


@dataclass
class Till:
    """Takes 0.50 of any currency but the krona; what it was asked is in *asked*, by key."""

    name: str = "till"
    label: str = "Card"
    features: frozenset[Feature] = frozenset({Feature.ONE_OFF, Feature.REFUNDS})
    least: int = 50
    broken: bool = False
    due_at: datetime | None = None
    asked: dict[str, CheckoutRequest] = field(default_factory=dict)
    given_back: list[RefundRequest] = field(default_factory=list)
    now: datetime = datetime(2026, 5, 2, tzinfo=UTC)

    def minimum_minor(self, currency: str) -> int | None:
        return None if currency == "SEK" else self.least

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        if self.broken:
            raise Unavailable("The till is broken.")
        self.asked.setdefault(request.key, request)
        return Checkout(f"co_{request.mark}", f"https://till.example/pay/{request.mark}", self.due_at)

    def paid(self, mark: str, *, at: datetime, number: int = 1, amount: int | None = None) -> PaymentFact:
        """The fact that this order was paid, as it was asked for."""
        [request] = [one for one in self.asked.values() if one.mark == mark]
        return PaymentFact(
            reference=f"pay_{mark}_{number}",
            mark=mark,
            amount_minor=request.total_minor if amount is None else amount,
            currency=request.currency,
            paid_at=at,
            fee_minor=25,
            tax_minor=request.tax_minor,
        )

    def refund(self, request: RefundRequest) -> RefundFact:
        if request not in self.given_back:
            self.given_back.append(request)
        return RefundFact(
            f"re_{request.key}", request.reference, request.amount_minor, request.currency, self.now
        )
