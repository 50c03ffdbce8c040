"""Memberships that are paid for: joining, changing, cancelling, pausing, failing to pay, and what one is meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from datetime import timedelta

import pytest

from appliance import database
from appliance import revocations
from appliance.accounts.models import User
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import payments
from appliance.memberships import granting
from appliance.memberships import relations
from appliance.memberships import subscription_asking as asking
from appliance.memberships import subscription_closed
from appliance.memberships import subscription_joining
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from appliance.memberships.subscription_asking import FiguresChanged
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_rights import after
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionState
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.tills import Till
from tests.tills import apply
from tests.tills import deliver

DAY = timedelta(days=1)
MONTH = after(NOW, Interval.MONTH) - NOW


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def artist(till: Till) -> Artist:
    made = make_artist()
    Tier.update(annual_price_minor=5000).where(Tier.kind == "supporter").execute()
    return made


def tier_of(artist: Artist, kind: str = "supporter") -> Tier:
    return next(row for row in tiers.of_artist(artist, archived=True) if row.kind == kind)


def begin(
    artist: Artist,
    user: User | None = None,
    kind: str = "supporter",
    *,
    interval: str = "month",
    provider: str = "till",
    now: datetime = NOW,
) -> Subscription:
    return subscription_joining.begin(
        user or make_user(),
        tier_of(artist, kind),
        interval=interval,
        provider=provider,
        return_to=lambda mark: f"https://music.example/memberships/{mark}/waiting",
        cancel_to="https://music.example/",
        reader=subscription_joining.Reader("en", "https://music.example"),
        now=now,
    )


def join(
    artist: Artist, till: Till, user: User | None = None, kind: str = "supporter", interval: str = "month"
) -> Subscription:
    """Somebody who paid."""
    row = begin(artist, user, kind, interval=interval, now=till.now)
    till.pay(row.id)
    deliver(till)
    return fresh(row)


def fresh(row: Subscription) -> Subscription:
    return subscriptions.find_any(row.id)


def membership(row: Subscription) -> Membership:
    return Membership.get_by_id(row.id)


def change(row: Subscription, till: Till, kind: str, interval: str = "month") -> SubscriptionAct:
    act = subscriptions.preview_change(row, tier_of(row.artist, kind).id, interval, now=till.now)
    subscriptions.change(row, act.id, now=till.now)
    deliver(till)
    return act


def is_member(row: Subscription, at: datetime) -> bool:
    found = granting.current(User.get_by_id(row.user_id), row.artist, now=at)
    return found is not None and found.id == row.id


def test_who_pays_is_a_member_for_as_long_as_was_paid(artist: Artist, till: Till) -> None:
    row = begin(artist)
    assert row.checkout_url == f"https://till.example/{row.id}"
    assert Membership.get_or_none(Membership.id == row.id) is None, "the till alone gives nothing"
    till.pay(row.id)
    deliver(till)
    row, member = fresh(row), membership(row)
    assert (row.state, row.customer, row.current) == (SubscriptionState.ACTIVE, f"cus_{row.id}", True)
    assert (member.origin, member.tier_id, member.paid_through) == (Origin.PAID, row.tier_id, NOW + MONTH)
    (payment,) = payments.of_mark(row.id)
    assert (payment.artist, payment.user, payment.share_bps) == (artist.id, row.user_id, 1000)
    till.turn(NOW + MONTH + DAY)
    deliver(till)
    assert membership(row).paid_through == after(NOW, Interval.MONTH, 2)


def test_joining_twice_in_two_tabs_is_one(artist: Artist, till: Till) -> None:
    fan = make_user()
    first, second = begin(artist, fan), begin(artist, fan)
    assert (first.id, first.checkout_url) == (second.id, second.checkout_url)
    other = begin(artist, fan, "superfan")
    assert other.id != first.id
    assert [row.id for row in subscriptions.of_person(fan)] == [other.id]
    till.pay(other.id)
    deliver(till)
    with pytest.raises(Conflict, match="member already"):
        begin(artist, fan)


def test_of_many_who_join_at_once_one_does(artist: Artist, till: Till) -> None:
    fan = make_user()
    made = at_once(*[lambda: begin(artist, fan).id] * 4)
    assert len(set(made)) == 1
    assert len(till.checkouts) == 1


@pytest.mark.parametrize(
    ("said", "error", "sentence"),
    [
        ({"kind": "free"}, Conflict, "nothing to pay"),
        ({"interval": "year", "kind": "superfan"}, Invalid, "by the year"),
        ({"interval": "week"}, Invalid, "by the month or by the year"),
        ({"provider": "nobody"}, Invalid, "how you want to pay"),
    ],
)
def test_what_cannot_be_joined_is_told(
    artist: Artist, till: Till, said: dict[str, str], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        begin(artist, **said)  # type: ignore[arg-type]
    assert Subscription.select().count() == 0


def test_an_archived_tier_a_price_too_low_and_a_foreign_currency_are_told(artist: Artist, till: Till) -> None:
    till.least_minor = 600
    with pytest.raises(Invalid, match=r"no less than 6\.00 EUR"):
        begin(artist)
    Tier.update(currency="USD").execute()
    with pytest.raises(Invalid, match="takes no USD"):
        begin(artist)
    till.features = frozenset({Feature.ONE_OFF})
    with pytest.raises(Invalid, match="single payments"):
        begin(artist)
    tiers.archive(tier_of(artist), actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="no new members"):
        begin(artist)


def test_a_provider_that_does_not_answer_leaves_nothing_half_done(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    fan = make_user()

    def broken(request: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(till, "begin_checkout", broken)
    with pytest.raises(Unavailable, match="does not answer"):
        begin(artist, fan)
    monkeypatch.undo()
    monkeypatch.setattr("appliance.processors.every", lambda: (till,))
    row = begin(artist, fan)
    assert row.checkout_url
    assert Subscription.select().count() == 1


def test_a_till_that_nobody_came_to_makes_room_for_another(artist: Artist, till: Till) -> None:
    fan = make_user()
    row = begin(artist, fan)
    till.leave(row.id)
    deliver(till)
    assert subscriptions.current(fan, artist) is None
    again = begin(artist, fan)
    assert again.id != row.id


def test_what_is_paid_late_takes_the_place_of_what_was_begun_instead(artist: Artist, till: Till) -> None:
    fan = make_user()
    first, second = begin(artist, fan), begin(artist, fan, "superfan")
    till.pay(first.id)
    deliver(till)
    found = subscriptions.current(fan, artist)
    assert found is not None
    assert found.id == first.id
    assert not fresh(second).current


def test_a_trial_is_a_membership_and_is_had_once(artist: Artist, till: Till) -> None:
    tiers.edit(tier_of(artist), {"trial_days": 14}, actor=artist.owner, now=NOW)
    fan = make_user()
    row = join(artist, till, fan)
    assert (row.state, payments.of_mark(row.id)) == (SubscriptionState.TRIALING, [])
    assert membership(row).paid_through == NOW + 14 * DAY
    subscriptions.cancel(row, at_once=True, now=till.now)
    deliver(till)
    assert not is_member(row, till.now + DAY)
    again = join(artist, till, fan)
    assert (again.trial_days, again.state) == (0, SubscriptionState.ACTIVE)


def test_an_upgrade_is_at_once_and_costs_what_was_shown(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    till.turn(NOW + 10 * DAY)
    before = revocations.epoch()
    act = change(row, till, "superfan")
    assert (act.at_once, act.next_minor, act.next_at) == (True, 1000, NOW + MONTH)
    assert 0 < (act.due_now_minor or 0) < 500
    assert payments.of_mark(row.id)[-1].amount_minor == act.due_now_minor
    row = fresh(row)
    assert (row.tier.kind, row.price_minor, row.pending_tier_id) == ("superfan", 1000, None)
    assert membership(row).tier_id == tier_of(artist, "superfan").id
    revocations.forget()
    assert not revocations.ended([f"member:{row.user_id}:{artist.id}"], since=before), (
        "more takes nothing away"
    )


def test_a_downgrade_waits_for_the_new_period_and_can_be_taken_back(artist: Artist, till: Till) -> None:
    row = join(artist, till, kind="superfan")
    before = revocations.epoch()
    act = change(row, till, "supporter")
    assert (act.at_once, act.due_now_minor, act.next_at) == (False, 0, NOW + MONTH)
    row = fresh(row)
    assert (row.tier.kind, row.pending_tier_id) == ("superfan", tier_of(artist).id)
    change(row, till, "superfan")
    assert fresh(row).pending_tier_id is None
    change(fresh(row), till, "supporter")
    till.turn(NOW + MONTH + DAY)
    deliver(till)
    row = fresh(row)
    assert (row.tier.kind, row.price_minor, membership(row).tier_id) == ("supporter", 500, row.tier_id)
    revocations.forget()
    assert revocations.ended([f"member:{row.user_id}:{artist.id}"], since=before)


def test_a_year_instead_of_months_is_at_once_and_months_instead_of_a_year_wait(
    artist: Artist, till: Till
) -> None:
    row = join(artist, till)
    act = change(row, till, "supporter", "year")
    assert (act.at_once, act.due_now_minor) == (True, 4501), (
        "two thousandths of a second of the month are gone"
    )
    row = fresh(row)
    assert (row.interval, membership(row).paid_through.year) == ("year", NOW.year + 1)
    act = change(row, till, "superfan", "month")
    assert (act.at_once, act.due_now_minor) == (False, 0)
    assert fresh(row).pending_interval == "month"


def test_a_provider_that_does_not_prorate_changes_with_the_new_period_only(
    artist: Artist, till: Till
) -> None:
    till.features -= {Feature.PRORATION}
    row = join(artist, till)
    act = change(row, till, "superfan")
    assert (act.at_once, act.due_now_minor, act.next_at) == (False, 0, NOW + MONTH)
    assert (fresh(row).tier.kind, fresh(row).pending_price_minor) == ("supporter", 1000)
    assert len(payments.of_mark(row.id)) == 1


def test_figures_that_no_longer_hold_are_not_charged(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    act = subscriptions.preview_change(row, tier_of(artist, "superfan").id, "month", now=till.now)
    till.turn(NOW + MONTH + DAY)
    deliver(till)
    paid = len(payments.of_mark(row.id))
    with pytest.raises(FiguresChanged):
        subscriptions.change(fresh(row), act.id, now=till.now)
    act = subscriptions.preview_change(fresh(row), tier_of(artist, "superfan").id, "month", now=till.now)
    with pytest.raises(FiguresChanged):
        subscriptions.change(fresh(row), act.id, now=till.now + DAY)
    deliver(till)
    assert len(payments.of_mark(row.id)) == paid


def test_a_change_that_the_provider_refuses_changes_nothing(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    act = subscriptions.preview_change(row, tier_of(artist, "superfan").id, "month", now=till.now)
    till.kept[row.reference].card = False
    with pytest.raises(Conflict, match="declined"):
        subscriptions.change(row, act.id, now=till.now)
    assert fresh(row).tier.kind == "supporter"
    assert SubscriptionAct.get_by_id(act.id).state == ActState.REFUSED


def test_a_change_whose_answer_was_lost_is_healed_by_the_next_word(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = join(artist, till)
    act = subscriptions.preview_change(row, tier_of(artist, "superfan").id, "month", now=till.now)
    real = till.change

    def lost(change: object) -> None:
        real(change)  # type: ignore[arg-type]
        raise RuntimeError("the line is cut")

    monkeypatch.setattr(till, "change", lost)
    with pytest.raises(Unavailable):
        subscriptions.change(row, act.id, now=till.now)
    deliver(till)
    assert fresh(row).tier.kind == "superfan"
    assert len(payments.of_mark(row.id)) == 2


def test_two_upgrades_at_once_charge_once(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    superfan = tier_of(artist, "superfan").id
    shown = [subscriptions.preview_change(row, superfan, "month", now=till.now) for _ in range(3)]
    outcomes = at_once(
        *[lambda act=act: outcome(lambda: subscriptions.change(row, act.id, now=till.now)) for act in shown]
    )
    assert sorted(outcomes).count("") == 1
    deliver(till)
    assert [payment.amount_minor for payment in payments.of_mark(row.id)][1:] == [shown[0].due_now_minor]


def test_the_same_agreement_sent_twice_is_one(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    act = subscriptions.preview_change(row, tier_of(artist, "superfan").id, "month", now=till.now)
    outcomes = at_once(
        *[lambda: outcome(lambda: subscriptions.change(row, act.id, now=till.now)) for _ in range(3)]
    )
    assert outcomes == ["", "", ""]
    deliver(till)
    assert len(payments.of_mark(row.id)) == 2


def test_who_cancels_is_a_member_until_the_end_and_may_think_again(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    row = subscriptions.cancel(row, at_once=False, now=till.now)
    assert row.cancel_at == NOW + MONTH
    with pytest.raises(Conflict, match="cancelled"):
        subscriptions.preview_change(fresh(row), tier_of(artist, "superfan").id, "month", now=till.now)
    assert subscriptions.resume(fresh(row), now=till.now).cancel_at is None
    with pytest.raises(Conflict, match="nothing to take back"):
        subscriptions.resume(fresh(row), now=till.now)
    subscriptions.cancel(fresh(row), at_once=False, now=till.now)
    till.turn(NOW + MONTH + DAY)
    deliver(till)
    assert (fresh(row).state, fresh(row).current) == (SubscriptionState.ENDED, False)
    assert is_member(row, NOW + MONTH - DAY) is False, "it is over now, whatever is asked"
    assert membership(row).ended_at == NOW + MONTH
    assert len(payments.of_mark(row.id)) == 1


def test_who_ends_it_now_is_out_at_once(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    before = revocations.epoch()
    subscriptions.cancel(row, at_once=True, now=till.now)
    assert not is_member(row, till.now)
    revocations.forget()
    assert revocations.ended([f"member:{row.user_id}:{artist.id}"], since=before)
    with pytest.raises(Conflict, match="over"):
        subscriptions.cancel(fresh(row), at_once=True, now=till.now)


def test_cancelling_while_it_is_renewed_ends_it_whatever_comes_first(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    till.turn(NOW + MONTH + DAY)
    waiting, till.facts = till.facts, []
    outcomes = at_once(
        lambda: outcome(lambda: subscriptions.cancel(row, at_once=True, now=till.now)),
        *[lambda fact=fact: outcome(lambda: apply(fact, till)) for fact in waiting],
    )
    assert set(outcomes) == {""}
    deliver(till)
    assert fresh(row).state == SubscriptionState.ENDED
    assert not is_member(row, till.now)
    assert len(payments.of_mark(row.id)) == 2


def test_who_pauses_pays_nothing_and_hears_what_was_paid(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    subscriptions.pause(row, now=till.now)
    till.turn(NOW + MONTH + 9 * DAY)
    deliver(till)
    assert len(payments.of_mark(row.id)) == 1
    assert not is_member(row, till.now)
    subscriptions.resume(fresh(row), now=till.now)
    deliver(till)
    assert is_member(row, till.now)
    assert len(payments.of_mark(row.id)) == 2
    till.features -= {Feature.PAUSE}
    with pytest.raises(Conflict, match="cannot do that"):
        subscriptions.pause(fresh(row), now=till.now)


def test_a_failed_payment_leaves_a_week_and_is_mended_or_ends(artist: Artist, till: Till) -> None:
    row, other = join(artist, till), join(artist, till)
    for one in (row, other):
        till.kept[one.reference].card = False
    due = NOW + MONTH
    till.turn(due + DAY)
    deliver(till)
    row = fresh(row)
    assert (row.state, row.past_due_since) == (SubscriptionState.PAST_DUE, till.kept[row.reference].due_since)
    assert row.past_due_since - due < timedelta(seconds=1)
    assert membership(row).paid_through == row.past_due_since + 7 * DAY
    till.mend(row.id)
    deliver(till)
    assert (fresh(row).past_due_since, membership(row).paid_through) == (
        None,
        till.kept[row.reference].period_end,
    )
    till.turn(due + 8 * DAY)
    deliver(till)
    assert (fresh(other).state, is_member(other, till.now)) == (SubscriptionState.ENDED, False)
    assert is_member(row, till.now)


def test_who_is_refunded_is_no_member_and_a_lost_dispute_is_the_same(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    (payment,) = payments.of_mark(row.id)
    fact = PaymentFact(payment.reference, row.id, 500, "EUR", payment.paid_at)
    till.give_back(fact)
    deliver(till)
    assert not is_member(row, till.now)
    assert membership(row).ended_at is not None
    other = join(artist, till)
    (payment,) = payments.of_mark(other.id)
    for day, state, member in ((0, DisputeState.OPEN, True), (1, DisputeState.LOST, False)):
        apply(
            DisputeFact("dp", payment.reference, 500, "EUR", state, NOW, NOW + day * DAY),
            till,
        )
        assert is_member(other, till.now) is member


def test_who_comes_back_has_a_new_membership(artist: Artist, till: Till) -> None:
    fan = make_user()
    row = join(artist, till, fan)
    subscriptions.cancel(row, at_once=True, now=till.now)
    again = join(artist, till, fan)
    assert again.id != row.id
    assert Membership.select().where(Membership.user == fan.id).count() == 2
    assert till.checkouts[again.id].customer == row.customer
    # A late word on the first one changes nothing of the second.
    apply(till._fact(till.kept[row.reference]), till)
    assert (is_member(again, till.now), is_member(row, till.now)) == (True, False)


def test_what_was_given_and_what_is_paid_both_count_and_the_better_is_heard(
    artist: Artist, till: Till
) -> None:
    fan = make_user()
    given = granting.grant(
        artist, fan.email, tier_id=tier_of(artist).id, origin="press", actor=artist.owner, now=NOW
    )
    with pytest.raises(Conflict, match="costs you nothing"):
        begin(artist, fan)
    row = join(artist, till, fan, "superfan")
    assert is_member(row, till.now)
    assert granting.counts(artist, now=till.now) == {row.tier_id: 1, given.tier_id: 1}
    relation = relations.of(fan, [artist.id], now=till.now)[artist.id]
    assert relation.member is not None
    assert (relation.member.offline, relation.paid_through) == (True, membership(row).paid_through)
    subscriptions.cancel(row, at_once=True, now=till.now)
    left = granting.current(fan, artist, now=till.now)
    assert left is not None
    assert (left.id, left.ended_at) == (given.id, None)


def test_an_artist_whom_somebody_paid_stays(artist: Artist, till: Till) -> None:
    join(artist, till)
    with pytest.raises(Conflict, match="Somebody paid"):
        artists.delete(artist, actor=artist.owner, now=NOW)
    assert len(tiers.of_artist(artist)) == 3


def test_the_portal_and_somebody_elses_membership(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    assert subscriptions.portal(row, return_to="https://music.example/") == (
        f"https://till.example/portal/{row.customer}"
    )
    with pytest.raises(NotFound):
        subscriptions.find(make_user(), row.id)
    till.features -= {Feature.PORTAL}
    with pytest.raises(Conflict, match="cannot do that"):
        subscriptions.portal(row, return_to="x")
    with pytest.raises(NotFound):
        asking.shown(row, "nothing")


def outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except Conflict as error:
        return str(error)
    return ""


def at_once(*acts: Callable[[], str]) -> list[str]:
    """What each act says, all begun at the same time; an error of one is the test's."""
    said: list[str] = []
    problems: list[Exception] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> None:
        try:
            gate.wait(10)
            said.append(act())
        except Exception as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems, problems
    return said


