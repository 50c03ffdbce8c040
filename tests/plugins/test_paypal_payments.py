"""PayPal: the contract of every provider against a fake of it, and what is PayPal's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from datetime import timedelta

import pytest

from appliance import clock
from appliance import hooks
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import Unavailable
from appliance.hooks import Status
from appliance.ledger import payments
from appliance.memberships import granting
from appliance.memberships import subscription_joining
from appliance.memberships import subscriptions as memberships
from appliance.memberships import tiers
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from appliance.settings import Settings
from appliance.startup import Appliance
from plugins.paypal_payments import amounts
from plugins.paypal_payments import models
from plugins.paypal_payments import signing
from plugins.paypal_payments.models import Thing
from plugins.paypal_payments.provider import PayPal
from plugins.paypal_payments.wire import Wire
from tests.plugins import provider_contract as contract
from tests.plugins.provider_contract import LONG_AGO
from tests.plugins.provider_contract import ProviderContract
from tests.servers import paypal
from tests.servers import site
from tests.servers.paypal import CLIENT_ID
from tests.servers.paypal import CLIENT_SECRET
from tests.servers.paypal import WEBHOOK
from tests.servers.paypal import FakePayPal
from web.app import create_app

PUBLIC_URL = "https://music.example"


class PayPalStand:
    """The plugin in front of the fake."""

    def __init__(self, fake: FakePayPal) -> None:
        self.fake = fake
        self.ahead = timedelta()
        self.provider = self.another()

    def another(self, **more: str) -> PayPal:
        """A provider as another process has it."""
        wire = Wire(self.fake.url, CLIENT_ID, CLIENT_SECRET, allow_private=True)
        return PayPal(wire, **{"public_url": "", "webhook": WEBHOOK, **more}, time=self.now)

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def pay(self, checkout: Checkout, *, good_later: bool = True) -> None:
        assert self.fake.pay(checkout.url, funding="good" if good_later else "once") == contract.BACK

    def events(self) -> list[Delivery]:
        return [Delivery(body, headers) for body, headers in self.fake.deliveries()]

    def move(self, time: timedelta) -> None:
        self.ahead += time
        self.fake.move(time)

    def foreign_event(self) -> Delivery:
        self.fake.control(
            "tell",
            kind="CHECKOUT.ORDER.APPROVED",
            resource={"id": "O1", "purchase_units": [{"custom_id": "order-1"}]},
        )
        [delivery] = self.events()
        return delivery

    def open_account(self, account: str, url: str) -> None:
        raise AssertionError("nobody is paid out by PayPal")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakePayPal]:
    with paypal.serving() as running:
        yield running


@pytest.fixture
def stand(fake: FakePayPal, appliance: Appliance) -> PayPalStand:
    fake.reset()
    return PayPalStand(fake)


class TestPayPal(ProviderContract):
    """The suite, as PayPal answers it."""


# ---- one thing, whatever breaks


def test_an_answer_that_is_lost_makes_no_second_order(stand: PayPalStand) -> None:
    stand.fake.fail("POST", "/v2/checkout/orders", 500, after=True)
    with pytest.raises(Unavailable):
        stand.provider.begin_checkout(contract.once())
    checkout = stand.provider.begin_checkout(contract.once())
    stand.pay(checkout)
    [payment] = contract.of_kind(contract.facts(stand), PaymentFact)
    assert payment.mark == "order-1"
    keys = [one["key"] for one in stand.fake.seen() if one["path"] == "/v2/checkout/orders"]
    assert len(keys) == 2 and len(set(keys)) == 1 and len(keys[0]) <= 38


def test_a_refund_whose_answer_is_lost_happens_once(stand: PayPalStand) -> None:
    payment = contract.paid_once(stand, contract.once(1000))
    asked = RefundRequest(payment.reference, payment.mark, 700, "EUR", key="refund-1")
    stand.fake.fail("POST", "/refund", 503, after=True)
    with pytest.raises(Unavailable):
        stand.provider.refund(asked)
    assert stand.provider.refund(asked).amount_minor == 700


def test_an_order_that_we_never_noted_is_known_by_its_mark(stand: PayPalStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once())
    Thing.delete().execute()
    stand.pay(checkout)
    [payment] = contract.of_kind(contract.facts(stand), PaymentFact)
    assert (payment.mark, payment.amount_minor) == ("order-1", 1200)


def test_the_same_key_for_something_else_is_refused(stand: PayPalStand) -> None:
    stand.provider.begin_checkout(contract.once())
    with pytest.raises(Conflict):
        stand.provider.begin_checkout(replace(contract.once(), tax_minor=5))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_paypal_cannot_do_now_is_said_in_a_sentence(stand: PayPalStand, status: int) -> None:
    stand.fake.fail("POST", "/v2/checkout/orders", status)
    with pytest.raises(Unavailable, match="few minutes"):
        stand.provider.begin_checkout(contract.once())


def test_wrong_keys_are_said_to_be_the_operators(stand: PayPalStand) -> None:
    wire = Wire(stand.fake.url, CLIENT_ID, "wrong", allow_private=True)
    with pytest.raises(Unavailable, match="operator"):
        PayPal(wire, public_url="", webhook=WEBHOOK).begin_checkout(contract.once())


def test_a_token_that_was_taken_back_is_replaced(stand: PayPalStand) -> None:
    stand.provider.begin_checkout(contract.once())
    stand.fake.fail("POST", "/v2/checkout/orders", 401)
    assert stand.provider.begin_checkout(contract.once(mark="order-2")).url
    tokens = [one for one in stand.fake.seen() if one["path"] == "/v1/oauth2/token"]
    assert len(tokens) == 2


# ---- orders


def test_a_card_that_is_declined_leaves_the_order_open(stand: PayPalStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once())
    stand.fake.pay(checkout.url, funding="declined")
    told = contract.facts(stand)
    assert contract.of_kind(told, PaymentFact) == []
    assert {one.state for one in contract.of_kind(told, CheckoutFact)} == {CheckoutState.OPEN}


def test_who_leaves_the_till_comes_back_unpaid(stand: PayPalStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once(cancel_to="http://localhost:8000/shop"))
    assert stand.fake.pay(checkout.url, approve=False) == "http://localhost:8000/shop"
    assert contract.facts(stand) == []
    stand.move(timedelta(hours=7))
    [fact] = stand.provider.changed_since(LONG_AGO)
    assert isinstance(fact, CheckoutFact) and fact.state is CheckoutState.EXPIRED
    assert list(stand.provider.changed_since(LONG_AGO)) == []


def test_a_payment_that_nobody_told_of_is_taken_by_asking(stand: PayPalStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once())
    stand.pay(checkout)
    stand.events()
    found = list(stand.provider.changed_since(LONG_AGO))
    assert [one.amount_minor for one in contract.of_kind(found, PaymentFact)] == [1200]


def test_what_did_not_change_is_asked_about_once_each(stand: PayPalStand) -> None:
    for number in range(3):
        contract.member(stand, contract.each_month(mark=f"membership-{number}"))
    before = len(stand.fake.seen())
    told = list(stand.provider.changed_since(clock.now() + timedelta(hours=1)))
    assert [type(one) for one in told] == [CheckoutFact] * 3
    # And once for the disputes.
    assert len(stand.fake.seen()) - before == 4


def test_what_was_paid_long_ago_is_not_asked_about_for_ever(stand: PayPalStand) -> None:
    contract.paid_once(stand)
    stand.move(timedelta(days=61))
    assert list(stand.provider.changed_since(LONG_AGO)) != []
    assert list(stand.provider.changed_since(LONG_AGO)) == []


# ---- back


def test_a_refund_that_was_made_at_paypal_is_told(stand: PayPalStand) -> None:
    payment = contract.paid_once(stand, contract.once(1000))
    stand.fake.control("refund", payment=payment.reference, amount={"currency_code": "EUR", "value": "4.00"})
    [refund] = contract.of_kind(contract.facts(stand), RefundFact)
    assert (refund.payment, refund.amount_minor) == (payment.reference, 400)


def test_a_payment_of_a_subscription_goes_back_too(stand: PayPalStand) -> None:
    _subscription, payment = contract.member(stand)
    assert payment is not None
    asked = RefundRequest(payment.reference, payment.mark, 200, "EUR", key="refund-1", reason="Sorry.")
    ours = stand.provider.refund(asked)
    assert contract.of_kind(contract.facts(stand), RefundFact) == [ours]
    stand.fake.control("refund", payment=payment.reference, amount={"currency_code": "EUR", "value": "3.00"})
    [theirs] = contract.of_kind(contract.facts(stand), RefundFact)
    assert (theirs.payment, theirs.amount_minor) == (payment.reference, 300)
    told = contract.of_kind(list(stand.provider.changed_since(LONG_AGO)), RefundFact)
    assert {one.reference for one in told} == {ours.reference, theirs.reference}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("RESOLVED_BUYER_FAVOUR", DisputeState.LOST), ("RESOLVED_SELLER_FAVOUR", DisputeState.WON)],
)
def test_a_dispute_is_told_until_it_is_decided(stand: PayPalStand, outcome: str, state: DisputeState) -> None:
    payment = contract.paid_once(stand, contract.once(1000))
    opened = stand.fake.control("dispute", payment=payment.reference)
    [fact] = contract.of_kind(contract.facts(stand), DisputeFact)
    assert (fact.payment, fact.amount_minor, fact.state) == (payment.reference, 1000, DisputeState.OPEN)
    assert fact.respond_by is not None
    stand.fake.control("resolve", dispute=opened["dispute_id"], outcome=outcome)
    stand.events()
    [fact] = contract.of_kind(list(stand.provider.changed_since(LONG_AGO)), DisputeFact)
    assert fact.state is state


def test_a_dispute_of_another_payment_is_none_of_ours(stand: PayPalStand) -> None:
    payment = contract.paid_once(stand)
    stand.events()
    stand.fake.control("dispute", payment=payment.reference)
    Thing.delete().where(Thing.id == payment.reference).execute()
    assert contract.of_kind(contract.facts(stand), DisputeFact) == []


# ---- subscriptions


def test_who_cancels_at_paypal_is_told_of(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand)
    stand.fake.control("cancel", subscription=subscription.reference)
    assert contract.of_kind(contract.facts(stand), SubscriptionFact)[-1].state is SubscriptionState.ENDED


def test_a_trial_that_is_cancelled_runs_until_it_ends(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand, contract.each_month(trial_days=14))
    fact = stand.provider.cancel(subscription.reference, mark=subscription.mark, at_once=False, key="c")
    assert (fact.state, fact.cancel_at) == (SubscriptionState.TRIALING, subscription.trial_end)
    stand.move(timedelta(days=15))
    assert contract.latest(stand, subscription).state is SubscriptionState.ENDED
    assert contract.of_kind(contract.facts(stand), PaymentFact) == []


def test_a_card_that_fails_three_times_stays_past_due(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand, good_later=False)
    stand.move(timedelta(days=45))
    assert contract.latest(stand, subscription).state is SubscriptionState.PAST_DUE


def test_months_do_not_become_years(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand)
    change = contract.change_of(subscription, 5000, at_once=False)
    with pytest.raises(Invalid, match="years"):
        stand.provider.change(replace(change, price=replace(change.price, interval=Interval.YEAR)))
    with pytest.raises(Invalid, match="next payment"):
        stand.provider.preview(replace(change, at_once=True))


def test_a_price_does_not_change_shortly_before_a_payment(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand)
    stand.move(timedelta(days=25))
    with pytest.raises(Conflict, match="ten days"):
        stand.provider.change(contract.change_of(subscription, 900, at_once=False))


def test_plans_are_made_once(stand: PayPalStand) -> None:
    for number in range(3):
        stand.provider.begin_checkout(contract.each_month(mark=f"membership-{number}"))
    stand.another().begin_checkout(contract.each_month(600, mark="membership-9"))
    made = [one["path"] for one in stand.fake.seen() if one["path"].endswith(("/plans", "/products"))]
    assert made == ["/v1/catalogs/products", "/v1/billing/plans", "/v1/billing/plans"]


def test_a_cancellation_is_not_repeated_by_a_late_request(stand: PayPalStand) -> None:
    subscription, _payment = contract.member(stand)
    asked = {"mark": subscription.mark, "at_once": False, "key": "cancel-1"}
    stand.provider.cancel(subscription.reference, **asked)
    stand.provider.resume(subscription.reference, mark=subscription.mark, key="resume-1")
    assert stand.provider.cancel(subscription.reference, **asked).cancel_at is None
    with pytest.raises(Conflict):
        stand.provider.cancel(subscription.reference, mark=subscription.mark, at_once=True, key="cancel-1")


# ---- events


def test_the_webhook_is_registered_by_itself_once(stand: PayPalStand) -> None:
    provider = stand.another(public_url=PUBLIC_URL, webhook="")
    provider.begin_checkout(contract.once())
    stand.another(public_url=PUBLIC_URL, webhook="").begin_checkout(contract.once(mark="order-2"))
    made = [one for one in stand.fake.seen() if one["path"] == "/v1/notifications/webhooks"]
    assert len(made) == 1
    # After the database was lost, it is found again.
    models.Kept.delete().execute()
    again = stand.another(public_url=PUBLIC_URL, webhook="")
    stand.pay(again.begin_checkout(contract.once(mark="order-3")))
    for delivery in stand.events():
        assert again.read_event(delivery, now=clock.now()).id


def test_the_certificate_is_fetched_once(stand: PayPalStand) -> None:
    for delivery in contract.delivered(stand) * 2:
        stand.provider.read_event(delivery, now=clock.now())
    fetched = [one for one in stand.fake.seen() if "/certs/" in one["path"]]
    assert len(fetched) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/billing/plans/1",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_not_looked_at(url: str) -> None:
    assert signing.is_certificate(
        "https://api.paypal.com/v1/notifications/certs/CERT-1", "https://api-m.paypal.com"
    )
    assert not signing.is_certificate(url, "https://api-m.paypal.com")


def test_an_event_for_another_webhook_is_refused(stand: PayPalStand) -> None:
    [delivery, *_rest] = contract.delivered(stand)
    for webhook in ("WH0OTHER", ""):
        with pytest.raises(NotAllowed):
            stand.another(webhook=webhook).read_event(delivery, now=clock.now())


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"event_type": "PAYMENT.SALE.COMPLETED", "resource": []}'])
def test_an_event_about_nothing_yields_nothing(stand: PayPalStand, body: bytes) -> None:
    if body == b"[]":
        with pytest.raises(Invalid):
            stand.provider.facts_of(body)
    else:
        assert list(stand.provider.facts_of(body)) == []


@pytest.mark.parametrize(
    "kind", ["PAYMENT.SALE.COMPLETED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.REFUNDED"]
)
def test_payments_of_another_product_are_none_of_ours(stand: PayPalStand, kind: str) -> None:
    resource = {"id": "X1", "custom_id": "order-1", "billing_agreement_id": "I-1", "sale_id": "X1"}
    body = json.dumps({"event_type": kind, "resource": resource}).encode()
    assert list(stand.provider.facts_of(body)) == []


# ---- amounts


def test_amounts_are_written_and_read_as_paypal_has_them() -> None:
    assert amounts.money(1205, "EUR") == {"currency_code": "EUR", "value": "12.05"}
    assert amounts.money(1500, "JPY")["value"] == "1500"
    assert amounts.money(150_000, "HUF")["value"] == "1500"
    assert amounts.minor({"currency_code": "HUF", "value": "1500"}) == 150_000
    assert amounts.minor({"currency": "EUR", "total": "-3.5"}) == -350
    assert amounts.minor({"currency_code": "EUR", "value": "0.0"}) == 0
    for rubbish in ("1.005", "a", "1e3", ""):
        with pytest.raises(Unavailable):
            amounts.minor({"currency_code": "EUR", "value": rubbish})
    with pytest.raises(Invalid, match="whole"):
        amounts.check(150_050, "HUF")


def test_a_payment_is_for_the_period_it_came_in() -> None:
    anchor = datetime.fromisoformat("2026-01-31T10:00:00+00:00")
    late = datetime.fromisoformat("2026-03-09T10:00:00+00:00")
    start, end = amounts.period(anchor, Interval.MONTH, late)
    assert (start.isoformat()[:10], end.isoformat()[:10]) == ("2026-02-28", "2026-03-31")
    assert amounts.period(anchor, Interval.YEAR, anchor)[0] == anchor
    assert amounts.period(anchor, Interval.MONTH, anchor - timedelta(hours=1))[0] == anchor


# ---- settings

KEYS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.mark.parametrize(
    ("values", "status", "told"),
    [
        ({}, Status.READY, ""),
        (KEYS, Status.READY, ""),
        ({"client_id": CLIENT_ID}, Status.FAILED_SELF_CHECK, "client_secret"),
        ({"client_secret": "x"}, Status.FAILED_SELF_CHECK, "client_id"),
        ({**KEYS, "api_url": "http://api-m.paypal.com"}, Status.FAILED_SELF_CHECK, "api_url"),
        ({**KEYS, "api_url": "https://10.0.0.1"}, Status.FAILED_SELF_CHECK, "api_url"),
        ({**KEYS, "api_url": "https://api-m.paypal.com/v1"}, Status.FAILED_SELF_CHECK, "api_url"),
    ],
)
def test_half_a_configuration_is_named(values: dict[str, str], status: Status, told: str) -> None:
    try:
        loaded = hooks.load(Settings(plugins={"paypal_payments": values}))
        plugin = next(one for one in loaded if one.name == "paypal_payments")
        assert plugin.status is status and told in plugin.explanation
        offered = [one.name for found in hooks.announce("payment_providers") for one in found]
        assert offered == (["paypal"] if values == KEYS else [])
    finally:
        hooks.load(Settings(), points=())


# ---- from end to end


def test_a_member_by_paypal_is_one_when_its_event_came(fake: FakePayPal, appliance: Appliance) -> None:
    fake.reset()
    values = {**KEYS, "api_url": fake.url, "allow_private_addresses": True, "webhook_id": WEBHOOK}
    hooks.load(Settings(plugins={"paypal_payments": values}))
    try:
        browser = create_app(appliance).test_client()
        artist, fan = site.make_artist(site.make_person()), site.make_person("fan@example.com").user
        tier = next(one for one in tiers.of_artist(artist) if one.price_minor)
        began = subscription_joining.begin(
            fan,
            tier,
            interval="month",
            provider="paypal",
            return_to=lambda key: contract.BACK,
            cancel_to=contract.BACK,
            reader=subscription_joining.Reader(),
            now=clock.now(),
        )
        fake.pay(began.checkout_url)
        for body, headers in fake.deliveries() * 2:
            assert browser.post("/webhooks/paypal", data=body, headers=headers).status_code == 204
        assert browser.post("/webhooks/paypal", data=b"{}", headers=headers).status_code == 403
        assert memberships.find_any(began.id).state == "active"
        [payment] = payments.of_mark(began.id)
        assert (payment.amount_minor, payment.provider, payment.country) == (tier.price_minor, "paypal", "DE")
        assert [row.tier.id for row in granting.of_person(fan, now=clock.now())] == [tier.id]
    finally:
        hooks.load(Settings(), points=())
