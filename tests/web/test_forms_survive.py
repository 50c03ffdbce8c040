"""A form loses nothing: when it is sent twice, when its protection ran out over night, when its writer was signed out."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.catalog.models import Release
from tests.servers import site
from tests.servers.site import Person
from tests.servers.site import csrf_token
from tests.servers.site import signed_in

HERE = {"Origin": "http://localhost"}


@pytest.fixture
def browser(app: Flask, artist: Person) -> FlaskClient:
    return signed_in(app, artist)


@pytest.fixture
def address(artist: Person) -> str:
    return f"/studio/artists/{site.make_artist(artist).slug}/releases"


def test_a_form_that_is_sent_twice_makes_one_release(browser: FlaskClient, address: str) -> None:
    sent = {"title": "Twice", "csrf_token": csrf_token(browser.get("/studio").text), "form_token": "0" * 26}
    first, second = browser.post(address, data=sent), browser.post(address, data=sent)
    assert first.status_code in {302, 303}
    assert (second.status_code, second.location) == (303, first.location)
    assert Release.select().count() == 1


def test_a_form_that_was_refused_may_be_sent_again_with_the_same_token(
    browser: FlaskClient, address: str
) -> None:
    sent = {"title": "", "csrf_token": csrf_token(browser.get("/studio").text), "form_token": "0" * 26}
    assert browser.post(address, data=sent).status_code == 422
    assert browser.post(address, data=sent | {"title": "Now"}).status_code in {302, 303}
    assert Release.select().count() == 1


def test_two_people_with_the_same_token_do_not_meet(app: Flask, artist: Person, stranger: Person) -> None:
    for person in (artist, stranger):
        browser, slug = signed_in(app, person), site.make_artist(person, name=person.user.id).slug
        sent = {
            "title": "Mine",
            "csrf_token": csrf_token(browser.get("/studio").text),
            "form_token": "0" * 26,
        }
        assert browser.post(f"/studio/artists/{slug}/releases", data=sent).status_code in {302, 303}
    assert Release.select().count() == 2


def test_after_a_night_the_form_comes_back_with_all_that_was_written(
    browser: FlaskClient, address: str
) -> None:
    sent = {"title": 'A "long" <text>', "about": "First.\nSecond.", "csrf_token": "expired"}
    answer = browser.post(address, data=sent, headers=HERE)
    assert answer.status_code == 400
    page = answer.text
    assert 'value="A &#34;long&#34; &lt;text&gt;"' in page
    assert "First.\nSecond." in page
    again = {name: sent[name] for name in ("title", "about")} | {"csrf_token": csrf_token(page)}
    assert browser.post(address, data=again, headers=HERE).status_code in {302, 303}
    assert Release.get().title == sent["title"]


def test_who_was_signed_out_meanwhile_keeps_what_they_wrote(app: Flask, address: str) -> None:
    visitor = app.test_client()
    token = csrf_token(visitor.get("/sign-in").text)
    answer = visitor.post(address, data={"title": "Still here", "csrf_token": token}, headers=HERE)
    assert answer.status_code == 401
    assert "Still here" in answer.text
    assert "Sign in" in answer.text
    assert Release.select().count() == 0


def test_a_password_is_never_written_into_the_page(app: Flask) -> None:
    sent = {"email": "ann@example.com", "password": "harbour lights", "csrf_token": "expired"}
    page = app.test_client().post("/sign-in", data=sent, headers=HERE).text
    assert "ann@example.com" in page
    assert "harbour lights" not in page


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_what_another_site_sends_is_not_offered_for_sending_again(
    browser: FlaskClient, address: str, origin: str
) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = browser.post(address, data={"title": "Forged", "csrf_token": "no"}, headers=headers)
    assert answer.status_code == 400
    assert not re.search(r"<form[^>]+releases", answer.text)
