"""The admin's pages about payments: what is shown, what is masked, and money that goes back once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.factor_models import AccountSession
from appliance.accounts.models import RoleName
from appliance.billing import inbox
from appliance.billing import refunding
from appliance.billing.masking import MASK
from appliance.billing.masking import masked
from appliance.billing.models import AskedState
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.billing.models import RefundAsked
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.ledger.models import Payment
from appliance.ledger.models import Refund
from appliance.memberships import tiers
from appliance.memberships.subscription_models import Subscription
from appliance.payments import DisputeState
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import simulated_sales
from tests.servers import site
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_sales import SimulatedSale
from tests.servers.site import Person
from tests.web.test_admin import post
from tests.web.test_admin import text

PAGES = ("", "/disputes", "/events", "/reconciliation")


@pytest.fixture
def admin(appliance: Appliance) -> Person:
    return site.make_person("admin@example.com", roles=(RoleName.ADMIN,))


@pytest.fixture
def desk(app: Flask, admin: Person) -> FlaskClient:
    return site.signed_in(app, admin)


@pytest.fixture
def provider(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedProvider]:
    made = SimulatedProvider()
    monkeypatch.setattr(processors, "every", lambda: (made,))
    with simulated_sales.open_for_business():
        yield made


@pytest.fixture
def paid(provider: SimulatedProvider, artist: Person) -> Payment:
    """A fan paid 10 EUR for an order; the event that told it is processed."""
    simulated_sales.sell("order-1", site.make_artist(artist).id)
    fact = PaymentFact("pay_1", "order-1", 1000, "EUR", clock.now(), email="fan@example.com")
    provider.pay(fact, fee_minor=None)
    deliver(provider)
    found: Payment = Payment.get()
    return found


def deliver(provider: SimulatedProvider) -> None:
    for delivery in provider.deliveries(clock.now()):
        inbox.receive("simulated", delivery, now=clock.now())


def subscribe(paid: Payment, artist: Person) -> Subscription:
    """The subscription that was paid for."""
    band = site.make_artist(artist, "Another Band")
    tier = next(row for row in tiers.of_artist(band) if row.kind == "supporter")
    return Subscription.create(
        id=paid.mark,
        user=artist.user,
        artist=band,
        tier=tier,
        interval="month",
        price_minor=500,
        currency="EUR",
        provider="simulated",
        reference="sub_1",
        state="active",
        created_at=clock.now(),
        updated_at=clock.now(),
    )


def refund(desk: FlaskClient, payment: Payment, *, status: int = 303, **sent: object) -> str:
    return post(desk, f"/payments/{payment.id}/refund", at=f"/payments/{payment.id}", status=status, **sent)


def test_what_was_paid_stands_on_the_pages(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment
) -> None:
    page = text(desk, "/admin/payments")
    assert "Night Ferry" in page and "€10" in page and "pay_1" in page
    assert "pay_1" in text(desk, "/admin/payments?q=order-1")
    assert "No payments" in text(desk, "/admin/payments?q=nothing")
    shown = text(desk, f"/admin/payments/{paid.id}")
    assert "not told yet" in shown
    assert "fan@example.com" not in shown
    assert text(desk, "/admin/payments/nothing", 404)


def test_an_event_is_shown_without_whom_it_is_about(desk: FlaskClient, paid: Payment) -> None:
    assert "payment.moved" in text(desk, "/admin/payments/events")
    assert "No events" in text(desk, "/admin/payments/events?state=failed")
    event = ProviderEvent.get()
    shown = text(desk, f"/admin/payments/events/{event.id}")
    assert "order-1" in shown and "pay_1" in shown and '"amount_minor": 1000' in shown
    assert "fan@example.com" not in shown and "fan@example.com" in event.body
    assert text(desk, "/admin/payments/events/nothing", 404)


def test_an_event_that_failed_is_replayed(
    desk: FlaskClient, provider: SimulatedProvider, admin: Person, paid: Payment
) -> None:
    event = ProviderEvent.get()
    ProviderEvent.update(state=EventState.FAILED, problem="It is away.").execute()
    assert "It is away." in text(desk, "/admin/payments/events?state=failed")
    page = post(desk, f"/payments/events/{event.id}/replay", at=f"/payments/events/{event.id}")
    assert "Processed" in page
    assert ProviderEvent.get().state == EventState.PROCESSED
    [entry] = audit.entries(wanted=audit.Filter(action="payment.event_replayed"))
    assert (entry.actor, entry.subject) == (admin.user.id, f"provider_event:{event.id}")


def test_a_page_says_that_a_membership_goes_on_when_its_money_goes_back(
    desk: FlaskClient, paid: Payment, artist: Person
) -> None:
    told = "This paid for a membership that goes on"
    page = f"/admin/payments/{paid.id}"
    assert told not in text(desk, page)
    subscribe(paid, artist)
    assert told in text(desk, page)
    assert "the membership is over" not in refund(desk, paid, amount="1")
    assert Subscription.get_by_id(paid.mark).state == "active"


def test_who_gives_money_back_ends_the_membership_with_it_and_once(
    desk: FlaskClient, provider: SimulatedProvider, admin: Person, paid: Payment, artist: Person
) -> None:
    row = subscribe(paid, artist)
    provider.subscribe(SubscriptionFact("sub_1", row.id, SubscriptionState.ACTIVE, clock.now()))
    assert "the membership is over" in refund(desk, paid, end="on")
    assert Subscription.get_by_id(row.id).state == "ended"
    [entry] = audit.entries(wanted=audit.Filter(action="membership.ended"))
    assert entry.actor == admin.user.id and paid.id in entry.detail
    assert not refunding.end_membership(paid, actor=admin.user, now=clock.now())


def test_a_membership_that_cannot_be_ended_keeps_no_money_back(
    desk: FlaskClient,
    provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    paid: Payment,
    artist: Person,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("It is away.")

    row = subscribe(paid, artist)
    monkeypatch.setattr(type(provider), "cancel", away)
    assert "could not be ended" in refund(desk, paid, end="on")
    assert Refund.get().amount_minor == 1000
    assert Subscription.get_by_id(row.id).state == "active"


def test_all_that_is_left_goes_back_and_what_was_bought_ends(
    desk: FlaskClient, provider: SimulatedProvider, admin: Person, paid: Payment
) -> None:
    page = refund(desk, paid, amount="2.50", reason="A scratch")
    assert "€2.50" in page and "A scratch" in page
    assert SimulatedSale.get().standing
    refund(desk, paid)
    assert Payment.get().refunded_minor == 1000
    assert not SimulatedSale.get().standing
    assert [row.amount_minor for row in Refund.select().order_by(Refund.id)] == [250, 750]
    assert "Nothing is left" in refund(desk, paid)
    entries = audit.entries(wanted=audit.Filter(action="payment.refunded"))
    assert [(entry.actor, audit.facts(entry)["amount_minor"]) for entry in entries] == [
        (admin.user.id, 750),
        (admin.user.id, 250),
    ]


@pytest.mark.parametrize("amount", ["10.01", "0", "-1", "abc", "1.234", "999999999999999"])
def test_an_amount_that_cannot_go_back_is_told_beside_the_field(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment, amount: str
) -> None:
    page = refund(desk, paid, status=422, amount=amount, reason="Kept")
    assert 'aria-invalid="true"' in page and "Kept" in page
    assert not RefundAsked.select().exists()


def test_a_refund_whose_provider_does_not_answer_goes_back_once_later(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment
) -> None:
    provider.failing = [Unavailable("It is away.")]
    assert "asked again" in refund(desk, paid)
    assert RefundAsked.get().state == AskedState.ASKED
    assert "Nothing is left" in refund(desk, paid)
    assert refunding.carry_out_due(now=clock.now()) == 0
    later = clock.now() + timedelta(minutes=3)
    assert refunding.carry_out_due(now=later) == 1
    assert refunding.carry_out_due(now=later) == 0
    deliver(provider)
    assert Payment.get().refunded_minor == 1000
    assert Refund.select().count() == 1


def test_a_refund_that_the_provider_refuses_is_told_and_frees_the_amount(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment
) -> None:
    provider.failing = [Invalid("It is too old.")]
    assert "It is too old." in refund(desk, paid, status=422)
    assert RefundAsked.get().state == AskedState.REFUSED
    refund(desk, paid)
    assert Payment.get().refunded_minor == 1000


def test_money_goes_back_only_for_who_shows_that_it_is_them(app: Flask, admin: Person, paid: Payment) -> None:
    browser = site.signed_in(app, admin)
    AccountSession.update(verified_at=clock.now() - timedelta(days=1)).execute()
    token = site.csrf_token(browser.get("/admin/collective").get_data(as_text=True))
    answer = browser.post(f"/admin/payments/{paid.id}/refund", data={"csrf_token": token})
    assert answer.status_code in {401, 403}
    assert not RefundAsked.select().exists()


def test_disputes_tell_by_when_to_answer(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment
) -> None:
    _, fact = provider.objects["payment", "pay_1"]
    assert isinstance(fact, PaymentFact)
    at = clock.now().replace(year=2031, month=3, day=1)
    provider.dispute(fact, DisputeState.OPEN, at, opened_at=at)
    deliver(provider)
    assert "1 dispute waits" in text(desk, "/admin/payments")
    page = text(desk, "/admin/payments/disputes?state=open")
    assert "2031-03-08" in page and "Night Ferry" in page
    assert "No disputes" in text(desk, "/admin/payments/disputes?state=won")
    assert "2031-03-08" in text(desk, f"/admin/payments/{paid.id}")


def test_a_provider_is_asked_now_and_what_was_repaired_is_told(
    desk: FlaskClient, provider: SimulatedProvider, admin: Person, paid: Payment
) -> None:
    assert "Never yet" in text(desk, "/admin/payments/reconciliation")
    _, fact = provider.objects["payment", "pay_1"]
    assert isinstance(fact, PaymentFact)
    provider.give_back(fact, 300, clock.now())
    page = post(desk, "/payments/reconciliation", at="/payments/reconciliation", provider="simulated")
    assert "refunded_minor 0 -> 300" in page
    [entry] = audit.entries(wanted=audit.Filter(action="payment.reconciled"))
    assert entry.actor == admin.user.id
    wrong = post(desk, "/payments/reconciliation", at="/payments/reconciliation", provider="nobody")
    assert "no payment provider" in wrong


@pytest.mark.parametrize("address", PAGES)
def test_only_admins_look_at_payments(app: Flask, artist: Person, address: str) -> None:
    assert app.test_client().get(f"/admin/payments{address}").status_code == 302
    moderator = site.make_person(roles=(RoleName.MODERATOR,))
    for person in (artist, moderator):
        assert site.signed_in(app, person).get(f"/admin/payments{address}").status_code == 403


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_many_asks_no_more_than_a_page_of_few(
    desk: FlaskClient, provider: SimulatedProvider, paid: Payment, address: str
) -> None:
    def look() -> None:
        assert desk.get(f"/admin/payments{address}").status_code == 200

    _, fact = provider.objects["payment", "pay_1"]
    assert isinstance(fact, PaymentFact)
    provider.dispute(fact, DisputeState.OPEN, clock.now(), opened_at=clock.now())
    deliver(provider)
    inbox_few = least(look)
    for number in range(30):
        more = provider.pay(
            PaymentFact(f"pay_x{number}", "order-1", 1000, "EUR", clock.now()), fee_minor=None
        )
        provider.dispute(more, DisputeState.OPEN, clock.now(), opened_at=clock.now())
    deliver(provider)
    assert least(look) <= inbox_few


def test_a_mask_is_over_all_that_may_be_personal_or_secret() -> None:
    body = {
        "id": "evt_1",
        "amount": 500,
        "live": True,
        "currency": "eur",
        "billing_details": {"email": "a@b.example", "address": {"country": "DE"}, "tax": 7},
        "note": "hello",
        "free": "Ada Lovelace",
        "client_secret": "pi_1_secret_x",
        "list": [{"name": "Ada"}, "in_1", "a@b.example", "https://x.example/1"],
    }
    assert json.loads(masked(json.dumps(body))) == {
        "id": "evt_1",
        "amount": 500,
        "live": True,
        "currency": "eur",
        "billing_details": {"email": MASK, "address": {"country": MASK}, "tax": MASK},
        "note": MASK,
        "free": MASK,
        "client_secret": MASK,
        "list": [{"name": MASK}, "in_1", MASK, MASK],
    }
    assert masked("rubbish with a@b.example") == MASK
    assert json.loads(masked("txn_id=5&payer_email=a%40b.example")) == {"txn_id": "5", "payer_email": MASK}
