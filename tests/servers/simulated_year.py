"""A year of a small collective, made by dice: who joins, buys, upgrades, fails a card, is refunded, contests or leaves, in three currencies.

What happens is written down in words of the provider alone, with marks such as ``sub-3`` and ``order-5``; a ``World`` has the rows that these are
the marks of. So one year can happen in several worlds.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from random import Random

from appliance.payments import CheckoutState
from appliance.payments import DisputeState
from appliance.payments import FailureFact
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import Price
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from tests.servers.simulated_provider import SimulatedProvider

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=365)
CURRENCIES = ("EUR", "JPY", "KWD")
PRICES = {"supporter": 500, "superfan": 1500}
"""Minor units, of whatever currency."""
LENGTH = {Interval.MONTH: timedelta(days=30), Interval.YEAR: timedelta(days=365)}


@dataclass(frozen=True)
class Fan:
    """What one fan does: *subscribes* to or *buys* from the artist of this number, and perhaps leaves the collective."""

    number: int
    artist: int
    subscribes: bool
    leaves: bool
    interval: Interval = Interval.MONTH


@dataclass
class Year:
    """All that happened."""

    fans: list[Fan] = field(default_factory=list)
    moves: list[tuple[datetime, Callable[[SimulatedProvider, Callable[[str], str]], None]]] = field(
        default_factory=list
    )

    def happen(self, provider: SimulatedProvider, mark: Callable[[str], str]) -> None:
        """Let it happen at *provider*, in order; *mark* is how the marks are called in this world."""
        for _, move in sorted(self.moves, key=lambda entry: entry[0]):
            move(provider, mark)


def make(dice: Random, fans: int) -> Year:
    """A year of so many fans."""
    year = Year()
    for number in range(fans):
        fan = Fan(
            number,
            artist=dice.randrange(len(CURRENCIES)),
            subscribes=dice.random() < 0.6,
            leaves=dice.random() < 0.1,
            interval=Interval.YEAR if dice.random() < 0.15 else Interval.MONTH,
        )
        year.fans.append(fan)
        story = _subscribe(dice, fan) if fan.subscribes else _buy(dice, fan)
        year.moves += [(at, move) for at, move in story if at < END]
    if fans:
        at = BEGIN + timedelta(days=3)
        stranger = SubscriptionFact("ref_stranger", "somebody else's", SubscriptionState.ACTIVE, at)
        year.moves.append((at, lambda provider, mark: _say(provider, mark, stranger)))
    return year


Move = tuple[datetime, Callable[[SimulatedProvider, Callable[[str], str]], None]]


def _buy(dice: Random, fan: Fan) -> Iterator[Move]:
    name, currency = f"order-{fan.number}", CURRENCIES[fan.artist]
    at = BEGIN + timedelta(days=dice.randrange(300), seconds=dice.randrange(86_400))
    yield at, lambda provider, mark: _check_out(provider, mark(name), at)
    yield from _payment(dice, f"pay_{name}", name, 700, currency, at)


def _subscribe(dice: Random, fan: Fan) -> Iterator[Move]:
    name, currency = f"sub-{fan.number}", CURRENCIES[fan.artist]
    at = BEGIN + timedelta(days=dice.randrange(250), seconds=dice.randrange(86_400))
    price = Price(PRICES["supporter"], currency, fan.interval, "supporter")
    stands = SubscriptionFact(
        f"ref_{name}", name, SubscriptionState.INCOMPLETE, at, price=price, customer=f"cus_{fan.number}"
    )

    def says(**values: object) -> Move:
        nonlocal stands
        stands = replace(stands, **values)  # type: ignore[arg-type]
        fact = stands
        return fact.as_of, lambda provider, mark: _say(provider, mark, fact)

    yield at, lambda provider, mark: _check_out(provider, mark(name), at)
    if dice.random() < 0.3:
        end = at + timedelta(days=14)
        yield says(
            state=SubscriptionState.TRIALING, as_of=at + timedelta(seconds=1), trial_end=end, period_end=end
        )
        at = end
    number = 0
    while at < END:
        number += 1
        until = at + LENGTH[fan.interval]
        amount = stands.price.amount_minor if stands.price else 0
        paid_at = at
        if dice.random() < 0.1:
            yield _fail(f"in_{name}_{number}", name, at, amount, currency)
            yield says(state=SubscriptionState.PAST_DUE, as_of=at + timedelta(seconds=2))
            if dice.random() < 0.4:
                yield says(state=SubscriptionState.ENDED, as_of=at + timedelta(days=7))
                return
            paid_at = at + timedelta(days=dice.randrange(1, 6))
        yield from _payment(dice, f"pay_{name}_{number}", name, amount, currency, paid_at, period=(at, until))
        yield says(state=SubscriptionState.ACTIVE, as_of=paid_at + timedelta(seconds=3), period_end=until)
        roll = dice.random()
        middle = paid_at + timedelta(days=dice.randrange(6, 20))
        if roll < 0.08 and stands.price == price:
            dearer = Price(PRICES["superfan"], currency, fan.interval, "superfan")
            yield from _payment(
                dice, f"pay_{name}_{number}_up", name, 333, currency, middle, period=(middle, until)
            )
            yield says(price=dearer, as_of=middle + timedelta(seconds=1))
        elif roll < 0.13:
            yield says(cancel_at=until, as_of=middle)
            yield says(state=SubscriptionState.ENDED, as_of=until)
            return
        elif roll < 0.17:
            yield says(state=SubscriptionState.ENDED, as_of=middle)
            return
        elif roll < 0.21:
            yield says(state=SubscriptionState.PAUSED, as_of=middle)
            yield says(state=SubscriptionState.ACTIVE, as_of=until - timedelta(hours=5))
        at = until


def _payment(
    dice: Random,
    reference: str,
    name: str,
    amount: int,
    currency: str,
    at: datetime,
    *,
    period: tuple[datetime, datetime] | None = None,
) -> Iterator[Move]:
    """A payment, its fee, and what becomes of it."""
    tax, fee = amount * dice.choice((0, 19)) // 119, 20 + dice.randrange(40)
    fact = PaymentFact(reference, name, amount, currency, at, tax_minor=tax)
    if period is not None:
        fact = replace(fact, period_start=period[0], period_end=period[1])
    known_at = at + timedelta(days=1)
    yield at, lambda provider, mark: provider.move("payment", reference, replace(fact, mark=mark(name)), at)
    yield (
        known_at,
        lambda provider, mark: provider.move(
            "payment", reference, replace(fact, mark=mark(name), fee_minor=fee), known_at
        ),
    )
    left, roll = amount, dice.random()
    if roll < 0.12:
        for number in range(dice.randrange(1, 3)):
            part = left if dice.random() < 0.5 else dice.randrange(1, left + 1)
            left -= part
            yield from _refund(dice, f"re_{reference}_{number}", fact, part, at + timedelta(days=2 + number))
            if not left:
                return
    elif roll < 0.18:
        yield from _dispute(dice, fact, at + timedelta(days=4))


def _refund(dice: Random, reference: str, payment: PaymentFact, amount: int, at: datetime) -> Iterator[Move]:
    yield at, lambda provider, mark: provider.give_back(payment, amount, at, reference=reference)
    if dice.random() < 0.15:
        late = at + timedelta(days=5)
        yield (
            late,
            lambda provider, mark: provider.give_back(payment, amount, at, reference=reference, failed=True),
        )


def _dispute(dice: Random, payment: PaymentFact, at: datetime) -> Iterator[Move]:
    yield at, lambda provider, mark: provider.dispute(payment, DisputeState.OPEN, at, opened_at=at)
    if dice.random() < 0.8:
        end, state = at + timedelta(days=20), dice.choice((DisputeState.WON, DisputeState.LOST))
        yield end, lambda provider, mark: provider.dispute(payment, state, end, opened_at=at)


def _fail(reference: str, name: str, at: datetime, amount: int, currency: str) -> Move:
    fact = FailureFact(reference, name, at, amount, currency, next_try_at=at + timedelta(days=2))
    return at, lambda provider, mark: provider.move("failure", reference, replace(fact, mark=mark(name)), at)


def _check_out(provider: SimulatedProvider, mark: str, at: datetime) -> None:
    provider.check_out(mark, CheckoutState.COMPLETED, at)


def _say(provider: SimulatedProvider, mark: Callable[[str], str], fact: SubscriptionFact) -> None:
    provider.subscribe(replace(fact, mark=mark(fact.mark)))