def test_whoever_is_shut_out_is_charged_no_more(artist: Artist, till: Till) -> None:
    row, other = join(artist, till), join(artist, till)
    assert subscription_closed.cancel_all(now=till.now) == 0
    User.update(active=False).where(User.id == row.user_id).execute()
    assert [subscription_closed.cancel_all(now=till.now) for _twice in range(2)] == [1, 0]
    assert fresh(row).cancel_at == membership(row).paid_through
    assert fresh(other).cancel_at is None
    till.turn(till.now + MONTH + DAY)
    deliver(till)
    assert [fresh(one).state for one in (row, other)] == [SubscriptionState.ENDED, SubscriptionState.ACTIVE]


def test_whoever_is_shut_out_while_a_payment_is_due_is_charged_no_more(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    till.kept[f"sub_{row.id}"].card = False
    till.turn(till.now + MONTH + DAY)
    deliver(till)
    assert fresh(row).state == SubscriptionState.PAST_DUE
    User.update(active=False).where(User.id == row.user_id).execute()
    assert subscription_closed.cancel_all(now=till.now) == 1
    assert fresh(row).state == SubscriptionState.ENDED


def test_a_tier_that_costs_the_same_holds_from_the_next_period_on_too(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    Tier.update(price_minor=500).where(Tier.kind == "superfan").execute()
    change(row, till, "superfan")
    row = fresh(row)
    assert (row.tier.kind, row.pending_tier.kind) == ("supporter", "superfan")
    till.turn(till.now + MONTH + DAY)
    deliver(till)
    row = fresh(row)
    assert (row.tier.kind, row.pending_tier) == ("superfan", None)
