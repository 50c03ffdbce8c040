"""Bundles: chosen releases for one price, each with its part of the money."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import agreements
from appliance.ledger import balances
from appliance.ledger.agreements import Letters
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.memberships import access
from appliance.memberships.models import Purchase
from appliance.payments import RefundFact
from appliance.shop import bundles
from appliance.shop import discounts
from appliance.shop import offers
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop import quotes
from appliance.shop.bundle_models import Bundle
from appliance.shop.bundles import Contents
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.quotes import Wish
from tests.appliance.shop.conftest import buy
from tests.appliance.shop.conftest import tell
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.shop_till import Till

Make = Callable[..., Release]


@pytest.fixture
def three(make_out: Make) -> list[Release]:
    return [make_out(700, "One"), make_out(500, "Two"), make_out(0, "Three")]


def put(artist: Artist, parts: list[Release], price_minor: int = 1000, **more: object) -> Bundle:
    said = {"title": "The box", "about": "", "pay_more": True, **more}
    contents = Contents(price_minor=price_minor, parts=[row.id for row in parts], **said)  # type: ignore[arg-type]
    return bundles.make(artist, contents, actor=artist.owner, now=NOW)


def wish(bundle: Bundle, **more: object) -> Wish:
    return Wish(Kind.BUNDLE, bundle.id, **more)  # type: ignore[arg-type]


def lines(found: Wish) -> list[tuple[str, int]]:
    return [(line.name, line.amount_minor) for line in quotes.make(found, now=NOW).lines]


def may_download(user: User, release: Release) -> bool:
    found = releases.find(release.id)
    return access.to_release(user, found, roles=frozenset(), now=NOW).may_download


def test_one_order_opens_all_of_it(artist: Artist, three: list[Release], till: Till, fan: User) -> None:
    order = buy(wish(put(artist, three)), fan)
    assert order.total_minor == 1000
    tell(order.id, till.paid(order.id, at=NOW))
    assert all(may_download(fan, release) for release in three)
    tell(order.id, RefundFact("re_1", f"pay_{order.id}_1", 1000, "EUR", NOW))
    assert not any(may_download(fan, release) for release in three)


def test_the_price_is_shared_by_what_each_costs_to_the_cent(artist: Artist, three: list[Release]) -> None:
    bundle = put(artist, three)
    assert lines(wish(bundle)) == [("The box: One", 583), ("The box: Two", 417), ("The box: Three", 0)]
    assert [cost for _name, cost in lines(wish(bundle, amount_minor=1001))] == [584, 417, 0]


def test_what_costs_nothing_shares_alike(artist: Artist, make_out: Make) -> None:
    free = [make_out(0, name) for name in ("A", "B", "C")]
    assert [cost for _name, cost in lines(wish(put(artist, free)))] == [334, 333, 333]


def test_the_part_of_a_release_is_shared_as_its_people_agreed(
    artist: Artist, three: list[Release], till: Till, fan: User
) -> None:
    guest = make_artist(name="Salt Wind")
    agreements.make(
        Subject(artist, release=three[0]),
        [Wanted(artist.slug, 5000), Wanted(guest.slug, 5000)],
        starts_at=None,
        actor=artist.owner,
        letters=Letters("The Harbour", "en"),
        now=NOW,
    )
    order = buy(wish(put(artist, three)), fan)
    tell(order.id, till.paid(order.id, at=NOW + timedelta(seconds=1)))
    # Of 10.00, 0.25 are the till's and 0.97 the collective's; of the rest 583/1000 are for the first release, and half of that is the guest's.
    [owed] = balances.of_payee(guest.id)
    assert owed.owed_minor in {255, 256}
    [own] = balances.of_payee(artist.id)
    assert own.owed_minor + owed.owed_minor == 878


def test_what_is_not_out_yet_opens_on_its_day(artist: Artist, make_out: Make, till: Till, fan: User) -> None:
    ahead = make_release(artist, title="Soon")
    add_track(ahead)
    prices.set_release(ahead, 900, pay_more=True, preorder=True, actor=artist.owner, now=NOW)
    Release.update(state=ReleaseState.SCHEDULED, publish_at=NOW + timedelta(days=9)).where(
        Release.id == ahead.id
    ).execute()
    out = make_out(700, "Out")
    order = buy(wish(put(artist, [ahead, out])), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    assert (may_download(fan, out), may_download(fan, ahead)) == (True, False)
    Release.update(state=ReleaseState.PUBLISHED, published_at=NOW).where(Release.id == ahead.id).execute()
    assert may_download(fan, ahead)


def test_who_has_some_of_it_pays_the_same_and_is_told(
    artist: Artist, three: list[Release], till: Till, fan: User
) -> None:
    first = buy(Wish(Kind.RELEASE, three[0].id), fan)
    tell(first.id, till.paid(first.id, at=NOW))
    offer = offers.of_bundle(put(artist, three))
    assert offer is not None
    assert [part.name for part in offers.owned(offer, fan)] == ["One"]
    assert (offer.price_minor, offers.has_all(offer, fan)) == (1000, False)
    assert offers.owned(offer, make_user()) == offers.owned(offer, None) == []


def test_who_has_all_of_it_cannot_buy_it(artist: Artist, three: list[Release], till: Till, fan: User) -> None:
    bundle = put(artist, three)
    order = buy(wish(bundle), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    with pytest.raises(Conflict, match="have bought this already"):
        buy(wish(bundle), fan)
    assert (Order.select().count(), Purchase.select().count()) == (1, 3)


def test_a_discount_and_a_free_bundle_hold_as_for_all_that_is_sold(
    artist: Artist, three: list[Release], fan: User
) -> None:
    discounts.make(artist, "HALF", percent=50, actor=artist.owner, now=NOW)
    bundle = put(artist, three)
    assert quotes.make(wish(bundle, discount="half"), now=NOW).total_minor == 500
    free = orders.begin(wish(put(artist, three, 0)), orders.Buyer("", fan), provider="", now=NOW)
    assert (free.total_minor, may_download(fan, three[2])) == (0, True)


@pytest.mark.parametrize("count", [0, 1, 21])
def test_a_bundle_has_two_to_twenty_releases(artist: Artist, make_out: Make, count: int) -> None:
    with pytest.raises(Invalid, match="2 to 20 releases"):
        put(artist, [make_out(700, str(number)) for number in range(count)])


def test_only_ones_own_releases_that_can_be_had_are_in_it(artist: Artist, three: list[Release]) -> None:
    draft = make_release(artist, title="Draft")
    strange = make_release(make_artist(name="Salt Wind"))
    for other in (draft, strange):
        with pytest.raises(Invalid, match="can be in a bundle"):
            put(artist, [three[0], other])
    with pytest.raises(Invalid, match="2 to 20"):
        put(artist, [three[0], three[0]])


@pytest.mark.parametrize(
    ("price_minor", "sentence"),
    [(-1, "A price is an amount"), (49, "smallest amount"), (10**12, "Nothing here costs more")],
)
def test_its_price_is_checked_like_every_other(
    artist: Artist, three: list[Release], price_minor: int, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        put(artist, three, price_minor)
    with pytest.raises(Invalid, match="must not be empty"):
        put(artist, three, title=" ")


def test_it_is_not_sold_while_something_in_it_cannot_be_had(artist: Artist, three: list[Release]) -> None:
    bundle = put(artist, three)
    Release.update(state=ReleaseState.DRAFT).where(Release.id == three[1].id).execute()
    with pytest.raises(NotFound):
        offers.find(Kind.BUNDLE, bundle.id)
    bundles.change(
        bundles.find(artist, bundle.id),
        Contents("The box", "", 900, False, [three[2].id, three[1].id]),
        actor=artist.owner,
        now=NOW,
    )
    Release.update(state=ReleaseState.PUBLISHED).where(Release.id == three[1].id).execute()
    offer = offers.find(Kind.BUNDLE, bundle.id)
    assert [part.name for part in offer.parts] == ["Three", "Two"]
    Release.update(taken_down_at=NOW).where(Release.id == three[1].id).execute()
    with pytest.raises(NotFound):
        offers.find(Kind.BUNDLE, bundle.id)


def test_a_stopped_bundle_is_sold_no_more_and_what_was_bought_stays(
    artist: Artist, three: list[Release], till: Till, fan: User
) -> None:
    bundle = put(artist, three)
    order = buy(wish(bundle), fan)
    tell(order.id, till.paid(order.id, at=NOW))
    bundles.stop(bundle, actor=artist.owner, now=NOW)
    bundles.stop(bundle, actor=artist.owner, now=NOW)
    with pytest.raises(NotFound, match="cannot be bought"):
        offers.find(Kind.BUNDLE, bundle.id)
    assert may_download(fan, three[0])
    assert (bundles.of_artist(artist), bundles.with_release(three[0])) == ([], [])
    bundles.resume(bundle, actor=artist.owner, now=NOW)
    assert [row.id for row in bundles.with_release(three[0])] == [bundle.id]
    assert offers.find(Kind.BUNDLE, bundle.id).full_minor == 1200


def test_of_two_who_change_it_at_once_the_second_is_told(artist: Artist, three: list[Release]) -> None:
    bundle = put(artist, three)
    said = Contents("Mine", "", 900, True, [row.id for row in three[:2]])
    bundles.change(bundle, said, actor=artist.owner, now=NOW, made_from=bundle.version)
    with pytest.raises(Stale):
        bundles.change(bundle, said, actor=artist.owner, now=NOW, made_from=bundle.version)


def test_an_artist_has_so_many_bundles_and_no_more(
    artist: Artist, three: list[Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MOST_BUNDLES", 1)
    put(artist, three)
    with pytest.raises(Conflict, match="at most 1"):
        put(artist, three)
