"""Orders: begun once, paid once, and what they open follows the money, in whatever order it is told."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from appliance import database
from appliance.accounts.models import User
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.database import new_id
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.mail import Message
from appliance.mail import MessageState
from appliance.memberships import access
from appliance.memberships import relations
from appliance.memberships.models import Purchase
from appliance.papers import issuing
from appliance.papers import letters as paper_letters
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import RefundFact
from appliance.shop import delivery
from appliance.shop import discounts
from appliance.shop import offers
from appliance.shop import order_lists
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop import receipts
from appliance.shop import settling
from appliance.shop import till as tills
from appliance.shop.models import CreditNote
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from tests.appliance.shop.conftest import buy
from tests.appliance.shop.conftest import publish
from tests.appliance.shop.conftest import tell
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_release
from tests.makers import make_user
from tests.queries import counted
from tests.shop_till import Till

DAY = timedelta(days=1)


def wish(release: Release, amount: int | None = None, **more: object) -> Wish:
    return Wish(Kind.RELEASE, release.id, amount, **more)  # type: ignore[arg-type]


def may_download(user: User, release: Release) -> bool:
    return access.to_release(user, release, roles=frozenset(), now=NOW).may_download


def test_what_was_paid_for_can_be_downloaded(till: Till, release: Release, fan: User) -> None:
    order = buy(wish(release), fan)
    assert (order.state, may_download(fan, release)) == (OrderState.OPEN, False)
    order = tell(order.id, till.paid(order.id, at=NOW))
    assert (order.state, order.paid_at, order.open_key) == (OrderState.PAID, NOW, None)
    assert may_download(fan, release)
    assert posting.balance(AccountKind.PAYABLE, release.artist_id, "EUR") == -(700 - 25 - 67)


def test_a_few_words_arrive_with_and_without_something_on_top(till: Till, release: Release) -> None:
    for tip in (0, 200):
        order = buy(wish(release, tip_minor=tip, message="For the van"), email="guest@example.com")
        said = [item.message for item in order_lists.items_of([order])[order.id]]
        assert said == (["", "For the van"] if tip else ["For the van"])


def test_what_was_paid_for_cannot_be_removed_until_the_money_went_back(
    till: Till, release: Release, fan: User
) -> None:
    [track] = Track.select().where(Track.release == release.id)
    delivery.require_unsold(track)
    order = buy(wish(release), email="guest@example.com")
    delivery.require_unsold(track)
    fact = till.paid(order.id, at=NOW)
    tell(order.id, fact)
    with pytest.raises(Conflict, match="paid for this"):
        delivery.require_unsold(track)
    tell(order.id, RefundFact("re", fact.reference, 700, "EUR", NOW))
    delivery.require_unsold(track)


def test_one_gives_more_than_the_price_and_never_less(release: Release, fan: User, till: Till) -> None:
    with pytest.raises(Invalid, match=r"It costs at least 7\.00 EUR\."):
        buy(wish(release, 699), fan)
    assert buy(wish(release, 1500), fan).total_minor == 1500
    prices.set_release(release, 700, pay_more=False, actor=release.artist.owner, now=NOW)
    assert buy(wish(release, 900), fan).total_minor == 700


def test_what_costs_nothing_needs_no_provider_and_is_there_at_once(
    make_out: Callable[..., Release], fan: User, monkeypatch: pytest.MonkeyPatch, till: Till
) -> None:
    release = make_out(0)
    order = orders.begin(wish(release), Buyer("", fan), provider="", now=NOW)
    assert (order.state, order.provider) == (OrderState.PAID, "")
    assert may_download(fan, release)
    assert not Receipt.select().count()
    assert not till.asked
    with pytest.raises(Conflict, match="bought this already"):
        orders.begin(wish(release), Buyer("", fan), provider="", now=NOW)


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        (49, r"The smallest amount that can be paid here is 0\.50 EUR\. Ask for that much, or for nothing\."),
        (-1, "A price is an amount, or 0"),
        (10**12, r"Nothing here costs more than 1000000\.00 EUR\."),
        (True, "A price is an amount"),
    ],
)
def test_a_price_that_cannot_be_asked_is_refused_with_a_sentence(
    release: Release, price: int, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        prices.set_release(release, price, pay_more=True, actor=release.artist.owner, now=NOW)
    assert refused.value.field == "price"
    assert prices.of_things([release.id])[release.id].price_minor == 700


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(Invalid, match="three letters"):
        prices.checked(100, "XXQ")


@pytest.mark.parametrize("amount", [-5, 10**12])
def test_an_amount_that_nobody_can_mean_is_refused(release: Release, fan: User, amount: int) -> None:
    with pytest.raises(Invalid):
        buy(wish(release, amount), fan)
    with pytest.raises(Invalid):
        buy(wish(release, tip_minor=amount), fan)
    assert not Order.select().count()


def test_too_small_a_sum_is_told(make_out: Callable[..., Release], fan: User) -> None:
    with pytest.raises(Invalid, match=r"smallest amount that can be paid here is 0\.50 EUR"):
        buy(wish(make_out(0), 20), fan)


def test_without_a_provider_nothing_is_sold_but_what_is_free(
    release: Release, fan: User, monkeypatch: pytest.MonkeyPatch, till: Till
) -> None:
    monkeypatch.setattr(till, "features", frozenset())
    with pytest.raises(Conflict, match="Nothing can be paid here"):
        buy(wish(release), fan)
    with pytest.raises(Invalid, match="Choose how you want to pay"):
        monkeypatch.undo()
        monkeypatch.setattr("appliance.processors.every", lambda: (till,))
        orders.begin(wish(release), Buyer("", fan), provider="gone", now=NOW)


def test_two_tabs_are_one_order(release: Release, fan: User, till: Till) -> None:
    first, second = buy(wish(release), fan), buy(wish(release), fan)
    assert first.id == second.id
    assert (len(till.asked), OrderItem.select().count()) == (1, 1)
    later = orders.begin(
        wish(release), Buyer("", fan), provider="till", now=NOW + orders.TILL_STAYS + timedelta(minutes=1)
    )
    assert later.id != first.id


def test_who_types_the_address_of_another_gets_an_order_of_their_own(release: Release, till: Till) -> None:
    mine = buy(wish(release), email="guest@example.com", browser="mine")
    assert buy(wish(release), email="guest@example.com", browser="theirs").id != mine.id
    assert buy(wish(release), email="guest@example.com", browser="mine").id == mine.id


def test_twenty_who_send_at_once_make_one_order(release: Release, fan: User, till: Till) -> None:
    found: list[str] = []

    def send() -> None:
        order = orders.begin(wish(release), Buyer("", fan), provider="till", now=NOW)
        found.append(order.id)
        database.close_thread()

    at_once(send, 20)
    assert len(found) == 20
    assert (len(set(found)), Order.select().count()) == (1, 1)


def at_once(act: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_till_that_does_not_answer_loses_nothing(release: Release, fan: User, till: Till) -> None:
    till.broken = True
    with pytest.raises(Unavailable):
        buy(wish(release), fan)
    till.broken = False
    order = buy(wish(release), fan)
    assert Order.select().count() == 1
    assert order.url.endswith(order.id)
    assert list(till.asked) == [f"order-{order.id}"]


def test_a_tip_comes_with_a_message_and_opens_nothing(release: Release, fan: User, till: Till) -> None:
    order = buy(wish(release, tip_minor=300, message="  For the\r\nvan  ", tip_name="Trinkgeld"), fan)
    assert order.total_minor == 1000
    order = tell(order.id, till.paid(order.id, at=NOW))
    _music, tip = order_lists.items_of([order])[order.id]
    assert (tip.kind, tip.name, tip.message, tip.amount_minor) == (
        Kind.TIP,
        "Trinkgeld",
        "For the\nvan",
        300,
    )
    assert Purchase.select().count() == 1
    alone = buy(Wish(Kind.TIP, release.artist_id, tip_minor=500), fan)
    tell(alone.id, till.paid(alone.id, at=NOW))
    assert Purchase.select().count() == 1
    with pytest.raises(Invalid, match="how much you want to give"):
        buy(Wish(Kind.TIP, release.artist_id), fan)


def test_a_track_is_sold_by_itself(release: Release, fan: User, till: Till) -> None:
    one, two = add_track(release, title="One"), add_track(release, title="Two")
    prices.set_track(one, 100, pay_more=False, actor=release.artist.owner, now=NOW)
    with pytest.raises(NotFound, match="cannot be bought"):
        buy(Wish(Kind.TRACK, two.id), fan)
    order = buy(Wish(Kind.TRACK, one.id), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    rights = access.to_tracks(fan, [one, two], roles=frozenset(), now=NOW)
    assert [rights[row.id].may_download for row in (one, two)] == [True, False]


def test_the_whole_catalogue_is_cheaper_and_opens_all_of_it(
    artist: Artist, make_out: Callable[..., Release], fan: User, till: Till
) -> None:
    first, second, third = make_out(700, "A"), make_out(500, "B"), make_out(333, "C")
    assert offers.of_catalogue(artist) is None
    prices.set_catalogue(artist, 25, actor=artist.owner, now=NOW)
    offer = offers.find(Kind.CATALOGUE, artist.id)
    assert (offer.full_minor, offer.price_minor) == (1533, 1150)
    order = buy(Wish(Kind.CATALOGUE, artist.id), fan)
    items = order_lists.items_of([order])[order.id]
    assert sum(item.amount_minor for item in items) == 1150
    tell(order.id, till.paid(order.id, at=NOW))
    assert all(may_download(fan, row) for row in (first, second, third))
    with pytest.raises(Conflict, match="bought this already"):
        buy(Wish(Kind.CATALOGUE, artist.id), fan)


def test_a_draft_is_not_sold_and_a_release_ahead_only_as_a_preorder(
    artist: Artist, fan: User, till: Till
) -> None:
    release = make_release(artist, title="Not Yet")
    add_track(release)
    prices.set_release(release, 700, pay_more=True, actor=artist.owner, now=NOW)
    for state in (ReleaseState.DRAFT, ReleaseState.SCHEDULED):
        Release.update(state=state, publish_at=NOW + timedelta(days=9)).where(
            Release.id == release.id
        ).execute()
        with pytest.raises(NotFound):
            buy(wish(release), fan)
    prices.set_release(release, 700, pay_more=True, preorder=True, actor=artist.owner, now=NOW)
    assert [offer.name for offer in offers.preorders(artist)] == ["Not Yet"]
    order = buy(wish(release), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    ahead = tracks.of_release(release)[0].release
    assert not access.to_release(fan, ahead, roles=frozenset(), now=NOW).may_see
    out = publish(release)
    assert may_download(fan, out)


def test_what_of_a_preorder_is_out_already_is_there_at_once(
    artist: Artist, make_out: Callable[..., Release], fan: User, till: Till
) -> None:
    single = make_out(100, "The Single")
    album = make_release(artist, title="The Album")
    song, other = add_track(album, title="Song"), add_track(album, title="Other")
    out = tracks.of_release(single)[0]
    Track.update(isrc="GBAYE0601498").where(Track.id.in_([song.id, out.id])).execute()
    Track.update(isrc="GBAYE0601499").where(Track.id == other.id).execute()
    Release.update(state=ReleaseState.SCHEDULED, publish_at=NOW + timedelta(days=9)).where(
        Release.id == album.id
    ).execute()
    prices.set_release(album, 700, pay_more=False, preorder=True, actor=artist.owner, now=NOW)
    order = buy(wish(album), fan)
    assert [(row.name, row.amount_minor) for row in order_lists.items_of([order])[order.id]] == [
        ("The Album", 700),
        ("Low Tide", 0),
    ]
    tell(order.id, till.paid(order.id, at=NOW))
    assert access.to_track(fan, tracks.find(out.id), roles=frozenset(), now=NOW).may_download
    assert not access.to_track(fan, tracks.find(song.id), roles=frozenset(), now=NOW).may_play


# ---- money that goes back


def facts_of(till: Till, mark: str) -> dict[str, Fact]:
    payment = till.paid(mark, at=NOW)
    ref = payment.reference
    return {
        "paid": payment,
        "part back": RefundFact("re_1", ref, 300, "EUR", NOW),
        "rest back": RefundFact("re_2", ref, 400, "EUR", NOW),
        "rest did not go": RefundFact("re_2", ref, 400, "EUR", NOW, failed=True),
        "contested": DisputeFact("dp_1", ref, 700, "EUR", DisputeState.OPEN, NOW, NOW),
        "won": DisputeFact("dp_1", ref, 700, "EUR", DisputeState.WON, NOW, NOW + timedelta(days=1)),
        "lost": DisputeFact("dp_1", ref, 700, "EUR", DisputeState.LOST, NOW, NOW + timedelta(days=1)),
    }


STORIES = {
    ("paid",): OrderState.PAID,
    ("paid", "part back"): OrderState.PAID,
    ("paid", "part back", "rest back"): OrderState.REFUNDED,
    ("paid", "part back", "rest back", "rest did not go"): OrderState.PAID,
    ("paid", "contested"): OrderState.PAID,
    ("paid", "contested", "won"): OrderState.PAID,
    ("paid", "contested", "lost"): OrderState.REFUNDED,
}


@pytest.mark.parametrize(("story", "end"), STORIES.items(), ids=lambda value: " ".join(value)[:40])
def test_whatever_is_told_first_the_end_is_the_same(
    till: Till, release: Release, fan: User, story: tuple[str, ...], end: OrderState
) -> None:
    for number, order_of_facts in enumerate(itertools.permutations(story)):
        with database.proxy.atomic() as undone:
            # A till is asked outside of transactions.
            order = orders.begin(
                wish(release, 700), Buyer("", fan), provider="till", now=NOW + timedelta(days=number)
            )
            till.asked[f"order-{order.id}"] = tills.CheckoutRequest(
                order.id, order.id, "EUR", [tills.LineItem("x", 700)], "", ""
            )
            facts = facts_of(till, order.id)
            order = tell(order.id, *[facts[name] for name in order_of_facts + order_of_facts[:1]])
            assert order.state == end, order_of_facts
            assert may_download(fan, release) == (end is OrderState.PAID)
            assert Purchase.select().count() <= 1
            assert Receipt.select().count() == 1
            undone.rollback()


def test_a_payment_that_is_too_small_opens_nothing_until_the_rest_is_there(
    till: Till, release: Release, fan: User
) -> None:
    order = buy(wish(release), fan)
    order = tell(order.id, till.paid(order.id, at=NOW, amount=300))
    assert order.state == OrderState.OPEN
    order = tell(order.id, till.paid(order.id, at=NOW + timedelta(days=1), amount=400, number=2))
    assert (order.state, order.paid_at) == (OrderState.PAID, NOW + timedelta(days=1))


def test_the_word_of_the_till_counts_by_its_instant(till: Till, release: Release, fan: User) -> None:
    order = buy(wish(release), fan)

    def said(state: CheckoutState, hours: int) -> str:
        fact = CheckoutFact(order.reference, order.id, state, NOW + timedelta(hours=hours))
        settling.note_checkout(fact, provider="till", now=NOW)
        settling.settle(order.id, now=NOW)
        return str(orders.find(order.id).state)

    assert said(CheckoutState.EXPIRED, 24) == OrderState.EXPIRED
    assert said(CheckoutState.OPEN, 1) == OrderState.EXPIRED
    assert buy(wish(release), fan).id != order.id
    # By bank, after the till had closed.
    assert tell(order.id, till.paid(order.id, at=NOW)).state == OrderState.PAID
    settling.note_checkout(
        CheckoutFact("another", order.id, CheckoutState.OPEN, NOW + timedelta(days=2)),
        provider="till",
        now=NOW,
    )
    assert orders.find(order.id).checkout_state == CheckoutState.EXPIRED


def test_an_order_that_nobody_pays_is_given_up(release: Release, fan: User, till: Till) -> None:
    order = buy(wish(release), fan)
    assert orders.expire(now=NOW + timedelta(days=29)) == 0
    assert orders.expire(now=NOW + timedelta(days=31)) == 1
    assert orders.find(order.id).state == OrderState.EXPIRED
    assert orders.expire(now=NOW + timedelta(days=31)) == 0


def test_a_mark_that_is_no_order_is_left_alone(till: Till, release: Release, fan: User) -> None:
    order = buy(wish(release), fan)
    fact = till.paid(order.id, at=NOW)
    assert (settling.owns(order.id), settling.owns("S" * 26)) == (True, False)
    assert settling.sale_of("S" * 26, fact) is None
    settling.settle("S" * 26, now=NOW)
    settling.note_checkout(CheckoutFact("c", "S" * 26, CheckoutState.OPEN, NOW), provider="till", now=NOW)


# ---- without an account


def test_a_guest_finds_what_they_bought_once_the_address_is_confirmed(till: Till, release: Release) -> None:
    order = buy(wish(release), email=" Guest@Example.com ")
    order = tell(order.id, till.paid(order.id, at=NOW))
    assert (order.user_id, Purchase.select().count()) == (None, 0)
    letter = Message.get(Message.to == "guest@example.com")
    assert f"/orders/{order.id}?key=" in letter.text
    other = make_user("other@example.com")
    assert delivery.claim(other, now=NOW) == 0
    guest = make_user("guest@example.com")
    User.update(confirmed_at=None).where(User.id == guest.id).execute()
    assert delivery.claim(User.get_by_id(guest.id), now=NOW) == 0
    User.update(confirmed_at=NOW).where(User.id == guest.id).execute()
    assert delivery.claim(User.get_by_id(guest.id), now=NOW) == 1
    assert delivery.claim(User.get_by_id(guest.id), now=NOW) == 0
    assert (may_download(guest, release), may_download(other, release)) == (True, False)
    tell(order.id, RefundFact("re", till.paid(order.id, at=NOW).reference, 700, "EUR", NOW))
    assert not may_download(guest, release)


def test_a_guest_whose_address_has_an_account_finds_it_there_at_once(
    till: Till, release: Release, fan: User
) -> None:
    order = buy(wish(release), email="fan@example.com")
    order = tell(order.id, till.paid(order.id, at=NOW))
    assert order.user_id == fan.id
    assert may_download(fan, release)


def test_an_order_for_no_address_is_refused(release: Release, till: Till) -> None:
    with pytest.raises(Invalid, match="not an e-mail address"):
        buy(wish(release), email="nobody")


# ---- discounts


def test_a_discount_is_taken_off_the_price_and_not_off_a_tip(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    discounts.make(artist, "spring", percent=50, actor=artist.owner, now=NOW)
    order = buy(wish(release, 900, tip_minor=100, discount=" Spring "), fan)
    assert (order.discount_minor, order.total_minor) == (350, 900 - 350 + 100)


def test_a_discount_leaves_what_can_be_paid_or_nothing(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    discounts.make(artist, "NEARLY", amount_minor=680, actor=artist.owner, now=NOW)
    discounts.make(artist, "ALL", percent=100, actor=artist.owner, now=NOW)
    assert buy(wish(release, discount="NEARLY"), fan).total_minor == 50
    order = buy(wish(release, discount="ALL"), fan)
    assert (order.state, order.total_minor) == (OrderState.PAID, 0)


def test_a_discount_holds_from_a_day_to_a_day_and_for_its_artist(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    day = timedelta(days=1)
    discounts.make(artist, "LATER", percent=10, starts_at=NOW + day, actor=artist.owner, now=NOW)
    discounts.make(artist, "OVER", percent=10, ends_at=NOW + day, actor=artist.owner, now=NOW)
    stopped = discounts.make(artist, "STOPPED", percent=10, actor=artist.owner, now=NOW)
    discounts.stop(artist, stopped.id, actor=artist.owner, now=NOW)
    for code, sentence in (("LATER", "not hold yet"), ("STOPPED", "no such"), ("NONE", "no such")):
        with pytest.raises(Invalid, match=sentence):
            buy(wish(release, discount=code), fan)
    with pytest.raises(Invalid, match="is over"):
        orders.begin(wish(release, discount="OVER"), Buyer("", fan), provider="till", now=NOW + day)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "x", "percent": 5},
        {"code": "OK", "percent": 5},
        {"code": "FINE", "percent": 0},
        {"code": "FINE", "percent": 101},
        {"code": "FINE"},
        {"code": "FINE", "percent": 5, "amount_minor": 5},
        {"code": "FINE", "amount_minor": 10**12},
        {"code": "FINE", "amount_minor": -1},
        {"code": "FINE", "percent": 5, "most_uses": 0},
        {"code": "FINE", "percent": 5, "ends_at": NOW},
    ],
)
def test_a_discount_that_cannot_be_is_refused(artist: Artist, wrong: dict) -> None:
    with pytest.raises(Invalid):
        discounts.make(artist, actor=artist.owner, now=NOW, **wrong)


def test_a_discount_for_one_is_used_by_one_of_ten_at_once(
    artist: Artist, release: Release, till: Till
) -> None:
    discounts.make(artist, "ONCE", percent=10, most_uses=1, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="There is a code ONCE already"):
        discounts.make(artist, "once", percent=10, actor=artist.owner, now=NOW)
    ends: list[str] = []
    numbers = iter(range(100))

    def use() -> None:
        email = f"{next(numbers)}@example.com"
        try:
            orders.begin(wish(release, discount="ONCE"), Buyer(email), provider="till", now=NOW)
            ends.append("used")
        except MusicConnectError as error:
            ends.append(str(error))
        database.close_thread()

    at_once(use, 10)
    assert sorted(ends) == ["This discount code was used up."] * 9 + ["used"]
    orders.expire(now=NOW + orders.HELD_FOR)
    use()
    assert ends[-1] == "used"


def test_an_order_that_nobody_pays_keeps_a_use_of_a_code_for_an_hour(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    code = discounts.make(artist, "ONCE", percent=10, most_uses=1, actor=artist.owner, now=NOW)
    hour = orders.HELD_FOR
    guest = buy(wish(release, discount="ONCE"), email="guest@example.com")
    assert guest.held_until == NOW + hour
    with pytest.raises(Invalid, match="used up"):
        buy(wish(release, discount="ONCE"), fan)
    # Also before a chore has come by.
    assert [discounts.uses([code], now=NOW + at) for at in (hour - DAY / 86400, hour)] == [{code.id: 1}, {}]
    orders.expire(now=NOW + hour)
    assert buy(wish(release, discount="ONCE"), fan).state == OrderState.OPEN
    # Whose money comes after all paid what they were shown.
    late = tell(guest.id, till.paid(guest.id, at=NOW + 2 * hour))
    assert (late.state, late.total_minor) == (OrderState.PAID, 630)
    assert discounts.uses([code], now=NOW + 2 * hour) == {code.id: 1}


def test_a_code_is_kept_while_the_money_is_on_its_way(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    code = discounts.make(artist, "ONCE", percent=10, most_uses=1, actor=artist.owner, now=NOW)
    order = buy(wish(release, discount="ONCE"), fan)
    done = CheckoutFact(order.reference, order.id, CheckoutState.COMPLETED, NOW)
    settling.note_checkout(done, provider=order.provider, now=NOW)
    assert orders.expire(now=NOW + 5 * DAY) == 0
    # Pressing the button once more is no second order, while a debit takes its time.
    once_more = orders.begin(
        wish(release, discount="ONCE"), Buyer("", fan), provider="till", now=NOW + 4 * orders.HELD_FOR
    )
    assert once_more.id == order.id
    assert discounts.uses([code], now=NOW + 5 * DAY) == {code.id: 1}


def test_whoever_goes_through_the_till_as_their_time_ends_keeps_the_order(
    artist: Artist, release: Release, fan: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    discounts.make(artist, "ONCE", percent=10, most_uses=1, actor=artist.owner, now=NOW)
    order = buy(wish(release, discount="ONCE"), fan)
    give_up = orders.give_up

    def overtaken(order_id: str, **more: Any) -> bool:
        done = CheckoutFact(order.reference, order.id, CheckoutState.COMPLETED, NOW)
        settling.note_checkout(done, provider=order.provider, now=NOW)
        return give_up(order_id, **more)

    monkeypatch.setattr(orders, "give_up", overtaken)
    assert orders.expire(now=NOW + orders.HELD_FOR) == 0
    assert orders.find(order.id).state == OrderState.OPEN


def test_who_chooses_anew_does_not_use_up_their_own_code(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    discounts.make(artist, "ONCE", percent=10, most_uses=1, actor=artist.owner, now=NOW)
    first = buy(wish(release, discount="ONCE"), fan)
    second = buy(wish(release, 900, discount="ONCE"), fan)
    assert (orders.find(first.id).state, second.state) == (OrderState.EXPIRED, OrderState.OPEN)
    orders.give_up(second.id, now=NOW)
    buyers = [Buyer("guest@example.com", browser="b", began=began) for began in ((), ())]
    guest = orders.begin(wish(release, discount="ONCE"), buyers[0], provider="till", now=NOW)
    with pytest.raises(Invalid, match="used up"):
        orders.begin(wish(release, 900, discount="ONCE"), buyers[1], provider="till", now=NOW)
    again = Buyer("guest@example.com", browser="b", began=(guest.id,))
    assert orders.begin(wish(release, 900, discount="ONCE"), again, provider="till", now=NOW).id != guest.id
    assert orders.find(guest.id).state == OrderState.EXPIRED


def test_a_till_that_could_not_be_opened_is_tried_again_for_some_minutes(
    release: Release, fan: User, till: Till
) -> None:
    first = orders.begin(wish(release), Buyer("", fan), provider="till", now=NOW)
    soon, later = NOW + timedelta(minutes=9), NOW + timedelta(minutes=11)
    assert orders.begin(wish(release), Buyer("", fan), provider="till", now=soon).id == first.id
    assert orders.begin(wish(release), Buyer("", fan), provider="till", now=later).id != first.id


# ---- receipts


def test_receipts_are_numbered_without_gaps_and_sent_once(till: Till, release: Release) -> None:
    marks = [buy(wish(release), email=f"{number}@example.com").id for number in range(4)]
    buy(wish(release), email="never@example.com")
    for mark in marks:
        for _ in range(2):
            tell(mark, till.paid(mark, at=NOW))
    assert [row.number for row in Receipt.select().order_by(Receipt.number)] == [1, 2, 3, 4]
    assert Message.select().count() == 4
    first = receipts.of(orders.find(marks[0]))
    assert first is not None
    assert (receipts.named(first), first.seller) == ("2026-000001", "Night Ferry")


def test_letters_of_a_purchase_wait_for_no_sweep(till: Till, release: Release) -> None:
    order = buy(wish(release), email="guest@example.com")
    with database.transaction():
        tell(order.id, till.paid(order.id, at=NOW))
        assert Message.get().state == MessageState.WAITING, "nothing is told before it is committed"
    assert Message.get().state == MessageState.KEPT, "its job ran: without a mail server the letter is kept"


def test_a_receipt_says_who_sold_as_it_was_then(till: Till, release: Release, fan: User) -> None:
    artist, owner = release.artist, release.artist.owner
    receipts.describe_seller(
        artist, name="Ferry Ltd", address="Quay 1\nHull", tax_number="gb 123", actor=owner, now=NOW
    )
    order = buy(wish(release), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    receipts.describe_seller(artist, name="Other", address="", tax_number="", actor=owner, now=NOW)
    receipt = receipts.of(order)
    assert receipt is not None
    assert (receipt.seller, receipt.address, receipt.tax_number) == ("Ferry Ltd", "Quay 1\nHull", "GB 123")


def test_who_was_refunded_is_told_once(till: Till, release: Release, fan: User) -> None:
    order = buy(wish(release), fan)
    payment = till.paid(order.id, at=NOW)
    back = RefundFact("re", payment.reference, 700, "EUR", NOW)
    tell(order.id, payment, back, back)
    for _again in range(2):
        issuing.settle([order.id], now=NOW)
        paper_letters.write_due(collective="", now=NOW)
    written = list(Message.select().order_by(Message.id))
    assert [row.kind for row in written] == ["order_paid", "order_refunded"]
    assert (written[1].attached, "7.00 EUR" in written[1].text) == (
        f"credit-note:{CreditNote.get().id}",
        True,
    )
    assert "receipt 2026-000001" in written[1].text


def test_of_a_refund_in_parts_the_last_letter_says_that_all_of_it_went_back(
    till: Till, release: Release, fan: User
) -> None:
    order = buy(wish(release), fan)
    payment = till.paid(order.id, at=NOW)
    tell(order.id, payment)
    for number, amount in enumerate((300, 400)):
        tell(order.id, RefundFact(f"re_{number}", payment.reference, amount, "EUR", NOW))
        issuing.settle([order.id], now=NOW)
        paper_letters.write_due(collective="", now=NOW)
    written = list(Message.select().order_by(Message.id))
    assert [row.kind for row in written] == ["order_paid", "credit_note", "order_refunded"]
    assert ("3.00 EUR" in written[1].text, "7.00 EUR" in written[2].text) == (True, True)


def test_what_somebody_is_to_an_artist_takes_three_questions_however_many_tracks_they_bought(
    release: Release, fan: User, artist: Artist
) -> None:
    tracks = [add_track(release, title=f"Song {number}") for number in range(4)]
    Purchase.insert_many(
        [
            {
                "id": new_id(),
                "user": fan.id,
                "artist": artist.id,
                "release": None,
                "track": track.id,
                "bought_at": NOW,
            }
            for track in tracks
        ]
    ).execute()
    with counted() as asked:
        relation = relations.of(fan, [artist.id], now=NOW)[artist.id]
    assert len(asked) == 3, asked
    assert set(relation.bought) == {track.id for track in tracks}
    assert relation.parts == {release.id: NOW}
