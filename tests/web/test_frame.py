"""The frame of every page: versioned files, languages, compression."""

import gzip
import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.servers import site
from web import frame

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


def test_a_versioned_file_is_kept_for_a_year_and_its_imports_share_the_version(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    address = f"/assets/{frame.version()}/js/app.js"
    assert address in page
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(f"/assets/{frame.version()}/js/texts.js").status_code == 200


def test_a_page_from_before_an_upgrade_gets_todays_file_but_does_not_keep_it(client: FlaskClient) -> None:
    answer = client.get("/assets/0123456789ab/js/app.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "js/../../app.py", "nothing.js"])
def test_only_static_files_are_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/assets/{frame.version()}/{path}").status_code == 404


def test_texts_are_compressed_for_browsers_that_can(client: FlaskClient) -> None:
    address = f"/assets/{frame.version()}/css/base.css"
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == client.get(address).data


@pytest.mark.parametrize(
    ("asked", "shown"), [("de-AT,de;q=0.9,en;q=0.5", "de"), ("fr", "en"), ("", "en"), ("en-GB", "en")]
)
def test_the_language_is_the_one_the_browser_asks_for(client: FlaskClient, asked: str, shown: str) -> None:
    page = client.get("/", headers={"Accept-Language": asked}).get_data(as_text=True)
    assert f'<html lang="{shown}"' in page


def test_a_chosen_language_is_remembered_on_the_device(app: Flask) -> None:
    browser = app.test_client()
    sent = {"language": "de", "back": "/sign-in?next=/studio"}
    answer = browser.post("/language", data=sent, headers=OWN_PAGE)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/studio")
    assert '<html lang="de"' in browser.get("/").get_data(as_text=True)


def test_another_site_does_not_choose_the_language(client: FlaskClient) -> None:
    assert client.post("/language", data={"language": "de"}).status_code == 403
    assert client.get_cookie("language") is None


def test_a_stranger_gets_no_cookie_from_the_frame(client: FlaskClient) -> None:
    assert "Set-Cookie" not in client.get("/").headers


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_the_way_back_never_leaves_the_house(app: Flask, back: str) -> None:
    browser = app.test_client()
    answer = browser.post("/language", data={"language": "de", "back": back}, headers=OWN_PAGE)
    assert answer.location == "/"


def test_who_signs_in_from_a_page_is_led_back_to_it(app: Flask) -> None:
    person = site.make_person("fan@example.com")
    browser = app.test_client()
    shown = browser.get("/search?q=low+tide").get_data(as_text=True)
    found = {html.unescape(one) for one in re.findall(r'href="(/sign-in[^"]*)"', shown)}
    assert found == {"/sign-in?next=/search?q%3Dlow%2Btide"}
    sent = {"email": person.user.email, "password": site.PASSWORD}
    sent["csrf_token"] = site.csrf_token(browser.get(found.pop()).get_data(as_text=True))
    answer = browser.post("/sign-in?next=/search?q%3Dlow%2Btide", data=sent)
    assert answer.location == "/search?q=low+tide"
    assert 'href="/sign-in"' in app.test_client().get("/").get_data(as_text=True)
