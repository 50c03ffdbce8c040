"""The forms and addresses of money, each field with the worst that somebody may write: always a sentence, never a fault, and nothing is sold by it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from appliance import clock
from appliance import processors
from appliance.accounts.models import RoleName
from appliance.catalog.models import Artist
from appliance.ledger.models import Entry
from appliance.memberships import tiers
from appliance.memberships.models import Purchase
from appliance.shop import prices
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import Zone
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till

pytestmark = pytest.mark.usefixtures("nobody_works")
HOSTILE = (
    "-1",
    "1e9",
    "1" + "0" * 12,
    "9" * 400,
    "0x10",
    "١٢٣",
    "NaN",
    "99.999",
    "\x00",
    "‮€",
    "'; DROP TABLE payment; --",
    "<script>alert(1)</script>",
    "\ud83d",
    "x" * 20_000,
)


@pytest.fixture
def owner(app: Flask, artist: Person, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(processors, "every", lambda: (Till(),))
    site.set_up_app(artist.user)
    return site.signed_in(app, artist)


@pytest.fixture
def band(appliance: Appliance, artist: Person) -> Artist:
    made = site.make_artist(artist)
    release = site.make_release(artist, artist=made, published=True)
    site.make_track(release, appliance)
    prices.set_release(release, 700, pay_more=True, actor=artist.user, now=clock.now())
    shirt = articles.make(
        made, "Shirt", price_minor=2500, options={"Size": ["S", "M"]}, actor=artist.user, now=clock.now()
    )
    articles.edit(shirt, {"state": "for_sale"}, actor=artist.user, now=clock.now())
    zones.make(made, "Home", ["DE"], first_minor=500, further_minor=0, actor=artist.user, now=clock.now())
    return made


def pages(band: Artist) -> list[str]:
    release = band.releases.get()
    tier = tiers.of_artist(band)[1]
    rooms = (
        "tiers",
        f"tiers/{tier.id}",
        "prices",
        f"prices/{release.id}",
        "bundles/new",
        "codes",
        "discounts",
        "splits",
        "payouts",
        "merchandise",
        f"merchandise/{Article.get().id}",
        "shipping",
        f"shipping/{Zone.get().id}",
    )
    studio = [f"/studio/artists/{band.slug}/{room}" for room in rooms]
    # What the first puts into the basket is in the second.
    goods = [f"/merchandise/{band.slug}/shirt", f"/basket/{band.slug}"]
    given = [f"/gifts/{tier.id}", f"/buy/tip/{band.id}"]
    return [f"/buy/release/{release.id}", *given, "/redeem", *goods, *studio]


def forms(page: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each form of the page goes, and what it would send."""
    for form in html.fromstring(text).forms:
        action = form.get("action") or page
        if form.method == "POST" and not action.startswith(("/sign-out", "/language")):
            yield action, {name: value or "" for name, value in form.form_values()}


def sent(browser: FlaskClient, action: str, fields: dict[str, str]) -> int:
    body = urlencode(fields, errors="surrogatepass")
    return browser.post(action, data=body, content_type="application/x-www-form-urlencoded").status_code


def test_no_field_of_a_form_brings_a_fault_about(owner: FlaskClient, band: Artist) -> None:
    tried = 0
    for page in pages(band):
        answer = owner.get(page)
        assert answer.status_code == 200, page
        for action, fields in forms(page, answer.get_data(as_text=True)):
            for number, name in enumerate(fields):
                if name in {"csrf_token", "form_token"}:
                    continue
                # Each field meets a few of them, another few in each form.
                for value in (HOSTILE * 2)[number % len(HOSTILE) :][:5]:
                    fresh = {**fields, name: value}
                    fresh.pop("form_token", None)
                    status = sent(owner, action, fresh)
                    assert status < 500, (action, name, value[:40], status)
                    tried += 1
    assert tried > 200
    assert Purchase.select().count() == Entry.select().count() == 0


def test_no_question_in_an_address_brings_a_fault_about(app: Flask, owner: FlaskClient, band: Artist) -> None:
    admin = site.signed_in(app, site.make_person(roles=(RoleName.ADMIN,)))
    asked = {
        owner: [f"/studio/artists/{band.slug}/{room}" for room in ("statement", "statement.csv", "statement.pdf", "money", "orders", "payouts", "parcels", "parcels.csv")],
        admin: [f"/admin/{room}" for room in ("payments", "payments/disputes", "payments/events", "payouts")],
    }  # fmt: skip
    for browser, addresses in asked.items():
        for address in addresses:
            for name in ("currency", "first", "last", "before", "after", "cursor", "state", "q", "page"):
                for value in HOSTILE[:-1]:
                    query = urlencode({name: value}, errors="surrogatepass")
                    status = browser.get(f"{address}?{query}").status_code
                    assert status < 500, (address, name, value[:40], status)
