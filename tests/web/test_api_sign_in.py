"""Who is asking: tokens with scopes, sessions with a guard against forged requests, and the forms that make them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import people
from appliance.accounts import tokens
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.app import create_app

pytestmark = pytest.mark.usefixtures("nobody_works")

NAME = {"name": "New"}


def test_without_a_sign_in_changes_are_401_and_say_how_to_sign_in(client: FlaskClient) -> None:
    answer = client.post("/api/v1/artists", json=NAME)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="MusicConnect"')


def test_a_token_to_read_cannot_change_anything(client: FlaskClient) -> None:
    reader = site.make_person(scopes=(Scope.READ,))
    answer = client.post("/api/v1/artists", json=NAME, headers=reader.headers)
    assert (answer.status_code, answer.json["detail"]) == (403, "This API token lacks the scope 'write'.")
    assert client.get("/api/v1/releases", headers=reader.headers).status_code == 200


def test_a_token_to_read_sees_its_owners_drafts(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    token = tokens.mint(artist.user, now=clock.now(), scopes=(Scope.READ,))
    answer = client.get(f"/api/v1/tracks/{track.id}", headers={"Authorization": f"bearer {token}"})
    assert answer.json["original"]["name"] == "song.flac"


@pytest.mark.parametrize("token", ["mc_forged", "x", "é" * 40, "a b", "mc_" + "x" * 5000])
def test_a_token_nobody_made_is_refused_even_where_none_is_needed(
    client: FlaskClient, artist: Person, token: str
) -> None:
    track_address = f"/api/v1/releases/{site.make_release(artist, published=True).id}"
    assert client.get(track_address).status_code == 200
    answer = client.get(track_address, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_an_expired_token_is_refused(client: FlaskClient, artist: Person) -> None:
    old = tokens.mint(artist.user, now=clock.now() - timedelta(days=8), days=7)
    assert (
        client.post("/api/v1/artists", json=NAME, headers={"Authorization": f"Bearer {old}"}).status_code
        == 401
    )
    new = tokens.mint(artist.user, now=clock.now() - timedelta(days=6), days=7)
    assert (
        client.post("/api/v1/artists", json=NAME, headers={"Authorization": f"Bearer {new}"}).status_code
        == 201
    )


def test_a_revoked_token_and_a_disabled_account_are_refused(
    client: FlaskClient, artist: Person, stranger: Person
) -> None:
    ApiToken.delete().where(ApiToken.user == artist.user).execute()
    User.update(active=False).where(User.id == stranger.user.id).execute()
    for person in (artist, stranger):
        assert client.post("/api/v1/artists", json=NAME, headers=person.headers).status_code == 401


def test_a_token_is_not_kept_in_clear_text(client: FlaskClient, artist: Person) -> None:
    row = ApiToken.get(ApiToken.user == artist.user)
    assert artist.token not in str(row.__data__)
    assert len(row.digest) == 64


def test_a_session_may_read_and_needs_the_pages_word_to_change(app: Flask, artist: Person) -> None:
    release = site.make_release(artist)
    browser = site.signed_in(app, artist)
    address = f"/api/v1/releases/{release.id}"
    assert browser.get(address).status_code == 200
    forged = browser.patch(address, json={"title": "Forged"})
    assert forged.status_code == 400
    word = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/studio").get_data(as_text=True))
    assert word
    changed = browser.patch(address, json={"title": "Mine"}, headers={"X-CSRFToken": word[1]})
    assert (changed.status_code, changed.json["title"]) == (200, "Mine")


def test_a_token_beside_a_session_counts_alone(app: Flask, artist: Person, stranger: Person) -> None:
    release = site.make_release(artist)
    browser = site.signed_in(app, artist)
    assert browser.get(f"/api/v1/releases/{release.id}", headers=stranger.headers).status_code == 404
    assert (
        browser.get(f"/api/v1/releases/{release.id}", headers={"Authorization": "Bearer x"}).status_code
        == 401
    )


def test_a_session_of_a_disabled_account_is_over(app: Flask, artist: Person) -> None:
    release = site.make_release(artist)
    browser = site.signed_in(app, artist)
    User.update(active=False).where(User.id == artist.user.id).execute()
    assert browser.get(f"/api/v1/releases/{release.id}").status_code == 404


def test_all_sessions_end_when_the_key_of_the_account_changes(app: Flask, artist: Person) -> None:
    release = site.make_release(artist)
    browser = site.signed_in(app, artist)
    User.update(fs_uniquifier="changed").where(User.id == artist.user.id).execute()
    assert browser.get(f"/api/v1/releases/{release.id}").status_code == 404


def test_an_account_made_by_the_command_signs_in_by_the_form(app: Flask) -> None:
    people.create(" Ana@Example.COM ", site.PASSWORD, roles=[RoleName.ARTIST], now=clock.now())
    for written in ("ana@example.com", "Ana@Example.com"):
        browser = app.test_client()
        sent = {"email": written, "password": site.PASSWORD, "csrf_token": _word(browser, "/sign-in")}
        answer = browser.post("/sign-in", data=sent)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/signed-in")
        assert browser.get("/signed-in").headers["Location"] == "/studio"
        assert browser.get("/studio").status_code == 200


def test_registering_makes_a_listener_who_signs_in_once_the_address_is_confirmed(app: Flask) -> None:
    browser = app.test_client()
    answer = _register(browser, "new@example.com")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    person = people.find("new@example.com")
    assert people.roles_of(person) == {RoleName.LISTENER}
    assert person.password.startswith("$argon2id$")
    browser = app.test_client()
    sent = {"email": "new@example.com", "password": site.PASSWORD, "csrf_token": _word(browser, "/sign-in")}
    assert browser.post("/sign-in", data=sent).status_code == 422
    browser.get(site.link_to("new@example.com"))
    sent["csrf_token"] = _word(browser, "/sign-in")
    assert browser.post("/sign-in", data=sent).status_code == 302


def test_demo_accounts_sign_in_on_this_machine_only(appliance: Appliance) -> None:
    person = site.make_person("fan@demo.com")
    User.update(demo=True).where(User.id == person.user.id).execute()
    for host, status in (("127.0.0.1", 302), ("::1", 302), ("0.0.0.0", 422), ("192.0.2.1", 422)):
        reached = replace(appliance, settings=replace(appliance.settings, host=host))
        browser = create_app(reached).test_client()
        form = {"email": "fan@demo.com", "password": site.PASSWORD, "csrf_token": _word(browser, "/sign-in")}
        assert browser.post("/sign-in", data=form).status_code == status, host


def test_no_shared_cache_keeps_what_is_for_one_person(app: Flask, artist: Person) -> None:
    browser = app.test_client()
    assert browser.get("/sign-in").headers["Cache-Control"] == "private, no-store"
    for address in ("/", "/api/v1/releases", "/api/v1/nothing", "/ready"):
        assert browser.get(address).headers["Cache-Control"] == "private, no-cache"


def test_an_unknown_address_and_a_wrong_password_are_answered_alike(app: Flask, artist: Person) -> None:
    pages = []
    for email in (artist.user.email, "nobody@example.com"):
        browser = app.test_client()
        sent = {"email": email, "password": "wrong password", "csrf_token": _word(browser, "/sign-in")}
        answer = browser.post("/sign-in", data=sent)
        page = answer.get_data(as_text=True).replace(email, "")
        pages.append((answer.status_code, re.sub(r'(nonce|value|content|data-ask)="[^"]+"', "", page)))
    assert pages[0] == pages[1]
    # Turbo shows a form again after 422 only.
    assert pages[0][0] == 422
    assert "do not belong together" in pages[0][1]


def test_registering_a_known_address_does_not_tell_that_it_is_known(app: Flask, artist: Person) -> None:
    before = User.get_by_id(artist.user.id).password
    known, unknown = (
        _register(app.test_client(), email) for email in (artist.user.email, "fresh@example.com")
    )
    assert User.get_by_id(artist.user.id).password == before
    assert artist.user.email not in known.get_data(as_text=True).replace(f'value="{artist.user.email}"', "")
    assert "already" not in known.get_data(as_text=True)
    assert unknown.status_code == 302
    told = app.test_client().get("/sign-in?next=/welcome").get_data(as_text=True)
    assert "If you have an account here already" in told


@pytest.mark.parametrize(
    "email", ["", "no", "a@b", "\0@example.com", "x@" + "y" * 300 + ".com", "😀@example.com\n"]
)
def test_what_is_no_address_cannot_register(app: Flask, email: str) -> None:
    answer = _register(app.test_client(), email)
    assert answer.status_code in {400, 422}
    assert User.select().count() == 0


def test_a_short_password_cannot_register(app: Flask) -> None:
    assert _register(app.test_client(), "a@example.com", "short").status_code != 302
    assert User.select().count() == 0


def test_registration_can_be_closed(appliance: Appliance) -> None:
    closed = replace(appliance, settings=replace(appliance.settings, registration=False))
    assert create_app(closed).test_client().get("/register").status_code == 404


def test_a_form_without_its_word_is_refused(app: Flask, artist: Person) -> None:
    answer = app.test_client().post("/sign-in", data={"email": artist.user.email, "password": site.PASSWORD})
    assert answer.status_code == 400


def test_signing_in_leads_nowhere_else(app: Flask, artist: Person) -> None:
    browser = app.test_client()
    sent = {"email": artist.user.email, "password": site.PASSWORD, "csrf_token": _word(browser, "/sign-in")}
    answer = browser.post("/sign-in?next=https://evil.example/", data=sent)
    assert "evil" not in answer.headers.get("Location", "")


def test_the_session_cookie_is_guarded(app: Flask, artist: Person) -> None:
    browser = app.test_client()
    sent = {"email": artist.user.email, "password": site.PASSWORD, "csrf_token": _word(browser, "/sign-in")}
    cookie = browser.post("/sign-in", data=sent).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def _word(browser: FlaskClient, address: str) -> str:
    return site.csrf_token(browser.get(address).get_data(as_text=True))


def _register(browser: FlaskClient, email: str, password: str = site.PASSWORD):
    sent = {
        "email": email,
        "password": password,
        "password_confirm": password,
        "csrf_token": _word(browser, "/register"),
    }
    return browser.post("/register", data=sent)


def test_who_wants_to_be_remembered_is_until_they_sign_out(app: Flask, artist: Person) -> None:
    browser = app.test_client()
    sent = {"email": artist.user.email, "password": site.PASSWORD, "remember": "y"}
    browser.post("/sign-in", data={**sent, "csrf_token": _word(browser, "/sign-in")})
    cookie = browser.get_cookie("session")
    assert cookie is not None
    assert cookie.expires is not None, "it outlives the browser"
    studio = browser.get("/studio")
    assert studio.status_code == 200
    browser.post("/sign-out", data={"csrf_token": site.csrf_token(studio.get_data(as_text=True))})
    assert browser.get("/studio").status_code == 302
    browser.set_cookie("session", cookie.value)
    assert browser.get("/studio").status_code == 302, "nor does the cookie of then open anything"
