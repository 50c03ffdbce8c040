"""A year of one member told in any order, twice, or late: the membership is the same; and every move there is, at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule
from hypothesis.stateful import run_state_machine_as_test

from appliance import processors
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.ledger import payments
from appliance.ledger import posting
from appliance.memberships import granting
from appliance.memberships import subscriptions
from appliance.memberships import subscriptions_settling as settling
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import PaymentFailure
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_rights import GRACE
from appliance.memberships.subscription_states import ASKED
from appliance.memberships.subscription_states import MOVES
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import Move
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import may
from appliance.memberships.subscription_states import require
from appliance.memberships.subscription_states import stage
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.payments import SubscriptionState
from appliance.startup import Appliance
from tests.appliance.memberships.test_subscriptions import DAY
from tests.appliance.memberships.test_subscriptions import artist
from tests.appliance.memberships.test_subscriptions import begin
from tests.appliance.memberships.test_subscriptions import database_url
from tests.appliance.memberships.test_subscriptions import tier_of
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.tills import Till
from tests.tills import apply

__all__ = ["artist", "database_url"]
OURS = ("id", "user", "created_at", "updated_at", "version", "checkout", "checkout_url", "root")
"""What of a row does not follow from facts."""


def a_year(artist: Artist, till: Till) -> tuple[Subscription, list[Fact]]:
    """Joining, an upgrade, a card that fails and is mended, a downgrade, a pause, a refund, a dispute, a cancellation; and all that was told."""
    told: list[Fact] = []

    def tell() -> None:
        while till.facts:
            told.append(till.facts.pop(0))
            apply(told[-1], till)

    def change(kind: str) -> None:
        act = subscriptions.preview_change(fresh(), tier_of(artist, kind).id, "month", now=till.now)
        subscriptions.change(fresh(), act.id, now=till.now)
        tell()

    def fresh() -> Subscription:
        return subscriptions.find_any(row.id)

    row = begin(artist)
    till.pay(row.id)
    tell()
    till.turn(NOW + 10 * DAY)
    change("superfan")
    till.kept[f"sub_{row.id}"].card = False
    till.turn(NOW + 33 * DAY)
    tell()
    till.mend(row.id)
    till.turn(NOW + 70 * DAY)
    tell()
    change("supporter")
    till.turn(NOW + 100 * DAY)
    tell()
    subscriptions.pause(fresh(), now=till.now)
    till.turn(NOW + 150 * DAY)
    subscriptions.resume(fresh(), now=till.now)
    till.turn(NOW + 200 * DAY)
    tell()
    paid = [fact for fact in told if isinstance(fact, PaymentFact)]
    till.give_back(paid[2])
    for day, state in ((0, DisputeState.OPEN), (3, DisputeState.LOST)):
        till.facts.append(
            DisputeFact("dp", paid[-1].reference, 500, "EUR", state, NOW, NOW + day * DAY, fee_minor=1500)
        )
    subscriptions.cancel(fresh(), at_once=False, now=till.now)
    till.turn(NOW + 300 * DAY)
    tell()
    return fresh(), told


def copied(row: Subscription, facts: Sequence[Fact]) -> tuple[Subscription, list[Fact]]:
    """The same subscription as it was begun, somebody else's, with what was asked of it, and what was told of it."""
    mark, fan = new_id(), make_user(now=NOW)
    first = SubscriptionAct.get(SubscriptionAct.subscription == row.id, SubscriptionAct.kind == ActKind.BEGIN)
    Subscription.create(
        id=mark,
        user=fan.id,
        artist=row.artist_id,
        tier=first.tier_id,
        interval=first.interval,
        price_minor=first.price_minor,
        currency=first.currency,
        provider=row.provider,
        created_at=NOW,
        updated_at=NOW,
    )
    for act in SubscriptionAct.select().where(SubscriptionAct.subscription == row.id):
        SubscriptionAct.create(**{**act.__data__, "id": new_id(), "subscription": mark})
    return Subscription.get_by_id(mark), [renamed(fact, row.id, mark) for fact in facts]


def renamed(fact: Fact, before: str, mark: str) -> Fact:
    """The same fact of another subscription."""
    changed: dict[str, Any] = {"reference": f"{fact.reference[:80]}#{mark}"}  # type: ignore[union-attr]
    if isinstance(fact, RefundFact | DisputeFact):
        changed["payment"] = f"{fact.payment[:80]}#{mark}"
    if hasattr(fact, "mark"):
        changed["mark"] = mark
    return replace(fact, **changed)


