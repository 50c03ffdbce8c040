"""Selling through the interface: prices with their versions, discounts and codes, and what was sold, for the artist's own people alone."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import members
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Release
from appliance.shop import codes
from appliance.shop import orders
from appliance.shop.models import CodeBatch
from appliance.shop.models import Order
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till

pytestmark = pytest.mark.usefixtures("nobody_works")
MONEY = (Scope.MONEY_READ, Scope.MONEY_WRITE)


@pytest.fixture
def seller(appliance: Appliance) -> Person:
    return site.make_person(scopes=MONEY)


@pytest.fixture
def release(appliance: Appliance, seller: Person, till: Till) -> Release:
    made = site.make_release(seller, published=True)
    site.make_track(made, appliance)
    return made


def of(release: Release) -> str:
    return f"/api/v1/artists/{release.artist.slug}"


def sold(release: Release, email: str, *, message: str = "") -> Order:
    """An order that was paid, as far as lists look."""
    wish = Wish("release", release.id, tip_minor=100 if message else 0, message=message)
    made = orders.begin(wish, Buyer(email), provider="till", now=clock.now())
    Order.update(state="paid", paid_at=clock.now()).where(Order.id == made.id).execute()
    return made


def test_prices_are_set_together_and_by_who_knows_the_last_ones(
    client: FlaskClient, release: Release, seller: Person
) -> None:
    where = f"/api/v1/releases/{release.id}/prices"
    before = client.get(where, headers=seller.headers)
    assert (before.json["price_minor"], before.json["version"], before.json["least_minor"]) == (None, 0, 50)
    track = before.json["tracks"][0]["id"]
    headers = {**seller.headers, "If-Match": before.headers["ETag"]}
    sent: dict[str, Any] = {"price_minor": 700, "tracks": {track: 100}}
    made = client.patch(where, json=sent, headers=headers)
    assert (made.json["price_minor"], made.json["version"]) == (700, 1)
    assert made.json["tracks"][0]["price_minor"] == 100
    assert client.patch(where, json={"price_minor": 800}, headers=headers).status_code == 412
    kept = client.patch(where, json={"pay_more": False}, headers=seller.headers).json
    assert (kept["price_minor"], kept["pay_more"], kept["tracks"][0]["price_minor"]) == (700, False, 100)
    listed = client.get(f"{of(release)}/prices", headers=seller.headers).json
    assert [(row["kind"], row["price_minor"]) for row in listed["items"]] == [
        ("release", 700),
        ("track", 100),
    ]
    gone = client.patch(where, json={"price_minor": None}, headers=seller.headers).json
    assert (gone["price_minor"], gone["version"]) == (None, 0)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"price_minor": 49}, 422),
        ({"price_minor": -1}, 422),
        ({"price_minor": 7.0}, 422),
        ({"price_minor": 10**12}, 422),
        ({"price_minor": "7"}, 422),
        ({"pay_more": "yes"}, 422),
        ({"tracks": []}, 200),
        ({"tracks": [1]}, 422),
        ({"tracks": {"x": 100}}, 404),
        ({"price": 700}, 422),
        ({}, 200),
    ],
    ids=str,
)
def test_a_price_that_cannot_be_is_told(
    client: FlaskClient, release: Release, seller: Person, sent: dict[str, Any], status: int
) -> None:
    where = f"/api/v1/releases/{release.id}/prices"
    answer = client.patch(where, json=sent, headers=seller.headers)
    assert answer.status_code == status, answer.json
    assert client.get(where, headers=seller.headers).json["price_minor"] is None


def test_everything_at_once_and_the_seller_are_set(
    client: FlaskClient, release: Release, seller: Person
) -> None:
    where = f"{of(release)}/prices/catalogue"
    assert client.put(where, json={"percent_off": 20}, headers=seller.headers).json["percent_off"] == 20
    assert client.put(where, json={"percent_off": 100}, headers=seller.headers).status_code == 422
    assert client.put(where, json={"percent_off": None}, headers=seller.headers).json["percent_off"] is None
    told = {"name": "Night Ferry GbR", "address": "Am Hafen 1\nSassnitz", "business_number": "DE123456789"}
    where = f"{of(release)}/seller"
    assert client.put(where, json=told, headers=seller.headers).json == told
    assert client.get(where, headers=seller.headers).json == told
    assert client.put(where, json={**told, "name": 5}, headers=seller.headers).status_code == 422


def test_a_discount_is_made_used_and_stopped(client: FlaskClient, release: Release, seller: Person) -> None:
    where, now = f"{of(release)}/discounts", clock.now()
    ends = (now + timedelta(days=3)).isoformat()
    made = client.post(
        where, json={"code": "spring", "percent": 20, "ends_at": ends, "most_uses": 5}, headers=seller.headers
    )
    assert (made.status_code, made.json["code"], made.json["used"]) == (201, "SPRING", 0)
    assert made.json["ends_at"] == ends
    again = client.post(where, json={"code": "SPRING", "percent": 20}, headers=seller.headers)
    assert again.status_code == 409
    for wrong in (
        {"code": "X", "percent": 5},
        {"code": "BOTH", "percent": 5, "amount_minor": 5},
        {"code": "NONE"},
        {"code": "PAST", "percent": 5, "ends_at": "2020-01-01T00:00:00Z"},
        {"code": "ZONE", "percent": 5, "ends_at": "2040-01-01T00:00:00"},
        {"code": "FAR", "percent": 5, "ends_at": "9999-12-31T23:59:59-23:59"},
        {"code": "BOOL", "percent": True},
    ):
        assert client.post(where, json=wrong, headers=seller.headers).status_code == 422, wrong
    assert client.post(f"{where}/{made.json['id']}/stop", headers=seller.headers).status_code == 204
    [row] = client.get(where, headers=seller.headers).json["items"]
    assert row["stopped_at"] is not None
    assert client.post(f"{where}/nothing/stop", headers=seller.headers).status_code == 404


def test_codes_are_made_once_for_each_key_and_given_out_as_a_table(
    client: FlaskClient, release: Release, seller: Person
) -> None:
    where = f"{of(release)}/codes"
    sent = {"release": release.id, "number": 3, "name": "For the press"}
    headers = {**seller.headers, "Idempotency-Key": "k"}
    made = client.post(where, json=sent, headers=headers)
    assert (made.status_code, made.json["number"], made.json["redeemed"]) == (201, 3, 0)
    assert client.post(where, json=sent, headers=headers).json == made.json
    assert client.post(where, json=sent, headers=seller.headers).json["id"] != made.json["id"]
    rows = list(csv.DictReader(io.StringIO(client.get(made.json["table_url"], headers=seller.headers).text)))
    assert len(rows) == 3
    codes.redeem(rows[0]["code"], Buyer("fan@example.com"), now=clock.now())
    page = client.get(f"{where}?limit=1", headers=seller.headers).json
    rest = client.get(f"{where}?limit=1&cursor={page['next_cursor']}", headers=seller.headers).json
    assert ([row["redeemed"] for row in rest["items"]], rest["next_cursor"]) == ([1], None)
    assert client.post(f"{where}/{made.json['id']}/stop", headers=seller.headers).status_code == 204
    assert CodeBatch.get_by_id(made.json["id"]).stopped_at is not None
    other = site.make_release(seller, artist=site.make_artist(seller, "Low Tide"))
    assert client.post(where, json={**sent, "release": other.id}, headers=seller.headers).status_code == 404
    for wrong in ({"number": 0}, {"number": 5001}, {"number": None}, {"number": "3"}, {"expires_at": "soon"}):
        assert client.post(where, json={**sent, **wrong}, headers=seller.headers).status_code == 422


def test_what_was_sold_is_listed_page_by_page_and_as_a_table(
    client: FlaskClient, release: Release, seller: Person
) -> None:
    client.patch(f"/api/v1/releases/{release.id}/prices", json={"price_minor": 700}, headers=seller.headers)
    where = f"{of(release)}/orders"
    made = [sold(release, f"fan{number}@example.com") for number in range(2)]
    made.append(sold(release, "last@example.com", message="=1+1"))
    few = least(lambda: client.get(where, headers=seller.headers))
    page = client.get(f"{where}?limit=2", headers=seller.headers).json
    assert [row["id"] for row in page["items"]] == [made[2].id, made[1].id]
    assert (page["items"][0]["buyer"], page["items"][0]["total_minor"]) == ("last@example.com", 800)
    rest = client.get(f"{where}?limit=2&cursor={page['next_cursor']}", headers=seller.headers).json
    assert ([row["id"] for row in rest["items"]], rest["next_cursor"]) == ([made[0].id], None)
    one = client.get(f"{where}/{made[0].id}", headers=seller.headers).json
    assert one == rest["items"][0]
    table = client.get(f"{where}.csv", headers=seller.headers)
    assert "'=1+1" in table.text
    assert len(table.text.splitlines()) == 4
    for number in range(4):
        sold(release, f"more{number}@example.com")
    assert least(lambda: client.get(where, headers=seller.headers)) == few
    assert client.get(f"{where}?cursor=WyJhIl0", headers=seller.headers).json["field"] == "cursor"


def test_lists_of_what_is_for_sale_take_as_many_queries_for_many_as_for_few(
    client: FlaskClient, appliance: Appliance, release: Release, seller: Person
) -> None:
    def look() -> int:
        return sum(
            least(lambda path=path: client.get(path, headers=seller.headers))  # type: ignore[misc]
            for path in (
                *(f"{of(release)}/{name}" for name in ("prices", "discounts", "codes")),
                f"/api/v1/releases/{release.id}/prices",
                f"/api/v1/releases/{release.id}",
            )
        )

    def more(number: int) -> None:
        track = site.make_track(release, appliance, title=f"No {number}")
        sent = {"price_minor": 700 + number, "tracks": {track.id: 100}}
        client.patch(f"/api/v1/releases/{release.id}/prices", json=sent, headers=seller.headers)
        for path, body in (
            ("discounts", {"code": f"SPRING-{number}", "percent": 5}),
            ("codes", {"release": release.id, "number": 2}),
        ):
            made = client.post(f"{of(release)}/{path}", json=body, headers=seller.headers)
            assert made.status_code == 201

    more(1)
    few = look()
    for number in range(2, 5):
        more(number)
    assert look() == few


def test_a_sale_is_shown_to_the_people_of_its_artist_alone(
    client: FlaskClient, release: Release, seller: Person
) -> None:
    client.patch(f"/api/v1/releases/{release.id}/prices", json={"price_minor": 700}, headers=seller.headers)
    made = sold(release, "fan@example.com")
    other = site.make_person(scopes=MONEY)
    theirs = site.make_artist(other, "Low Tide")
    assert client.get(f"{of(release)}/orders/{made.id}", headers=other.headers).status_code == 403
    assert (
        client.get(f"/api/v1/artists/{theirs.slug}/orders/{made.id}", headers=other.headers).status_code
        == 404
    )
    members.join(release.artist, other.user, MemberRole.CONTRIBUTOR, now=clock.now())
    assert client.get(f"{of(release)}/orders/{made.id}", headers=other.headers).status_code == 403
