"""One's own account, signing in and joining."""

import html
import re
from urllib.parse import urljoin
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import tokens
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from tests.servers import site
from tests.servers.site import Person


@pytest.fixture
def browser(app: Flask, stranger: Person) -> FlaskClient:
    """Signed in."""
    return site.signed_in(app, stranger)


def send(browser: FlaskClient, path: str, page: str = "/account", **fields: object):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get(page).get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token, **fields})


def told(browser: FlaskClient, path: str = "/account") -> str:
    return browser.get(path).get_data(as_text=True)


def test_a_listener_says_how_to_be_called(browser: FlaskClient, stranger: Person) -> None:
    assert stranger.user.email in told(browser)
    assert send(browser, "/account", display_name="  Mira\u202e \x07Vogel ").status_code == 303
    assert 'value="Mira Vogel"' in told(browser)
    assert send(browser, "/account", display_name="").status_code == 303
    assert User.get_by_id(stranger.user.id).display_name == ""


def test_a_name_that_is_too_long_comes_back_in_its_form(browser: FlaskClient) -> None:
    answer = send(browser, "/account", display_name="x" * 101)
    assert answer.status_code == 422
    assert "x" * 101 in answer.get_data(as_text=True)


def test_an_account_is_for_who_is_signed_in(client: FlaskClient) -> None:
    assert client.get("/account").location.startswith("/sign-in")
    assert client.get("/welcome").location.startswith("/sign-in")


def test_a_token_is_shown_once_works_and_is_revoked(
    browser: FlaskClient, stranger: Person, client: FlaskClient
) -> None:
    ApiToken.delete().execute()
    answer = send(browser, "/account/tokens", token_name="Mixer", scope=["read", "write"], days="90")
    assert answer.status_code == 303
    page = told(browser, "/account/tokens")
    found = re.search(r'value="(mc_[\w-]+)"', page)
    assert found is not None
    assert "Mixer" in page
    assert found[1] not in told(browser, "/account/tokens")
    row = tokens.recognise(found[1], clock.now())
    assert row is not None
    assert (row.user_id, row.scopes) == (stranger.user.id, "read write")
    assert send(browser, f"/account/tokens/{row.id}/revoke").status_code == 303
    assert tokens.recognise(found[1], clock.now()) is None
    assert send(browser, f"/account/tokens/{row.id}/revoke").status_code == 303


def test_nobody_revokes_the_token_of_another(browser: FlaskClient, artist: Person) -> None:
    row = tokens.recognise(artist.token, clock.now())
    assert row is not None
    send(browser, f"/account/tokens/{row.id}/revoke")
    assert tokens.recognise(artist.token, clock.now()) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"token_name": "", "scope": "read"},
        {"token_name": "x"},
        {"token_name": "x", "scope": "admin"},
        {"token_name": "x", "scope": "everything"},
        {"token_name": "x" * 101, "scope": "read"},
    ],
)
def test_a_token_without_a_name_or_with_a_right_one_does_not_have_is_not_made(
    browser: FlaskClient, fields: dict[str, str]
) -> None:
    before = ApiToken.select().count()
    assert send(browser, "/account/tokens", **fields).status_code == 422
    assert ApiToken.select().count() == before


def test_an_admin_may_make_a_token_of_an_admin(app: Flask) -> None:
    browser = site.signed_in(app, site.make_person(roles=(RoleName.ADMIN,)))
    assert send(browser, "/account/tokens", token_name="Robot", scope="admin").status_code == 303


def test_nobody_has_tokens_without_end(browser: FlaskClient, stranger: Person) -> None:
    while ApiToken.select().where(ApiToken.user == stranger.user.id).count() < tokens.MOST_TOKENS:
        tokens.mint(stranger.user, now=clock.now())
    answer = send(browser, "/account/tokens", token_name="One more", scope="read")
    assert answer.status_code == 422
    assert "at most 50" in answer.get_data(as_text=True)


def test_a_token_that_may_not_do_everything_makes_none_that_may(app: Flask, stranger: Person) -> None:
    """Else a leaked token of a program would open the whole account."""
    admin = site.make_person(roles=(RoleName.ADMIN,), scopes=(Scope.READ, Scope.WRITE))
    browser = app.test_client()
    token = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    sent = {"csrf_token": token, "token_name": "x", "scope": "admin"}
    strong = site.make_person(roles=(RoleName.ADMIN,), scopes=tuple(Scope))
    assert browser.get("/account", headers=admin.headers).status_code == 403
    assert browser.post("/account/tokens", data=sent, headers=strong.headers).status_code == 403
    for path in ("/account/tokens", "/account", "/account/sign-out-everywhere"):
        assert browser.post(path, data=sent, headers=admin.headers).status_code == 403