def outcome(mark: str) -> dict[str, object]:
    """What follows from the facts: the row, the membership, what failed, and the books."""
    row, member = Subscription.get_by_id(mark), Membership.get_by_id(mark)
    found = {f"row.{name}": value for name, value in row.__data__.items() if name not in OURS}
    found |= {f"member.{name}": value for name, value in member.__data__.items() if name not in OURS}
    found["row.reference"] = found["row.reference"].partition("#")[0]  # type: ignore[attr-defined]
    failures = PaymentFailure.select().where(PaymentFailure.subscription == mark).order_by(PaymentFailure.id)
    found["failures"] = sorted(
        (failure.reference.partition("#")[0], failure.first_failed_at, failure.last_failed_at)
        for failure in failures
    )
    booked = payments.of_mark(mark)
    found["kept"] = [payments.kept(payment) for payment in booked]
    found["books"] = [
        {line: amount for line, amount in posting.booked(f"payment:{payment.id}").items() if amount}
        for payment in booked
    ]
    return found


def test_what_is_asked_for_is_the_same_in_whatever_order_it_is_told(artist: Artist, till: Till) -> None:
    whole = InvoiceFact("in_1", "", 500, "EUR", NOW + 7 * DAY, NOW, words="RF18", url="/pay/1")
    part = replace(whole, amount_minor=300, as_of=NOW + DAY)
    paid = replace(whole, amount_minor=0, as_of=NOW + 2 * DAY, open=False)
    for told, left in (((whole, part), 300), ((whole, part, paid), None)):
        for order in permutations(told):
            mark = begin(artist, make_user()).id
            for fact in (*order, *order):
                settling.note_invoice(replace(fact, mark=mark), provider=till.name, now=NOW)
            asked = subscriptions.asked_for([mark]).get(mark)
            assert (asked and asked.amount_minor) == left
        assert PaymentAsked.select().where(PaymentAsked.subscription == mark).count() == 1


def test_a_year_told_in_any_order_and_twice_gives_the_same_membership(
    artist: Artist, till: Till, appliance: Appliance
) -> None:
    row, told = a_year(artist, till)
    plain, facts = copied(row, told)
    for fact in facts:
        apply(fact, till)
    expected = outcome(plain.id)
    assert expected["row.state"] == SubscriptionState.ENDED
    original = outcome(row.id)
    assert {name for name in expected if expected[name] != original[name] and name != "books"} == set()

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def shuffled(data: st.DataObject) -> None:
        again, same = copied(row, told)
        twice = data.draw(st.lists(st.sampled_from(range(len(same))), max_size=4))
        order = data.draw(st.permutations([*range(len(same)), *twice]))
        for number in order:
            apply(same[number], till)
        # Who was told of a refund before its payment settles it with the payment.
        settling.settle(again.id, now=till.now)
        assert outcome(again.id) == expected

    shuffled()


def test_the_table_of_moves_knows_every_stage_and_nothing_leaves_the_end() -> None:
    assert set(MOVES) == set(Stage)
    assert MOVES[Stage.ENDED] == {}
    reached, waiting = {Stage.INCOMPLETE}, [Stage.INCOMPLETE]
    while waiting:
        for led_to in MOVES[waiting.pop()].values():
            waiting += sorted(led_to - reached)
            reached |= led_to
    assert reached == set(Stage)
    for where in Stage:
        for move in ASKED:
            if may(where, move):
                require(where, move)
            else:
                with pytest.raises(Conflict):
                    require(where, move)


