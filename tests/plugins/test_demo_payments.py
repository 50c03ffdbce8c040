"""The demo's till: the contract of every provider, its pages, and where it refuses to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import database
from appliance import hooks
from appliance import processors
from appliance import startup
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.hooks import Status
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payments import SubscriptionState
from appliance.settings import Settings
from plugins import demo_payments
from plugins.demo_payments import models
from plugins.demo_payments import money
from plugins.demo_payments import reckoning
from plugins.demo_payments import telling
from plugins.demo_payments import tills
from plugins.demo_payments.provider import DemoPayments
from tests.plugins import provider_contract as contract
from tests.plugins.provider_contract import LONG_AGO
from tests.plugins.provider_contract import ProviderContract
from tests.servers import site
from web.app import create_app

ON = {"demo_payments": {"enabled": True}}


class DemoStand:
    """The demo's till on a file of its own; what it tells is kept."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Delivery] = []
        self.provider = DemoPayments(folder, self.told.append)

    def pay(self, checkout: Checkout, *, good_later: bool = True) -> None:
        with self.provider.act() as now:
            tills.pay(
                checkout.reference,
                card="good" if good_later else "runs_out",
                email="fan@example.com",
                now=now,
            )

    def events(self) -> list[Delivery]:
        told, self.told[:] = list(self.told), []
        return told

    def move(self, time: timedelta) -> None:
        self.provider.move(time)

    def foreign_event(self) -> Delivery:
        with models.act():
            event = models.Event(id="evt_foreign", kind="payment.succeeded", about='["pay_unknown", "x", 5]')
            event.changed_at = clock.now()
            return telling.delivery(event)

    def open_account(self, account: str, url: str) -> None:
        with self.provider.act() as now:
            money.choose_bank(account, "good", now=now)


@pytest.fixture
def stand(tmp_path: Path) -> DemoStand:
    return DemoStand(tmp_path)


class TestDemoPayments(ProviderContract):
    """The suite, as the demo answers it."""


# ---- reckoning


def test_months_keep_the_day_they_began_on() -> None:
    began = LONG_AGO.replace(day=31)
    days = [reckoning.after(began, months).day for months in range(1, 5)]
    assert days == [29, 31, 30, 31]
    assert reckoning.after(began.replace(month=12), 1).year == 2021


def test_what_is_left_counts_to_the_second() -> None:
    start, month = LONG_AGO, Interval.MONTH
    period = (start, start + timedelta(days=30))
    asked = {"period": period, "credit": 0, "at": start + timedelta(days=15)}
    assert reckoning.moved((1000, month), (2000, month), **asked).due == 500
    down = reckoning.moved((2000, month), (1000, month), **asked)
    assert (down.due, down.credit) == (0, 500)
    year = reckoning.moved((1000, month), (9000, Interval.YEAR), **asked)
    assert (year.due, year.anew) == (8500, True)
    asked["at"] = period[1] - timedelta(seconds=1)
    assert reckoning.moved((1000, month), (30_000_000, month), **asked).due == 12


def test_who_goes_down_at_once_pays_less_the_next_time(stand: DemoStand) -> None:
    subscription, _first = contract.member(stand, contract.each_month(2000))
    change = contract.change_of(subscription, 500, at_once=True)
    shown = stand.provider.preview(change)
    assert shown.due_now_minor == 0
    assert shown.next_minor == 0
    stand.provider.change(change)
    contract.facts(stand)
    stand.move(timedelta(days=95))
    # 15.00 are left: the next three months cost nothing, and the payments say so.
    assert [one.amount_minor for one in contract.of_kind(contract.facts(stand), PaymentFact)] == [0, 0, 0]


def test_a_renewal_that_fails_is_tried_twice_and_then_it_ends(stand: DemoStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    assert subscription.period_end is not None
    states = []
    for _step in range(4):
        stand.move(timedelta(days=32 if not states else 3))
        states.append(contract.latest(stand, subscription).state)
    assert states[0] is SubscriptionState.PAST_DUE and states[-1] is SubscriptionState.ENDED


def test_another_card_pays_what_is_due(stand: DemoStand) -> None:
    subscription, first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=32))
    contract.facts(stand)
    with stand.provider.act() as now:
        models.change(models.Customer.get_by_id(subscription.customer), now=now, card="good")
        demo_payments.pages.subscriptions.take_card(subscription.customer, now=now)
    [payment] = contract.of_kind(contract.facts(stand), PaymentFact)
    assert first is not None and payment.period_start == first.period_end
    assert contract.latest(stand, subscription).state is SubscriptionState.ACTIVE


# ---- the other way


