"""The first start: closed to everybody, open to who holds the token, and over for good afterwards."""

from __future__ import annotations

import html

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import people
from appliance.accounts.models import User
from appliance.collective import identity
from appliance.collective import setup
from appliance.startup import Appliance
from tests.makers import PASSWORD
from tests.servers import site

HTML = {"Accept": "text/html"}


@pytest.fixture
def token(appliance: Appliance) -> str:
    return setup.new_token(now=clock.now())


def form(browser: FlaskClient, token: str, **changed: str) -> dict[str, str]:
    page = browser.get(f"/setup?token={token}").get_data(as_text=True)
    sent = {
        "csrf_token": site.csrf_token(page),
        "token": token,
        "email": "first@example.com",
        "password": PASSWORD,
        "name": "Tide Collective",
        "tagline": "Songs from the harbour",
        "own_accent": "on",
        "accent": "#aa3311",
        **changed,
    }
    return {name: value for name, value in sent.items() if value}


def test_every_page_leads_to_the_one_that_says_what_is_going_on(app: Flask, token: str) -> None:
    browser = app.test_client()
    for address in ("/", "/@nobody", "/sign-in", "/register", "/studio", "/admin", "/nowhere"):
        answer = browser.get(address, headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/setup"), address
    answer = browser.get("/setup", headers=HTML)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "being set up" in answer.get_data(as_text=True)
    assert token not in answer.get_data(as_text=True)


def test_programs_are_told_to_come_back(app: Flask, token: str) -> None:
    browser = app.test_client()
    assert browser.get("/feed.xml", headers={"Accept": "application/json"}).status_code == 503
    assert browser.post("/sign-in", data={"csrf_token": "x"}).status_code in {400, 503}


def test_supervisors_and_looks_are_served_meanwhile(app: Flask, token: str) -> None:
    browser = app.test_client()
    for address in ("/health", "/ready", "/metrics"):
        assert browser.get(address).status_code == 200, address
    with app.test_request_context():
        sheet = app.jinja_env.globals["asset"]("css/base.css")
    assert browser.get(sheet).status_code == 200


def test_the_token_opens_the_form_and_the_form_makes_the_admin(
    app: Flask, appliance: Appliance, token: str
) -> None:
    browser = app.test_client()
    answer = browser.get(f"/setup?token={token}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    answer = browser.post("/setup", data=form(browser, token))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin?new=1")
    # First a second factor, then the desk.
    answer = browser.get(answer.headers["Location"])
    assert answer.headers["Location"] == "/account/second-factor?next=/admin?new%3D1"
    made = User.get(User.email == "first@example.com")
    site.set_up_app(made)
    page = browser.get("/admin?new=1")
    assert page.status_code == 200
    assert "The doors are open" in page.get_data(as_text=True)
    assert "admin" in people.roles_of(made)
    collective = identity.current(appliance.settings)
    assert (collective.name, collective.accent, collective.registration) == (
        "Tide Collective",
        "#aa3311",
        False,
    )
    stranger = app.test_client()
    assert stranger.get("/", headers=HTML).status_code == 200
    assert stranger.get("/register").status_code == 404
    assert stranger.get("/setup").headers["Location"] == "/"


def test_a_used_token_opens_nothing(app: Flask, token: str) -> None:
    browser, late = app.test_client(), app.test_client()
    second = form(late, token, email="second@example.com")
    browser.post("/setup", data=form(browser, token))
    assert late.post("/setup", data=second).status_code == 403
    assert late.get(f"/setup?token={token}").status_code == 403
    assert User.select().count() == 1


@pytest.mark.parametrize("wrong", ["x", "%00", "a" * 5000, "%ED%A0%80"])
def test_a_wrong_token_is_told_without_a_hint(app: Flask, token: str, wrong: str) -> None:
    browser = app.test_client()
    told = [browser.get(f"/setup?token={guess}") for guess in (wrong, token[:-1])]
    assert [answer.status_code for answer in told] == [403, 403]
    sentences = [answer.get_data(as_text=True).split("<main")[1] for answer in told]
    assert "does not work" in html.unescape(sentences[0])
    assert token not in sentences[0]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "nobody", "not an e-mail address"),
        ("password", "short", "8 to 200 characters"),
        ("name", " ", "must not be empty"),
        ("accent", "red", "A colour is written like"),
    ],
)
def test_what_cannot_be_comes_back_with_everything_else(
    app: Flask, token: str, field: str, value: str, sentence: str
) -> None:
    browser = app.test_client()
    answer = browser.post("/setup", data=form(browser, token, **{field: value}))
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert sentence in page
    assert "Songs from the harbour" in page
    assert PASSWORD not in page
    assert User.select().count() == 0
    assert browser.post("/setup", data=form(browser, token)).status_code == 303


def test_a_node_with_people_but_no_admin_stays_open(app: Flask) -> None:
    site.make_person("listener@example.com")
    token = setup.new_token(now=clock.now())
    browser = app.test_client()
    assert browser.get("/", headers=HTML).status_code == 200
    assert browser.get(f"/setup?token={token}").status_code == 200


def test_without_a_token_there_is_nothing_to_set_up(client: FlaskClient) -> None:
    assert client.get("/", headers=HTML).status_code == 200
    assert client.get("/setup").headers["Location"] == "/"
    assert client.get("/setup?token=guess").status_code == 403


def test_the_form_needs_no_script(app: Flask, token: str) -> None:
    page = app.test_client().get(f"/setup?token={token}").get_data(as_text=True)
    main = page.split("<main")[1].split("</main>")[0]
    assert "<script" not in main
    assert " style=" not in main
    assert 'method="post"' in main
