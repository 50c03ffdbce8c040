"""Being paid, as owners and admins see it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts import sessions
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.models import RoleName
from appliance.catalog import members
from appliance.catalog.member_models import MemberRole
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.ledger.payments import Sale
from appliance.mail import Message
from appliance.payments import PaymentFact
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
IBAN = "DE89 3704 0044 0532 0130 00"


def send(browser: FlaskClient, path: str, page: str = "/account", **fields: Any):  # type: ignore[no-untyped-def]
    token = site.csrf_token(browser.get(page).get_data(as_text=True))
    return browser.post(path, data={"csrf_token": token, **fields})


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


@pytest.fixture
def band(artist: Person) -> Artist:
    made = site.make_artist(artist)
    fact = PaymentFact("p", "mark", 5000, "EUR", clock.now(), fee_minor=0)
    payments.note(fact, Sale(made.id, "", 1000, []), provider="demo", now=clock.now())
    return made


@pytest.fixture
def browser(app: Flask, artist: Person) -> FlaskClient:
    # Owners who earn have a second factor.
    site.set_up_app(artist.user)
    return site.signed_in(app, artist)


def test_an_owner_names_an_account_and_is_paid(browser: FlaskClient, band: Artist) -> None:
    path = f"/studio/artists/{band.slug}/payouts"
    assert "€45" in text(browser.get(path))
    wrong = send(browser, f"{path}/bank", holder="Mira Tide", iban="DE00 1234")
    assert wrong.status_code == 422
    assert "look at its digits again" in text(wrong)
    assert 'value="DE00 1234"' in text(wrong), "nothing that was written is lost"
    assert send(browser, f"{path}/bank", holder="Mira Tide", iban=IBAN, monthly="on").status_code == 303
    assert "is paid to another account" in Message.get().subject
    page = text(browser.get(path))
    assert "DE89 … 3000" in page
    assert IBAN.replace(" ", "") not in page
    assert send(browser, path, currency="EUR").status_code == 303
    assert Payout.get().amount_minor == 4500
    again = send(browser, path, currency="EUR")
    assert (again.status_code, Payout.select().count()) == (422, 1)
    assert "Payouts begin at 10 EUR" in text(again)
    assert "Asked for" in text(browser.get(path))
    assert send(browser, path, currency="XXX").status_code == 422


def test_a_manager_looks_and_the_owner_decides(app: Flask, band: Artist, stranger: Person) -> None:
    members.join(band, stranger.user, MemberRole.MANAGER, now=clock.now())
    browser = site.signed_in(app, stranger)
    path = f"/studio/artists/{band.slug}/payouts"
    assert "The owner of the artist decides" in text(browser.get(path))
    account = PayoutAccount.create(payee=band.id, provider="bank", as_of=clock.now(), created_at=clock.now())
    for act in (
        "",
        "/bank",
        f"/accounts/{account.id}/monthly",
        f"/accounts/{account.id}/remove",
        "/connect/demo",
    ):
        assert send(browser, path + act, holder="Thief", iban=IBAN, currency="EUR").status_code == 403
    assert PayoutAccount.select().count() == 1


def test_the_monthly_payout_is_switched_off_and_the_account_removed(
    browser: FlaskClient, band: Artist
) -> None:
    path = f"/studio/artists/{band.slug}/payouts"
    send(browser, f"{path}/bank", holder="Mira Tide", iban=IBAN, monthly="on")
    account = PayoutAccount.get()
    assert send(browser, f"{path}/accounts/{account.id}/monthly").status_code == 303
    assert not PayoutAccount.get().monthly
    assert send(browser, f"{path}/accounts/{account.id}/remove").status_code == 303
    assert send(browser, f"{path}/accounts/{account.id}/remove").status_code == 404
    assert send(browser, path, currency="EUR").status_code == 422
    gone = send(browser, f"{path}/connect/nobody")
    assert gone.status_code == 303


def test_an_admin_makes_a_file_for_the_bank_and_notes_what_came_of_it(
    app: Flask, appliance: Appliance, browser: FlaskClient, band: Artist, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/studio/artists/{band.slug}/payouts"
    send(browser, f"{path}/bank", holder="=Mira Tide", iban=IBAN)
    send(browser, path, currency="EUR")
    admin = site.signed_in(app, site.make_person(roles=(RoleName.ADMIN,)))
    page = text(admin.get("/admin/payouts"))
    assert "Make a bank file of 1 payout in EUR" in page
    send(admin, "/admin/payouts/files", currency="EUR")
    assert "bank_holder" in text(admin.get("/admin/payouts")), "our own account is not set yet"
    for name, value in (("bank_holder", "The Collective eG"), ("bank_iban", "DE02120300000000202051")):
        object.__setattr__(appliance.settings, name, value)
    send(admin, "/admin/payouts/files", currency="EUR")
    page = text(admin.get("/admin/payouts"))
    links = re.findall(r'href="(/admin/payouts/files/[^"]+)"', page)
    assert len(links) == 2
    xml, table = (admin.get(link) for link in links)
    assert (xml.mimetype, table.mimetype) == ("application/xml", "text/csv")
    assert "DE89370400440532013000" in text(xml)
    assert "'=Mira Tide" in text(table)
    assert admin.get(links[1].replace(".csv", ".exe")).status_code == 404
    payout = Payout.get()
    assert payout.state == "in_transit"
    fresh = {row.id: row.verified_at for row in AccountSession.select()}
    AccountSession.update(verified_at=clock.now() - sessions.FRESH - timedelta(minutes=1)).execute()
    assert send(admin, f"/admin/payouts/{payout.id}", came="failed").status_code == 403
    assert Payout.get().state == "in_transit", "who found the screen open puts nothing back"
    for key, at in fresh.items():
        AccountSession.update(verified_at=at).where(AccountSession.id == key).execute()
    send(admin, f"/admin/payouts/{payout.id}", came="failed", problem="Closed")
    assert Payout.get().state == "failed"
    assert "€45" in text(browser.get(path)), "it is back in the balance"
    assert browser.get("/admin/payouts").status_code == 403
    assert browser.get(links[0]).status_code == 403
