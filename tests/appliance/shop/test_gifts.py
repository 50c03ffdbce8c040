"""Memberships as a gift: paid once by one, had by another, for exactly as long as the money stays."""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime
from datetime import timedelta

import pytest

from appliance import chores
from appliance import clock
from appliance import database
from appliance.accounts.models import User
from appliance.billing import gift_checking
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.ledger import balances
from appliance.mail import Message
from appliance.memberships import granting
from appliance.memberships import relations
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import RefundFact
from appliance.revocations import Revocation
from appliance.shop import codes
from appliance.shop import gift_letters
from appliance.shop import gift_redeeming
from appliance.shop import gifting
from appliance.shop import orders
from appliance.shop import quotes
from appliance.shop.gift_models import Gift
from appliance.shop.gift_offers import GiftWish
from appliance.shop.gift_rights import Redeemed
from appliance.shop.gift_rights import Span
from appliance.shop.gift_rights import spans
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from tests.appliance.shop.conftest import buy
from tests.appliance.shop.conftest import tell
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.shop_till import Till


@pytest.fixture
def tier(artist: Artist) -> Tier:
    return tier_of(artist)


def tier_of(artist: Artist, kind: TierKind = TierKind.SUPPORTER) -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def wish(tier: Tier, months: int = 3, **more: object) -> Wish:
    gift = GiftWish(months, by="Ann", name="Gift: Supporter, 3 months", **more)  # type: ignore[arg-type]
    return Wish(Kind.GIFT, tier.id, gift=gift)


def give(tier: Tier, till: Till, months: int = 3, **more: object) -> tuple[Order, Gift]:
    """A gift that was paid."""
    order = buy(wish(tier, months, **more), email="ann@example.com")
    tell(order.id, till.paid(order.id, at=NOW))
    return orders.find(order.id), Gift.get(Gift.order == order.id)


def refund(till: Till, order: Order, *, failed: bool = False) -> Order:
    back = RefundFact(
        "re_1" + order.id, f"pay_{order.id}_1", order.total_minor, order.currency, NOW, failed=failed
    )
    return tell(order.id, back)


def redeem(gift: Gift, user: User, *, now: datetime = NOW) -> gift_redeeming.Present:
    return gift_redeeming.redeem(gift.code, user, locale="en", now=now)


def is_member(user: User, artist: Artist, *, now: datetime = NOW) -> bool:
    return relations.of(user, [artist.id], now=now)[artist.id].member is not None


def test_somebody_pays_and_somebody_else_is_a_member(artist: Artist, tier: Tier, till: Till) -> None:
    order, gift = give(tier, till)
    assert (order.total_minor, order.state, order.user) == (1500, OrderState.PAID, None)
    friend = make_user("friend@example.com")
    assert not is_member(friend, artist)
    present = redeem(gift, friend)
    assert present.span == Span(NOW, NOW.replace(month=8))
    assert is_member(friend, artist, now=NOW.replace(month=7, day=31))
    assert not is_member(friend, artist, now=NOW.replace(month=8)), "then it ends by itself"
    assert Membership.get_by_id(gift.id).origin == "present"


def test_the_money_is_the_artists_at_the_sale(artist: Artist, tier: Tier, till: Till) -> None:
    give(tier, till)
    # 15.00 without 0.25 of the till and a tenth of what is left.
    [owed] = balances.of_payee(artist.id)
    assert (owed.currency, owed.owed_minor) == ("EUR", 1328)


@pytest.mark.parametrize(("months", "cost"), [(1, 500), (3, 1500), (6, 3000), (12, 6000)])
def test_so_many_months_cost_so_many_times_the_month(tier: Tier, months: int, cost: int) -> None:
    assert quotes.make(wish(tier, months), now=NOW).total_minor == cost


def test_a_year_costs_what_a_year_costs_where_the_tier_has_a_price_for_it(tier: Tier) -> None:
    Tier.update(annual_price_minor=5000).execute()
    assert quotes.make(wish(tier, 12), now=NOW).total_minor == 5000
    assert quotes.make(wish(tier, 6), now=NOW).total_minor == 3000


@pytest.mark.parametrize("months", [0, -1, 2, 13, 10**12])
def test_other_numbers_of_months_are_refused(tier: Tier, months: int) -> None:
    with pytest.raises(Invalid, match="for how long"):
        quotes.make(wish(tier, months), now=NOW)