def test_a_dispute_takes_the_money_and_gives_it_back_when_it_is_won(stand: DemoStand) -> None:
    payment = contract.paid_once(stand, contract.once(2000))
    held = stand.provider.balances()[0].amount_minor
    with stand.provider.act() as now:
        dispute = money.contest(payment.reference, now=now)
    [fact] = contract.of_kind(contract.facts(stand), DisputeFact)
    assert (fact.state, fact.amount_minor, fact.fee_minor) == (DisputeState.OPEN, 2000, 1500)
    assert stand.provider.balances()[0].amount_minor == held - 3500
    with stand.provider.act() as now:
        money.decide(dispute.id, won=True, now=now)
    [fact] = contract.of_kind(contract.facts(stand), DisputeFact)
    assert fact.state is DisputeState.WON
    assert stand.provider.balances()[0].amount_minor == held - 1500


def test_a_payout_that_the_bank_sends_back_is_in_the_balance_again(stand: DemoStand) -> None:
    contract.paid_once(stand, contract.once(5000))
    held = stand.provider.balances()[0].amount_minor
    there = stand.provider.onboard("artist-1", account="", email="", return_to=contract.BACK)
    with stand.provider.act() as now:
        money.choose_bank(there.account, "refuses", now=now)
    sent = stand.provider.pay_out(PayoutRequest("payout-1", there.account, 1000, "EUR"))
    assert sent.state is PayoutState.IN_TRANSIT
    assert stand.provider.balances()[0].amount_minor == held - 1000
    stand.move(timedelta(days=2))
    again = stand.provider.pay_out(PayoutRequest("payout-1", there.account, 1000, "EUR"))
    assert (again.state, bool(again.problem)) == (PayoutState.FAILED, True)
    assert stand.provider.balances()[0].amount_minor == held


# ---- telling


def test_an_event_that_is_not_taken_is_told_again(tmp_path: Path) -> None:
    told: list[Delivery] = []

    def receive(delivery: Delivery) -> None:
        told.append(delivery)
        if len(told) == 1:
            raise Unavailable("Not now.")

    demo = DemoPayments(tmp_path, receive)
    demo.begin_checkout(contract.once())
    with demo.act() as now:
        tills.leave(models.Till.get().id, now=now)
    assert len(told) == 1
    list(demo.changed_since(LONG_AGO))
    assert [delivery.body for delivery in told] == [told[0].body] * 2
    list(demo.changed_since(LONG_AGO))
    assert len(told) == 2


def test_who_hears_of_an_event_may_ask_at_once(tmp_path: Path) -> None:
    heard: list[object] = []

    def receive(delivery: Delivery) -> None:
        heard.extend(demo.facts_of(delivery.body))
        list(demo.changed_since(LONG_AGO))

    demo = DemoPayments(tmp_path, receive)
    checkout = demo.begin_checkout(contract.once())
    with demo.act() as now:
        tills.leave(checkout.reference, now=now)
    [fact] = heard
    assert isinstance(fact, CheckoutFact) and fact.state is CheckoutState.EXPIRED


# ---- where it runs


@pytest.fixture
def started(tmp_path: Path) -> Iterator[object]:
    def start(**values: object) -> hooks.Plugin:
        settings = Settings(data=tmp_path / "data", queue_url="memory://", **values)
        startup.start(settings, immediate=True)
        return next(plugin for plugin in hooks.plugins() if plugin.name == "demo_payments")

    yield start
    startup.stop()
    hooks.load(Settings(), points=())


def test_it_is_off_until_it_is_switched_on(started) -> None:
    assert started().status is Status.READY
    assert processors.every() == ()
    assert started(plugins=ON).status is Status.READY
    assert [provider.name for provider in processors.every()] == ["demo"]


