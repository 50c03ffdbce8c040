"""Merchandise: what it costs with what a tier takes off, where it is shipped, and that its stock follows the money."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from appliance import database
from appliance import hooks
from appliance.accounts.models import User
from appliance.billing import order_checking
from appliance.billing import undeliverable
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.ledger import following
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.models import PaymentLine
from appliance.mail import Message
from appliance.memberships import access
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.papers import issuing
from appliance.papers import letters as paper_letters
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Feature
from appliance.payments import RefundFact
from appliance.payments import TaxableSale
from appliance.payments import TaxRate
from appliance.shop import discounts
from appliance.shop import order_lists
from appliance.shop import orders
from appliance.shop import receipt_pdf
from appliance.shop import receipts
from appliance.shop import settling
from appliance.shop import till as tills
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import destinations
from appliance.shop.merchandise import dispatch
from appliance.shop.merchandise import ordering
from appliance.shop.merchandise import parcels
from appliance.shop.merchandise import quoting
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.quoting import Basket
from appliance.shop.merchandise.variants import Row
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from tests.appliance.shop.conftest import tell
from tests.appliance.shop.goods import HOME
from tests.appliance.shop.goods import make_shirt
from tests.appliance.shop.goods import make_zones
from tests.appliance.shop.goods import order_of
from tests.appliance.shop.goods import sizes_of
from tests.appliance.shop.goods import stock_of
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user
from tests.shop_till import Till


@pytest.fixture
def shirt(artist: Artist) -> Variant:
    """A T-shirt in M for 25.00, of which there are ten, shipped to Germany for 5.00 and 1.00 for each further."""
    make_zones(artist)
    return sizes_of(make_shirt(artist, "S", "M"))["M"]


def superfan(artist: Artist, fan: User) -> None:
    tier = next(row for row in tiers.of_artist(artist) if row.kind == "superfan")
    granting.grant(artist, fan.email, tier_id=tier.id, origin="gift", actor=artist.owner, now=NOW)


def quoted(
    artist: Artist, chosen: dict[str, int], user: User | None = None, **more: str
) -> quoting.BasketQuote:
    return quoting.make(Basket(artist, chosen, country="DE", **more), user, now=NOW)


def refunded(order: Order, number: int = 1) -> RefundFact:
    return RefundFact(f"re_{number}", f"pay_{order.id}_1", order.total_minor, "EUR", NOW)


def letters(order: Order) -> list[str]:
    issuing.settle([order.id], now=NOW)
    paper_letters.write_due(collective="", now=NOW)
    return [row.kind for row in Message.select().where(Message.to == order.email).order_by(Message.id)]


def test_what_is_quoted_is_charged_with_shipping_by_number(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    quote = quoted(artist, {shirt.id: 3})
    assert [(line.kind, line.name, line.amount_minor) for line in quote.quote.lines] == [
        (Kind.MERCHANDISE, "T-shirt (M) × 3", 7500),
        (Kind.SHIPPING, "Shipping (Germany)", 700),
    ]
    order = order_of(artist, {shirt.id: 3})
    assert order.total_minor == quote.quote.total_minor == till.asked[f"order-{order.id}"].total_minor == 8200
    assert stock_of(shirt) == 7


def test_a_superfan_pays_a_fifth_less_for_goods_and_as_much_for_the_way(
    artist: Artist, shirt: Variant, fan: User
) -> None:
    superfan(artist, fan)
    quote = quoted(artist, {shirt.id: 1}, fan)
    assert (quote.tier, quote.member_percent, quote.member_off_minor) == ("Superfan", 20, 500)
    assert quote.quote.total_minor == 2000 + 500
    assert quoted(artist, {shirt.id: 1}).member_percent == 0
    elsewhere = make_artist(name="Elsewhere")
    make_zones(elsewhere)
    other = sizes_of(make_shirt(elsewhere))[""]
    assert quoted(elsewhere, {other.id: 1}, fan).member_off_minor == 0


def test_a_membership_that_is_over_takes_nothing_off(artist: Artist, shirt: Variant, fan: User) -> None:
    tier = next(row for row in tiers.of_artist(artist) if row.kind == "superfan")
    until = NOW + timedelta(days=1)
    granting.grant(
        artist, fan.email, tier_id=tier.id, origin="gift", through=until, actor=artist.owner, now=NOW
    )
    basket = Basket(artist, {shirt.id: 1}, country="DE")
    assert quoting.make(basket, fan, now=NOW).member_percent == 20
    assert quoting.make(basket, fan, now=until).member_percent == 0


def test_a_discount_code_comes_after_the_tier_and_not_off_shipping(
    artist: Artist, shirt: Variant, fan: User
) -> None:
    superfan(artist, fan)
    discounts.make(artist, "HALF", percent=50, actor=artist.owner, now=NOW)
    quote = quoted(artist, {shirt.id: 1}, fan, discount="half").quote
    assert (quote.discount_minor, quote.total_minor) == (1000, 1000 + 500)


def test_taxes_are_asked_for_goods_of_the_country_it_goes_to(
    artist: Artist, shirt: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, int]] = []

    def first(name: str, *, sale: TaxableSale) -> TaxRate:
        asked.append((sale.kind, sale.country, sale.amount_minor))
        return TaxRate("VAT", 1900)

    monkeypatch.setattr(hooks, "first", first)
    quote = quoted(artist, {shirt.id: 1}).quote
    assert asked == [("goods", "DE", 2500), ("goods", "DE", 500)]
    assert quote.tax_minor == 399 + 80


def test_the_platform_has_no_share_in_shipping(artist: Artist, shirt: Variant, till: Till) -> None:
    order = order_of(artist, {shirt.id: 1})
    assert order.share_bps == 833
    tell(order.id, till.paid(order.id, at=NOW))
    share = (3000 - 25) * 833 // 10_000
    assert posting.balance(AccountKind.PLATFORM_SHARE, "", "EUR") == -share
    assert posting.balance(AccountKind.PAYABLE, artist.id, "EUR") == -(3000 - 25 - share)


@pytest.mark.parametrize(
    ("country", "sentence"),
    [("FR", "does not ship to this country"), ("", "Choose the country"), ("ZZ", "There is no country “ZZ”")],
)
def test_where_nothing_is_shipped_to_is_said_clearly(
    artist: Artist, shirt: Variant, country: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        quoting.make(Basket(artist, {shirt.id: 1}, country=country), None, now=NOW)
    assert refused.value.field == "country"


def test_everywhere_else_is_what_stands_in_no_zone(artist: Artist, shirt: Variant) -> None:
    world = zones.make(artist, "World", [], everywhere_else=True, first_minor=1500, further_minor=0, actor=artist.owner, now=NOW)  # fmt: skip
    rows = zones.of_artist(artist.id)
    assert [zones.holding(rows, code).name for code in ("DE", "FR")] == ["Germany", "World"]  # type: ignore[union-attr]
    assert (len(zones.reached(rows)), zones.cost_minor(world, 3)) == (249, 1500)
    with pytest.raises(Invalid, match="Everywhere else is in the zone “World” already"):
        zones.make(artist, "More", [], everywhere_else=True, first_minor=1, further_minor=1, actor=artist.owner, now=NOW)  # fmt: skip
    with pytest.raises(Invalid, match="DE is in the zone “Germany” already"):
        zones.make(artist, "Union", ["EU"], first_minor=1, further_minor=1, actor=artist.owner, now=NOW)
    with pytest.raises(Invalid, match="Name the countries"):
        zones.change(world, "World", [], first_minor=1, further_minor=1, actor=artist.owner, now=NOW)
    zones.change(world, "Near", ["fr", "BE"], first_minor=-0, further_minor=0, actor=artist.owner, now=NOW)
    assert zones.find(artist, world.id).countries == "BE FR"
    with pytest.raises(Invalid, match="Shipping costs nothing or more"):
        zones.change(world, "Near", ["FR"], first_minor=-1, further_minor=0, actor=artist.owner, now=NOW)
    zones.remove(world, actor=artist.owner, now=NOW)
    with pytest.raises(NotFound):
        zones.find(artist, world.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"lines": "\n\n"}, "lines"),
        ({"lines": "a\nb\nc\nd"}, "lines"),
        ({"city": ""}, "city"),
        ({"postal_code": ""}, "postal_code"),
        ({"country": "Germany"}, "country"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_an_address_that_no_carrier_takes_names_its_field(change: dict[str, str], field: str) -> None:
    sent = {name: getattr(HOME, name) for name in destinations.FIELDS} | change
    with pytest.raises(Invalid) as refused:
        destinations.checked(Destination(**sent))
    assert refused.value.field == field


def test_where_there_are_no_postal_codes_none_is_asked_for() -> None:
    to = destinations.checked(Destination("A", "Central\r\n 1st  floor ", "Hong Kong", "", "hk"))
    assert (to.lines, to.postal_code, to.country) == ("Central\n1st floor", "", "HK")


@pytest.mark.parametrize(
    ("quantity", "sentence"), [(11, "only 10 are left"), (21, "1 to 20"), (-1, "1 to 20")]
)
def test_no_more_than_there_is_can_be_ordered(
    artist: Artist, shirt: Variant, quantity: int, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        order_of(artist, {shirt.id: quantity})
    assert refused.value.field == f"quantity-{shirt.id}"
    assert not Order.select().count()


@pytest.mark.parametrize("state", [ArticleState.SOLD_OUT, ArticleState.HIDDEN, ArticleState.ARCHIVED])
def test_what_is_not_for_sale_cannot_be_ordered(artist: Artist, till: Till, state: ArticleState) -> None:
    make_zones(artist)
    article = make_shirt(artist, state=state)
    with pytest.raises(Invalid, match="is sold out"):
        order_of(artist, {sizes_of(article)[""].id: 1})
    if state is not ArticleState.SOLD_OUT:
        with pytest.raises(NotFound):
            articles.find_seen(artist, article.slug)


def test_nobody_orders_what_is_another_artists_or_gone(artist: Artist, shirt: Variant) -> None:
    other = make_artist(name="Elsewhere")
    theirs = sizes_of(make_shirt(other))[""]
    for chosen in ({theirs.id: 1}, {"0" * 26: 1}):
        with pytest.raises(Conflict, match="not sold any more"):
            order_of(artist, chosen)
    with pytest.raises(Invalid, match="nothing in the basket"):
        order_of(artist, {shirt.id: 0})


def test_of_fifty_who_want_the_last_one_exactly_one_gets_it(artist: Artist, till: Till) -> None:
    make_zones(artist)
    last = sizes_of(make_shirt(artist, stock=1))[""]
    buyers = [make_user(f"fan{number}@example.com") for number in range(50)]
    won: list[str] = []
    lost: list[str] = []

    def act(buyer: User) -> None:
        try:
            won.append(order_of(artist, {last.id: 1}, buyer, lead=False).id)
        except MusicConnectError as error:
            lost.append(str(error))
        finally:
            database.close_thread()

    threads = [threading.Thread(target=act, args=(buyer,)) for buyer in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost), stock_of(last), Order.select().count()) == (1, 49, 0, 1)
    assert set(lost) <= {"“T-shirt” was sold out just now.", "“T-shirt” is sold out."}


def test_an_order_that_is_sent_twice_takes_stock_once(artist: Artist, shirt: Variant, fan: User) -> None:
    first = order_of(artist, {shirt.id: 2}, fan)
    assert order_of(artist, {shirt.id: 2}, fan).id == first.id
    assert stock_of(shirt) == 8


def test_who_comes_back_to_change_something_does_not_stand_in_their_own_way(
    artist: Artist, till: Till
) -> None:
    make_zones(artist)
    last = sizes_of(make_shirt(artist, stock=1))[""]
    fan = make_user()
    first = order_of(artist, {last.id: 1}, fan)
    moved = Destination("Mia Meer", "Neuer Weg 2", "Kiel", "24103", "DE")
    second = order_of(artist, {last.id: 1}, fan, to=moved)
    assert (orders.find(first.id).state, second.state, stock_of(last)) == ("expired", "open", 0)
    guest = make_shirt(artist, stock=1, title="Cap")
    cap = sizes_of(guest)[""]
    mine = order_of(artist, {cap.id: 1})
    with pytest.raises(Invalid, match="sold out"):
        order_of(artist, {cap.id: 1}, to=moved)
    # A guest is known by the orders that this browser began.
    again = order_of(artist, {cap.id: 1}, to=moved, instead_of=[mine.id])
    assert (orders.find(mine.id).state, again.state, stock_of(cap)) == ("expired", "open", 0)


def test_an_order_that_is_given_up_lets_its_stock_go_and_forgets_the_address(
    artist: Artist, shirt: Variant
) -> None:
    order = order_of(artist, {shirt.id: 4})
    assert stock_of(shirt) == 6
    ordering.give_up(order, now=NOW)
    ordering.give_up(order, now=NOW)
    parcel = parcels.of(order.id)
    assert parcel is not None
    assert (stock_of(shirt), parcel.state, parcel.country) == (10, ParcelState.LET_GO, "DE")
    assert not any((parcel.name, parcel.lines, parcel.city, parcel.postal_code))
    assert orders.find(order.id).state == OrderState.EXPIRED


def test_stock_is_kept_for_an_hour_and_the_till_closes_before(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    order_of(artist, {shirt.id: 1}, email="a@example.com", lead=False)
    order = order_of(artist, {shirt.id: 2}, email="b@example.com")
    assert (stock_of(shirt), order.held_until) == (7, NOW + orders.HELD_FOR)
    [asked] = till.asked.values()
    assert asked.open_until == NOW + tills.OPEN_FOR < order.held_until
    assert orders.expire(now=NOW + orders.HELD_FOR - timedelta(seconds=1)) == 0
    assert orders.expire(now=NOW + orders.HELD_FOR) == 2
    assert (stock_of(shirt), orders.expire(now=NOW + timedelta(days=40))) == (10, 0)


def test_who_pays_by_transfer_has_until_the_day_it_is_due_and_some_to_be_booked(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    till.due_at = NOW + timedelta(days=14)
    order = order_of(artist, {shirt.id: 1})
    assert order.held_until == till.due_at + tills.BOOKED_WITHIN
    assert orders.expire(now=order.held_until - timedelta(seconds=1)) == 0
    assert (orders.expire(now=order.held_until), stock_of(shirt)) == (1, 10)
    assert tell(order.id, till.paid(order.id, at=NOW)).state == OrderState.PAID
    assert stock_of(shirt) == 9, "what comes later takes what is there"


def test_whoever_comes_back_with_little_time_left_begins_anew(
    artist: Artist, shirt: Variant, fan: User
) -> None:
    first = order_of(artist, {shirt.id: 2}, fan)
    assert order_of(artist, {shirt.id: 2}, fan).id == first.id
    Order.update(held_until=NOW + timedelta(minutes=15)).where(Order.id == first.id).execute()
    second = order_of(artist, {shirt.id: 2}, fan)
    assert second.id != first.id
    assert (orders.find(first.id).state, stock_of(shirt)) == ("expired", 8)


def test_who_went_through_the_till_keeps_the_piece_until_the_money_is_there(
    artist: Artist, shirt: Variant, fan: User, till: Till
) -> None:
    order = orders.find(order_of(artist, {shirt.id: 1}, fan).id)
    done = CheckoutFact(order.reference, order.id, CheckoutState.COMPLETED, NOW)
    settling.note_checkout(done, provider=order.provider, now=NOW)
    with pytest.raises(Conflict, match="on its way"):
        ordering.give_up(order, now=NOW)
    order_of(artist, {shirt.id: 2}, fan)
    # The second one, which nobody went to the till for.
    assert orders.expire(now=NOW + orders.HELD_FOR) == 1
    assert stock_of(shirt) == 9
    order = tell(order.id, till.paid(order.id, at=NOW))
    parcel = dispatch.find(artist, order.id)
    assert (parcel.state, parcel.city, letters(order)) == (ParcelState.TO_SEND, HOME.city, ["goods_paid"])


def test_a_debit_that_never_arrives_lets_the_stock_go_after_a_month(
    artist: Artist, shirt: Variant, fan: User, till: Till
) -> None:
    order = orders.find(order_of(artist, {shirt.id: 1}, fan).id)
    done = CheckoutFact(order.reference, order.id, CheckoutState.COMPLETED, NOW)
    settling.note_checkout(done, provider=order.provider, now=NOW)
    assert orders.expire(now=NOW + orders.OPEN_FOR) == 0
    assert orders.expire(now=NOW + orders.OPEN_FOR + timedelta(seconds=1)) == 1
    assert stock_of(shirt) == 10


def test_what_is_paid_for_stays_taken_and_cannot_be_given_up(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    order = order_of(artist, {shirt.id: 1})
    order = tell(order.id, *[till.paid(order.id, at=NOW)] * 2)
    assert (stock_of(shirt), parcels.of(order.id).state) == (9, ParcelState.TO_SEND)  # type: ignore[union-attr]
    assert letters(order) == ["goods_paid"]
    with pytest.raises(Conflict, match="is paid"):
        ordering.give_up(order, now=NOW)
    assert orders.expire(now=NOW + timedelta(days=60)) == 0


def test_a_late_payment_takes_what_is_still_there_and_asks_for_the_address(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    order = order_of(artist, {shirt.id: 1})
    ordering.give_up(order, now=NOW)
    order = tell(order.id, till.paid(order.id, at=NOW))
    parcel = dispatch.find(artist, order.id)
    assert (order.state, parcel.state, stock_of(shirt)) == ("paid", ParcelState.TO_SEND, 9)
    assert letters(order) == ["goods_paid", "goods_without_address"]
    with pytest.raises(Conflict, match="address is missing"):
        dispatch.mark_sent(parcel, actor=artist.owner, now=NOW)
    with pytest.raises(Invalid, match="country that was paid for"):
        dispatch.readdress(parcel, Destination("Mia", "Rue 1", "Lyon", "69001", "FR"), now=NOW)
    dispatch.readdress(parcel, HOME, now=NOW)
    dispatch.mark_sent(parcel, actor=artist.owner, now=NOW)
    with pytest.raises(Conflict, match="cannot be changed any more"):
        dispatch.readdress(parcel, HOME, now=NOW)


def test_a_late_payment_for_what_is_gone_goes_back_once(artist: Artist, till: Till) -> None:
    make_zones(artist)
    last = sizes_of(make_shirt(artist, stock=1))[""]
    late = order_of(artist, {last.id: 1}, email="late@example.com")
    ordering.give_up(late, now=NOW)
    quick = order_of(artist, {last.id: 1}, email="quick@example.com")
    tell(quick.id, till.paid(quick.id, at=NOW))
    late = tell(late.id, till.paid(late.id, at=NOW))
    assert (late.state, dispatch.find(artist, late.id).state) == ("paid", ParcelState.SHORT)
    assert undeliverable.give_back(now=NOW) == 1
    assert undeliverable.give_back(now=NOW) == 0
    assert [one.amount_minor for one in till.given_back] == [late.total_minor]
    assert (orders.find(late.id).state, stock_of(last)) == (OrderState.REFUNDED, 0)
    assert letters(late) == ["goods_gone", "goods_refunded"]
    assert parcels.of(quick.id).state == ParcelState.TO_SEND  # type: ignore[union-attr]


def test_where_a_provider_gives_nothing_back_the_flag_stays_for_an_admin(
    artist: Artist, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_zones(artist)
    last = sizes_of(make_shirt(artist, stock=1))[""]
    late = order_of(artist, {last.id: 1})
    ordering.give_up(late, now=NOW)
    Variant.update(stock=0).execute()
    tell(late.id, till.paid(late.id, at=NOW))
    monkeypatch.setattr(till, "features", frozenset({Feature.ONE_OFF}))
    assert undeliverable.give_back(now=NOW) == 0
    assert dispatch.find(artist, late.id).state == ParcelState.SHORT
    monkeypatch.setattr(till, "features", frozenset({Feature.ONE_OFF, Feature.REFUNDS}))
    assert undeliverable.give_back(now=NOW) == 1


def test_books_and_access_agree_after_a_sale_and_its_refund(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    make_zones(artist)
    vinyl = make_shirt(artist, title="Vinyl")
    articles.edit(vinyl, {"release": release.id}, actor=artist.owner, now=NOW)
    order = order_of(artist, {sizes_of(vinyl)[""].id: 2}, fan)
    for facts in ([till.paid(order.id, at=NOW)], [refunded(order)]):
        tell(order.id, *facts)
        assert not [*following.payments(), *following.payees(), *order_checking.differences()]


def test_what_an_artist_shares_of_everything_holds_for_merchandise_and_not_what_is_shared_of_a_release(
    artist: Artist, release: Release, till: Till
) -> None:
    make_zones(artist)
    vinyl = make_shirt(artist, title="Vinyl")
    articles.edit(vinyl, {"release": release.id}, actor=artist.owner, now=NOW)
    order = order_of(artist, {sizes_of(vinyl)[""].id: 1})
    tell(order.id, till.paid(order.id, at=NOW))
    parts = [
        (row.name, row.release, row.booked_minor)
        for row in PaymentLine.select().order_by(PaymentLine.position)
    ]
    assert parts[2] == (release.title, release.id, 0)
    assert {one[1] for one in parts[:2]} == {""}


def test_a_refund_before_it_is_sent_puts_it_back_unless_the_artist_keeps_it(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    order = order_of(artist, {shirt.id: 2})
    order = tell(order.id, till.paid(order.id, at=NOW), refunded(order))
    parcel = dispatch.find(artist, order.id)
    assert (order.state, parcel.state, stock_of(shirt)) == ("refunded", ParcelState.RETURNED, 10)
    assert letters(order) == ["goods_paid", "goods_refunded"]
    for back, there in ((False, 8), (False, 8), (True, 10), (True, 10)):
        dispatch.set_in_stock(parcel, back, actor=artist.owner, now=NOW)
        assert stock_of(shirt) == there
    with pytest.raises(Conflict, match="nothing to be sent"):
        dispatch.mark_sent(parcel, actor=artist.owner, now=NOW)


def test_what_was_sent_comes_back_into_stock_only_by_hand(artist: Artist, shirt: Variant, till: Till) -> None:
    order = order_of(artist, {shirt.id: 1})
    tell(order.id, till.paid(order.id, at=NOW))
    parcel = dispatch.find(artist, order.id)
    with pytest.raises(Conflict, match="Only what was refunded"):
        dispatch.set_in_stock(parcel, True, actor=artist.owner, now=NOW)
    dispatch.mark_sent(parcel, tracking="DHL 1", actor=artist.owner, now=NOW)
    dispatch.mark_sent(parcel, tracking="DHL 12", actor=artist.owner, now=NOW)
    tell(order.id, refunded(order))
    parcel = dispatch.find(artist, order.id)
    assert (parcel.state, parcel.tracking, stock_of(shirt)) == (ParcelState.SENT, "DHL 12", 9)
    dispatch.set_in_stock(parcel, True, actor=artist.owner, now=NOW)
    assert stock_of(shirt) == 10
    assert letters(order) == ["goods_paid", "goods_sent", "goods_refunded"]


def test_a_refund_that_failed_takes_it_again(artist: Artist, shirt: Variant, till: Till) -> None:
    order = order_of(artist, {shirt.id: 1})
    tell(order.id, till.paid(order.id, at=NOW), refunded(order))
    tell(order.id, RefundFact("re_1", f"pay_{order.id}_1", order.total_minor, "EUR", NOW, failed=True))
    assert (parcels.of(order.id).state, stock_of(shirt)) == (ParcelState.TO_SEND, 9)  # type: ignore[union-attr]


def test_where_something_went_is_forgotten_after_a_season(artist: Artist, shirt: Variant, till: Till) -> None:
    order = order_of(artist, {shirt.id: 1})
    tell(order.id, till.paid(order.id, at=NOW))
    dispatch.mark_sent(dispatch.find(artist, order.id), actor=artist.owner, now=NOW)
    assert parcels.forget(now=NOW + parcels.KEPT_FOR - timedelta(seconds=1)) == 0
    assert dispatch.find(artist, order.id).city == "Hamburg"
    assert [parcels.forget(now=NOW + parcels.KEPT_FOR + timedelta(seconds=1)) for _ in range(2)] == [1, 0]
    parcel = dispatch.find(artist, order.id)
    assert (parcel.name, parcel.lines, parcel.city, parcel.postal_code) == ("", "", "", "")
    assert parcel.country == "DE"


def test_goods_for_nothing_are_told_of_by_a_letter(artist: Artist, till: Till) -> None:
    make_zones(artist, first=0, further=0)
    sticker = sizes_of(make_shirt(artist, price_minor=0, title="Sticker"))[""]
    order = order_of(artist, {sticker.id: 1}, lead=False)
    assert (order.state, parcels.of(order.id).state) == ("paid", ParcelState.TO_SEND)  # type: ignore[union-attr]
    assert letters(order) == ["goods_ordered"]


def test_music_that_is_no_longer_to_be_had_does_not_come_along_and_is_not_named(
    artist: Artist, release: Release, fan: User, till: Till
) -> None:
    make_zones(artist)
    vinyl = make_shirt(artist, title="Vinyl")
    articles.edit(vinyl, {"release": release.id}, actor=artist.owner, now=NOW)
    Release.update(state=ReleaseState.DRAFT).where(Release.id == release.id).execute()
    order = order_of(artist, {sizes_of(vinyl)[""].id: 1}, fan)
    assert release.title not in [item.name for item in order_lists.items_of([order])[order.id]]


def test_what_is_made_to_order_has_no_stock_to_run_out(artist: Artist, till: Till) -> None:
    make_zones(artist)
    print_ = sizes_of(make_shirt(artist, stock=None, title="Print"))[""]
    order = order_of(artist, {print_.id: 20})
    assert stock_of(print_) is None
    Variant.update(stock=3).where(Variant.id == print_.id).execute()
    ordering.give_up(order, now=NOW)
    assert stock_of(print_) == 3


def test_a_record_brings_its_music_along(artist: Artist, release: Release, fan: User, till: Till) -> None:
    make_zones(artist)
    vinyl = make_shirt(artist, title="Vinyl")
    articles.edit(vinyl, {"release": release.id}, actor=artist.owner, now=NOW)
    order = order_of(artist, {sizes_of(vinyl)[""].id: 1}, fan)
    assert not access.to_release(fan, release, roles=frozenset(), now=NOW).may_download
    tell(order.id, till.paid(order.id, at=NOW))
    assert access.to_release(fan, release, roles=frozenset(), now=NOW).may_download
    with pytest.raises(NotFound):
        articles.edit(
            make_shirt(make_artist(name="Elsewhere")), {"release": release.id}, actor=artist.owner, now=NOW
        )


def test_the_receipt_lists_goods_and_shipping(artist: Artist, shirt: Variant, till: Till) -> None:
    order = order_of(artist, {shirt.id: 2})
    order = tell(order.id, till.paid(order.id, at=NOW))
    items = order_lists.items_of([order])[order.id]
    assert [receipt_pdf.line(item, "EUR")[0] for item in items] == ["T-shirt (M) × 2", "Shipping (Germany)"]
    paper = receipt_pdf.drawn(order, items, receipts.of(order), locale="en")  # type: ignore[arg-type]
    assert paper.startswith(b"%PDF-")


def test_options_make_a_variant_for_each_combination(artist: Artist) -> None:
    article = articles.make(
        artist,
        "Hoodie",
        price_minor=4000,
        stock=2,
        options={"Size": ["S", "M", "S", " "], "Colour": ["black", "white"]},
        actor=artist.owner,
        now=NOW,
    )
    rows = variants.of_articles([article])[article.id]
    assert [(row.first, row.second) for row in rows] == [
        ("S", "black"),
        ("S", "white"),
        ("M", "black"),
        ("M", "white"),
    ]
    assert variants.named(article, rows[0]) == "Hoodie (S, black)"
    assert make_shirt(artist, title="Hoodie").slug == "hoodie-2"


@pytest.mark.parametrize(
    ("options", "field"),
    [({"": ["S"]}, "option"), ({"Size": []}, "values"), ({"a": ["1"], "b": ["1"], "c": ["1"]}, "option")],
)
def test_options_that_make_no_sense_are_refused(
    artist: Artist, options: dict[str, list[str]], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        articles.make(artist, "Cap", price_minor=100, options=options, actor=artist.owner, now=NOW)
    assert refused.value.field == field
    assert not articles.of_artist(artist)


def test_stock_that_is_typed_is_a_change_of_what_was_shown(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    article = articles.of_artist(artist)[0]
    order_of(artist, {shirt.id: 3})
    row = Row(shirt.id, "M", "", "TS-M", 2600, stock=12, shown_stock=10)
    variants.save(article, [row])
    changed = Variant.get_by_id(shirt.id)
    assert (changed.stock, changed.sku, changed.price_minor) == (9, "TS-M", 2600)
    with pytest.raises(Invalid, match="Fans bought some") as refused:
        variants.save(article, [Row(shirt.id, "M", "", "", 2600, stock=0, shown_stock=10)])
    assert refused.value.field == f"stock-{shirt.id}"
    variants.save(article, [Row(shirt.id, "M", "", "", 2600, stock=None, shown_stock=9)])
    assert stock_of(shirt) is None
    variants.save(article, [Row(shirt.id, "M", "", "", 2600, stock=4, shown_stock=None)])
    assert stock_of(shirt) == 4


def test_variants_are_added_and_removed_and_one_stays(artist: Artist, shirt: Variant) -> None:
    article = articles.of_artist(artist)[0]
    with pytest.raises(Invalid, match="There is such a variant already"):
        variants.save(article, [Row("", "M", "", "", 2500, 1)])
    with pytest.raises(Invalid, match="Say which one it is") as refused:
        variants.save(article, [Row("", "", "", "", 2500, 1)])
    assert refused.value.field == "first-new"
    variants.save(article, [Row("", "XL", "", "", 2700, 1)])
    assert list(sizes_of(article)) == ["S", "M", "XL"]
    everything = [Row(row.id, row.first, "", "", 1, 1, remove=True) for row in sizes_of(article).values()]
    with pytest.raises(Conflict, match="at least one variant"):
        variants.save(article, everything)
    variants.save(article, everything[:2])
    assert list(sizes_of(article)) == ["XL"]


def test_who_edits_an_article_from_an_old_page_is_told(artist: Artist, shirt: Variant) -> None:
    article = articles.of_artist(artist)[0]
    articles.edit(article, {"title": "Tee"}, actor=artist.owner, now=NOW, made_from=article.version)
    with pytest.raises(Stale):
        articles.edit(article, {"title": "Shirt"}, actor=artist.owner, now=NOW, made_from=article.version)
    with pytest.raises(Invalid, match="hidden, for sale"):
        articles.edit(article, {"state": "given away"}, actor=artist.owner, now=NOW)
    with pytest.raises(Invalid, match="Say what one chooses"):
        articles.edit(article, {"first_option": ""}, actor=artist.owner, now=NOW)


def test_the_list_of_what_is_to_be_sent_has_nothing_that_was_not_paid(
    artist: Artist, shirt: Variant, till: Till
) -> None:
    open_, paid = (order_of(artist, {shirt.id: 1}, email=f"{name}@example.com") for name in "ab")
    tell(paid.id, till.paid(paid.id, at=NOW))
    rows = dispatch.of_artist(artist, limit=10)
    assert [row.order_id for row in rows] == [paid.id]
    assert [line.name for line in dispatch.contents_of(rows)[rows[0].id]] == ["T-shirt (M)"]
    assert (dispatch.count(artist, ParcelState.TO_SEND), dispatch.count(artist, ParcelState.SENT)) == (
        1,
        0,
    )
    for artist_, order in ((artist, open_), (make_artist(name="Elsewhere"), paid)):
        with pytest.raises(NotFound):
            dispatch.find(artist_, order.id)
