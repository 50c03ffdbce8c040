"""Gifts and bundles through the interface."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import Scope
from appliance.billing import processing
from appliance.catalog.models import Artist
from appliance.database import new_id
from appliance.memberships import tiers
from appliance.shop import bundles
from appliance.shop import prices
from appliance.shop.bundles import Contents
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till

pytestmark = pytest.mark.usefixtures("nobody_works")
MONEY = (Scope.MONEY_READ, Scope.MONEY_WRITE)


@pytest.fixture
def band(artist: Person) -> Artist:
    return site.make_artist(artist)


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person(scopes=MONEY)


def send(client: FlaskClient, who: Person, path: str, **sent: Any) -> Any:
    return client.post(f"/api/v1{path}", json=sent, headers={**who.headers, "Idempotency-Key": new_id()})


def test_a_membership_is_given_and_redeemed(
    client: FlaskClient, band: Artist, till: Till, fan: Person
) -> None:
    tier = next(row for row in tiers.of_artist(band) if row.price_minor)
    gift = {"months": 3, "by": "Mira", "message": "For you"}
    wish = {"kind": "gift", "thing": tier.id, "gift": gift}
    quote = client.post("/api/v1/quotes", json=wish).json
    assert (quote["kind"], quote["total_minor"]) == ("gift", 3 * tier.price_minor)
    made = send(client, fan, "/orders", **wish, total_minor=quote["total_minor"], provider="till")
    assert (made.status_code, made.json["state"]) == (201, "open")
    where = f"/api/v1/orders/{made.json['id']}/gift"
    assert client.get(where, headers=fan.headers).json["code"] is None, "it is not paid yet"
    processing.apply([till.paid(made.json["id"], at=clock.now())], provider="till", now=clock.now())
    shown = client.get(where, headers=fan.headers).json
    assert (shown["months"], shown["by"], shown["redeemed_at"]) == (3, "Mira", None)
    friend = site.make_person(scopes=(*MONEY, Scope.READ))
    assert client.get(where, headers=friend.headers).status_code == 404
    member = send(client, friend, "/gift-redemptions", code=shown["code"])
    assert (member.status_code, member.json["tier"]["id"]) == (201, tier.id)
    assert member.json["through"] > member.json["begins_at"]
    assert send(client, fan, "/gift-redemptions", code=shown["code"]).status_code == 409
    assert send(client, fan, "/gift-redemptions", code="AAAA").status_code == 404
    [mine] = client.get("/api/v1/memberships", headers=friend.headers).json["items"]
    assert mine["tier"]["id"] == tier.id
    assert client.get(where, headers=fan.headers).json["code"] is None


@pytest.mark.parametrize(
    "gift",
    [
        None,
        5,
        {},
        {"months": 2},
        {"months": "3"},
        {"months": 3, "by": "M", "email": "nobody"},
        {"months": 3, "x": 1},
    ],
    ids=str,
)
def test_a_gift_that_cannot_be_is_told(
    client: FlaskClient, band: Artist, till: Till, fan: Person, gift: object
) -> None:
    tier = next(row for row in tiers.of_artist(band) if row.price_minor)
    sent = {"kind": "gift", "thing": tier.id, "gift": gift, "total_minor": 1500, "provider": "till"}
    assert send(client, fan, "/orders", **sent).status_code == 422


def test_a_bundle_is_listed_and_bought(
    client: FlaskClient, artist: Person, band: Artist, till: Till, fan: Person
) -> None:
    now, where = clock.now(), f"/api/v1/artists/{band.slug}/bundles"
    both = [site.make_release(artist, artist=band, published=True, title=f"No {n}") for n in range(2)]
    for row in both:
        prices.set_release(row, 700, pay_more=True, actor=artist.user, now=now)

    def bundle(title: str) -> str:
        inside = Contents(title, "", 1000, False, [row.id for row in both])
        return bundles.make(band, inside, actor=artist.user, now=now).id

    made = bundle("Both")
    [listed] = client.get(where).json["items"]
    assert (listed["id"], len(listed["releases"])) == (made, 2)
    assert (listed["price"]["price_minor"], listed["price"]["full_minor"]) == (1000, 1400)
    few = least(lambda: client.get(where))
    for number in range(3):
        bundle(f"Both {number}")
    assert least(lambda: client.get(where)) == few
    wish = {"kind": "bundle", "thing": made}
    quote = client.post("/api/v1/quotes", json=wish).json
    assert [line["amount_minor"] for line in quote["lines"]] == [500, 500]
    bought = send(client, fan, "/orders", **wish, total_minor=1000, provider="till")
    assert (bought.status_code, bought.json["total_minor"]) == (201, 1000)
