"""A year of events, shuffled, delivered twice and with a tenth lost, then reconciled: all ends as if it had been told in order.

Few fans in an ordinary run; ``YEAR_FANS=2000`` for a drill.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import Phase
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.accounts.models import User
from appliance.billing import checking
from appliance.billing import inbox
from appliance.billing import processing
from appliance.billing import reconciling
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.database import new_id
from appliance.jobs import Job
from appliance.jobs.running import run_job
from appliance.ledger import checking as books
from appliance.ledger.models import Account
from appliance.ledger.models import Entry
from appliance.ledger.models import Payment
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from appliance.ledger.models import Transaction
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Purchase
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.shop.models import CreditNote
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import Receipt
from appliance.startup import Appliance
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.servers import simulated_year
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_provider import signed
from tests.servers.simulated_year import BEGIN
from tests.servers.simulated_year import CURRENCIES
from tests.servers.simulated_year import PRICES
from tests.servers.simulated_year import Year

FANS = int(os.environ.get("YEAR_FANS", "12"))
ANY_ENGINE = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@dataclass
class World:
    """The rows that the marks of a year belong to, of one provider."""

    provider: SimulatedProvider
    artists: list[str]
    fans: list[str]
    marks: dict[str, str]

    def mark(self, name: str) -> str:
        return self.marks.get(name, name)

    def named(self) -> dict[str, str]:
        """What each id of this world is called in every world."""
        names = {row: f"artist {number}" for number, row in enumerate(self.artists)}
        names |= {row: name for name, row in self.marks.items()}
        return names | {self.provider.name: "provider"}


def make_world(year: Year, *, name: str = "") -> World:
    provider = SimulatedProvider(name=name or f"p{new_id()[-10:].lower()}")
    owner = make_user(now=BEGIN)
    artists = [make_artist(owner, slug=new_id().lower(), now=BEGIN) for _ in CURRENCIES]
    releases = [make_release(artist, now=BEGIN) for artist in artists]
    for artist in artists[:2]:
        agreement = SplitAgreement.create(artist=artist.id, starts_at=BEGIN, created_at=BEGIN)
        for position, (payee, bps) in enumerate(((artists[2].id, 3333), (artist.id, 6667))):
            SplitPart.create(
                agreement=agreement.id,
                payee=payee,
                share_bps=bps,
                position=position,
                recoup_minor=900 * (1 - position),
                recoup_currency="EUR",
            )
    world = World(provider, [artist.id for artist in artists], [], {})
    for fan in year.fans:
        user = User.create(
            email=f"{new_id().lower()}@example.com",
            password="",
            fs_uniquifier=new_id(),
            active=True,
            created_at=BEGIN,
        )
        world.fans.append(user.id)
        artist = artists[fan.artist]
        values: dict[str, Any] = {
            "user": user.id,
            "artist": artist.id,
            "provider": provider.name,
            "currency": CURRENCIES[fan.artist],
            "created_at": BEGIN,
            "updated_at": BEGIN,
        }
        if fan.subscribes:
            world.marks[f"sub-{fan.number}"] = _begin(values, fan.interval, artist)
        else:
            world.marks[f"order-{fan.number}"] = _order(values, releases[fan.artist].id)
    return world


def _begin(values: dict[str, Any], interval: str, artist: Any) -> str:
    supporter, superfan = tiers.of_artist(artist)[1:3]
    made = Subscription.create(
        tier=supporter.id, price_minor=PRICES["supporter"], interval=interval, **values
    )
    for kind, tier, price in (
        (ActKind.BEGIN, supporter, PRICES["supporter"]),
        (ActKind.CHANGE, superfan, PRICES["superfan"]),
    ):
        SubscriptionAct.create(
            subscription=made.id,
            kind=kind,
            state=ActState.DONE,
            tier=tier.id,
            interval=interval,
            price_minor=price,
            currency=values["currency"],
            at_once=True,
            version=1,
            created_at=BEGIN,
        )
    return str(made.id)


def _order(values: dict[str, Any], release: str) -> str:
    made = Order.create(
        email=f"{new_id().lower()}@example.com",
        artist_name="Night Ferry",
        total_minor=700,
        share_bps=1000,
        **values,
    )
    OrderItem.create(
        order=made.id, position=0, kind=Kind.RELEASE, name="Harbour Lights", amount_minor=700, release=release
    )
    return str(made.id)


def leave(world: World, year: Year) -> None:
    """Those who leave are gone, with all that was theirs."""
    User.delete().where(User.id.in_([world.fans[fan.number] for fan in year.fans if fan.leaves])).execute()


def in_order(world: World) -> None:
    """All is told as it happened, when it happened."""
    for at, body in world.provider.sent:
        processing.apply(world.provider.facts_of(body), provider=world.provider.name, now=at)


def anyhow(world: World, year: Year, dice: Random) -> None:
    """All is told shuffled, much of it twice, a tenth never, and somewhere in between people leave; then the truth is asked for."""
    told = [body for _, body in world.provider.sent if dice.random() >= 0.1]
    told += [body for body in told if dice.random() < 0.3]
    dice.shuffle(told)
    for number, body in enumerate(told):
        if number == len(told) // 2:
            work()
            leave(world, year)
        # Signed as it is sent, for a signature is good for some minutes and a long year takes longer to tell.
        delivery = signed(body, clock.now())
        inbox.receive(world.provider.name, delivery, now=clock.now())
    work()
    waiting = ProviderEvent.state.in_((EventState.RECEIVED, EventState.FAILED))
    assert not ProviderEvent.select().where(waiting).exists()
    reconciling.reconcile(world.provider.name, since=None, now=clock.now())


def work() -> None:
    """What a worker does with what waits."""
    for job in list(Job.select().where(Job.kind == inbox.JOB, Job.state == jobs.JobState.QUEUED)):
        run_job.call_local(job.id)


def standing(world: World) -> dict[str, object]:
    """How all stands: balances to the cent, payments, subscriptions, memberships, orders and what they opened."""
    names, found = world.named(), {}
    ids = list(names)
    for account in Account.select().where(Account.owner.in_(ids)):
        if not account.balance_minor:
            continue
        found[f"{account.kind} of {names[account.owner]} in {account.currency}"] = account.balance_minor
    totals: Counter[str] = Counter()
    mine = [f"payment:{row.id}" for row in Payment.select().where(Payment.provider == world.provider.name)]
    rows: Any = Entry.select(Account.kind, Account.currency, Entry.amount_minor).join(Account)
    rows = rows.switch(Entry).join(Transaction).where(Transaction.subject.in_(mine)).tuples()
    for kind, currency, amount in rows:
        totals[f"all {kind} in {currency}"] += amount
    found.update({name: total for name, total in totals.items() if total})
    for payment in Payment.select().where(Payment.provider == world.provider.name):
        found[payment.reference] = (
            payment.amount_minor,
            payment.fee_minor,
            payment.tax_minor,
            payment.refunded_minor,
            payment.contested_minor,
            payment.lost_minor,
            payment.dispute_fees_minor,
            payment.period_end,
        )
    kinds = {row.id: row.kind for row in _tiers(world)}
    for row in Subscription.select().where(Subscription.id.in_(ids)):
        found[names[row.id]] = (
            kinds[row.tier_id],
            row.state,
            row.price_minor,
            row.period_end,
            row.trial_end,
            row.cancel_at,
            row.ended_at,
            row.past_due_since,
        )
    for row in Membership.select().where(Membership.id.in_(ids)):
        found[f"membership by {names[row.id]}"] = (kinds[row.tier_id], row.paid_through, row.ended_at)
    for row in Order.select().where(Order.id.in_(ids)):
        found[names[row.id]] = (row.state, row.paid_at)
    items = (
        OrderItem.select(OrderItem.order, Purchase.refunded_at)
        .join(Purchase)
        .where(OrderItem.order.in_(ids))
        .tuples()
    )
    for order, refunded_at in items:
        # Told of the refund first, the purchase is never made; told of it later, it is taken back. Either way nothing is open.
        if refunded_at is None:
            found[f"purchase by {names[order]}"] = True
    return found | papers(world, names)


def papers(world: World, names: dict[str, str]) -> dict[str, object]:
    """The papers by what they are for: numbers depend on what was told first, and which payments have one, and how many there are, on nothing.

    A refund that failed may have a credit note and another that takes it back, or neither; together they come to nothing.
    """
    found: dict[str, object] = {}
    payments = {row.id: row for row in Payment.select().where(Payment.provider == world.provider.name)}
    numbers: dict[str, list[int]] = {}
    names_of_receipts = {}
    for row in Receipt.select().where(Receipt.artist.in_(world.artists)):
        payment = payments.get(row.payment)
        name = payment.reference if payment else names[row.order_id]
        names_of_receipts[row.id] = name
        numbers.setdefault(f"receipts of {names[row.artist]}", []).append(row.number)
        found[f"receipt of {name}"] = (payment.amount_minor if payment else 700, row.credited_minor)
    notes: Counter[str] = Counter()
    of_notes: dict[str, list[int]] = {}
    for note in CreditNote.select().where(CreditNote.artist.in_(world.artists)):
        of_notes.setdefault(note.artist, []).append(note.number)
        notes[f"{names_of_receipts[note.receipt_id]} by {note.cause}"] += note.amount_minor
        notes[f"tax of {names_of_receipts[note.receipt_id]}"] += note.tax_minor
    for series in (*numbers.values(), *of_notes.values()):
        assert sorted(series) == list(range(1, len(series) + 1)), "no number is missing"
    found |= {f"credited of {name}": amount for name, amount in notes.items() if amount}
    return found | {name: len(series) for name, series in numbers.items()}


def _tiers(world: World) -> Any:
    return Tier.select().where(Tier.artist.in_(world.artists))


@pytest.fixture
def quiet(appliance: Appliance) -> None:
    """Messages wait until the test works through them."""
    jobs.huey.immediate = False


def check(seed: int, fans: int) -> None:
    """A year happens in two worlds, told in order in the one and anyhow in the other."""
    dice, told = Random(seed), f"DRILL_SEED={seed} YEAR_FANS={fans}"
    year = simulated_year.make(dice, fans)
    with pytest.MonkeyPatch.context() as patch:
        worlds = [make_world(year), make_world(year)]
        patch.setattr(processors, "every", lambda: tuple(world.provider for world in worlds))
        for world in worlds:
            year.happen(world.provider, world.mark)
        in_order(worlds[0])
        leave(worlds[0], year)
        anyhow(worlds[1], year, dice)
        ordered, shuffled = standing(worlds[0]), standing(worlds[1])
        differing = {
            name: (ordered.get(name), shuffled.get(name))
            for name in ordered.keys() | shuffled.keys()
            if ordered.get(name) != shuffled.get(name)
        }
        assert not differing, told
        assert list(books.differences()) == []
        assert checking.differences(clock.now() + timedelta(days=1)) == []


@settings(max_examples=3, phases=[Phase.explicit, Phase.generate], **ANY_ENGINE)  # type: ignore[arg-type]
@given(seed=st.integers(0, 10**9), fans=st.integers(1, 6))
def test_a_year_that_is_told_anyhow_ends_as_one_that_is_told_in_order(
    quiet: None, seed: int, fans: int
) -> None:
    check(seed, fans)


@pytest.mark.timeout(7200)
def test_a_year_of_many_fans_ends_the_same_too(quiet: None) -> None:
    check(int(os.environ.get("DRILL_SEED", "0")) or Random().randrange(1, 10**6), FANS)
