"""A payment provider without a network: it keeps its objects in memory, and signs a delivery for each time that one of them moved.

A delivery holds its objects as they stood then, so one that comes late tells old facts; ``changed_since`` tells how they stand now.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from enum import StrEnum
from typing import Any

from appliance import payments
from appliance.currencies import DIGITS
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.payments import AccountFact
from appliance.payments import Balance
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import Notice
from appliance.payments import Onboarding
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payments import Preview
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState

SECRET = b"a secret of the simulation"
HEADER = "simulated-signature"
OLDEST = timedelta(minutes=5)
WORDS: dict[str, type[StrEnum]] = {
    "PaymentFact": StrEnum,
    "SubscriptionFact": SubscriptionState,
    "DisputeFact": DisputeState,
    "CheckoutFact": CheckoutState,
    "PayoutFact": PayoutState,
}


def told(fact: Fact) -> dict[str, Any]:
    """A fact as JSON can carry it."""
    return {"is": type(fact).__name__, **dataclasses.asdict(fact)}


def heard(row: dict[str, Any]) -> Fact:
    """The fact that was told."""
    kind = getattr(payments, row["is"])
    values: dict[str, Any] = {}
    for name, value in row.items():
        if name == "is":
            continue
        if name == "state":
            value = WORDS[row["is"]](value)
        elif name in {"price", "pending"} and value is not None:
            value = Price(**{**value, "interval": Interval(value["interval"])})
        elif isinstance(value, str) and (name.endswith(("_at", "_end", "_start", "_by")) or name == "as_of"):
            value = datetime.fromisoformat(value)
        values[name] = value
    made: Fact = kind(**values)
    return made


def signed(body: bytes, at: datetime, *, secret: bytes = SECRET) -> Delivery:
    """A delivery with a signature of this instant."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return Delivery(body, {HEADER: f"{stamp} {digest}"})


