"""Bundles by plain forms: put together in the studio, seen beside the music, bought in one order."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.catalog import publishing
from appliance.catalog.models import Release
from appliance.memberships.models import Purchase
from appliance.shop import prices
from appliance.shop.bundle_models import Bundle
from appliance.shop.models import Order
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.shopping import ask
from tests.web.shopping import pay
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def two(appliance: Appliance, artist: Person, till: Till) -> list[Release]:
    band = site.make_artist(artist)
    made = []
    for title, cost in (("Low Water", 700), ("High Water", 500)):
        release = site.make_release(artist, artist=band, published=True, title=title)
        site.make_track(release, appliance)
        prices.set_release(release, cost, pay_more=True, actor=artist.user, now=clock.now())
        made.append(release)
    return made


@pytest.fixture
def seller(app: Flask, artist: Person) -> Browser:
    # Whoever is paid has a second factor.
    site.set_up_app(artist.user)
    return Browser(site.signed_in(app, artist))


@pytest.fixture
def fan(app: Flask, stranger: Person) -> Browser:
    return Browser(site.signed_in(app, stranger))


def rooms(two: list[Release]) -> str:
    return f"/studio/artists/{two[0].artist.slug}/bundles"


def put(seller: Browser, two: list[Release], **fields: object) -> str:
    """Put the box together, and what the page says then."""
    said = {
        "title": "Both waters",
        "about": "The *whole* sea.",
        "price": "9.50",
        "pay_more": "yes",
        "releases": [row.id for row in two],
        "first": two[0].id,
    }
    return seller.send_text(rooms(two), **{**said, **fields})


def test_an_artist_puts_a_bundle_together_and_a_fan_buys_it(
    seller: Browser, fan: Browser, two: list[Release], till: Till
) -> None:
    assert "No bundles yet" in seller.page(rooms(two))
    assert "Low Water · €7" in seller.page(f"{rooms(two)}/new")
    page = put(seller, two)
    assert ("The bundle is for sale." in page, "Both waters" in page) == (True, True)
    address = f"/bundles/{Bundle.get().id}"
    for shown in (f"/@{two[0].artist.slug}", f"/@{two[0].artist.slug}/{two[1].slug}"):
        assert f'href="{address}"' in fan.page(shown)
    page = fan.page(address)
    for part in ("Both waters", "<em>whole</em>", "€9.50", "€12", "€7 by itself", "Low Water", "High Water"):
        assert part in page, part
    answer = ask(fan.client, f"/buy/bundle/{Bundle.get().id}")
    order = Order.get()
    assert (answer.status_code, order.total_minor) == (303, 950)
    pay(till, order)
    page = fan.page(f"/orders/{order.id}")
    assert all(f'action="/downloads/releases/{row.id}"' in page for row in two)
    assert "Both waters: Low Water" in page
    assert "You have bought this." in fan.page(address)
    assert "Both waters: Low Water" in seller.page(f"/studio/artists/{two[0].artist.slug}/orders")


def test_who_has_some_of_it_is_told_before_they_pay(
    seller: Browser, fan: Browser, two: list[Release], till: Till
) -> None:
    put(seller, two)
    ask(fan.client, f"/buy/release/{two[0].id}")
    pay(till, Order.get())
    assert Purchase.select().count() == 1
    for address in (f"/bundles/{Bundle.get().id}", f"/buy/bundle/{Bundle.get().id}"):
        assert "You have of it already: Low Water. The price stays the same." in fan.page(address)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "must not be empty"),
        ({"title": "x" * 201}, "has at most"),
        ({"price": "a lot"}, "Write the price like this"),
        ({"price": "0.10"}, "smallest amount"),
        ({"releases": []}, "Choose 2 to 20 releases."),
        ({"releases": ["nowhere", "else"]}, "can be in a bundle"),
        ({"first": "nowhere", "price": ""}, "Write the price like this"),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_sent(
    seller: Browser, two: list[Release], fields: dict[str, object], sentence: str
) -> None:
    page = put(seller, two, **fields)
    assert (sentence in page, "The *whole* sea." in page) == (True, True)
    assert not Bundle.select().exists()


def test_a_bundle_is_changed_stopped_and_sold_again(
    seller: Browser, guest: FlaskClient, two: list[Release], till: Till
) -> None:
    put(seller, two)
    row = Bundle.get()
    own, address = f"{rooms(two)}/{row.id}", f"/bundles/{row.id}"
    assert 'value="9.50"' in seller.page(own)
    sent = {"title": "Both", "price": "8", "releases": [one.id for one in two], "first": two[1].id}
    assert "Saved." in seller.send_text(own, version=row.version, **sent)
    changed = Bundle.get()
    assert (changed.title, changed.price_minor, changed.pay_more) == ("Both", 800, False)
    assert seller.send(own, version=row.version, **sent).status_code == 409, "somebody else was faster"
    assert "sold no more" in seller.send_text(f"{own}/stop")
    assert guest.get(address).status_code == 404
    assert address not in guest.get(f"/@{two[0].artist.slug}").get_data(as_text=True)
    assert "for sale again" in seller.send_text(f"{own}/resume")
    assert guest.get(address).status_code == 200


def test_what_waits_for_a_release_is_told_in_the_studio(seller: Browser, two: list[Release]) -> None:
    put(seller, two)
    publishing.take_back(two[1], now=clock.now())
    assert "Waits: something in it cannot be had now" in seller.page(rooms(two))
    assert seller.client.get(f"/bundles/{Bundle.get().id}").status_code == 404


def test_the_bundles_of_another_artist_are_nowhere_here(
    seller: Browser, artist: Person, two: list[Release]
) -> None:
    put(seller, two)
    other = site.make_artist(artist, name="Salt Wind")
    assert seller.client.get(f"/studio/artists/{other.slug}/bundles/{Bundle.get().id}").status_code == 404


@pytest.fixture
def guest(app: Flask) -> FlaskClient:
    return app.test_client()