def test_what_nobody_pays_for_cannot_be_given(artist: Artist, tier: Tier) -> None:
    with pytest.raises(Conflict, match="cannot be given"):
        quotes.make(wish(tier_of(artist, TierKind.FREE)), now=NOW)
    tiers.archive(tier, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="cannot be given"):
        quotes.make(wish(tier), now=NOW)
    with pytest.raises(NotFound):
        quotes.make(Wish(Kind.GIFT, "nowhere", gift=GiftWish(1)), now=NOW)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"by": " "}, "by"),
        ({"by": "x" * 81}, "by"),
        ({"message": "x" * 501}, "message"),
        ({"email": "nobody"}, "to"),
        ({"email": "f@example.com", "send_at": NOW - timedelta(days=2)}, "day"),
        ({"email": "f@example.com", "send_at": NOW + timedelta(days=400)}, "day"),
    ],
)
def test_what_a_gift_lacks_is_told_before_it_is_paid(tier: Tier, more: dict[str, object], field: str) -> None:
    said = Wish(Kind.GIFT, tier.id, gift=GiftWish(**{"months": 3, "by": "Ann", **more}))  # type: ignore[arg-type]
    with pytest.raises(Invalid) as error:
        buy(said, email="ann@example.com")
    assert (error.value.field, Order.select().count(), Gift.select().count()) == (field, 0, 0)


def test_two_tabs_are_one_gift_and_two_gifts_are_two(tier: Tier, fan: User) -> None:
    first = buy(wish(tier, email="a@example.com"), fan)
    assert buy(wish(tier, email="a@example.com"), fan).id == first.id
    assert buy(wish(tier, email="b@example.com"), fan).id != first.id
    assert Gift.select().count() == 2


def test_a_code_opens_nothing_before_it_is_paid(tier: Tier, fan: User) -> None:
    buy(wish(tier), email="ann@example.com")
    with pytest.raises(NotFound, match="no such code"):
        redeem(Gift.get(), fan)


def test_codes_are_long_and_are_no_download_codes(tier: Tier, till: Till, fan: User) -> None:
    _order, gift = give(tier, till)
    assert len(gift.code.replace("-", "")) == 16, "eighty bits"
    with pytest.raises(NotFound):
        codes.redeem(gift.code, Buyer("", fan), now=NOW)
    redeem(Gift(code=f" {gift.code.lower().replace('-', ' ')} "), fan)


def test_it_is_redeemed_once(tier: Tier, till: Till, fan: User) -> None:
    _order, gift = give(tier, till)
    redeem(gift, fan)
    with pytest.raises(Conflict, match="redeemed already"):
        redeem(gift, make_user())


def test_of_fifty_who_redeem_it_at_once_exactly_one_is_a_member(tier: Tier, till: Till) -> None:
    _order, gift = give(tier, till)
    people = [make_user() for _ in range(10)]
    ends: list[str] = []

    def attempt(number: int) -> None:
        try:
            redeem(gift, people[number % 10])
            ends.append("yes")
        except MusicConnectError as error:
            ends.append(str(error))
        database.close_thread()

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["This code was redeemed already."] * 49 + ["yes"]
    assert Membership.select().count() == 1


def test_who_redeems_while_the_money_goes_back_is_no_member(
    artist: Artist, tier: Tier, till: Till, fan: User
) -> None:
    order, gift = give(tier, till)
    together = threading.Barrier(2)

    def attempt() -> None:
        together.wait()
        with contextlib.suppress(MusicConnectError):
            redeem(gift, fan)
        database.close_thread()

    thread = threading.Thread(target=attempt)
    thread.start()
    together.wait()
    refund(till, order)
    thread.join()
    assert not is_member(fan, artist)
    assert not list(gift_checking.differences())


