"""Merchandise by plain forms: a basket, an address, stock that others take meanwhile, and an artist who sends it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance import hooks
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.payments import RefundFact
from appliance.payments import TaxRate
from appliance.shop import settling
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.models import Zone
from appliance.shop.models import Order
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.shopping import agreed
from tests.web.shopping import pay
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")

HOME = {"name": "Mia Meer", "lines": "Am Hafen 1", "postal_code": "20457", "city": "Hamburg", "country": "DE"}


@pytest.fixture
def seller(artist: Person, till: Till) -> Artist:
    """Ships to Germany for 5.00 and 1.00 for each further thing."""
    made = site.make_artist(artist)
    zones.make(
        made, "Germany", ["DE"], first_minor=500, further_minor=100, actor=artist.user, now=clock.now()
    )
    return made


@pytest.fixture
def shirt(seller: Artist, artist: Person) -> Article:
    """In S and M, ten of each, for 25.00."""
    made = articles.make(
        seller,
        "T-shirt",
        price_minor=2500,
        stock=10,
        options={"Size": ["S", "M"]},
        actor=artist.user,
        now=clock.now(),
    )
    articles.edit(made, {"state": ArticleState.FOR_SALE}, actor=artist.user, now=clock.now())
    return articles.find(seller, made.id)


@pytest.fixture
def fan(app: Flask, stranger: Person) -> Browser:
    return Browser(site.signed_in(app, stranger))


@pytest.fixture
def studio(app: Flask, artist: Person) -> Browser:
    # Whoever is paid has a second factor.
    site.set_up_app(artist.user)
    return Browser(site.signed_in(app, artist))


def size(article: Article, name: str = "M") -> Variant:
    return next(row for row in variants.of_articles([article])[article.id] if row.first == name)


def post(client: FlaskClient, path: str, *, at: str = "", **fields: object) -> TestResponse:
    page = client.get(at or path).get_data(as_text=True)
    return client.post(path, data={"csrf_token": site.csrf_token(page), **fields})


def put(client: FlaskClient, article: Article, quantity: object = 1, name: str = "M") -> TestResponse:
    path = f"/merchandise/{article.artist.slug}/{article.slug}"
    return post(client, path, variant=size(article, name).id, quantity=quantity)


def order(client: FlaskClient, seller: Artist, **fields: object) -> TestResponse:
    """Look at the total with the address, then agree to it."""
    path = f"/basket/{seller.slug}"
    sent = {**HOME, **fields}
    looked = post(client, path, **{**sent, "act": "look"}).get_data(as_text=True)
    return post(client, path, provider="till", **{"agreed": agreed(looked), "act": "pay", **sent})


def bought(client: FlaskClient, article: Article, till: Till, **fields: object) -> Order:
    put(client, article)
    assert order(client, article.artist, **fields).status_code == 303
    made = Order.select().order_by(Order.id.desc()).get()
    pay(till, made)
    return made


def test_a_shelf_leads_to_the_basket_and_the_basket_to_the_till(
    fan: Browser, seller: Artist, shirt: Article, till: Till
) -> None:
    assert f"/merchandise/{seller.slug}/t-shirt" in fan.page(f"/@{seller.slug}")
    assert "€25" in fan.page(f"/merchandise/{seller.slug}/t-shirt")
    assert put(fan.client, shirt, 2).location == f"/basket/{seller.slug}"
    page = fan.page(f"/basket/{seller.slug}")
    assert ("T-shirt (M)" in page, "Shipping is added" in page, 'name="agreed" value=""' in page) == (
        True,
    ) * 3
    answer = order(fan.client, seller)
    made = Order.get()
    assert (answer.status_code, answer.location) == (303, f"/orders/{made.id}/pay")
    assert made.total_minor == till.asked[f"order-{made.id}"].total_minor == 5600
    assert size(shirt).stock == 8
    pay(till, made)
    page = fan.page(f"/orders/{made.id}")
    for words in ("T-shirt (M) × 2", "Shipping (Germany)", "Mia Meer", "20457 Hamburg", "To be sent"):
        assert words in page
    assert "Nothing in the basket" in fan.page(f"/basket/{seller.slug}")
    assert fan.client.get(f"/orders/{made.id}/receipt.pdf").data.startswith(b"%PDF-")


def test_a_superfan_sees_what_is_taken_off_and_pays_so_much(
    fan: Browser, stranger: Person, artist: Person, seller: Artist, shirt: Article
) -> None:
    tier = next(row for row in tiers.of_artist(seller) if row.kind == "superfan")
    granting.grant(
        seller, stranger.user.email, tier_id=tier.id, origin="gift", actor=artist.user, now=clock.now()
    )
    assert "€20" in fan.page(f"/merchandise/{seller.slug}/t-shirt")
    put(fan.client, shirt)
    assert "Taken off: Superfan, 20 %" in fan.page(f"/basket/{seller.slug}")
    order(fan.client, seller)
    made = Order.get()
    assert made.total_minor == 2500
    assert "Taken off: Superfan, 20 %" in fan.page(f"/orders/{made.id}")


def test_a_total_that_changed_is_shown_before_it_is_charged(
    fan: Browser, seller: Artist, shirt: Article
) -> None:
    put(fan.client, shirt)
    answer = order(fan.client, seller, agreed="2500 EUR")
    assert answer.status_code == 409
    assert "The total has changed" in answer.get_data(as_text=True)
    assert not Order.select().exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"country": "FR"}, "does not ship to this country"),
        ({"country": ""}, "Choose the country it is sent to."),
        ({"city": " "}, "Write the city."),
        ({"postal_code": ""}, "Write the postal code."),
        ({"lines": "a\nb\nc\nd"}, "at most 3 lines"),
        ({"discount": "NONE"}, "There is no such discount code."),
        ({"provider": "gold"}, "Choose how you want to pay."),
        ({"quantity": "21"}, "One order takes 1 to 20 of a thing."),
        ({"quantity": "12"}, "Of “T-shirt (M)” only 10 are left."),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_sent(
    fan: Browser, seller: Artist, shirt: Article, fields: dict[str, str], sentence: str
) -> None:
    put(fan.client, shirt)
    sent = {**HOME, "agreed": "3000 EUR", "act": "pay", "provider": "till", **fields}
    if quantity := fields.get("quantity"):
        sent[f"quantity-{size(shirt).id}"] = quantity
    answer = post(fan.client, f"/basket/{seller.slug}", **sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="Mia Meer"' in page
    assert not Order.select().exists()
    assert size(shirt).stock == 10


def test_a_basket_forgets_what_is_set_to_nothing(
    fan: Browser, seller: Artist, shirt: Article, artist: Person
) -> None:
    put(fan.client, shirt)
    put(fan.client, shirt, name="S")
    path = f"/basket/{seller.slug}"
    page = post(fan.client, path, act="look", **{f"quantity-{size(shirt).id}": "0"}).get_data(as_text=True)
    assert ("T-shirt (S)" in page, "T-shirt (M)" in page) == (True, False)
    articles.edit(shirt, {"state": ArticleState.HIDDEN}, actor=seller.owner, now=clock.now())
    assert "is sold out" in fan.page(path)
    assert fan.client.get(f"/merchandise/{seller.slug}/t-shirt").status_code == 404
    assert "Nothing in the basket" in fan.page(f"/basket/{site.make_artist(artist, name='Other').slug}")


@pytest.mark.parametrize("chosen", ["", "0" * 26, "x" * 500])
def test_only_what_there_is_goes_into_a_basket(
    fan: Browser, seller: Artist, shirt: Article, chosen: str
) -> None:
    answer = post(fan.client, f"/merchandise/{seller.slug}/t-shirt", variant=chosen, quantity="1")
    assert (answer.status_code, "Choose what you want first." in answer.get_data(as_text=True)) == (422, True)


def test_who_waits_too_long_is_told_that_it_is_sold_out(
    app: Flask, fan: Browser, guest: FlaskClient, seller: Artist, shirt: Article
) -> None:
    Variant.update(stock=1).execute()
    put(fan.client, shirt)
    put(guest, shirt)
    assert order(guest, seller, email="guest@example.com").status_code == 303
    page = fan.page(f"/basket/{seller.slug}")
    assert "“T-shirt (M)” is sold out." in page
    assert "sold out" in fan.page(f"/merchandise/{seller.slug}/t-shirt")
    # Who holds it may change their mind about the address.
    assert order(guest, seller, email="guest@example.com", city="Kiel").status_code == 303
    assert sorted(row.state for row in Order.select()) == ["expired", "open"]


def test_a_guest_gives_an_order_up_and_its_address_is_gone(
    app: Flask, guest: FlaskClient, fan: Browser, seller: Artist, shirt: Article
) -> None:
    put(guest, shirt)
    order(guest, seller, email="guest@example.com")
    made = Order.get()
    path = f"/orders/{made.id}"
    for act in ("give-up", "address"):
        answer = post(fan.client, f"{path}/{act}", at="/account", **HOME)
        assert answer.status_code == 404
    post(guest, f"{path}/give-up", at=path)
    page = guest.get(path).get_data(as_text=True)
    assert ("Mia Meer" in page, "Given up" in page, size(shirt).stock) == (False, True, 10)
    assert not Parcel.get().name


def test_a_buyer_changes_the_address_until_it_is_sent(
    fan: Browser, studio: Browser, seller: Artist, shirt: Article, till: Till
) -> None:
    made = bought(fan.client, shirt, till)
    path = f"/orders/{made.id}"
    post(
        fan.client,
        f"{path}/address",
        at=path,
        **{**HOME, "lines": "Neuer Weg 2", "city": "Kiel", "country": "FR"},
    )
    page = fan.page(path)
    assert ("Neuer Weg 2" in page, "20457 Kiel" in page, "Germany" in page) == (True,) * 3
    parcel = f"/studio/artists/{seller.slug}/parcels/{made.id}"
    post(studio.client, parcel, tracking="https://track.example/1")
    page = fan.page(path)
    assert ('href="https://track.example/1"' in page, "Change the address" in page) == (True, False)
    post(fan.client, f"{path}/address", at=path, **HOME)
    assert Parcel.get().city == "Kiel"


def test_taxes_ask_businesses_for_their_number(
    fan: Browser, seller: Artist, shirt: Article, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "has", lambda name: name == "tax_rate")
    monkeypatch.setattr(hooks, "first", lambda name, sale: TaxRate("VAT", 1900))
    put(fan.client, shirt)
    assert "Only for a business." in fan.page(f"/basket/{seller.slug}")
    order(fan.client, seller, business_number="de 123456789")
    made = Order.get()
    assert (made.tax_minor, made.country, made.business_number) == (399 + 80, "DE", "DE 123456789")


def test_an_artist_makes_an_article_with_options_and_puts_it_on_sale(
    studio: Browser, seller: Artist, fan: Browser
) -> None:
    path = f"/studio/artists/{seller.slug}/merchandise"
    answer = post(
        studio.client,
        path,
        title="Hoodie",
        price="40",
        stock="5",
        first_option="Size",
        first_values="S, M",
        second_option="Colour",
        second_values="black",
    )
    made = Article.get()
    assert answer.location == f"{path}/{made.id}"
    rows = variants.of_articles([made])[made.id]
    assert [(row.first, row.second, row.price_minor, row.stock) for row in rows] == [
        ("S", "black", 4000, 5),
        ("M", "black", 4000, 5),
    ]
    assert fan.client.get(f"/merchandise/{seller.slug}/hoodie").status_code == 404
    fields = {
        "title": "Hoodie",
        "about": "Warm.",
        "state": "for_sale",
        "release": "",
        "version": made.version,
    }
    assert post(studio.client, answer.location, **fields).status_code == 303
    assert "Warm." in fan.page(f"/merchandise/{seller.slug}/hoodie")
    assert post(studio.client, answer.location, **fields).status_code == 409
    assert "Hoodie" in studio.page(path)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": " "}, "must not be empty"),
        ({"price": ""}, "A price is an amount"),
        ({"price": "ten"}, "Write the price like this"),
        ({"stock": "some"}, "The stock is a number"),
        ({"first_option": "Size"}, "Say what one chooses from"),
        ({"first_values": "S"}, "Say what one chooses between"),
    ],
)
def test_an_article_that_cannot_be_made_is_told(
    studio: Browser, seller: Artist, fields: dict[str, str], sentence: str
) -> None:
    sent = {"title": "Cap", "price": "15", **fields}
    answer = post(studio.client, f"/studio/artists/{seller.slug}/merchandise", **sent)
    assert (answer.status_code, sentence in answer.get_data(as_text=True)) == (422, True)
    assert not Article.select().exists()


def test_stock_is_changed_by_what_was_typed_and_not_to_it(
    studio: Browser, fan: Browser, seller: Artist, shirt: Article, till: Till
) -> None:
    path = f"/studio/artists/{seller.slug}/merchandise/{shirt.id}"
    medium = size(shirt)
    bought(fan.client, shirt, till)
    sent = {
        f"first-{medium.id}": "M",
        f"price-{medium.id}": "27.50",
        f"stock-{medium.id}": "15",
        f"shown-{medium.id}": "10",
        f"sku-{medium.id}": "TS-M",
        "first-new": "XL",
        "price-new": "30",
        "stock-new": "",
    }
    assert post(studio.client, f"{path}/variants", at=path, **sent).status_code == 303
    assert (size(shirt).stock, size(shirt).price_minor, size(shirt, "XL").stock) == (14, 2750, None)
    wrong = post(studio.client, f"{path}/variants", at=path, **{**sent, f"price-{medium.id}": "much"})
    page = wrong.get_data(as_text=True)
    assert (wrong.status_code, 'value="much"' in page) == (422, True)
    # Since the form was opened at 10 one was sold and 5 were added: it shows what there is now, not what was typed before that.
    assert re.search(rf'name="stock-{medium.id}"[^>]*value="14"', page)


def test_zones_take_names_and_codes_and_say_what_is_wrong(studio: Browser, seller: Artist) -> None:
    path = f"/studio/artists/{seller.slug}/shipping"
    sent = {"name": "Near", "countries": "Austria, ch\nFR BE", "first": "7", "further": ""}
    assert post(studio.client, path, **sent).status_code == 303
    near = Zone.get(Zone.name == "Near")
    assert (near.countries, near.first_minor, near.further_minor) == ("AT BE CH FR", 700, 0)
    assert "Austria, Belgium, France, Switzerland" in studio.page(path)
    for wrong, sentence in (
        ({"countries": "Atlantis"}, "There is no country “ATLANTIS”."),
        ({"countries": "DE"}, "DE is in the zone “Germany” already."),
        ({"countries": ""}, "Name the countries"),
        ({"name": ""}, "must not be empty"),
        ({"first": "-1"}, "Write the price like this"),
        ({"first": ""}, "Write the price like this"),
        ({"further": "1000000000000"}, "This amount is too large."),
    ):
        answer = post(studio.client, f"{path}/{near.id}", **{**sent, **wrong})
        assert (answer.status_code, sentence in answer.get_data(as_text=True)) == (422, True), sentence
    assert post(studio.client, f"{path}/{near.id}", **{**sent, "everywhere": "on"}).status_code == 303
    assert "Everywhere else" in studio.page(path)
    post(studio.client, f"{path}/{near.id}/remove", at=path)
    assert [row.name for row in Zone.select()] == ["Germany"]


def test_the_list_of_parcels_is_sent_printed_and_taken_as_a_table(
    app: Flask, studio: Browser, fan: Browser, guest: FlaskClient, seller: Artist, shirt: Article, till: Till
) -> None:
    made = bought(fan.client, shirt, till, name="=cmd()")
    put(guest, shirt)
    order(guest, seller, email="unpaid@example.com", name="Nobody Yet")
    path = f"/studio/artists/{seller.slug}/parcels"
    page = studio.page(path)
    assert ("=cmd()" in page, "Nobody Yet" in page, "To send (1)" in page) == (True, False, True)
    rows = list(csv.DictReader(io.StringIO(studio.client.get(f"{path}.csv").get_data(as_text=True))))
    assert [(row["name"], row["city"], row["things"], row["state"]) for row in rows] == [
        ("'=cmd()", "Hamburg", "T-shirt (M)", "to_send")
    ]
    assert fan.client.get(path).status_code == fan.client.get(f"{path}.csv").status_code == 403
    assert fan.client.get(f"{path}/{made.id}").status_code == 403
    post(studio.client, f"{path}/{made.id}", tracking="RR 123")
    assert ("Nothing to send" in studio.page(path), "=cmd()" in studio.page(f"{path}?state=sent")) == (
        True,
        True,
    )
    assert "RR 123" in fan.page(f"/orders/{made.id}")


def test_an_artist_says_where_the_stock_of_a_refund_goes(
    studio: Browser, fan: Browser, seller: Artist, shirt: Article, till: Till
) -> None:
    made = bought(fan.client, shirt, till)
    fact = RefundFact("re_1", f"pay_{made.id}_1", made.total_minor, "EUR", clock.now())
    payments.note_refund(fact, provider="till", now=clock.now())
    settling.settle(made.id, now=clock.now())
    path = f"/studio/artists/{seller.slug}/parcels/{made.id}"
    assert "is in stock again" in studio.page(path)
    post(studio.client, f"{path}/stock", at=path, back="no")
    assert size(shirt).stock == 9
    post(studio.client, f"{path}/stock", at=path, back="yes")
    assert (size(shirt).stock, Parcel.get().state) == (10, ParcelState.RETURNED)
    assert "Your money went back." in fan.page(f"/orders/{made.id}")


def test_the_pages_of_a_shop_ask_no_more_for_many_articles(
    seller: Artist, artist: Person, fan: Browser
) -> None:
    def add(number: int) -> None:
        for one in range(number):
            made = articles.make(
                seller, f"Print {one}", price_minor=900, stock=1, actor=artist.user, now=clock.now()
            )
            articles.edit(made, {"state": ArticleState.FOR_SALE}, actor=artist.user, now=clock.now())

    add(2)
    few = least(lambda: fan.client.get(f"/@{seller.slug}"))
    add(12)
    assert least(lambda: fan.client.get(f"/@{seller.slug}")) <= few
    assert len(re.findall("/merchandise/", fan.page(f"/@{seller.slug}"))) == 28
