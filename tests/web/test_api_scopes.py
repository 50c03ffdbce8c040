"""Money and tokens: what was made before, or for something else, opens nothing of it."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import processors
from appliance.accounts import tokens
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.shop import codes
from appliance.shop import orders
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from appliance.startup import Appliance
from tests.servers import site
from tests.shop_till import Till
from web.api.operations import OPERATIONS

pytestmark = pytest.mark.usefixtures("nobody_works")
OF_MONEY = [row for row in OPERATIONS if set(row.scopes) - {Scope.READ, Scope.WRITE, Scope.ADMIN}]
PAGES = (
    "money",
    "statement",
    "statement.csv",
    "payouts",
    "prices",
    "orders",
    "orders.csv",
    "codes",
    "splits",
)
PLAIN = (Scope.READ, Scope.WRITE, Scope.ADMIN)


def test_a_token_of_old_opens_nothing_of_money(client: FlaskClient, appliance: Appliance) -> None:
    admin = site.make_person(roles=(RoleName.ADMIN,), scopes=PLAIN)
    release = site.make_release(admin)
    values = {"slug": release.artist.slug, "release_id": release.id}
    assert len(OF_MONEY) > 20
    for row in OF_MONEY:
        path = re.sub(r"{(\w+)}", lambda found: values.get(found[1], "0" * 26), row.path)
        answer = client.open(path, method=row.method, json={}, headers=admin.headers)
        assert answer.status_code == 403, row.name
        assert "lacks the scope 'money." in answer.json["detail"], row.name


def test_a_token_for_looking_changes_nothing(client: FlaskClient, appliance: Appliance) -> None:
    looker = site.make_person(roles=(RoleName.ADMIN,), scopes=(*PLAIN, Scope.MONEY_READ))
    release = site.make_release(looker)
    values = {"slug": release.artist.slug, "release_id": release.id}
    changing = [row for row in OF_MONEY if row.method != "GET"]
    for row in changing:
        assert Scope.MONEY_READ not in row.scopes, row.name
        path = re.sub(r"{(\w+)}", lambda found: values.get(found[1], "0" * 26), row.path)
        answer = client.open(path, method=row.method, json={}, headers=looker.headers)
        assert answer.status_code == 403, row.name


def test_the_pages_of_money_are_no_way_around(
    client: FlaskClient, appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "every", lambda: (Till(),))
    person = site.make_person(scopes=(Scope.READ, Scope.WRITE))
    release = site.make_release(person, published=True)
    pages = [f"/studio/artists/{release.artist.slug}/{page}" for page in PAGES]
    for path in (*pages, f"/studio/artists/{release.artist.slug}/prices/{release.id}"):
        assert client.get(path, headers=person.headers).status_code == 403, path
    order = orders.begin(
        Wish("tip", release.artist_id, tip_minor=500),
        Buyer(person.user.email, person.user),
        provider="till",
        now=clock.now(),
    )
    assert client.get(f"/orders/{order.id}", headers=person.headers).status_code == 403


def test_who_may_only_read_is_shown_no_codes(client: FlaskClient, appliance: Appliance) -> None:
    reader = site.make_person(scopes=(Scope.READ, Scope.MONEY_READ))
    release = site.make_release(reader, published=True)
    batch = codes.make(release, 2, actor=reader.user, now=clock.now())
    table = f"/api/v1/artists/{release.artist.slug}/codes/{batch.id}.csv"
    assert client.get(table, headers=reader.headers).status_code == 403


def test_money_alone_opens_nothing_else(client: FlaskClient, appliance: Appliance) -> None:
    person = site.make_person(scopes=(Scope.MONEY_READ, Scope.MONEY_WRITE, Scope.MONEY_PAYOUT))
    for path in ("/api/v1/memberships", "/api/v1/downloads", "/account/tokens", "/admin/payments"):
        assert client.get(path, headers=person.headers).status_code == 403, path
    assert client.post("/api/v1/artists", json={"name": "X"}, headers=person.headers).status_code == 403


def test_a_token_of_the_usual_scopes_is_not_one_for_money(appliance: Appliance) -> None:
    person = site.make_person()
    row = tokens.recognise(tokens.mint(person.user, now=clock.now()), clock.now())
    assert row is not None
    assert row.scopes == "read write"