def test_of_two_gifts_that_one_person_redeems_at_once_none_is_lost(tier: Tier, till: Till, fan: User) -> None:
    gifts = [give(tier, till, 1, message=str(number))[1] for number in range(4)]

    def attempt(gift: Gift) -> None:
        redeem(gift, fan)
        database.close_thread()

    threads = [threading.Thread(target=attempt, args=(gift,)) for gift in gifts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ends = sorted(row.paid_through for row in Membership.select())
    assert ends == [NOW.replace(month=month) for month in (6, 7, 8, 9)]


def test_a_code_holds_for_two_years(tier: Tier, till: Till, fan: User) -> None:
    _order, gift = give(tier, till)
    with pytest.raises(Conflict, match="is over"):
        redeem(gift, fan, now=NOW.replace(year=NOW.year + 2))
    redeem(gift, fan, now=NOW.replace(year=NOW.year + 2) - timedelta(seconds=1))


def test_a_second_gift_begins_when_the_first_ends(artist: Artist, tier: Tier, till: Till, fan: User) -> None:
    _order, first = give(tier, till, 3)
    _order, second = give(tier, till, 1, message="once more")
    redeem(first, fan)
    later = NOW + timedelta(days=5)
    shown = gift_redeeming.look(second.code, fan, now=later)
    assert (shown.later, shown.span) == (True, Span(NOW.replace(month=8), NOW.replace(month=9)))
    assert redeem(second, fan, now=later).span == shown.span, "what was shown is what happens"
    assert is_member(fan, artist, now=NOW.replace(month=8, day=20))
    found = granting.current(fan, artist, now=later)
    assert found is not None and found.paid_through == NOW.replace(month=9)


def test_it_begins_when_what_the_artist_gave_ends(artist: Artist, tier: Tier, till: Till, fan: User) -> None:
    through = NOW + timedelta(days=10)
    granting.grant(
        artist, fan.email, tier_id=tier.id, origin="gift", through=through, actor=artist.owner, now=NOW
    )
    _order, gift = give(tier, till, 1)
    assert redeem(gift, fan).span == Span(through, through.replace(month=6))


def test_who_is_in_the_tier_for_good_keeps_the_code_for_a_friend(
    artist: Artist, tier: Tier, till: Till, fan: User
) -> None:
    granting.grant(artist, fan.email, tier_id=tier.id, origin="band", actor=artist.owner, now=NOW)
    _order, gift = give(tier, till)
    with pytest.raises(Conflict, match="give it to a friend"):
        redeem(gift, fan)
    redeem(gift, make_user())


def test_who_redeemed_a_gift_may_be_given_another_by_hand(
    artist: Artist, tier: Tier, till: Till, fan: User
) -> None:
    _order, gift = give(tier, till)
    redeem(gift, fan)
    granting.grant(artist, fan.email, tier_id=tier.id, origin="press", actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="is paid for"):
        granting.end(Membership.get_by_id(gift.id), actor=artist.owner, now=NOW)


def test_a_refund_ends_the_membership_at_once(artist: Artist, tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till)
    redeem(gift, fan)
    assert refund(till, order).state == OrderState.REFUNDED
    assert not is_member(fan, artist)
    assert Revocation.select().where(Revocation.subject == f"member:{fan.id}:{artist.id}").exists()
    assert refund(till, order, failed=True).state == OrderState.PAID
    assert is_member(fan, artist), "the refund failed, so the money stayed"
    assert not list(gift_checking.differences())


def test_a_part_that_goes_back_ends_nothing(artist: Artist, tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till)
    redeem(gift, fan)
    tell(order.id, RefundFact("re_part", f"pay_{order.id}_1", 100, "EUR", NOW))
    assert is_member(fan, artist)


@pytest.mark.parametrize(("state", "member"), [(DisputeState.OPEN, True), (DisputeState.LOST, False)])
def test_a_lost_dispute_ends_it_and_an_open_one_does_not(
    artist: Artist, tier: Tier, till: Till, fan: User, state: DisputeState, member: bool
) -> None:
    order, gift = give(tier, till)
    redeem(gift, fan)
    tell(order.id, DisputeFact("dp_1", f"pay_{order.id}_1", order.total_minor, "EUR", state, NOW, NOW))
    assert is_member(fan, artist) is member


def test_a_code_whose_money_went_back_opens_nothing(tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till)
    refund(till, order)
    with pytest.raises(Conflict, match="its money went back"):
        redeem(gift, fan)


def test_when_the_first_of_two_goes_back_the_second_begins_there(
    artist: Artist, tier: Tier, till: Till, fan: User
) -> None:
    order, first = give(tier, till, 12)
    _order, second = give(tier, till, 1, message="once more")
    redeem(first, fan)
    redeem(second, fan)
    assert Membership.get_by_id(second.id).paid_through == NOW.replace(year=2027, month=6)
    refund(till, order)
    assert Membership.get_by_id(second.id).paid_through == NOW.replace(month=6)
    assert is_member(fan, artist)


def test_the_time_of_gifts_does_not_depend_on_their_order() -> None:
    end = datetime.fromisoformat("2026-03-10T00:00:00+00:00")
    first = Redeemed("a", end.replace(month=1), end.replace(month=1), 6, returned_at=end)
    second = Redeemed("b", end.replace(month=2), end.replace(month=2), 1)
    third = Redeemed("c", end.replace(month=12), end.replace(month=12), 1)
    expected = {
        "a": Span(end.replace(month=1), end.replace(month=7), ended_at=end),
        "b": Span(end, end.replace(month=4)),
        "c": Span(end.replace(month=12), end.replace(year=2027, month=1)),
    }
    assert spans([first, second, third]) == spans([third, second, first]) == expected


def test_the_letter_brings_the_gift_when_it_is_paid(tier: Tier, till: Till) -> None:
    order = buy(wish(tier, email="Bo@Example.com", message="For <b>you</b>"), email="ann@example.com")
    assert not Message.select().where(Message.to == "bo@example.com").exists(), "nothing was paid yet"
    tell(order.id, till.paid(order.id, at=NOW))
    tell(order.id)
    letter = Message.get(Message.to == "bo@example.com")
    gift = Gift.get()
    assert "Ann gives you a membership of Night Ferry" in letter.subject
    for part in (gift.code, f"/redeem?code={gift.code}", "For <b>you</b>", "3 months", "May 1, 2028"):
        assert part in letter.text
    assert "For &lt;b&gt;you&lt;/b&gt;" in letter.html
    thanks = Message.get(Message.to == "ann@example.com")
    assert "what became of the gift" in thanks.text


def test_the_letter_waits_for_its_day(tier: Tier, till: Till) -> None:
    day = NOW + timedelta(days=7)
    _order, gift = give(tier, till, email="bo@example.com", send_at=day)
    assert (gift.sent_at, gift_letters.write_due(now=day - timedelta(seconds=1))) == (None, [])
    assert len(gift_letters.write_due(now=day)) == 1
    assert gift_letters.write_due(now=day) == [], "once"
    assert Message.select().where(Message.to == "bo@example.com").count() == 1


def test_a_chore_writes_the_letters_of_the_day(tier: Tier, till: Till) -> None:
    _order, gift = give(tier, till, email="bo@example.com", send_at=NOW + timedelta(hours=1))
    Gift.update(send_at=clock.now() - timedelta(seconds=1)).execute()
    chores.write_gift_letters.call_local()
    assert Message.select().where(Message.to == "bo@example.com").count() == 1
    assert Gift.get_by_id(gift.id).sent_at is not None


def test_no_letter_goes_out_for_money_that_went_back(tier: Tier, till: Till) -> None:
    day = NOW + timedelta(days=7)
    order, _gift = give(tier, till, email="bo@example.com", send_at=day)
    refund(till, order)
    assert gift_letters.write_due(now=day) == []


def test_another_address_is_another_code(tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till, email="wrong@example.com")
    gifting.send(order, email="right@example.com", send_at=None, now=NOW)
    with pytest.raises(NotFound):
        redeem(gift, fan)
    letter = Message.get(Message.to == "right@example.com")
    assert Gift.get().code in letter.text
    gifting.send(order, email="right@example.com", send_at=None, now=NOW)
    assert Message.select().where(Message.to == "right@example.com").count() == 2, "sent again"


def test_who_pays_once_does_not_write_to_everybody(tier: Tier, till: Till) -> None:
    order, _gift = give(tier, till, email="0@example.com")
    for number in range(1, gifting.MOST_LETTERS):
        gifting.send(order, email=f"{number}@example.com", send_at=None, now=NOW)
    with pytest.raises(Conflict, match="5 letters were sent"):
        gifting.send(order, email="more@example.com", send_at=None, now=NOW)


def test_what_was_redeemed_is_sent_to_nobody(tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till, email="bo@example.com")
    redeem(gift, fan)
    with pytest.raises(Conflict, match="redeemed already"):
        gifting.send(order, email="cy@example.com", send_at=None, now=NOW)
    assert (
        "It counts from May 1, 2026 and lasts until August 1, 2026"
        in Message.get(Message.to == fan.email).text
    )
    assert (
        Message.select().where(Message.to == "ann@example.com", Message.kind == "gift_redeemed").count() == 1
    )


def test_the_check_names_a_gift_that_gives_what_it_must_not(tier: Tier, till: Till, fan: User) -> None:
    order, gift = give(tier, till)
    redeem(gift, fan)
    assert not list(gift_checking.differences())
    Membership.update(paid_through=NOW + timedelta(days=4000)).execute()
    assert [one.row for one in gift_checking.differences()] == [f"membership:{gift.id}"]
    Membership.delete().execute()
    assert [one.row for one in gift_checking.differences()] == [f"membership:{gift.id}"]
    refund(till, order)
    Membership.update(ended_at=None).execute()
    assert [one.row for one in gift_checking.differences()] == [f"membership:{gift.id}"]


def test_gifts_of_two_artists_do_not_wait_for_each_other(tier: Tier, till: Till, fan: User) -> None:
    other = tier_of(make_artist(name="Salt Wind"))
    for one in (tier, other):
        _order, gift = give(one, till)
        assert redeem(gift, fan).span == Span(NOW, NOW.replace(month=8))