@dataclass
class SimulatedProvider:
    """What a provider is, kept in dictionaries; the moves at the end are what its customers do."""

    name: str = "simulated"
    label: str = "A simulated card"
    features: frozenset[Feature] = frozenset(Feature)
    objects: dict[tuple[str, str], tuple[datetime, Fact]] = field(default_factory=dict)
    sent: list[tuple[datetime, bytes]] = field(default_factory=list)
    answered: dict[str, Any] = field(default_factory=dict)
    failing: list[Exception] = field(default_factory=list)

    # ---- what it is asked

    def minimum_minor(self, currency: str) -> int | None:
        return 50 if currency in DIGITS else None

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        return Checkout(f"cs_{request.key}", f"https://pay.example/{request.key}")

    def preview(self, change: Change) -> Preview:
        return Preview(0, change.price.amount_minor, change.price.currency, None, datetime.max)

    def change(self, change: Change) -> SubscriptionFact:
        return dataclasses.replace(self._subscription(change.reference), price=change.price)

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        return dataclasses.replace(self._subscription(reference), state=SubscriptionState.ENDED)

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        return self._subscription(reference)

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        return dataclasses.replace(self._subscription(reference), state=SubscriptionState.PAUSED)

    def portal(self, customer: str, *, return_to: str) -> str:
        return f"https://pay.example/portal/{customer}"

    def refund(self, request: RefundRequest) -> RefundFact:
        if self.failing:
            raise self.failing.pop()
        if request.key not in self.answered:
            _, payment = self.objects["payment", request.reference]
            assert isinstance(payment, PaymentFact)
            self.answered[request.key] = self.give_back(payment, request.amount_minor, payment.paid_at)
        answer: RefundFact = self.answered[request.key]
        return answer

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        return Onboarding(account or f"acct_{payee}", f"https://pay.example/onboard/{payee}")

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        return PayoutFact(f"po_{request.mark}", request.mark, PayoutState.IN_TRANSIT, datetime.max)

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        stamp, _, digest = delivery.headers.get(HEADER, "").partition(" ")
        wanted = hmac.new(SECRET, stamp.encode() + b"." + delivery.body, hashlib.sha256).hexdigest()
        if not stamp.isdigit() or not hmac.compare_digest(wanted, digest):
            raise NotAllowed("The signature of this event does not hold.")
        if abs(now.timestamp() - int(stamp)) > OLDEST.total_seconds():
            raise NotAllowed("This event is too old.")
        try:
            said = json.loads(delivery.body)
            return Notice(said["id"], said["kind"], datetime.fromisoformat(said["at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid("This is not an event.") from error

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        if self.failing:
            raise self.failing.pop()
        return [heard(row) for row in json.loads(body)["facts"]]

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        if self.failing:
            raise self.failing.pop()
        changed = [entry for entry in self.objects.values() if entry[0] >= since]
        yield from (fact for _, fact in sorted(changed, key=lambda entry: entry[0]))

    def balances(self) -> Sequence[Balance] | None:
        sums: dict[str, int] = {}
        for _, fact in self.objects.values():
            match fact:
                case PaymentFact():
                    amount = fact.amount_minor - (fact.fee_minor or 0)
                case RefundFact():
                    amount = 0 if fact.failed else -fact.amount_minor
                case DisputeFact():
                    amount = -fact.fee_minor - (fact.amount_minor if fact.state != DisputeState.WON else 0)
                case _:
                    continue
            sums[fact.currency] = sums.get(fact.currency, 0) + amount
        return [Balance(currency, amount) for currency, amount in sorted(sums.items())]

    # ---- what happens there

    def move(self, kind: str, reference: str, fact: Fact, at: datetime) -> None:
        """An object is now as *fact* says, and an event tells it."""
        self.objects[kind, reference] = (at, fact)
        event = {"id": f"evt_{len(self.sent)}", "kind": f"{kind}.moved", "at": at.isoformat()}
        body = json.dumps({**event, "facts": [told(fact)]}, default=lambda value: value.isoformat()).encode()
        self.sent.append((at, body))

    def pay(self, fact: PaymentFact, *, fee_minor: int | None) -> PaymentFact:
        """A payment arrives; what it costs is told a day later."""
        self.move("payment", fact.reference, fact, fact.paid_at)
        if fee_minor is not None:
            fact = dataclasses.replace(fact, fee_minor=fee_minor)
            self.move("payment", fact.reference, fact, fact.paid_at + timedelta(days=1))
        return fact

    def give_back(
        self,
        payment: PaymentFact,
        amount_minor: int,
        at: datetime,
        *,
        reference: str = "",
        failed: bool = False,
    ) -> RefundFact:
        """Money goes back, or turns out not to have."""
        name = reference or f"re_{sum(kind == 'refund' for kind, _ in self.objects)}"
        fact = RefundFact(name, payment.reference, amount_minor, payment.currency, at, failed=failed)
        self.move("refund", fact.reference, fact, at)
        return fact

    def dispute(
        self,
        payment: PaymentFact,
        state: DisputeState,
        at: datetime,
        *,
        opened_at: datetime,
        fee_minor: int = 1500,
    ) -> DisputeFact:
        """A payment is contested, or what is contested is decided."""
        fact = DisputeFact(
            f"dp_{payment.reference}",
            payment.reference,
            payment.amount_minor,
            payment.currency,
            state,
            opened_at,
            at,
            fee_minor=fee_minor,
            respond_by=opened_at + timedelta(days=7),
        )
        self.move("dispute", fact.reference, fact, at)
        return fact

    def subscribe(self, fact: SubscriptionFact) -> SubscriptionFact:
        """A subscription begins, or stands otherwise now."""
        self.move("subscription", fact.reference, fact, fact.as_of)
        return fact

    def check_out(self, mark: str, state: CheckoutState, at: datetime) -> CheckoutFact:
        """Somebody is at the till."""
        fact = CheckoutFact(f"cs_{mark}", mark, state, at)
        self.move("checkout", fact.reference, fact, at)
        return fact

    def account(self, mark: str, at: datetime, *, payable: bool) -> AccountFact:
        """A payee's account can be paid, or not."""
        fact = AccountFact(f"acct_{mark}", mark, payable, at)
        self.move("account", fact.account, fact, at)
        return fact

    def deliveries(self, now: datetime) -> list[Delivery]:
        """All that was sent so far, each signed now."""
        return [signed(body, now) for _, body in self.sent]

    def _subscription(self, reference: str) -> SubscriptionFact:
        _, found = self.objects["subscription", reference]
        assert isinstance(found, SubscriptionFact)
        return found
