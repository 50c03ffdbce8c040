"""Proving it again before something dangerous: once in a while, without losing a form, and never by a program."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import people
from appliance.accounts import sessions
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.models import ApiToken
from appliance.accounts.models import RoleName
from appliance.catalog.models import Artist
from tests.servers import site
from tests.servers.site import Person


def send(browser: FlaskClient, path: str, page: str = "/account", **fields: Any):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get(page).get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token, **fields})


def text(answer: Any) -> str:
    return html.unescape(str(answer.get_data(as_text=True)))


def grow_stale() -> None:
    """As if everybody had proved it long ago."""
    long_ago = clock.now() - sessions.FRESH - timedelta(minutes=1)
    AccountSession.update(verified_at=long_ago).execute()


@pytest.fixture
def browser(app: Flask, artist: Person) -> FlaskClient:
    made = site.signed_in(app, artist)
    ApiToken.delete().execute()
    grow_stale()
    return made


def test_a_form_is_asked_for_the_proof_and_then_goes_on(browser: FlaskClient) -> None:
    sent = {"token_name": "Mixer", "scope": ["read", "write"], "days": "30"}
    answer = send(browser, "/account/tokens", **sent)
    assert answer.status_code == 403
    page = text(answer)
    assert "Show that it is you" in page
    assert page.count('name="scope" value="write"') == 1, "nothing that was written is lost"
    assert ApiToken.select().count() == 0
    wrong = send(browser, "/account/tokens", **sent, step_up_password="not this one")
    assert wrong.status_code == 403
    assert "does not show" in text(wrong)
    assert send(browser, "/account/tokens", **sent, step_up_password=site.PASSWORD).status_code == 303
    assert ApiToken.get().scopes == "read write"
    # Once is enough for a while.
    assert send(browser, "/account/tokens", token_name="Other", scope="read").status_code == 303


def test_a_page_is_asked_for_the_proof_before_it_is_shown(browser: FlaskClient) -> None:
    for path in ("/account/email", "/account/second-factor/app", "/account/passkeys/new"):
        grow_stale()
        answer = browser.get(path)
        assert answer.location == f"/verify?next={path}"
        page = text(browser.get(answer.location))
        action = re.search(r'<form class="stack" action="([^"]+)"', page)
        assert action is not None
        done = send(browser, action[1], page=answer.location, step_up_password=site.PASSWORD)
        assert done.location == path
        assert browser.get(path).status_code == 200


def test_the_app_proves_it_as_well(app: Flask) -> None:
    person = site.make_person()
    site.set_up_app(person.user)
    browser = site.signed_in(app, person)
    grow_stale()
    assert browser.get("/account/email").status_code == 303
    answer = send(browser, "/verify", step_up_code=site.app_code(person.user))
    assert answer.status_code == 303
    assert browser.get("/account/email").status_code == 200


def test_too_many_wrong_proofs_sign_the_device_out(browser: FlaskClient) -> None:
    for _ in range(sessions.MOST_FAILURES - 1):
        assert send(browser, "/verify", step_up_password="not this one").status_code == 422
    answer = send(browser, "/verify", step_up_password="not this one")
    assert answer.location == "/sign-in"
    assert "signed out" in text(browser.get("/sign-in"))
    assert browser.get("/account").status_code == 302


def test_roles_and_owners_change_only_with_a_proof(app: Flask, artist: Person, stranger: Person) -> None:
    admin = site.make_person(roles=(RoleName.ADMIN,))
    act = site.make_artist(artist)
    browser = site.signed_in(app, admin)
    grow_stale()
    form = {"act": "grant", "role": "moderator"}
    refused = send(browser, f"/admin/people/{stranger.user.id}", **form)
    assert refused.status_code == 403
    assert "moderator" not in people.roles_of(stranger.user)
    refused = send(browser, f"/admin/artists/{act.id}/owner", email=stranger.user.email)
    assert refused.status_code == 403
    done = send(browser, f"/admin/people/{stranger.user.id}", **form, step_up_password=site.PASSWORD)
    assert done.status_code == 303
    assert "moderator" in people.roles_of(stranger.user)
    assert send(browser, f"/admin/artists/{act.id}/owner", email=stranger.user.email).status_code == 303
    assert Artist.get_by_id(act.id).owner_id == stranger.user.id


def test_a_token_passes_no_step_up(app: Flask) -> None:
    admin = site.make_person(roles=(RoleName.ADMIN,), scopes=("read", "write", "admin"))
    browser = app.test_client()
    answer = browser.get("/account/email", headers=admin.headers)
    assert answer.status_code == 403
    assert "no program with a token" in text(answer)