REFUSED = {
    "listening on all": {"host": "0.0.0.0"},
    "an address elsewhere": {"public_url": "https://music.example"},
    "behind a proxy": {"trusted_proxies": 1},
    "a key of Stripe": {"plugins": {**ON, "stripe_payments": {"secret_key": "sk_live_1"}}},
    "a key of PayPal": {"plugins": {**ON, "paypal_payments": {"client_id": "x", "client_secret": ""}}},
    "payment by hand": {"plugins": {**ON, "manual_payments": {"enabled": "true"}}},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses_where_money_is_real_or_others_may_come(started, values) -> None:
    plugin = started(**{"plugins": ON, **values})
    assert plugin.status is Status.FAILED_SELF_CHECK
    assert plugin.explanation.endswith(".")
    assert "demo" not in [provider.name for provider in processors.every()]


@pytest.mark.parametrize(
    "values",
    [
        {"plugins": {**ON, "manual_payments": {"enabled": "false"}}},
        {"plugins": {**ON, "stripe_payments": {"secret_key": ""}}},
        {"plugins": {**ON, "stripe_payments": {"secret_key": "k"}}, "disabled_plugins": ("stripe_payments",)},
        {"plugins": ON, "public_url": "http://localhost:8000"},
    ],
)
def test_it_runs_where_nothing_else_takes_money(started, values) -> None:
    assert started(**values).status is Status.READY


# ---- pages


@pytest.fixture
def till(tmp_path: Path, started, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(demo_payments.inbox, "receive", lambda *arguments, **named: True)
    started(plugins=ON)
    database.migrate()
    return create_app(startup.appliance()).test_client()


def demo() -> DemoPayments:
    [provider] = processors.every()
    assert isinstance(provider, DemoPayments)
    return provider


def send(browser: FlaskClient, path: str, headers: dict[str, str] | None = None, **form: str):
    csrf = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    return browser.post(path, data={"csrf_token": csrf, **form}, headers=headers)


def path_of(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url)


def test_one_pays_at_the_till_and_comes_back(till: FlaskClient) -> None:
    checkout = demo().begin_checkout(contract.once(1200, email="", tax_minor=100))
    path = path_of(checkout.url)
    page = till.get(path).get_data(as_text=True)
    assert "Harbour Lights" in page and "€13" in page
    declined = send(till, path, card="declined", email="fan@example.com")
    assert declined.status_code == 422
    assert "declined" in declined.get_data(as_text=True) and "fan@example.com" in declined.get_data(
        as_text=True
    )
    assert send(till, path, card="good", email="").status_code == 422
    assert send(till, path, card="gold", email="fan@example.com").status_code == 422
    paid = send(till, path, card="abroad", email="fan@example.com")
    assert (paid.status_code, paid.location) == (303, contract.BACK)
    assert till.get(path).location == contract.BACK
    assert send(till, path, card="good", email="fan@example.com").location == contract.BACK
    [payment] = [one for one in demo().changed_since(LONG_AGO) if isinstance(one, PaymentFact)]
    assert (payment.amount_minor, payment.email, payment.country) == (1300, "fan@example.com", "FR")


def test_one_leaves_the_till_without_paying(till: FlaskClient) -> None:
    checkout = demo().begin_checkout(contract.once(cancel_to="http://localhost:8000/shop"))
    left = send(till, path_of(checkout.url) + "/leave")
    assert left.location == "http://localhost:8000/shop"
    assert "closed" in till.get(path_of(checkout.url)).get_data(as_text=True)
    assert send(till, path_of(checkout.url), card="good").status_code == 422
    assert till.get("/plugins/demo_payments/tills/till_unknown").status_code == 404
    assert send(till, "/plugins/demo_payments/tills/till_unknown", card="good").status_code == 404


def test_one_changes_the_card_and_sees_what_was_paid(till: FlaskClient) -> None:
    checkout = demo().begin_checkout(contract.each_month())
    send(till, path_of(checkout.url), card="runs_out")
    customer = models.Customer.get().id
    path = path_of(demo().portal(customer, return_to=contract.BACK))
    assert "€5" in till.get(path).get_data(as_text=True)
    demo().move(timedelta(minutes=1))
    assert send(till, path, card="good").status_code == 303
    assert send(till, path, card="gold").status_code == 422
    demo().move(timedelta(hours=2))
    assert till.get(path).status_code == 404
    with pytest.raises(NotFound):
        demo().portal("cus_unknown", return_to=contract.BACK)


def test_a_payee_chooses_a_bank(till: FlaskClient) -> None:
    there = demo().onboard("artist-1", account="", email="a@example.com", return_to=contract.BACK)
    assert "bank account" in till.get(path_of(there.url)).get_data(as_text=True)
    assert send(till, path_of(there.url), bank="asks").location == contract.BACK
    assert send(till, path_of(there.url), bank="none").status_code == 422
    assert till.get("/plugins/demo_payments/accounts/acct_unknown").status_code == 404


def test_at_the_desk_things_go_wrong_on_purpose(till: FlaskClient) -> None:
    fan, desk = site.make_person().headers, "/plugins/demo_payments/"
    assert till.get(desk).location.startswith("/sign-in?next")
    assert "No payments" in till.get(desk, headers=fan).get_data(as_text=True)
    send(till, path_of(demo().begin_checkout(contract.once(5000)).url), card="good")
    there = demo().onboard("artist-1", account="", email="", return_to=contract.BACK)
    send(till, path_of(there.url), bank="good")
    sent = demo().pay_out(PayoutRequest("payout-1", there.account, 1000, "EUR"))
    assert send(till, f"{desk}payouts/{sent.reference}", fan).status_code == 303
    assert send(till, f"{desk}payouts/{sent.reference}", fan).status_code == 404
    payment = models.Payment.get().id
    assert send(till, f"{desk}payments/{payment}/contest").status_code in {303, 401}
    assert models.Dispute.select().count() == 0
    assert send(till, f"{desk}payments/{payment}/contest", fan).status_code == 303
    assert send(till, f"{desk}payments/{payment}/contest", fan).status_code == 409
    dispute = models.Dispute.get().id
    assert "Open" in till.get(desk, headers=fan).get_data(as_text=True)
    assert send(till, f"{desk}disputes/{dispute}", fan, outcome="lost").status_code == 303
    assert send(till, f"{desk}disputes/{dispute}", fan, outcome="won").status_code == 409
    assert send(till, f"{desk}clock", fan, days="31").status_code == 303
    assert send(till, f"{desk}clock", fan, days="-1").status_code == 422
    page = till.get(desk, headers=fan).get_data(as_text=True)
    assert "Lost" in page and "Arrived" in page
