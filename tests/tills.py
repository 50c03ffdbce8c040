"""A payment provider in memory, with a clock that a test turns: subscriptions are renewed, cards fail and are mended, and all of it is told as facts.

What it tells is kept in ``facts``; ``apply`` does with one what the product does with it.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import NotFound
from appliance.ledger import payments
from appliance.memberships import subscriptions_settling as settling
from appliance.memberships.subscription_rights import after
from appliance.payments import Balance
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import Notice
from appliance.payments import Onboarding
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import Preview
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState

RETRIES = (timedelta(days=3), timedelta(days=7))
"""After how long a failed payment is tried again; after the last it gives up."""


@dataclass
class Kept:
    """A subscription as the provider has it."""

    mark: str
    reference: str
    customer: str
    price: Price
    state: SubscriptionState
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    pending: Price | None = None
    card: bool = True
    due: str = ""
    due_since: datetime | None = None
    tries: int = 0


def one_by_one(verb: Callable[..., Any]) -> Callable[..., Any]:
    """As a provider does who knows a key again: what comes twice at once is answered once it was done."""

    @functools.wraps(verb)
    def wrapped(till: Till, *args: Any, **named: Any) -> Any:
        with till.turn_of_one:
            return verb(till, *args, **named)

    return wrapped


@dataclass
class Till:
    """The provider."""

    now: datetime
    name: str = "till"
    label: str = "The till"
    features: frozenset[Feature] = frozenset(Feature)
    least_minor: int = 50
    facts: list[Fact] = field(default_factory=list)
    checkouts: dict[str, CheckoutRequest] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    count: int = 0
    turn_of_one: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def minimum_minor(self, currency: str) -> int | None:
        return self.least_minor if currency in {"EUR", "JPY", "KWD"} else None

    # What the product asks.

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        self.asked.append("begin_checkout")
        self.checkouts.setdefault(request.mark, request)
        return Checkout(f"co_{request.mark}", f"https://till.example/{request.mark}")

    def preview(self, change: Change) -> Preview:
        return self._reckoned(change, self.now)

    @one_by_one
    def change(self, change: Change) -> SubscriptionFact:
        self.asked.append("change")
        if change.key in self.answers:
            return self.answers[change.key]
        row = self._row(change.reference)
        if change.agreed is not None and self._reckoned(change, change.agreed.as_of) != change.agreed:
            raise Conflict("The figures have changed.")
        if row.state not in {SubscriptionState.ACTIVE, SubscriptionState.TRIALING}:
            raise Conflict("It does not run.")
        if not change.at_once:
            row.pending = None if change.price == row.price else change.price
        else:
            due = self._reckoned(change, change.agreed.as_of if change.agreed else self.now)
            if due.due_now_minor:
                if not row.card:
                    raise Conflict("The card was declined.")
                if change.price.interval != row.price.interval:
                    row.period_start, row.period_end = self.now, after(self.now, change.price.interval)
                self._paid(row, due.due_now_minor)
            row.price, row.pending = change.price, None
        self.answers[change.key] = self._told(row)
        return self.answers[change.key]

    @one_by_one
    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        self.asked.append("cancel")
        row = self._row(reference)
        if key not in self.answers:
            if row.state is SubscriptionState.ENDED:
                raise Conflict("It is over.")
            if at_once:
                row.state, row.cancel_at = SubscriptionState.ENDED, self.now
            else:
                row.cancel_at, row.pending = row.period_end, None
            self.answers[key] = self._told(row)
        return self.answers[key]

    @one_by_one
    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        self.asked.append("resume")
        row = self._row(reference)
        if key not in self.answers:
            row.cancel_at = None
            if row.state is SubscriptionState.PAUSED:
                row.state = SubscriptionState.ACTIVE
                if row.period_end <= self.now:
                    self._renew(row, self.now)
            self.answers[key] = self._told(row)
        return self.answers[key]

    @one_by_one
    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        self.asked.append("pause")
        row = self._row(reference)
        if key not in self.answers:
            row.state = SubscriptionState.PAUSED
            self.answers[key] = self._told(row)
        return self.answers[key]

    def portal(self, customer: str, *, return_to: str) -> str:
        return f"https://till.example/portal/{customer}"

    @one_by_one
    def refund(self, request: RefundRequest) -> RefundFact:
        if request.key not in self.answers:
            fact = RefundFact(
                f"re_{request.key}", request.reference, request.amount_minor, request.currency, self.now
            )
            self.answers[request.key] = fact
            self.facts.append(fact)
        return self.answers[request.key]

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        raise NotImplementedError

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        raise NotImplementedError

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        raise NotImplementedError

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        return ()

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        yield from (self._fact(row) for row in self.kept.values())

    def balances(self) -> Sequence[Balance] | None:
        return None

    # What people and time do.

    def pay(self, mark: str, *, card: bool = True) -> Kept:
        """Somebody fills in the till that was opened for *mark*."""
        request = self.checkouts[mark]
        interval = request.interval or Interval.MONTH
        trial = self.now + timedelta(days=request.trial_days) if request.trial_days else None
        price = Price(request.total_minor, request.currency, interval, request.items[0].name)
        row = Kept(
            mark=mark,
            reference=f"sub_{mark}",
            customer=request.customer or f"cus_{mark}",
            price=price,
            state=SubscriptionState.TRIALING if trial else SubscriptionState.ACTIVE,
            period_start=self.now,
            period_end=trial or after(self.now, interval),
            trial_end=trial,
            card=card,
        )
        self.kept[row.reference] = row
        self.facts.append(
            CheckoutFact(f"co_{mark}", mark, CheckoutState.COMPLETED, self.now, customer=row.customer)
        )
        if not trial:
            self._paid(row, price.amount_minor)
        self._told(row)
        return row

    def leave(self, mark: str) -> None:
        """Nobody comes to the till that was opened."""
        self.facts.append(CheckoutFact(f"co_{mark}", mark, CheckoutState.EXPIRED, self.now))

    def turn(self, to: datetime) -> None:
        """Let time go on: what is due by then is asked for, in its order."""
        while True:
            due = [(self._next(row), row) for row in self.kept.values() if self._next(row) is not None]
            at, row = min(due, key=lambda pair: (pair[0], pair[1].mark), default=(None, None))
            if at is None or at > to:
                break
            self.now = max(self.now, at)
            self._happens(row)
        self.now = max(self.now, to)

    def mend(self, mark: str) -> None:
        """Another card, which pays what is due."""
        row = self.kept[f"sub_{mark}"]
        row.card = True
        if row.state is SubscriptionState.PAST_DUE:
            self._renew(row, row.due_since or self.now)
            self._told(row)

    def give_back(self, payment: PaymentFact) -> RefundFact:
        """Somebody gives the whole payment back, at the provider itself."""
        fact = RefundFact(
            f"re_{payment.reference}", payment.reference, payment.amount_minor, payment.currency, self.now
        )
        self.facts.append(fact)
        return fact

    def _next(self, row: Kept) -> datetime | None:
        if row.state in {SubscriptionState.TRIALING, SubscriptionState.ACTIVE}:
            return row.period_end
        if row.state is SubscriptionState.PAST_DUE and row.due_since is not None:
            return row.due_since + RETRIES[row.tries]
        return None

    def _happens(self, row: Kept) -> None:
        if row.cancel_at is not None and row.state is not SubscriptionState.PAST_DUE:
            row.state = SubscriptionState.ENDED
        elif row.state is SubscriptionState.PAST_DUE:
            row.tries += 1
            if row.card:
                self._renew(row, row.due_since or self.now)
            else:
                self._failed(row)
                if row.tries == len(RETRIES):
                    row.state = SubscriptionState.ENDED
        else:
            self._renew(row, row.period_end)
        self._told(row)

    def _renew(self, row: Kept, start: datetime) -> None:
        row.price, row.pending = row.pending or row.price, None
        if row.card:
            row.state, row.due, row.due_since, row.tries = SubscriptionState.ACTIVE, "", None, 0
            row.period_start, row.period_end = start, after(start, row.price.interval)
            self._paid(row, row.price.amount_minor)
        else:
            if not row.due:
                row.due, row.due_since = self._number("in"), self.now
            row.state = SubscriptionState.PAST_DUE
            self._failed(row)

    def _failed(self, row: Kept) -> None:
        self.facts.append(
            FailureFact(row.due, row.mark, self.now, row.price.amount_minor, row.price.currency)
        )

    def _paid(self, row: Kept, amount: int) -> None:
        self.facts.append(
            PaymentFact(
                self._number("pay"),
                row.mark,
                amount,
                row.price.currency,
                self.now,
                fee_minor=30,
                period_start=row.period_start,
                period_end=row.period_end,
            )
        )

    def _reckoned(self, change: Change, at: datetime) -> Preview:
        row = self._row(change.reference)
        if not change.at_once or row.state is SubscriptionState.TRIALING:
            return Preview(0, change.price.amount_minor, change.price.currency, row.period_end, at)
        whole, left = row.period_end - row.period_start, row.period_end - at
        credit = row.price.amount_minor * left // whole if left > timedelta() else 0
        if change.price.interval == row.price.interval:
            cost, next_at = change.price.amount_minor * left // whole, row.period_end
        else:
            cost, next_at = change.price.amount_minor, after(at, change.price.interval)
        return Preview(max(0, cost - credit), change.price.amount_minor, change.price.currency, next_at, at)

    def _told(self, row: Kept) -> SubscriptionFact:
        fact = self._fact(row)
        self.facts.append(fact)
        return fact

    def _fact(self, row: Kept) -> SubscriptionFact:
        # No two words of the same instant: a real provider's clock goes on too.
        self.now += timedelta(milliseconds=1)
        return SubscriptionFact(
            reference=row.reference,
            mark=row.mark,
            state=row.state,
            as_of=self.now,
            price=row.price,
            customer=row.customer,
            period_end=row.period_end,
            trial_end=row.trial_end,
            cancel_at=row.cancel_at,
            pending=row.pending,
        )

    def _row(self, reference: str) -> Kept:
        if reference not in self.kept:
            raise NotFound("There is no such subscription.")
        return self.kept[reference]

    def _number(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}_{new_id()}"


def apply(fact: Fact, till: Till, *, now: datetime | None = None) -> None:
    """What the product does with a fact."""
    now = now or till.now
    with transaction():
        marks = {getattr(fact, "mark", "")}
        match fact:
            case PaymentFact():
                sale = settling.sale_of(fact.mark, fact)
                assert sale is not None
                payments.note(fact, sale, provider=till.name, now=now)
            case RefundFact():
                payment = payments.note_refund(fact, provider=till.name, now=now)
                marks = {payment.mark} if payment else set()
            case DisputeFact():
                payment = payments.note_dispute(fact, provider=till.name, now=now)
                marks = {payment.mark} if payment else set()
            case CheckoutFact():
                settling.note_checkout(fact, provider=till.name, now=now)
            case SubscriptionFact():
                settling.note_subscription(fact, provider=till.name, now=now)
            case FailureFact():
                settling.note_failure(fact, provider=till.name, now=now)
        for mark in marks:
            settling.settle(mark, now=now)


def deliver(till: Till) -> None:
    """Tell all facts that wait, in their order."""
    while till.facts:
        apply(till.facts.pop(0), till)
