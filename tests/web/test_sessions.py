"""Sessions and devices on the pages of an account: whose they are, and what they cost."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import sessions
from appliance.accounts import trusted_devices
from appliance.accounts.factor_models import AccountSession
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from web.app import create_app
from web.security import visitors


def post(browser: FlaskClient, path: str):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get("/account").get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token})


def test_somebody_elses_session_and_device_stay(app: Flask, artist: Person, stranger: Person) -> None:
    theirs = site.signed_in(app, artist)
    device = trusted_devices.trust(artist.user, browser="", now=clock.now())
    row = sessions.of_user(artist.user.id, now=clock.now())[0]
    browser = site.signed_in(app, stranger)
    post(browser, f"/account/sessions/{row.id}/end")
    known = trusted_devices.of_user(artist.user.id, now=clock.now())[0]
    post(browser, f"/account/trusted-devices/{known.id}/forget")
    assert theirs.get("/account").status_code == 200
    assert trusted_devices.is_trusted(artist.user.id, device, now=clock.now())


def test_a_stolen_cookie_opens_nothing_after_signing_out(app: Flask, artist: Person) -> None:
    browser, thief = site.signed_in(app, artist), app.test_client()
    cookie = browser.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    assert thief.get("/account").status_code == 200
    post(browser, "/sign-out")
    assert thief.get("/account").status_code == 302


def test_who_stays_signed_in_has_a_cookie_that_outlives_the_browser(app: Flask, artist: Person) -> None:
    for remember, lasts in (({}, False), ({"remember": "y"}, True)):
        browser = app.test_client()
        token = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
        sent = {"email": artist.user.email, "password": site.PASSWORD, "csrf_token": token, **remember}
        answer = browser.post("/sign-in", data=sent)
        cookies = answer.headers.getlist("Set-Cookie")
        (session,) = [cookie for cookie in cookies if cookie.startswith("session=")]
        assert ("Expires=" in session) is lasts
        assert not [cookie for cookie in cookies if cookie.startswith("remember_token")]
    assert sorted(row.remembered for row in AccountSession.select()) == [False, True]


def test_knowing_who_asks_takes_one_query_and_music_none(
    app: Flask, appliance: Appliance, artist: Person
) -> None:
    browser = site.signed_in(app, artist)
    with app.test_request_context("/", headers={"Cookie": f"session={browser.get_cookie('session').value}"}):
        pass
    plain = least(lambda: app.test_client().get("/health"))
    assert least(lambda: browser.get("/health")) == plain
    # Rendering for somebody asks who that is (one), their roles (one), and nothing else more than for nobody.
    assert least(lambda: browser.get("/design")) - least(lambda: app.test_client().get("/design")) <= 2


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge, Windows",
        ),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_browser_is_called_what_people_call_it(agent: str, name: str) -> None:
    assert visitors.named(agent) == name


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::/48"),
        ("127.0.0.1", "127.0.0.1"),
        ("rubbish", ""),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_its_end(address: str, network: str) -> None:
    assert visitors.roughly(address) == network


def test_behind_tls_the_cookie_of_a_trusted_device_is_bound_to_this_host(appliance: Appliance) -> None:
    object.__setattr__(appliance.settings, "public_url", "https://music.example")
    app = create_app(appliance)
    person = site.make_person()
    site.set_up_app(person.user)
    browser = app.test_client()
    base = {"base_url": "https://music.example", "headers": {"Referer": "https://music.example/sign-in"}}
    token = site.csrf_token(browser.get("/sign-in", **base).get_data(as_text=True))
    sent = {"email": person.user.email, "password": site.PASSWORD, "csrf_token": token}
    browser.post("/sign-in", data=sent, **base)
    sent = {"code": site.app_code(person.user), "trust": "on", "csrf_token": token}
    answer = browser.post("/sign-in/second", data=sent, **base)
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-device="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
