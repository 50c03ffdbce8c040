"""Signing in by OpenID Connect at a real provider: what opens an account, what must not, and what a forged or old answer proves."""

from __future__ import annotations

import base64
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import hooks
from appliance.accounts import audit
from appliance.accounts.models import SignInIdentity
from appliance.accounts.models import User
from appliance.collective import identity
from appliance.mail import Message
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.makers import PASSWORD
from tests.servers import oidc
from tests.servers import site
from tests.servers.oidc import Provider
from tests.servers.site import Person
from web.app import create_app

BACK = "/sign-in/with/oidc/back"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with oidc.serving() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.faults()
    return running


def load(appliance: Appliance, **values: Any) -> hooks.Plugin:
    hooks.load(Settings(data=appliance.settings.data, plugins={"oidc_signin": values}))
    [plugin] = [one for one in hooks.plugins() if one.name == "oidc_signin"]
    return plugin


@pytest.fixture
def app(appliance: Appliance, provider: Provider) -> Iterator[Flask]:
    plugin = load(
        appliance,
        issuer=provider.issuer,
        client_id=oidc.CLIENT_ID,
        client_secret=oidc.CLIENT_SECRET,
        label="Harbour Union",
        allow_private_addresses=True,
    )
    assert plugin.status == "ready", plugin.explanation
    yield create_app(appliance)
    load(appliance)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def agreed(url: str) -> str:
    """The address of ours that the provider sends the browser back to."""
    try:
        urllib.request.build_opener(NoRedirect).open(url)
    except urllib.error.HTTPError as answer:
        assert answer.code == 302, answer.read()
        return str(answer.headers["Location"])
    raise AssertionError("the provider did not lead back")


def gone(browser: FlaskClient, path: str = "/sign-in/with/oidc") -> str:
    """Where the browser is sent to."""
    answer = browser.get(path)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def signed_in(browser: FlaskClient) -> str:
    """The page one comes to after having been there, with what it says."""
    return browser.get(agreed(gone(browser)), follow_redirects=True).get_data(as_text=True)


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/account").status_code == 200


