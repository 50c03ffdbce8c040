"""Letters about memberships that are paid for: what is written, when, once, and in whose language; and who paid twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance import chores
from appliance import clock
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.mail import Message
from appliance.memberships import subscription_doubles
from appliance.memberships import subscription_letters as letters
from appliance.memberships import subscriptions
from appliance.memberships.models import Membership
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionLetter
from appliance.payments import Feature
from appliance.payments import SubscriptionState
from tests.appliance.memberships.test_subscriptions import DAY
from tests.appliance.memberships.test_subscriptions import MONTH
from tests.appliance.memberships.test_subscriptions import artist
from tests.appliance.memberships.test_subscriptions import begin
from tests.appliance.memberships.test_subscriptions import change
from tests.appliance.memberships.test_subscriptions import database_url
from tests.appliance.memberships.test_subscriptions import fresh
from tests.appliance.memberships.test_subscriptions import join
from tests.makers import NOW
from tests.makers import make_user
from tests.tills import Till
from tests.tills import deliver

__all__ = ["artist", "database_url"]
MOMENT = timedelta(seconds=1)


def write(till: Till) -> list[str]:
    """What is written now, kind by kind."""
    before = {row.id for row in Message.select(Message.id)}
    letters.write_due(collective="Tidal", now=till.now)
    return [row.kind for row in Message.select().order_by(Message.id) if row.id not in before]


def last() -> Message:
    return Message.select().order_by(Message.id.desc()).get()


def test_who_joined_is_welcomed_once_and_told_of_each_change(artist: Artist, till: Till) -> None:
    begin(artist)
    assert write(till) == []
    row = join(artist, till)
    assert write(till) == ["membership_welcome"]
    message = last()
    assert message.to == User.get_by_id(row.user_id).email
    assert "The next payment, €5.00, is on June 1, 2026." in message.text
    assert f"https://music.example/memberships/{row.id}" in message.text
    assert write(till) == []
    change(row, till, "superfan")
    assert write(till) == ["membership_changed"]
    assert "in the tier Superfan" in last().text
    change(fresh(row), till, "supporter")
    assert write(till) == ["membership_will_change"]
    assert "from June 1, 2026 on, for €5.00" in last().text
    subscriptions.cancel(fresh(row), at_once=False, now=till.now)
    assert write(till) == ["membership_cancelled"]
    till.turn(NOW + MONTH + MOMENT)
    deliver(till)
    assert write(till) == ["membership_ended"]
    till.turn(NOW + MONTH + 30 * DAY)
    assert write(till) == []


def test_a_payment_that_failed_is_told_at_once_after_three_days_and_after_a_week(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.tills.RETRIES", (5 * DAY, 12 * DAY))
    row = join(artist, till)
    write(till)
    Subscription.update(locale="de").execute()
    till.kept[row.reference].card = False
    told = []
    for day in range(15):
        till.turn(NOW + MONTH + day * DAY + MOMENT)
        deliver(till)
        told += [(day, kind) for kind in write(till) + write(till)]
    assert told == [
        (0, "membership_due_first"),
        (3, "membership_due_second"),
        (7, "membership_due_last"),
        (12, "membership_ended"),
    ]
    message = Message.get(Message.kind == "membership_due_first")
    assert ("5,00" in message.text, "8. Juni 2026" in message.text) == (True, True)


def test_a_payment_that_was_mended_stops_the_letters_and_the_next_one_begins_anew(
    artist: Artist, till: Till
) -> None:
    row = join(artist, till)
    write(till)
    for month in (1, 2):
        till.kept[row.reference].card = False
        till.turn(till.kept[row.reference].period_end + MOMENT)
        deliver(till)
        assert write(till) == ["membership_due_first"], month
        till.mend(row.id)
        deliver(till)
        till.turn(till.now + 4 * DAY)
        assert write(till) == []


def test_after_a_long_silence_only_the_letter_of_now_is_written(artist: Artist, till: Till) -> None:
    row = join(artist, till)
    write(till)
    till.kept[row.reference].card = False
    till.turn(NOW + MONTH + 4 * DAY)
    deliver(till)
    assert write(till) == ["membership_due_second"]
    assert SubscriptionLetter.select().where(SubscriptionLetter.step == "due_first").count() == 1


def test_the_chores_write_and_send(artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    join(artist, till)
    monkeypatch.setattr(clock, "now", lambda: till.now)
    chores.write_membership_letters.call_local()
    assert last().kind == "membership_welcome"
    chores.end_double_memberships.call_local()


def test_who_paid_in_two_tills_pays_once_in_the_end(artist: Artist, till: Till) -> None:
    fan = make_user()
    first = begin(artist, fan)
    second = begin(artist, fan, "superfan")
    till.pay(first.id)
    till.pay(second.id)
    deliver(till)
    kept = subscriptions.current(fan, artist)
    assert kept is not None
    (other,) = {first.id, second.id} - {kept.id}
    assert Membership.select().where(Membership.ended_at.is_null()).count() == 2, (
        "nobody loses what they paid"
    )
    till.features -= {Feature.REFUNDS}
    assert subscription_doubles.end_all(now=till.now) == 1
    till.features |= {Feature.REFUNDS}
    assert fresh(Subscription.get_by_id(other)).state == SubscriptionState.ENDED
    assert subscription_doubles.end_all(now=till.now) == 0
    third = begin(artist, make_user())
    fourth = begin(artist, User.get_by_id(third.user_id), "superfan")
    for row in (third, fourth):
        till.pay(row.id)
    deliver(till)
    assert subscription_doubles.end_all(now=till.now) == 1
    deliver(till)
    assert sum(payments.kept(one) for row in (third, fourth) for one in payments.of_mark(row.id)) in {
        500,
        1000,
    }
    assert (
        Membership.select().where(Membership.user == third.user_id, Membership.ended_at.is_null()).count()
        == 1
    )
