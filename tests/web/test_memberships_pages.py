"""Paying for a membership by pages and plain forms: joining, waiting, changing with figures, cancelling, pausing, mending."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from babel.dates import format_date
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import hooks
from appliance import processors
from appliance.catalog.models import Artist
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.memberships import subscriptions
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import Subscription
from appliance.papers import issuing
from appliance.payments import RefundFact
from appliance.payments import TaxRate
from appliance.shop.models import CreditNote
from appliance.shop.models import Receipt
from appliance.shop.receipts import named as naming_of
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.tills import Till
from tests.tills import deliver
from tests.web.test_studio import Browser

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    made = Till(clock.now())
    monkeypatch.setattr(processors, "every", lambda: (made,))
    return made


@pytest.fixture
def band(artist: Person) -> Artist:
    made = site.make_artist(artist)
    Tier.update(annual_price_minor=5000).where(Tier.kind == "supporter").execute()
    return made


@pytest.fixture
def fan(app: Flask, stranger: Person, till: Till) -> Browser:
    return Browser(site.signed_in(app, stranger))


def tier_of(artist: Artist, kind: str = "supporter") -> Tier:
    return next(row for row in tiers.of_artist(artist) if row.kind == kind)


def join(fan: Browser, till: Till, artist: Artist, kind: str = "supporter") -> Subscription:
    """The whole way in, by forms."""
    fan.send(f"/join/{tier_of(artist, kind).id}", interval="month", provider="till")
    row = Subscription.select().order_by(Subscription.id.desc()).get()
    till.pay(row.id)
    deliver(till)
    return subscriptions.find_any(row.id)


def test_the_page_of_an_artist_leads_to_the_till_and_back_and_grants_nothing_meanwhile(
    fan: Browser, till: Till, band: Artist
) -> None:
    page = fan.page(f"/@{band.slug}")
    assert ("You save €10 a year." in page, "Nobody can pay" in page) == (True, False)
    where = f"/join/{tier_of(band).id}"
    assert f'href="{where}?interval=year"' in page
    page = fan.page(f"{where}?interval=year")
    assert re.search(r'value="year" required\s+checked', page)
    sent = fan.send(where, interval="month", provider="till")
    row = Subscription.get()
    assert sent.request.path == f"/memberships/{row.id}/pay"
    assert f'content="0;url=https://till.example/{row.id}"' in sent.get_data(as_text=True)
    waiting = f"/memberships/{row.id}/waiting"
    assert till.checkouts[row.id].return_to == f"http://localhost{waiting}"
    assert "Waiting for the payment" in fan.page(waiting)
    assert Membership.select().count() == 0
    assert "You began to join" in fan.page("/account")
    till.pay(row.id)
    deliver(till)
    back = fan.client.get(waiting, follow_redirects=True)
    page = back.get_data(as_text=True)
    assert back.request.path == f"/memberships/{row.id}"
    assert ("You are a member now: Supporter." in page, "The next payment, €5, is on" in page) == (True, True)
    account = fan.page("/account")
    assert ("€5 a month · active" in account, "The next payment, €5" in account) == (True, True)
    page = fan.page(f"/@{band.slug}")
    assert ("Your tier" in page, f"/memberships/{row.id}" in page, "/join/" in page) == (True, True, False)
    assert fan.client.get(where).location == f"/memberships/{row.id}"


def test_who_signs_in_on_the_way_keeps_their_choice(client: FlaskClient, till: Till, band: Artist) -> None:
    where = f"/join/{tier_of(band).id}?interval=year"
    answer = client.get(where)
    assert answer.status_code == 302
    page = client.get(answer.location).get_data(as_text=True)
    assert f"/register?next=/join/{tier_of(band).id}?interval%3Dyear" in page.replace("%2F", "/").replace(
        "%3F", "?"
    )


def test_what_cannot_be_taken_is_told_and_the_choice_stays(fan: Browser, till: Till, band: Artist) -> None:
    where = f"/join/{tier_of(band).id}"
    till.least_minor = 600
    Tier.update(annual_price_minor=6000).execute()
    page = fan.send(where, interval="month", provider="till")
    assert page.status_code == 422
    assert "takes no less than 6.00 EUR" in page.get_data(as_text=True)
    monkey = fan.send(where, interval="year", provider="nobody").get_data(as_text=True)
    assert "Choose how you want to pay." in monkey
    assert re.search(r'value="year" required\s+checked', monkey)
    assert Subscription.select().count() == 0
    fan.page("/join/01J00000000000000000000000", status=404)


def test_a_provider_that_fails_is_told_and_nothing_is_lost(
    fan: Browser, till: Till, band: Artist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(till, "begin_checkout", lambda request: 1 / 0)
    page = fan.send(f"/join/{tier_of(band).id}", interval="month", provider="till")
    assert page.status_code == 503
    assert "does not answer at the moment" in page.get_data(as_text=True)


def test_a_change_shows_what_it_costs_before_it_is_agreed_to(fan: Browser, till: Till, band: Artist) -> None:
    row = join(fan, till, band)
    till.turn(till.now + timedelta(days=3))
    page = fan.page(f"/memberships/{row.id}/change")
    superfan = tier_of(band, "superfan")
    assert f'value="{superfan.id} month"' in page
    shown = fan.send(f"/memberships/{row.id}/change", to=f"{superfan.id} month")
    page = shown.get_data(as_text=True)
    figure = re.search(r"Agree and pay (€[\d.]+)", page)
    assert figure is not None
    assert f"<dd>{figure[1]}</dd>" in page
    assert "€10 on" in page
    done = fan.send(shown.request.path).get_data(as_text=True)
    assert "You are in Superfan now." in done
    charged = next(fact.amount_minor for fact in till.facts if hasattr(fact, "fee_minor"))
    assert f"€{charged / 100:.2f}" == figure[1]
    # Whoever goes back in their browser and agrees again is charged nothing more.
    asked = till.asked.count("change")
    fan.send(shown.request.path)
    assert till.asked.count("change") == asked
    deliver(till)
    shown = fan.send(f"/memberships/{row.id}/change", to=f"{tier_of(band).id} month")
    assert "<dd>nothing</dd>" in shown.get_data(as_text=True)
    page = fan.send(shown.request.path).get_data(as_text=True)
    assert "From then on you are in Supporter, €5 a month." in page
    assert fan.send(f"/memberships/{row.id}/change", to="nothing").status_code == 422


def test_figures_that_are_old_lead_to_new_ones(fan: Browser, till: Till, band: Artist) -> None:
    row = join(fan, till, band)
    shown = fan.send(f"/memberships/{row.id}/change", to=f"{tier_of(band, 'superfan').id} month")
    till.turn(till.now + timedelta(days=40))
    deliver(till)
    told = fan.send(shown.request.path)
    assert told.request.path == f"/memberships/{row.id}/change"
    assert "Nothing was charged" in told.get_data(as_text=True)


def test_cancelling_pausing_and_going_on(fan: Browser, till: Till, band: Artist) -> None:
    row = join(fan, till, band)
    where = f"/memberships/{row.id}"
    assert "At the end of what you paid" in fan.page(f"{where}/cancel")
    page = fan.send(f"{where}/cancel", when="end").get_data(as_text=True)
    assert ("Your membership is cancelled." in page, "It ends on" in page) == (True, True)
    assert "charged for the first time on that day" in fan.page(f"{where}/resume")
    assert "Your membership goes on." in fan.send_text(f"{where}/resume")
    assert "Nothing is charged until you go on." in fan.page(f"{where}/pause")
    assert "Your membership is paused." in fan.send_text(f"{where}/pause")
    assert "pause it first" not in fan.page(where)
    assert "This membership is paused; go on with it first." in fan.send_text(f"{where}/pause")
    assert "It is charged again" in fan.page(f"{where}/resume")
    page = fan.send(f"{where}/cancel", when="now").get_data(as_text=True)
    assert ("Your membership is over." in page, "nothing more is charged" in page) == (True, True)
    assert fan.client.get(f"{where}/cancel").location == where


def test_a_pause_says_until_when_was_paid_though_periods_go_on_at_the_provider(
    fan: Browser, till: Till, band: Artist
) -> None:
    row = join(fan, till, band)
    paid_through = Membership.get().paid_through
    Subscription.update(state="paused", period_end=paid_through + timedelta(days=90)).execute()
    told = f"until the end of what you paid, {format_date(paid_through, 'long', locale='en')}"
    assert told in fan.page(f"/memberships/{row.id}")
    Membership.update(paid_through=clock.now() - timedelta(days=1)).execute()
    assert "What you paid is over." in fan.page(f"/memberships/{row.id}")


def test_a_payment_that_failed_stands_everywhere_with_the_way_to_mend_it(
    app: Flask, fan: Browser, till: Till, band: Artist, artist: Person
) -> None:
    row = join(fan, till, band)
    till.kept[row.reference].card = False
    till.turn(till.now + timedelta(days=32))
    deliver(till)
    for page in (fan.page(f"/memberships/{row.id}"), fan.page("/account")):
        assert ("did not arrive" in page, "Mend the payment" in page) == (True, True)
    away = fan.page(f"/memberships/{row.id}/card")
    assert f'content="0;url=https://till.example/portal/{row.customer}"' in away
    site.set_up_app(artist.user)
    members = Browser(site.signed_in(app, artist)).page(f"/studio/artists/{band.slug}/members")
    assert ("Paid" in members, "payment due" in members) == (True, True)


def test_a_membership_is_its_payers_alone(app: Flask, fan: Browser, till: Till, band: Artist) -> None:
    row = join(fan, till, band)
    other = Browser(site.signed_in(app, site.make_person()))
    act = fan.send(f"/memberships/{row.id}/change", to=f"{tier_of(band, 'superfan').id} month").request.path
    for path in ("", "/pay", "/waiting", "/change", "/cancel", "/pause", "/resume", "/card"):
        other.page(f"/memberships/{row.id}{path}", status=404)
    other.page(act, status=404)
    for path in ("/change", "/cancel", "/pause", "/resume"):
        assert other.send(f"/memberships/{row.id}{path}").status_code == 404
    assert other.send(act).status_code == 404
    assert subscriptions.find_any(row.id).cancel_at is None


def test_receipts_lie_on_the_page_of_the_membership_and_under_the_account_for_who_paid_alone(
    app: Flask, fan: Browser, till: Till, band: Artist
) -> None:
    row = join(fan, till, band)
    issuing.settle([row.id], now=till.now)
    payment = Payment.get()
    payments.note_refund(
        RefundFact("re_1", payment.reference, 200, "EUR", till.now), provider="till", now=till.now
    )
    issuing.settle([row.id], now=till.now)
    receipt, note = Receipt.get(), CreditNote.get()
    where = f"/memberships/{row.id}/receipts/{receipt.id}"
    papers = (f"{where}.pdf", f"{where}/credit-notes/{note.id}.pdf")
    for page in (fan.page(f"/memberships/{row.id}"), fan.page("/account/receipts")):
        assert [paper in page for paper in papers] == [True, True]
        assert ("-€2" in page, f"for receipt {naming_of(receipt)}" in page) == (True, True)
    other = Browser(site.signed_in(app, site.make_person()))
    for paper in papers:
        answer = fan.client.get(paper)
        assert (answer.mimetype, answer.data[:5]) == ("application/pdf", b"%PDF-")
        assert answer.headers["Cache-Control"] == "private, no-store"
        other.page(paper, status=404)
    other.page(f"/memberships/{row.id}/invoice", status=404)
    assert "No receipts yet" in other.page("/account/receipts")
    fan.page(f"/memberships/{row.id}/receipts/nothing.pdf", status=404)
    fan.page(f"{where}/credit-notes/nothing.pdf", status=404)


def test_who_joins_says_where_they_are_and_whom_receipts_are_for_and_can_say_otherwise_later(
    fan: Browser, till: Till, band: Artist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "has", lambda hook: hook == "tax_rate")
    monkeypatch.setattr(hooks, "first", lambda hook, sale: TaxRate("VAT", 1900))
    where = f"/join/{tier_of(band).id}"
    assert "Choose your country" in fan.page(where)
    answer = fan.send(where, interval="month", provider="till", buyer_name="Fan & Sons")
    page = answer.get_data(as_text=True)
    assert (answer.status_code, "Choose your country: the tax" in page) == (422, True)
    assert 'value="Fan &amp; Sons"' in page
    fan.send(
        where,
        interval="month",
        provider="till",
        country="DE",
        business_number="de 12345",
        buyer_name="Fan & Sons",
        buyer_address="Street 2\r\nHamburg",
    )
    row = Subscription.get()
    till.pay(row.id)
    deliver(till)
    issuing.settle([row.id], now=till.now)
    assert (Payment.get().tax_minor, Receipt.get().buyer_address) == (80, "Street 2\nHamburg")
    invoice = f"/memberships/{row.id}/invoice"
    assert re.search(r'<option value="DE" selected', fan.page(invoice))
    assert fan.send(invoice, country="", buyer_name="x").status_code == 422
    page = fan.send_text(invoice, country="AT", business_number="", buyer_name="Else", buyer_address="")
    assert "This stands on your receipts from now on." in page
    row = subscriptions.find_any(row.id)
    assert (row.country, row.buyer_name, row.business_number) == ("AT", "Else", "")
    assert Receipt.get().country == "DE"


def test_the_account_asks_no_more_for_many_receipts(fan: Browser, till: Till, band: Artist) -> None:
    row = join(fan, till, band)
    numbers = []
    for count in (1, 6):
        for _ in range(count):
            till.turn(till.now + timedelta(days=32))
            deliver(till)
        issuing.settle([row.id], now=till.now)
        numbers.append(least(lambda: fan.page("/account/receipts")))
    assert numbers[0] == numbers[1]


def test_the_account_asks_no_more_for_many_memberships(app: Flask, fan: Browser, till: Till) -> None:
    numbers = []
    for count in (1, 4):
        for _ in range(count):
            band = site.make_artist(site.make_person(), name=f"Band {Subscription.select().count()}")
            join(fan, till, band)
        numbers.append(least(lambda: fan.page("/account")))
    assert numbers[0] == numbers[1]
