"""Two purchases that each want what the other one holds: one waits for the other, and the database breaks neither off."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance import database
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.shop import discounts
from appliance.shop import orders
from appliance.shop.merchandise import ordering
from appliance.shop.merchandise.quoting import Basket
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from tests.appliance.shop.goods import HOME
from tests.appliance.shop.goods import make_shirt
from tests.appliance.shop.goods import make_zones
from tests.appliance.shop.goods import sizes_of
from tests.appliance.shop.goods import stock_of
from tests.makers import NOW
from tests.makers import make_user

BOTH_HAVE_BEGUN_S = 1.0
"""How long the first waits within its transaction for the second to want what it holds; it waits in vain where the second waits for it."""


def test_who_makes_room_by_a_code_and_who_takes_the_same_stock_wait_for_each_other(
    artist: Artist, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_zones(artist)
    small, large = sorted(sizes_of(make_shirt(artist, "S", "L")).values(), key=lambda row: row.id)
    discounts.make(artist, "TWICE", percent=10, most_uses=2, actor=artist.owner, now=NOW)

    def ordered(chosen: dict[str, int], buyer: Buyer, discount: str = "") -> Order:
        basket = Basket(artist, chosen, country=HOME.country, discount=discount)
        return ordering.begin(basket, HOME, buyer, provider="till", now=NOW)

    # The older one holds the variant that others take last.
    began = [
        ordered({one.id: 1}, Buyer("guest@example.com", browser=one.id), "TWICE").id for one in (large, small)
    ]
    first_gave_up, second_begins = threading.Event(), threading.Event()
    give_up = orders.give_up

    def slowly(order_id: str, **more: object) -> bool:
        done = give_up(order_id, **more)  # type: ignore[arg-type]
        if order_id == began[0]:
            first_gave_up.set()
            second_begins.wait(BOTH_HAVE_BEGUN_S)
        return done

    monkeypatch.setattr(orders, "give_up", slowly)

    def music() -> OrderState:
        try:
            wanted = Wish(Kind.RELEASE, release.id, discount="TWICE")
            buyer = Buyer("guest@example.com", browser="c", began=began)
            return orders.begin(wanted, buyer, provider="till", now=NOW).state
        finally:
            database.close_thread()

    def shirts() -> OrderState:
        try:
            assert first_gave_up.wait(30)
            return ordered({small.id: 1, large.id: 1}, Buyer("", make_user("fan@example.com"))).state
        finally:
            second_begins.set()
            database.close_thread()

    with ThreadPoolExecutor(2) as threads:
        found = [one.result(60) for one in (threads.submit(music), threads.submit(shirts))]
    assert found == [OrderState.OPEN, OrderState.OPEN]
    assert {orders.find(one).state for one in began} == {OrderState.EXPIRED}
    assert (stock_of(small), stock_of(large)) == (9, 9)