def page(browser: FlaskClient, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


def test_the_way_there_is_offered_and_asks_for_no_more_than_it_needs(app: Flask, provider: Provider) -> None:
    browser = app.test_client()
    for path in ("/sign-in", "/register"):
        assert "Go on with Harbour Union" in page(browser, path)
    there = urlsplit(gone(browser))
    asked = {name: value[0] for name, value in parse_qs(there.query).items()}
    assert f"{there.scheme}://{there.netloc}" == provider.issuer
    assert asked["redirect_uri"] == f"http://localhost{BACK}"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == "openid email profile"
    assert len(asked["state"]) == len(asked["nonce"]) == 43


def test_who_is_new_gets_a_confirmed_account_and_comes_in_again(app: Flask, provider: Provider) -> None:
    browser = app.test_client()
    signed_in(browser)
    assert is_in(browser)
    user = User.get(User.email == "ada@example.com")
    assert (user.display_name, user.confirmed_at is not None) == ("Ada", True)
    acts = [(entry.action, audit.facts(entry).get("by")) for entry in audit.entries()]
    assert acts == [("sign_in", "oidc"), ("identity.linked", "oidc"), ("person.registered", "oidc")]
    sent = provider.seen()[-1]
    pair = f"{quote(oidc.CLIENT_ID, safe='')}:{quote(oidc.CLIENT_SECRET, safe='')}"
    assert sent["basic"] == "Basic " + base64.b64encode(pair.encode()).decode()
    assert "client_secret" not in sent["form"]
    other = app.test_client()
    signed_in(other)
    assert is_in(other)
    assert User.select().where(User.email == "ada@example.com").count() == 1
    assert SignInIdentity.get().last_used_at is not None


def test_whoever_changed_their_address_there_stays_the_same_here(app: Flask, provider: Provider) -> None:
    signed_in(app.test_client())
    provider.faults(claims={"email": "countess@example.com"})
    browser = app.test_client()
    signed_in(browser)
    assert "ada@example.com" in page(browser, "/account")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody else"},
        {"aud": [oidc.CLIENT_ID, "somebody else"]},
        {"aud": [oidc.CLIENT_ID, "somebody else"], "azp": "somebody else"},
        {"nonce": "another one"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 99999999999},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
def test_a_token_that_is_not_right_opens_nothing(
    app: Flask, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.faults(claims=claims)
    browser = app.test_client()
    assert "This answer proves nothing. Start again." in signed_in(browser)
    assert not is_in(browser)
    assert User.select().count() == 0
    [entry] = audit.entries()
    assert (entry.action, audit.facts(entry)["by"]) == ("sign_in.failed", "oidc")


@pytest.mark.parametrize(
    "fault", [{"alg": "none"}, {"alg": "HS256"}, {"key": "other"}, {"key": "other", "kid": "other"}], ids=str
)
def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    app: Flask, provider: Provider, fault: dict[str, Any]
) -> None:
    provider.faults(**fault)
    browser = app.test_client()
    assert "This answer proves nothing. Start again." in signed_in(browser)
    assert not is_in(browser)


def test_two_audiences_are_right_when_it_was_made_for_us(app: Flask, provider: Provider) -> None:
    provider.faults(claims={"aud": [oidc.CLIENT_ID, "somebody else"], "azp": oidc.CLIENT_ID})
    browser = app.test_client()
    signed_in(browser)
    assert is_in(browser)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_opens_no_account(
    app: Flask, provider: Provider, verified: object
) -> None:
    provider.faults(claims={"email_verified": verified})
    browser = app.test_client()
    assert "Your address is not confirmed there." in signed_in(browser)
    assert not is_in(browser)
    assert User.select().count() == 0


def test_an_address_is_asked_for_where_the_token_has_none(app: Flask, provider: Provider) -> None:
    nothing = {"email": None, "email_verified": None}
    provider.faults(claims=nothing, userinfo={"sub": "somebody else"})
    assert "Your address is not confirmed there." in signed_in(app.test_client())
    provider.faults(claims=nothing)
    signed_in(app.test_client())
    assert User.get().email == "ada@example.com"


def test_an_account_that_is_here_already_is_not_taken_over(app: Flask) -> None:
    victim = site.make_person("ada@example.com")
    browser = app.test_client()
    assert "There is an account for this address here." in signed_in(browser)
    assert not is_in(browser)
    assert SignInIdentity.select().count() == 0
    assert User.select().count() == 1
    assert User.get().id == victim.user.id


def test_where_registration_is_closed_only_who_is_linked_comes_in(app: Flask, appliance: Appliance) -> None:
    signed_in(app.test_client())
    identity.change(
        {"registration": False},
        version=identity.stored_version(),
        settings=appliance.settings,
        actor=None,
        now=clock.now(),
    )
    browser = app.test_client()
    signed_in(browser)
    assert is_in(browser)
    SignInIdentity.delete().execute()
    User.update(email="other@example.com").execute()
    assert "Registration is closed here." in signed_in(app.test_client())


def test_an_account_that_was_closed_stays_closed(app: Flask) -> None:
    signed_in(app.test_client())
    User.update(active=False).execute()
    browser = app.test_client()
    assert "This account is deactivated." in signed_in(browser)
    assert not is_in(browser)


def test_the_answer_of_another_browser_opens_nothing(app: Flask) -> None:
    """Else somebody could sign others in to an account of theirs, and watch what they do there."""
    theirs = agreed(gone(app.test_client()))
    browser = app.test_client()
    for prepared in (lambda: None, lambda: gone(browser)):
        prepared()
        assert "this answer is not yours" in browser.get(theirs, follow_redirects=True).get_data(as_text=True)
        assert not is_in(browser)


def test_an_answer_counts_once(app: Flask, provider: Provider) -> None:
    browser = app.test_client()
    answer = agreed(gone(browser))
    browser.get(answer)
    assert is_in(browser)
    again = app.test_client()
    # With the session of the first one, as somebody has it who looked over the shoulder.
    with browser.session_transaction() as kept:
        assert "elsewhere" not in kept
    assert "this answer is not yours" in again.get(answer, follow_redirects=True).get_data(as_text=True)


def test_a_code_that_was_used_opens_nothing(app: Flask) -> None:
    browser = app.test_client()
    answer = agreed(gone(browser))
    with browser.session_transaction() as kept:
        begun = dict(kept["elsewhere"])
    browser.get(answer)
    thief = app.test_client()
    with thief.session_transaction() as kept:
        kept["elsewhere"] = begun
    assert "This answer proves nothing." in thief.get(answer, follow_redirects=True).get_data(as_text=True)
    assert not is_in(thief)


def test_the_code_of_another_flow_is_worth_nothing_without_its_verifier(app: Flask) -> None:
    stolen = parse_qs(urlsplit(agreed(gone(app.test_client()))).query)["code"][0]
    browser = app.test_client()
    own = agreed(gone(browser))
    code = parse_qs(urlsplit(own).query)["code"][0]
    answer = browser.get(own.replace(code, stolen), follow_redirects=True)
    assert "This answer proves nothing." in answer.get_data(as_text=True)
    assert not is_in(browser)


def test_the_answer_of_another_provider_is_refused(app: Flask, provider: Provider) -> None:
    provider.faults(said_by="https://evil.example")
    browser = app.test_client()
    assert "from another place" in signed_in(browser)
    assert not is_in(browser)


def test_an_answer_that_comes_late_opens_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = app.test_client()
    answer = agreed(gone(browser))
    now = time.time()
    monkeypatch.setattr("web.security.elsewhere.time.time", lambda: now + 601)
    assert "You were away too long" in browser.get(answer, follow_redirects=True).get_data(as_text=True)


def test_who_does_not_agree_is_led_back(app: Flask, provider: Provider) -> None:
    provider.faults(deny=True)
    assert "Harbour Union did not let you in" in signed_in(app.test_client())


@pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?error=y", "?state=%ff&code=%00"])
def test_rubbish_is_told_as_what_it_is(app: Flask, query: str) -> None:
    browser = app.test_client()
    assert "this answer is not yours" in browser.get(BACK + query, follow_redirects=True).get_data(
        as_text=True
    )
    assert browser.get("/sign-in/with/nothing").status_code == 404
    assert browser.get("/sign-in/with/nothing/back").status_code == 404


def test_one_is_led_to_where_one_wanted_to_go_and_to_no_other_server(app: Flask) -> None:
    browser = app.test_client()
    answer = browser.get(agreed(gone(browser, "/sign-in/with/oidc?next=/library")))
    assert answer.headers["Location"] == "/library"
    other = app.test_client()
    answer = other.get(agreed(gone(other, "/sign-in/with/oidc?next=//evil.example")))
    assert "evil" not in answer.headers["Location"]


def test_the_second_factor_is_asked_for_as_always(app: Flask) -> None:
    signed_in(app.test_client())
    User.update(second_factor_since=clock.now()).execute()
    browser = app.test_client()
    answer = browser.get(agreed(gone(browser, "/sign-in/with/oidc?next=/library")))
    assert answer.headers["Location"] == "/sign-in/second?next=/library"
    assert not is_in(browser)


def linked(app: Flask, person: Person) -> tuple[FlaskClient, str]:
    """The browser of this person after they linked an account elsewhere, and the page they came to."""
    browser = site.signed_in(app, person)
    token = site.csrf_token(page(browser, "/account/identities"))
    asked = browser.post("/account/identities/with/oidc", data={"csrf_token": token})
    assert asked.status_code == 200, asked.get_data(as_text=True)
    there = asked.get_data(as_text=True).split('class="button large" href="')[1].split('"')[0]
    answer = browser.get(agreed(there.replace("&amp;", "&")), follow_redirects=True)
    return browser, answer.get_data(as_text=True)


def test_an_account_is_linked_from_within_and_opens_it_then(app: Flask, provider: Provider) -> None:
    # Whose address it is does not matter: who is signed in says so.
    provider.faults(claims={"email_verified": False})
    person = site.make_person("bob@example.com")
    _browser, said = linked(app, person)
    assert "opens this one from now on" in said
    assert Message.get(Message.kind == "identity_linked").to == "bob@example.com"
    other = app.test_client()
    signed_in(other)
    assert "bob@example.com" in page(other, "/account")
    assert User.select().count() == 1


def test_linking_needs_a_form_of_ours_and_proof_of_who_one_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = site.signed_in(app, site.make_person())
    assert browser.post("/account/identities/with/oidc").status_code in {400, 403, 422}
    token = site.csrf_token(page(browser, "/account/identities"))
    monkeypatch.setattr("appliance.accounts.sessions.is_fresh", lambda row, now: False)
    asked = browser.post("/account/identities/with/oidc", data={"csrf_token": token})
    assert asked.status_code == 403
    proved = browser.post(
        "/account/identities/with/oidc", data={"csrf_token": token, "step_up_password": PASSWORD}
    )
    assert proved.status_code == 200
    assert app.test_client().post("/account/identities/with/oidc").status_code in {302, 303, 400, 403}


def test_an_account_elsewhere_opens_one_account_alone(app: Flask) -> None:
    linked(app, site.make_person())
    _browser, said = linked(app, site.make_person())
    assert "is linked to another account here" in said
    assert SignInIdentity.select().count() == 1


def test_who_signed_out_meanwhile_links_nothing(app: Flask) -> None:
    browser = site.signed_in(app, site.make_person("bob@example.com"))
    token = site.csrf_token(page(browser, "/account/identities"))
    asked = browser.post("/account/identities/with/oidc", data={"csrf_token": token}).get_data(as_text=True)
    there = asked.split('class="button large" href="')[1].split('"')[0].replace("&amp;", "&")
    with browser.session_transaction() as kept:
        begun = kept["elsewhere"]
    other = site.signed_in(app, site.make_person("eve@example.com"))
    with other.session_transaction() as kept:
        kept["elsewhere"] = begun
    other.get(agreed(there))
    assert SignInIdentity.select().count() == 0


def test_what_is_unlinked_opens_nothing_any_more(app: Flask) -> None:
    person = site.make_person("bob@example.com")
    browser, _said = linked(app, person)
    identity = SignInIdentity.get()
    token = site.csrf_token(page(browser, "/account/identities"))
    stranger = site.signed_in(app, site.make_person())
    strange = site.csrf_token(page(stranger, "/account/identities"))
    stranger.post(f"/account/identities/{identity.id}/remove", data={"csrf_token": strange})
    assert SignInIdentity.select().count() == 1
    browser.post(f"/account/identities/{identity.id}/remove", data={"csrf_token": token})
    assert SignInIdentity.select().count() == 0
    assert audit.entries()[0].action == "identity.unlinked"
    assert Message.select().where(Message.kind == "identity_unlinked").count() == 1


def test_a_provider_that_is_away_is_told(appliance: Appliance) -> None:
    load(appliance, issuer="http://127.0.0.1:1", client_id="x", allow_private_addresses=True)
    browser = create_app(appliance).test_client()
    answer = browser.get("/sign-in/with/oidc", follow_redirects=True)
    assert "127.0.0.1 cannot be reached." in answer.get_data(as_text=True)
    load(appliance)


def test_a_document_of_another_issuer_is_refused(app: Flask, provider: Provider) -> None:
    provider.faults(document={"issuer": "https://evil.example"})
    answer = app.test_client().get("/sign-in/with/oidc", follow_redirects=True)
    assert "says that it is another issuer" in answer.get_data(as_text=True)


def test_a_document_leads_nowhere_inside(appliance: Appliance) -> None:
    """Addresses that the provider names are checked as the one that the operator typed."""
    plugin = load(appliance, issuer="http://127.0.0.1:1", client_id="x")
    assert plugin.status == "failed self-check"
    assert "private address" in plugin.explanation
    from plugins.oidc_signin.provider import Provider as Remote

    remote = Remote("https://id.example", timeout_s=1, allow_private=False)
    for address in (
        "http://169.254.169.254/",
        "https://127.0.0.1/",
        "http://id.example/",
        "file:///etc/passwd",
        "",
    ):
        with pytest.raises(hooks.MusicConnectError):
            remote.checked(address)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"issuer": "https://id.example"}, "'client_id' is missing"),
        ({"client_id": "x"}, "'issuer' is missing"),
        ({"issuer": "http://id.example", "client_id": "x"}, "must begin with https://"),
        ({"issuer": "https://id.example/?a=b", "client_id": "x"}, "no question mark"),
        ({"issuer": "id.example", "client_id": "x"}, "'issuer' cannot be used"),
        ({"issuer": "https://id.example", "client_id": "x", "scopes": ["email"]}, "must hold 'openid'"),
    ],
)
def test_a_wrong_setting_is_named(appliance: Appliance, values: dict[str, Any], told: str) -> None:
    plugin = load(appliance, **values)
    assert plugin.status == "failed self-check"
    assert told in plugin.explanation


def test_without_authlib_the_plugin_says_what_to_install(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.oidc_signin.find_spec", lambda name: None)
    plugin = load(appliance, issuer="https://id.example", client_id="x")
    assert plugin.explanation == "Authlib is not installed; run: pip install 'musicconnect[oidc]'."
    assert load(appliance).status == "ready"
