"""The ways in: joining by a letter, the second step, recovering, and answers that tell nobody who has an account."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts import recovery_codes
from appliance.accounts import second_factor
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.letters import Letters
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.jobs import Job
from appliance.mail import Message
from appliance.memberships.models import Purchase
from appliance.startup import Appliance
from tests.queries import counted
from tests.servers import site
from tests.servers.site import Person
from web.app import create_app

NEW = "a better harbour password"


def send(browser: FlaskClient, path: str, page: str = "", **fields: Any):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get(page or path).get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token, **fields})


def text(answer: Any) -> str:
    return html.unescape(str(answer.get_data(as_text=True)))


def sign_in(browser: FlaskClient, person: Person, password: str = site.PASSWORD):  # type: ignore[no-untyped-def]
    return send(browser, "/sign-in", email=person.user.email, password=password)


def join(browser: FlaskClient, email: str, password: str = site.PASSWORD):  # type: ignore[no-untyped-def]
    return send(browser, "/register", email=email, password=password, password_confirm=password)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def careful(appliance: Appliance) -> Person:
    """Somebody with an authenticator app."""
    person = site.make_person("careful@example.com")
    site.set_up_app(person.user)
    return person


def test_who_joins_confirms_by_letter_signs_in_sets_an_app_up_and_ends_another_session(
    app: Flask, browser: FlaskClient
) -> None:
    assert join(browser, "mira@example.com").location == "/register/letter"
    mira = Person(User.get(User.email == "mira@example.com"), "")
    refused = sign_in(browser, mira)
    assert refused.status_code == 422
    assert "Confirm your address first" in text(refused)
    browser.get(site.link_to("mira@example.com"))
    assert sign_in(browser, mira).location == "/signed-in"
    page = text(browser.get("/account/second-factor/app"))
    key = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert key is not None
    code = site.TOTP(key=key[1]).generate().token
    offer = re.search(r'name="offer_token" value="([^"]+)"', page)
    assert offer is not None
    assert send(browser, "/account/second-factor/app", code=code).location == "/account/second-factor/app"
    answer = send(browser, "/account/second-factor/app", code="000000", offer_token=offer[1])
    assert answer.status_code == 422
    answer = send(browser, "/account/second-factor/app", code=code, offer_token=offer[1])
    page = text(browser.get(answer.location))
    codes = re.findall(r"<li><code>([\w-]+)</code>", page)
    assert len(codes) == recovery_codes.HOW_MANY
    assert codes[0] not in text(browser.get("/account/second-factor")), "shown one time"

    elsewhere = app.test_client()
    answer = sign_in(elsewhere, mira)
    assert answer.location == "/sign-in/second"
    assert elsewhere.get("/account").status_code == 302, "the password alone opens nothing"
    wrong = send(elsewhere, "/sign-in/second", code="000000")
    assert wrong.status_code == 422
    assert "not right" in text(wrong)
    assert send(elsewhere, "/sign-in/second", code=site.app_code(mira.user, key[1])).status_code == 303
    assert elsewhere.get("/account").status_code == 200

    page = text(browser.get("/account/devices"))
    assert page.count('/end"') == 1, "one's own session has no such button"
    ending = re.search(r'action="(/account/sessions/\w+/end)"', page)
    assert ending is not None
    send(browser, ending[1], page="/account/devices")
    assert elsewhere.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200


def test_a_recovery_code_stands_in_for_the_app(browser: FlaskClient, careful: Person) -> None:
    codes = recovery_codes.renew(careful.user, letters=Letters("x", "en"), now=clock.now())
    sign_in(browser, careful)
    answer = send(browser, "/sign-in/second", code=codes[0].upper())
    assert answer.status_code == 303
    assert "9 recovery codes left" in text(browser.get("/account"))


def test_a_trusted_browser_need_not_show_the_second_factor(app: Flask, careful: Person) -> None:
    browser = app.test_client()
    sign_in(browser, careful)
    send(browser, "/sign-in/second", code=site.app_code(careful.user), trust="on")
    send(browser, "/sign-out", page="/account")
    assert sign_in(browser, careful).location == "/signed-in"
    page = text(browser.get("/account/devices"))
    forget = re.search(r'action="(/account/trusted-devices/\w+/forget)"', page)
    assert forget is not None
    send(browser, forget[1], page="/account/devices")
    send(browser, "/sign-out", page="/account")
    assert sign_in(browser, careful).location == "/sign-in/second"


def test_the_second_step_is_for_who_gave_the_password(browser: FlaskClient, careful: Person) -> None:
    assert browser.get("/sign-in/second").location == "/sign-in"
    page = browser.get("/sign-in").get_data(as_text=True)
    answer = browser.post(
        "/sign-in/second", data={"csrf_token": site.csrf_token(page), "code": site.app_code(careful.user)}
    )
    assert answer.location == "/sign-in"
    sign_in(browser, careful)
    User.update(active=False).where(User.id == careful.user.id).execute()
    assert browser.get("/sign-in/second").location == "/sign-in"


def test_an_admin_without_a_second_factor_is_led_to_set_one_up(app: Flask, appliance: Appliance) -> None:
    admin = site.make_person(roles=(RoleName.ADMIN,))
    second_factor.take_all(admin.user, now=clock.now())
    browser = app.test_client()
    assert sign_in(browser, admin).location == "/account/second-factor"
    assert "needs a second factor" in text(browser.get("/account/second-factor"))
    assert browser.get("/admin").location == "/account/second-factor?next=/admin"
    assert "/admin" not in re.sub(r"next=\S+", "", text(browser.get("/")))
    assert send(browser, "/account/tokens", token_name="x", scope="admin").status_code == 422
    site.set_up_app(admin.user)
    assert browser.get("/admin").status_code == 200


def test_an_owner_who_was_paid_needs_a_second_factor_to_decide_what_fans_pay(
    app: Flask, artist: Person
) -> None:
    band, fan, now = site.make_artist(artist), site.make_person(), clock.now()
    page, browser = f"/studio/artists/{band.slug}/tiers", site.signed_in(app, artist)
    assert browser.get(page).status_code == 200
    Purchase.create(
        user=fan.user.id, artist=band.id, release=site.make_release(artist, artist=band).id, bought_at=now
    )
    assert browser.get(page).location == f"/account/second-factor?next={page}"
    assert browser.get("/studio").status_code == 200
    assert sign_in(app.test_client(), artist).location == "/account/second-factor"
    site.set_up_app(artist.user)
    assert browser.get(page).status_code == 200


def test_the_operator_can_let_admins_in_without(appliance: Appliance) -> None:
    admin = site.make_person(roles=(RoleName.ADMIN,))
    second_factor.take_all(admin.user, now=clock.now())
    object.__setattr__(appliance.settings, "require_second_factor", False)
    browser = create_app(appliance).test_client()
    assert sign_in(browser, admin).location == "/signed-in"
    assert browser.get("/admin").status_code == 200


def test_a_forgotten_password_is_replaced_once_and_ends_every_session(app: Flask, artist: Person) -> None:
    signed_in, browser = site.signed_in(app, artist), app.test_client()
    answer = send(browser, "/recover", email=artist.user.email.upper())
    assert "a letter is on its way" in text(browser.get(answer.location))
    link = site.link_to(artist.user.email)
    page = browser.get(link)
    assert page.headers["Referrer-Policy"] == "same-origin"
    common = send(browser, link, password="password123", password_confirm="password123")
    assert "Many people use this password" in text(common)
    answer = send(browser, link, password=NEW, password_confirm=NEW)
    assert answer.location == "/sign-in"
    assert signed_in.get("/account").status_code == 302
    assert "does not work any more" in text(browser.get(browser.get(link).location))
    assert sign_in(browser, artist).status_code == 422
    assert sign_in(browser, artist, NEW).location == "/signed-in"
    assert "was changed" in site.letter(artist.user.email)
    assert audit.entries()[1].action in {"credential.recovered", "sign_in.failed"}


def test_another_password_signs_out_all_other_devices(app: Flask, artist: Person) -> None:
    browser, elsewhere = site.signed_in(app, artist), site.signed_in(app, artist)
    fields = {"new_password": NEW, "new_password_confirm": NEW}
    wrong = send(browser, "/account/password", password="not this one", **fields)
    assert wrong.status_code == 422
    assert send(browser, "/account/password", password=site.PASSWORD, **fields).status_code == 302
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert AccountSession.select().count() == 1
    assert "was changed" in site.letter(artist.user.email)


def test_another_address_is_confirmed_by_the_new_and_told_to_the_old(app: Flask, artist: Person) -> None:
    old, browser = artist.user.email, site.signed_in(app, artist)
    send(browser, "/account/email", email="New@Example.com")
    assert User.get_by_id(artist.user.id).email == old
    browser.get(site.link_to("new@example.com"))
    assert User.get_by_id(artist.user.id).email == "new@example.com"
    assert "uses new@example.com from now on" in site.letter(old)


def test_a_letter_leads_to_the_public_address_whatever_host_was_asked(
    appliance: Appliance, artist: Person
) -> None:
    object.__setattr__(appliance.settings, "public_url", "http://music.example")
    browser = create_app(appliance).test_client()
    token = site.csrf_token(browser.get("/recover").get_data(as_text=True))
    sent = {"csrf_token": token, "email": artist.user.email}
    browser.post("/recover", data=sent, headers={"Host": "evil.example", "Origin": "http://evil.example"})
    browser.post("/recover", data=sent)
    assert "evil" not in site.letter(artist.user.email)
    assert "http://music.example/recover/" in site.letter(artist.user.email)


# --- nobody learns who has an account


def cleaned(answer: Any, email: str) -> tuple[int, str]:
    page = answer.get_data(as_text=True).replace(email, "ADDRESS")
    return answer.status_code, re.sub(r'(value|nonce|content|data-ask)="[^"]*"', "", page)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-in", {"password": "not the right one"}),
        ("/recover", {}),
        ("/confirm", {}),
        ("/register", {"password": NEW, "password_confirm": NEW}),
        ("/register", {"password": "short", "password_confirm": "short"}),
    ],
)
def test_the_answer_is_one_whether_or_not_there_is_an_account(
    app: Flask, artist: Person, path: str, fields: dict[str, str]
) -> None:
    answers = []
    for email in (artist.user.email, "nobody-at-all@example.com"):
        browser = app.test_client()
        answer = send(browser, path, email=email, **fields)
        answers.append(cleaned(answer, email))
        answers[-1] += ((answer.location or ""),)  # type: ignore[operator]
        if answer.location:
            answers[-1] += cleaned(browser.get(answer.location), email)  # type: ignore[operator]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/sign-in", {"password": "not the right one"}), ("/recover", {}), ("/confirm", {})],
)
def test_as_much_is_written_whether_or_not_there_is_an_account(
    app: Flask, nobody_works: None, artist: Person, path: str, fields: dict[str, str]
) -> None:
    """A commit takes longest, so who counts them by the clock must count the same; no mail server is asked either."""
    User.update(confirmed_at=None).where(User.id == artist.user.id).execute()
    commits = []
    for email in (artist.user.email, "nobody-at-all@example.com"):
        browser = app.test_client()
        token = site.csrf_token(browser.get(path).get_data(as_text=True))
        with counted() as asked:
            browser.post(path, data={"csrf_token": token, "email": email, **fields})
        commits.append(sum(sql.startswith("BEGIN") for sql in asked))
    assert commits[0] == commits[1]


def test_a_letter_goes_only_to_who_is_there(app: Flask, browser: FlaskClient, artist: Person) -> None:
    gone = site.make_person("gone@example.com", active=False)
    for email in ("nobody-at-all@example.com", gone.user.email, artist.user.email):
        send(browser, "/recover", email=email)
        send(browser, "/confirm", email=email)
    assert {row.to for row in Message.select()} == {artist.user.email}
    assert Job.select().where(Job.kind == "letter_to_nobody").count() == 5


def test_who_joins_with_a_known_address_is_told_so_by_letter_alone(
    browser: FlaskClient, artist: Person
) -> None:
    before = User.get_by_id(artist.user.id).password
    assert join(browser, artist.user.email, NEW).location == "/register/letter"
    assert "There is one already" in site.letter(artist.user.email)
    assert User.get_by_id(artist.user.id).password == before


def test_an_address_somebody_has_is_not_taken_and_not_told(app: Flask, artist: Person) -> None:
    other = site.make_person("other@example.com")
    browser = site.signed_in(app, artist)
    pages = []
    for email in (other.user.email, "free@example.com"):
        answer = send(browser, "/account/email", email=email)
        pages.append(cleaned(browser.get(answer.location), email))
    assert pages[0] == pages[1]
    assert "A letter is on its way to ADDRESS" in pages[0][1]
    assert "so nothing was changed" in site.letter(other.user.email)


def test_failures_and_sign_ins_stand_in_the_trail(browser: FlaskClient, artist: Person) -> None:
    sign_in(browser, artist, "not this one")
    send(browser, "/sign-in", email="nobody-at-all@example.com", password="not this one")
    sign_in(browser, artist)
    told = [(entry.action, entry.subject) for entry in audit.entries()][:3]
    mine = f"user:{artist.user.id}"
    assert told == [("sign_in", mine), ("sign_in.failed", "user:unknown"), ("sign_in.failed", mine)]
    assert people.find(artist.user.email).id in mine