def test_signing_out_everywhere_ends_every_session(
    app: Flask, browser: FlaskClient, stranger: Person
) -> None:
    elsewhere = site.signed_in(app, stranger)
    assert elsewhere.get("/account").status_code == 200
    answer = send(browser, "/account/sign-out-everywhere")
    assert answer.location.endswith("/sign-in")
    assert "signed out on all devices" in told(browser, answer.location)
    for one in (browser, elsewhere):
        assert one.get("/account").status_code == 302
    assert browser.get("/api/v1/releases", headers=stranger.headers).status_code == 200


# --- signing in and joining


def sign_in(browser: FlaskClient, person: Person, following: str = "", password: str = site.PASSWORD):  # type: ignore[no-untyped-def]
    """By the form, sent where it says."""
    page = browser.get("/sign-in", query_string={"next": following} if following else {}).get_data(
        as_text=True
    )
    action = re.search(r'<form class="stack" action="([^"]+)"', page)
    assert action is not None
    sent = {"email": person.user.email, "password": password, "csrf_token": site.csrf_token(page)}
    return browser.post(html.unescape(action[1]), data=sent)


def test_who_makes_music_comes_to_the_studio_and_who_listens_to_the_music(app: Flask) -> None:
    for roles, there in (((RoleName.ARTIST,), "/studio"), ((), "/")):
        browser = app.test_client()
        answer = sign_in(browser, site.make_person(roles=roles))
        assert browser.get(answer.location).location == there


def test_signing_in_leads_back_to_where_one_was(app: Flask, stranger: Person) -> None:
    browser = app.test_client()
    asked = browser.get("/account")
    assert "next=/account" in asked.location.replace("%2F", "/")
    page = told(browser, asked.location)
    assert "next=/account" in page.replace("%2F", "/")
    assert sign_in(browser, stranger, "/account").location == "/account"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        " //evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http://localhost@evil.example/",
    ],
)
def test_signing_in_leads_nowhere_else(app: Flask, stranger: Person, address: str) -> None:
    assert sign_in(app.test_client(), stranger, address).location == "/signed-in"
    # Nor when somebody sends the form elsewhere than it says.
    browser = app.test_client()
    token = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    sent = {"email": stranger.user.email, "password": site.PASSWORD, "csrf_token": token}
    forced = browser.post("/sign-in", query_string={"next": address}, data=sent)
    there = (forced.location or "/").replace("\\", "/")
    assert urlsplit(urljoin("http://localhost/sign-in", there)).netloc == "localhost"


def test_a_wrong_password_and_an_unknown_address_get_one_answer(app: Flask, stranger: Person) -> None:
    answers = [
        sign_in(app.test_client(), Person(User(email=email), ""), password="wrong password").get_data(
            as_text=True
        )
        for email in (stranger.user.email, "nobody@example.com")
    ]
    texts = [re.findall(r'class="(?:wrong|notice problem)[^>]*>(.*?)</p>', page, re.S) for page in answers]
    assert texts[0] == texts[1] != []


def test_joining_welcomes_and_tells_the_next_step(app: Flask) -> None:
    browser = app.test_client()
    token = site.csrf_token(told(browser, "/register"))
    sent = {
        "email": "new@example.com",
        "password": site.PASSWORD,
        "password_confirm": site.PASSWORD,
        "csrf_token": token,
    }
    answer = browser.post("/register", data=sent)
    assert "Look into your mailbox" in told(browser, answer.location)
    answer = browser.get(site.link_to("new@example.com"))
    assert browser.get(answer.location).location == "/sign-in?next=/welcome"
    new = Person(User.get(User.email == "new@example.com"), "")
    page = told(browser, sign_in(browser, new, "/welcome").location)
    for step in ("I want to listen", "I make music", 'href="/studio"'):
        assert step in page


def test_a_form_that_was_not_taken_keeps_the_way_back(app: Flask) -> None:
    browser = app.test_client()
    token = site.csrf_token(told(browser, "/register"))
    sent = {"email": "new@example.com", "password": "short", "password_confirm": "short", "csrf_token": token}
    page = browser.post("/register?next=/account", data=sent).get_data(as_text=True)
    assert "next=/account" in page.replace("%2F", "/")
    assert 'value="new@example.com"' in page
    assert (
        "short" not in re.sub(r"too short|at least|shorter|short,", "", page) or 'value="short"' not in page
    )