class Memberships(RuleBasedStateMachine):
    """One fan and one artist; every act, every turn of time, at random, and what must hold after each."""

    monkeypatch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.till = Till(NOW)
        self.monkeypatch.setattr(processors, "every", lambda: (self.till,))
        self.artist = make_artist(name=f"Band {new_id()}", now=NOW)
        Tier.update(annual_price_minor=5000, trial_days=7).where(
            Tier.artist == self.artist.id, Tier.kind == "supporter"
        ).execute()
        self.fan = make_user(now=NOW)
        self.row: Subscription | None = None

    def fresh(self) -> Subscription:
        assert self.row is not None
        return subscriptions.find_any(self.row.id)

    def where(self) -> Stage | None:
        if self.row is None:
            return None
        row = self.fresh()
        return stage(row.state, row.cancel_at)

    def tell(self) -> None:
        while self.till.facts:
            fact = self.till.facts.pop(0)
            before = self.where()
            apply(fact, self.till)
            after = self.where()
            if before is not None and before is not after:
                led_to = {one for move in MOVES[before].values() for one in move}
                assert after in led_to, f"{before} to {after} is no move of the table"

    def attempt(self, move: Move, act: Any) -> None:
        """The act goes where the table says so, and changes nothing elsewhere."""
        before = self.where()
        assert before is not None
        try:
            act()
        except (Conflict, Invalid):
            assert self.where() is before
            if move is not Move.CHANGE:
                assert not may(before, move)
        else:
            assert may(before, move)
            assert self.where() in MOVES[before][move]
        self.tell()

    @precondition(lambda self: self.where() in {None, Stage.ENDED})
    @rule(kind=st.sampled_from(["supporter", "superfan"]), interval=st.sampled_from(["month", "year"]))
    def begin(self, kind: str, interval: str) -> None:
        try:
            self.row = begin(self.artist, self.fan, kind, interval=interval, now=self.till.now)
        except Invalid:
            assert (kind, interval) == ("superfan", "year")

    @precondition(lambda self: self.where() is Stage.INCOMPLETE)
    @rule(card=st.booleans())
    def pay(self, card: bool) -> None:
        assert self.row is not None
        self.till.pay(self.row.id)
        self.till.kept[f"sub_{self.row.id}"].card = card
        self.tell()

    @precondition(lambda self: self.where() in RUNNING | {Stage.ENDED})
    @rule(kind=st.sampled_from(["supporter", "superfan"]), interval=st.sampled_from(["month", "year"]))
    def change(self, kind: str, interval: str) -> None:
        row, tier = self.fresh(), tier_of(self.artist, kind)

        def act() -> None:
            shown = subscriptions.preview_change(row, tier.id, interval, now=self.till.now)
            before = sum(payment.amount_minor for payment in payments.of_mark(row.id))
            subscriptions.change(row, shown.id, now=self.till.now)
            self.tell()
            after = sum(payment.amount_minor for payment in payments.of_mark(row.id))
            assert after - before == shown.due_now_minor, "the figure shown is the figure charged"
            now = self.fresh()
            assert ((now.tier_id, now.interval) == (tier.id, interval)) or not shown.at_once

        self.attempt(Move.CHANGE, act)

    @precondition(lambda self: self.where() in RUNNING | {Stage.ENDED})
    @rule(at_once=st.booleans())
    def cancel(self, at_once: bool) -> None:
        row = self.fresh()
        self.attempt(
            Move.END if at_once else Move.CANCEL,
            lambda: subscriptions.cancel(row, at_once=at_once, now=self.till.now),
        )

    @precondition(lambda self: self.where() in RUNNING | {Stage.ENDED})
    @rule()
    def resume(self) -> None:
        row = self.fresh()
        self.attempt(Move.RESUME, lambda: subscriptions.resume(row, now=self.till.now))

    @precondition(lambda self: self.where() in RUNNING | {Stage.ENDED})
    @rule()
    def pause(self) -> None:
        row = self.fresh()
        self.attempt(Move.PAUSE, lambda: subscriptions.pause(row, now=self.till.now))

    @precondition(lambda self: self.where() in RUNNING)
    @rule(card=st.booleans())
    def new_card(self, card: bool) -> None:
        assert self.row is not None
        self.till.kept[f"sub_{self.row.id}"].card = card
        if card:
            self.till.mend(self.row.id)
        self.tell()

    @rule(days=st.sampled_from([1, 3, 8, 31]))
    def time_passes(self, days: int) -> None:
        self.till.turn(self.till.now + timedelta(days=days))
        self.tell()

    @precondition(lambda self: self.row is not None and bool(payments.of_mark(self.row.id)))
    @rule()
    def refund(self) -> None:
        assert self.row is not None
        payment = payments.of_mark(self.row.id)[-1]
        if payments.kept(payment):
            self.till.facts.append(
                RefundFact(
                    f"re_{payment.reference}", payment.reference, payment.amount_minor, "EUR", self.till.now
                )
            )
        self.tell()

    @invariant()
    def access_follows_money(self) -> None:
        now = self.till.now
        found = granting.current(self.fan, self.artist, now=now)
        assert (
            Subscription.select().where(Subscription.user == self.fan.id, Subscription.current).count() <= 1
        )
        if self.row is None:
            assert found is None
            return
        row = self.fresh()
        kept = [payment for payment in payments.of_mark(row.id) if payments.kept(payment)]
        paid = any(payment.period_end > now for payment in kept)
        tried = (
            row.trial_end is not None and row.trial_end > now and row.state != SubscriptionState.INCOMPLETE
        )
        due = row.past_due_since is not None and now < row.past_due_since + GRACE
        over = row.state == SubscriptionState.ENDED
        if found is None:
            assert over or not (paid or tried)
        else:
            assert found.id == row.id
            assert not over
            assert paid or tried or due
            assert found.tier_id == row.tier_id
            assert runs(found.paid_through, now)


def test_whatever_a_member_does_in_whatever_order_access_follows_the_money(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    Memberships.monkeypatch = monkeypatch
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Memberships,
        settings=settings(max_examples=15, stateful_step_count=20, deadline=None),
    )
