"""Buying through the interface: quoted, ordered once for each key, paid at the till, kept with its receipt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import idempotency
from appliance.accounts.models import Scope
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.database import new_id
from appliance.ledger import payments
from appliance.shop import codes
from appliance.shop import delivery
from appliance.shop import discounts
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop import settling
from appliance.shop.models import Order
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.shopping import on_sale

pytestmark = pytest.mark.usefixtures("nobody_works")
MONEY = (Scope.MONEY_READ, Scope.MONEY_WRITE)


@pytest.fixture
def release(appliance: Appliance, artist: Person, till: Till) -> Release:
    return on_sale(appliance, artist)


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person(scopes=MONEY)


def send(client: FlaskClient, who: Person, path: str, key: str = "", **sent: Any) -> Any:
    return client.post(
        f"/api/v1{path}", json=sent, headers={**who.headers, "Idempotency-Key": key or new_id()}
    )


def order(client: FlaskClient, who: Person, release: Release, key: str = "", **more: Any) -> Any:
    sent = {"kind": "release", "thing": release.id, "total_minor": 700, "provider": "till", **more}
    return send(client, who, "/orders", key, **sent)


def pay(till: Till, order_id: str) -> None:
    """What billing does when the till tells that it was paid."""
    fact = till.paid(order_id, at=clock.now())
    sale = settling.sale_of(order_id, fact)
    assert sale
    payments.note(fact, sale, provider="till", now=clock.now())
    settling.settle(order_id, now=clock.now())


def test_a_program_buys_a_release_for_its_fan(
    client: FlaskClient, release: Release, till: Till, fan: Person
) -> None:
    shown = client.get(f"/api/v1/releases/{release.id}").json["price"]
    assert shown == {
        "price_minor": 700,
        "full_minor": 700,
        "currency": "EUR",
        "pay_more": True,
        "preorder": False,
        "out_at": None,
        "buy_url": f"http://localhost/buy/release/{release.id}",
    }
    wish = {"kind": "release", "thing": release.id, "amount_minor": 900, "tip_minor": 100}
    quote = client.post("/api/v1/quotes", json=wish).json
    assert (quote["total_minor"], quote["currency"], quote["owned"]) == (1000, "EUR", False)
    assert [line["amount_minor"] for line in quote["lines"]] == [900, 100]
    assert quote["providers"] == [{"name": "till", "label": "Card"}]
    made = send(client, fan, "/orders", **wish, total_minor=1000, provider="till")
    assert made.status_code == 201
    assert (made.json["state"], made.json["receipt"]) == ("open", None)
    assert made.json["pay_url"] == f"https://till.example/pay/{made.json['id']}"
    assert till.asked[f"order-{made.json['id']}"].return_to == made.json["url"]
    where = made.headers["Location"]
    assert client.get(f"{where}/receipt.pdf", headers=fan.headers).status_code == 404
    assert client.get("/api/v1/orders", headers=fan.headers).json["items"] == []
    pay(till, made.json["id"])
    paid = client.get(where, headers=fan.headers).json
    assert (paid["state"], paid["pay_url"], paid["total_minor"]) == ("paid", None, 1000)
    paper = client.get(paid["receipt"]["url"], headers=fan.headers)
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")
    assert client.get("/api/v1/orders", headers=fan.headers).json["items"] == [paid]
    quote = client.post("/api/v1/quotes", json=wish, headers=fan.headers).json
    assert quote["owned"]


def test_an_order_that_died_with_its_server_is_made_when_its_key_is_sent_again_after_a_while(
    client: FlaskClient, release: Release, till: Till, fan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_S", 0.0)
    prices.set_release(release, 0, pay_more=True, actor=fan.user, now=clock.now())
    free = {"kind": "release", "thing": release.id, "total_minor": 0}
    name = idempotency.digest("lost", owner=fan.user.id, act="api /api/v1/orders")
    begun_at = clock.now() - idempotency.LOST_AFTER + timedelta(seconds=5)
    idempotency.begin(name, now=begun_at)
    waits = send(client, fan, "/orders", "lost", **free)
    assert waits.status_code == 409
    assert 1 <= int(waits.headers["Retry-After"]) <= 6
    idempotency.IdempotencyKey.update(created_at=begun_at - timedelta(seconds=5)).execute()
    assert send(client, fan, "/orders", "lost", **free).status_code == 201


def test_a_key_makes_one_order_however_often_it_is_sent(
    client: FlaskClient, release: Release, till: Till, fan: Person
) -> None:
    prices.set_release(release, 0, pay_more=True, actor=fan.user, now=clock.now())
    free = {"kind": "release", "thing": release.id, "total_minor": 0}
    first = send(client, fan, "/orders", "once", **free)
    assert (first.status_code, first.json["state"]) == (201, "paid")
    again = send(client, fan, "/orders", "once", **free)
    assert (again.status_code, again.json) == (201, first.json)
    other = send(client, fan, "/orders", "once", **{**free, "tip_minor": 100})
    assert (other.status_code, other.json["field"]) == (422, "Idempotency-Key")
    assert send(client, fan, "/orders", "twice", **free).status_code == 409, "they have it"
    assert Order.select().count() == 1
    without = client.post("/api/v1/orders", json=free, headers=fan.headers)
    assert (without.status_code, without.json["field"]) == (422, "Idempotency-Key")


def test_a_till_that_is_away_can_be_asked_again_with_the_same_key(
    client: FlaskClient, release: Release, till: Till, fan: Person
) -> None:
    till.broken = True
    assert order(client, fan, release, "k").status_code == 503
    till.broken = False
    made = order(client, fan, release, "k")
    assert (made.status_code, Order.select().count()) == (201, 1)
    assert made.json["pay_url"]


def test_a_price_that_rose_meanwhile_is_not_charged(
    client: FlaskClient, release: Release, fan: Person
) -> None:
    prices.set_release(release, 900, pay_more=True, actor=fan.user, now=clock.now())
    refused = order(client, fan, release)
    assert (refused.status_code, Order.select().count()) == (409, 0)
    assert "another one by now" in refused.json["detail"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"amount_minor": 699, "total_minor": 699}, "amount"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 7.5}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"amount_minor": 10**13}, "amount_minor"),
        ({"amount_minor": 10**12}, "amount"),
        ({"discount": "NOPE"}, "discount"),
        ({"discount": 5}, "discount"),
        ({"country": "Germany"}, "country"),
        ({"provider": "nobody"}, "provider"),
        ({"message": "a\0b"}, "message"),
        ({"thing": "\ud800"}, "thing"),
        ({"total_minor": None}, "total_minor"),
    ],
    ids=str,
)
def test_what_cannot_be_ordered_is_told_by_its_field(
    client: FlaskClient, release: Release, fan: Person, sent: dict[str, Any], field: str
) -> None:
    answer = order(client, fan, release, **sent)
    assert (answer.status_code, answer.json["field"]) == (422, field), answer.json
    assert not Order.select().exists()


def test_a_mistyped_field_is_not_taken_for_one_left_out(
    client: FlaskClient, release: Release, fan: Person
) -> None:
    answer = order(client, fan, release, tip=500)
    assert (answer.status_code, "no field 'tip'" in answer.json["detail"]) == (422, True)


def test_what_is_not_for_sale_has_no_price_and_no_quote(
    client: FlaskClient, appliance: Appliance, artist: Person, release: Release
) -> None:
    track = site.make_track(release, appliance)
    draft = site.make_release(artist, artist=release.artist, title="Later")
    prices.set_release(draft, 500, pay_more=True, actor=artist.user, now=clock.now())
    assert client.get(f"/api/v1/releases/{draft.id}", headers=artist.headers).json["price"] is None
    assert client.get(f"/api/v1/tracks/{track.id}").json["price"] is None
    for kind, thing in (("track", track.id), ("release", draft.id), ("catalogue", release.artist_id)):
        assert client.post("/api/v1/quotes", json={"kind": kind, "thing": thing}).status_code == 404
    assert client.get(f"/api/v1/artists/{release.artist.slug}").json["catalogue"] is None


def test_prices_of_tracks_catalogues_and_preorders_are_told(
    client: FlaskClient, appliance: Appliance, artist: Person, release: Release
) -> None:
    now = clock.now()
    track = site.make_track(release, appliance)
    prices.set_track(track, 100, pay_more=False, actor=artist.user, now=now)
    ahead = site.make_release(artist, artist=release.artist, title="Later")
    prices.set_release(ahead, 500, pay_more=True, preorder=True, actor=artist.user, now=now)
    Release.update(state=ReleaseState.SCHEDULED, publish_at=now).where(Release.id == ahead.id).execute()
    other = site.make_release(artist, artist=release.artist, title="Other", published=True)
    prices.set_release(other, 300, pay_more=True, actor=artist.user, now=now)
    prices.set_catalogue(release.artist, 10, actor=artist.user, now=now)
    shown = client.get(f"/api/v1/releases/{release.id}").json
    told = [row["price"] for row in shown["tracks"] if row["id"] == track.id]
    assert [(row["price_minor"], row["pay_more"]) for row in told] == [(100, False)]
    price = client.get(f"/api/v1/releases/{ahead.id}", headers=artist.headers).json["price"]
    assert (price["preorder"], price["out_at"]) == (True, now.isoformat())
    whole = client.get(f"/api/v1/artists/{release.artist.slug}").json["catalogue"]
    assert (whole["price_minor"], whole["full_minor"]) == (900, 1000)


def test_lists_take_as_many_queries_for_many_as_for_few(
    client: FlaskClient, appliance: Appliance, artist: Person, release: Release, fan: Person, till: Till
) -> None:
    def look() -> int:
        priced = least(lambda: client.get("/api/v1/releases"))
        return priced + least(lambda: client.get("/api/v1/orders", headers=fan.headers))

    def sell(more: Release) -> None:
        made = order(client, fan, more)
        pay(till, made.json["id"])

    sell(release)
    few = look()
    for number in range(4):
        more = site.make_release(artist, published=True, title=f"No {number}")
        prices.set_release(more, 700, pay_more=True, actor=artist.user, now=clock.now())
        sell(more)
    assert look() == few


def test_an_order_is_its_buyers_alone(
    client: FlaskClient, release: Release, fan: Person, artist: Person
) -> None:
    where = order(client, fan, release).headers["Location"]
    for person in (site.make_person(scopes=tuple(Scope)), site.make_person(scopes=MONEY)):
        for path in (where, f"{where}/receipt.pdf"):
            assert client.get(path, headers=person.headers).status_code == 404
    assert client.get(where).status_code == 401


def test_what_was_bought_with_an_address_is_there_once_it_is_confirmed(
    client: FlaskClient, release: Release, fan: Person, till: Till
) -> None:
    wish = orders.quotes.Wish("release", release.id)
    guest = orders.begin(wish, orders.Buyer(fan.user.email), provider="till", now=clock.now())
    assert guest.user_id is None
    Order.update(state="paid", paid_at=clock.now()).execute()
    found = client.get("/api/v1/orders", headers=fan.headers).json["items"]
    assert [row["id"] for row in found] == [guest.id]
    assert not delivery.claim(fan.user, now=clock.now())


def test_a_code_is_redeemed_once(client: FlaskClient, release: Release, fan: Person, artist: Person) -> None:
    batch = codes.make(release, 1, actor=artist.user, now=clock.now())
    [(code, _at)] = codes.every(batch)
    made = send(client, fan, "/redemptions", "k", code=code.lower())
    assert (made.status_code, made.json["items"][0]["kind"]) == (201, "code")
    assert send(client, fan, "/redemptions", "k", code=code.lower()).json == made.json
    other = site.make_person(scopes=MONEY)
    assert client.post("/api/v1/redemptions", json={"code": code}, headers=other.headers).status_code == 409
    assert send(client, fan, "/redemptions", code="AAAA").status_code == 404


def test_a_discount_is_taken_off(client: FlaskClient, release: Release, artist: Person) -> None:
    discounts.make(release.artist, "SPRING", percent=50, actor=artist.user, now=clock.now())
    wish = {"kind": "release", "thing": release.id, "discount": "spring"}
    quote = client.post("/api/v1/quotes", json=wish).json
    assert (quote["total_minor"], quote["discount_minor"]) == (350, 350)


def test_a_browser_needs_the_word_of_its_page(app: Flask, client: FlaskClient, release: Release) -> None:
    person = site.make_person()
    browser = site.signed_in(app, person)
    sent = {"kind": "release", "thing": release.id, "total_minor": 700, "provider": "till"}
    refused = browser.post("/api/v1/orders", json=sent, headers={"Idempotency-Key": "k"})
    assert refused.status_code == 400
    token = site.csrf_token(browser.get("/account").get_data(as_text=True))
    headers = {"Idempotency-Key": "k", "X-CSRFToken": token}
    assert browser.post("/api/v1/orders", json=sent, headers=headers).status_code == 201
