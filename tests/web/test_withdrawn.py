"""The pages and the API for who bought what its artist has withdrawn since."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.catalog import publishing
from appliance.catalog import takedowns
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.library import favourites
from appliance.shop import prices
from appliance.shop.models import Order
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till
from tests.web.shopping import ask
from tests.web.shopping import buy_page
from tests.web.shopping import on_sale
from tests.web.shopping import pay
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def release(appliance: Appliance, artist: Person, till: Till) -> Release:
    return on_sale(appliance, artist)


@pytest.fixture
def fan(app: Flask, stranger: Person) -> Browser:
    return Browser(site.signed_in(app, stranger))


def track_of(release: Release) -> Track:
    return Track.get(Track.release == release.id)


def test_it_stands_where_it_stood_and_plays(
    fan: Browser, client: FlaskClient, stranger: Person, release: Release, till: Till
) -> None:
    page, track = f"/@{release.artist.slug}/{release.slug}", track_of(release)
    ask(fan.client, buy_page(release))
    pay(till, Order.get())
    favourites.keep_release(stranger.user, release, now=clock.now())
    publishing.take_back(release, now=clock.now())
    assert client.get(page).status_code == 404
    for address in (page, f"{page}/{track.slug}"):
        shown = fan.page(address)
        assert "so it stays yours" in shown
        assert "/downloads/" in shown
        assert buy_page(release) not in shown, "it is not sold any more"
    assert release.title in fan.page("/library/favourites")
    library = fan.page("/library")
    assert ("What you bought" in library, library.count(f'href="{page}"') >= 2) == (True, True)
    order = fan.page(f"/orders/{Order.get().id}")
    assert (f'action="/downloads/releases/{release.id}"' in order, f'href="{page}"' in order) == (True, True)
    assert fan.client.get(f"/listen/release/{release.id}.json").json["tracks"][0]["mayPlay"]


def test_programs_hear_and_download_it_and_nobody_else_does(
    client: FlaskClient, fan: Browser, stranger: Person, release: Release, till: Till
) -> None:
    track = track_of(release)
    ask(fan.client, buy_page(release))
    pay(till, Order.get())
    publishing.take_back(release, now=clock.now())
    shown = client.get(f"/api/v1/releases/{release.id}", headers=stranger.headers).json
    assert (shown["access"]["may_download"], len(shown["tracks"])) == (True, 1)
    told = client.post(f"/api/v1/tracks/{track.id}/play", headers=stranger.headers)
    assert client.get(told.json["hls_url"]).status_code == 200
    sent = client.post(
        f"/api/v1/releases/{release.id}/downloads", json={"format": "flac"}, headers=stranger.headers
    )
    assert sent.status_code == 202
    assert client.get(f"/api/v1/releases/{release.id}").status_code == 404
    assert client.post(f"/api/v1/tracks/{track.id}/play").status_code == 404


def test_a_takedown_shuts_it_for_them_too(
    client: FlaskClient, fan: Browser, stranger: Person, artist: Person, release: Release, till: Till
) -> None:
    track = track_of(release)
    ask(fan.client, buy_page(release))
    pay(till, Order.get())
    publishing.take_back(release, now=clock.now())
    told = client.post(f"/api/v1/tracks/{track.id}/play", headers=stranger.headers)
    takedowns.take_down(release, "A claim", actor=artist.user, now=clock.now())
    assert client.get(told.json["hls_url"]).status_code == 403
    assert fan.client.get(f"/@{release.artist.slug}/{release.slug}").status_code == 404


def test_one_track_is_reached_from_its_order_and_stands_alone_on_its_release(
    fan: Browser, appliance: Appliance, artist: Person, release: Release, till: Till
) -> None:
    track = track_of(release)
    other = site.make_track(release, appliance, title="Not theirs")
    prices.set_track(track, 100, pay_more=False, actor=artist.user, now=clock.now())
    ask(fan.client, f"/buy/track/{track.id}")
    pay(till, Order.get())
    publishing.take_back(release, now=clock.now())
    assert f'action="/downloads/tracks/{track.id}"' in fan.page(f"/orders/{Order.get().id}")
    page = fan.page(f"/@{release.artist.slug}/{release.slug}")
    assert (track.title in page, other.title in page) == (True, False)
    assert "You bought a part of this" in page
