"""Payment by hand: the contract of every provider on both engines, references, and the desk where somebody confirms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import currencies
from appliance import database
from appliance import hooks
from appliance import processors
from appliance import startup
from appliance.accounts.models import AuditEntry
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.hooks import Status
from appliance.ledger import payments
from appliance.mail import Message
from appliance.memberships import granting
from appliance.memberships import subscription_joining
from appliance.memberships import subscription_letters
from appliance.memberships import subscriptions as memberships
from appliance.memberships import tiers
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import Feature
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionState
from appliance.settings import Settings
from appliance.startup import Appliance
from plugins import manual_payments
from plugins.manual_payments import demands
from plugins.manual_payments import references
from plugins.manual_payments import signing
from plugins.manual_payments import subscriptions
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import DemandState
from plugins.manual_payments.models import Receipt
from plugins.manual_payments.models import Refund
from plugins.manual_payments.provider import ManualPayments
from plugins.manual_payments.provider import Ways
from tests.plugins import provider_contract as contract
from tests.plugins.provider_contract import LONG_AGO
from tests.plugins.provider_contract import ProviderContract
from tests.servers import site
from web.app import create_app

IBAN = "DE89370400440532013000"
WAYS = Ways("Bank transfer", ("EUR", "JPY"), timedelta(days=14), holder="Harbour Records", iban=IBAN)
ON = {"manual_payments": {"enabled": True, "iban": IBAN, "account_holder": "Harbour Records"}}


class ManualStand:
    """Payment by hand, with an admin who looks at the account every day."""

    def __init__(self) -> None:
        self.told: list[Delivery] = []
        self.ahead = timedelta()
        self.pays_later = True
        self.provider = ManualPayments(WAYS, self.told.append, time=self.now)

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def pay(self, checkout: Checkout, *, good_later: bool = True) -> None:
        self.pays_later = good_later
        with self.provider.act() as act:
            demand = demands.find(checkout.reference)
            if demand.trial_days:
                subscriptions.begin_trial(demand, act=act)
            elif demand.state == DemandState.OPEN:
                demands.confirm(demand.id, demand.amount_minor, by="", act=act)

    def events(self) -> list[Delivery]:
        told, self.told[:] = list(self.told), []
        return told

    def move(self, time: timedelta) -> None:
        until = self.ahead + time
        while self.ahead < until:
            self.ahead = min(until, self.ahead + timedelta(days=1))
            with self.provider.act():
                pass
            with self.provider.act() as act:
                for demand in Demand.select().where(Demand.state == DemandState.OPEN, ~Demand.at_till):
                    if self.pays_later:
                        demands.confirm(demand.id, demand.amount_minor, by="", act=act)

    def foreign_event(self) -> Delivery:
        now = clock.now()
        return signing.delivery(["demand:unknown", "nothing", "charge:1"], at=now, signed_at=now)

    def open_account(self, account: str, url: str) -> None:
        raise AssertionError("payments by hand have no accounts")


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def stand(appliance: Appliance) -> ManualStand:
    return ManualStand()


class TestManualPayments(ProviderContract):
    """The suite, as payment by hand answers it."""


# ---- references


def test_a_reference_finds_mistyped_ones() -> None:
    # The example of ISO 11649.
    assert references.holds("RF18539007547034")
    made = references.new()
    assert len(made) == 16 and references.holds(made)
    last = str((int(made[-1]) + 1) % 10)
    assert not references.holds(made[:-1] + last)
    assert references.plain(references.spaced(made).lower()) == made


@pytest.mark.parametrize(
    "wrong", ["", "DE89", IBAN[:-1] + "1", "DE8937040044053201300é", "8937040044053201", "D" * 20]
)
def test_the_number_of_an_account_is_checked(wrong: str) -> None:
    assert references.is_iban(IBAN)
    assert not references.is_iban(wrong)


def test_a_banking_app_reads_the_transfer() -> None:
    told = references.transfer(
        holder="Harbour Records", iban=IBAN, bic="", amount_minor=1205, reference="RF18539007547034"
    )
    assert told.split("\n") == [
        "BCD", "002", "1", "SCT", "", "Harbour Records", IBAN, "EUR12.05", "", "RF18539007547034"
    ]  # fmt: skip


# ---- what arrives


def test_what_arrives_in_part_is_no_payment_yet(stand: ManualStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once(1200))
    with stand.provider.act() as act:
        demands.confirm(checkout.reference, 500, by="", act=act)
    assert contract.facts(stand) == []
    with stand.provider.act() as act:
        demands.confirm(checkout.reference, 700, by="", act=act)
    [payment] = contract.of_kind(contract.facts(stand), PaymentFact)
    assert (payment.amount_minor, payment.fee_minor) == (1200, 0)
    assert [row.amount_minor for row in Receipt.select().order_by(Receipt.id)] == [500, 700]
    with pytest.raises(Conflict), stand.provider.act() as act:
        demands.confirm(checkout.reference, 700, by="", act=act)


@pytest.mark.parametrize("amount", [0, -5, 10**12])
def test_nothing_does_not_arrive(stand: ManualStand, amount: int) -> None:
    checkout = stand.provider.begin_checkout(contract.once(1200))
    with pytest.raises(Invalid), stand.provider.act() as act:
        demands.confirm(checkout.reference, amount, by="", act=act)
    assert Receipt.select().count() == 0


def test_what_is_rejected_is_not_waited_for(stand: ManualStand) -> None:
    checkout = stand.provider.begin_checkout(contract.once(1200))
    with stand.provider.act() as act:
        demands.reject(checkout.reference, by="", act=act)
    [fact] = contract.facts(stand)
    assert isinstance(fact, CheckoutFact) and fact.state is CheckoutState.EXPIRED
    with pytest.raises(Conflict), stand.provider.act() as act:
        demands.reject(checkout.reference, by="", act=act)


def test_what_nobody_pays_is_forgotten_after_a_while(stand: ManualStand) -> None:
    stand.provider.begin_checkout(contract.once(1200))
    part = stand.provider.begin_checkout(contract.once(1200, mark="order-2"))
    with stand.provider.act() as act:
        demands.confirm(part.reference, 500, by="", act=act)
    stand.move(timedelta(days=60))
    told = contract.of_kind(contract.facts(stand), CheckoutFact)
    assert {one.mark: one.state for one in told} == {"order-1": CheckoutState.EXPIRED}
    assert Demand.get_by_id(part.reference).state == DemandState.OPEN


# ---- again and again


def test_the_next_period_is_asked_for_a_week_before(stand: ManualStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    assert subscription.period_end is not None
    stand.move(timedelta(days=20))
    assert Demand.select().count() == 1
    stand.move(timedelta(days=5))
    assert Demand.select().count() == 2
    asked = Demand.get(Demand.state == DemandState.OPEN)
    assert (asked.period_start, asked.due_at) == (subscription.period_end, subscription.period_end)


def test_what_comes_late_counts_from_where_the_last_ended(stand: ManualStand) -> None:
    subscription, first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=35))
    assert contract.latest(stand, subscription).state is SubscriptionState.PAST_DUE
    contract.facts(stand)
    stand.pays_later = True
    stand.move(timedelta(days=1))
    [payment] = contract.of_kind(contract.facts(stand), PaymentFact)
    assert first is not None and payment.period_start == first.period_end
    assert contract.latest(stand, subscription).state is SubscriptionState.ACTIVE


def test_who_never_pays_is_no_member_any_more(stand: ManualStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=50))
    assert contract.latest(stand, subscription).state is SubscriptionState.ENDED
    assert Demand.select().where(Demand.state == DemandState.OPEN).count() == 0


def test_a_price_does_not_change_while_a_part_of_it_has_arrived(stand: ManualStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=28))
    asked = Demand.get(Demand.state == DemandState.OPEN)
    with stand.provider.act() as act:
        demands.confirm(asked.id, 100, by="", act=act)
    with pytest.raises(Conflict, match="part"):
        stand.provider.change(contract.change_of(subscription, 900, at_once=False))


def test_a_price_that_changes_late_is_asked_for_anew(stand: ManualStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=28))
    stand.provider.change(contract.change_of(subscription, 900, at_once=False))
    stand.move(timedelta(hours=1))
    asked = Demand.get(Demand.state == DemandState.OPEN)
    assert asked.amount_minor == 900
    assert Demand.select().where(Demand.state == DemandState.WITHDRAWN).count() == 1


def test_it_does_not_reckon_within_a_period(stand: ManualStand) -> None:
    assert Feature.PRORATION not in stand.provider.features
    subscription, _first = contract.member(stand)
    with pytest.raises(Invalid):
        stand.provider.preview(contract.change_of(subscription, 2000, at_once=True))


def test_an_event_that_is_not_taken_is_found_by_asking(appliance: Appliance) -> None:
    def receive(delivery: Delivery) -> None:
        raise NotFound("Nobody is here.")

    provider = ManualPayments(WAYS, receive)
    checkout = provider.begin_checkout(contract.once())
    with provider.act() as act:
        demands.confirm(checkout.reference, 1200, by="", act=act)
    assert [type(one) for one in provider.changed_since(LONG_AGO)] == [PaymentFact, CheckoutFact]


# ---- settings


@pytest.fixture
def started(tmp_path: Path) -> Iterator[object]:
    def start(**values: object) -> hooks.Plugin:
        settings = Settings(
            data=tmp_path / "data", queue_url="memory://", plugins={"manual_payments": values}
        )
        startup.start(settings, immediate=True)
        database.migrate()
        return next(plugin for plugin in hooks.plugins() if plugin.name == "manual_payments")

    yield start
    startup.stop()
    hooks.load(Settings(), points=())


def test_it_is_off_until_it_is_switched_on(started) -> None:
    assert started(iban=IBAN).status is Status.READY
    assert processors.every() == ()
    assert started(**ON["manual_payments"]).status is Status.READY
    [provider] = processors.every()
    assert (provider.name, provider.label) == ("manual", "Bank transfer")
    assert provider.minimum_minor("USD") is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"enabled": True}, "where to pay"),
        ({**ON["manual_payments"], "iban": IBAN[:-1] + "1"}, "mistyped"),
        ({**ON["manual_payments"], "account_holder": " "}, "account_holder"),
        ({**ON["manual_payments"], "currencies": ("EUR", "XXQ")}, "three letters"),
        ({**ON["manual_payments"], "currencies": ()}, "currencies"),
    ],
)
def test_half_a_configuration_is_named(started, values, told) -> None:
    plugin = started(**values)
    assert plugin.status is Status.FAILED_SELF_CHECK
    assert told in plugin.explanation


# ---- pages


@pytest.fixture
def bank(started, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(manual_payments.inbox, "receive", lambda *arguments, **named: True)
    started(
        **ON["manual_payments"], bic="COBADEFFXXX", cash="At the bar, on Fridays", instructions="Thank you."
    )
    return create_app(startup.appliance()).test_client()


def by_hand() -> ManualPayments:
    [provider] = processors.every()
    assert isinstance(provider, ManualPayments)
    return provider


def send(browser: FlaskClient, path: str, headers: dict[str, str] | None = None, **form: str):
    csrf = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    return browser.post(path, data={"csrf_token": csrf, **form}, headers=headers)


def path_of(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url)


def admin() -> dict[str, str]:
    return site.make_person(roles=(RoleName.ADMIN,), scopes=tuple(Scope)).headers


DESK = "/plugins/manual_payments/"


def test_one_reads_where_to_pay(bank: FlaskClient) -> None:
    checkout = by_hand().begin_checkout(contract.once(1200, email=""))
    path = path_of(checkout.url)
    page = bank.get(path).get_data(as_text=True)
    demand = Demand.get()
    for told in (
        "€12",
        references.spaced(IBAN),
        references.spaced(demand.reference),
        "At the bar",
        "Thank you",
        "<path",
    ):
        assert told in page
    assert send(bank, path, email="nobody").status_code == 422
    noted = send(bank, path, email="fan@example.com")
    assert (noted.status_code, noted.location) == (303, contract.BACK)
    assert Demand.get().email == "fan@example.com"
    assert bank.get("/plugins/manual_payments/pay/unknown").status_code == 404


def test_one_goes_back_without_paying(bank: FlaskClient) -> None:
    checkout = by_hand().begin_checkout(contract.once(cancel_to="http://localhost:8000/shop"))
    assert send(bank, path_of(checkout.url) + "/leave").location == "http://localhost:8000/shop"
    assert "not waited for" in bank.get(path_of(checkout.url)).get_data(as_text=True)


def test_an_admin_confirms_what_arrived(bank: FlaskClient) -> None:
    checkout = by_hand().begin_checkout(contract.once(1200))
    headers, confirm = admin(), f"{DESK}demands/{checkout.reference}/confirm"
    reference = Demand.get().reference
    assert reference in bank.get(DESK, headers=headers).get_data(as_text=True)
    assert reference in bank.get(f"{DESK}?q={references.spaced(reference)[:7]}", headers=headers).get_data(
        as_text=True
    )
    assert reference not in bank.get(f"{DESK}?q=RF99", headers=headers).get_data(as_text=True)
    wrong = send(bank, confirm, headers, amount="twelve")
    assert wrong.status_code == 422 and 'value="twelve"' in wrong.get_data(as_text=True)
    assert send(bank, confirm, headers, amount="5,00").status_code == 303
    assert "€7" in bank.get(path_of(checkout.url)).get_data(as_text=True)
    assert send(bank, confirm, headers, amount="7").status_code == 303
    assert send(bank, confirm, headers, amount="7").status_code == 409
    assert "Thank you" in bank.get(path_of(checkout.url)).get_data(as_text=True)
    assert "Nothing is waited for" in bank.get(DESK, headers=headers).get_data(as_text=True)
    acts = [row.action for row in AuditEntry.select() if row.action.startswith("manual")]
    assert acts == ["manual_payments.confirmed"] * 2


def test_nobody_else_confirms(bank: FlaskClient) -> None:
    checkout = by_hand().begin_checkout(contract.once(1200))
    stranger = site.make_person(scopes=tuple(Scope)).headers
    for path in (
        f"demands/{checkout.reference}/confirm",
        f"demands/{checkout.reference}/reject",
        "refunds/x",
    ):
        assert send(bank, DESK + path, stranger, amount="12").status_code == 403
    assert bank.get(DESK, headers=stranger).status_code == 403
    assert bank.get(DESK).location.startswith("/sign-in?next")
    assert Receipt.select().count() == 0


def test_a_refund_is_sent_or_fails(bank: FlaskClient) -> None:
    provider, headers = by_hand(), admin()
    checkout = provider.begin_checkout(contract.once(1200))
    send(bank, f"{DESK}demands/{checkout.reference}/confirm", headers, amount="12")
    for key, amount, outcome in (("a", 300, "sent"), ("b", 900, "failed")):
        fact = provider.refund(RefundRequest(checkout.reference, "order-1", amount, "EUR", key=key))
        assert "To be sent back" in bank.get(DESK, headers=headers).get_data(as_text=True)
        assert send(bank, f"{DESK}refunds/{fact.reference}", headers, outcome=outcome).status_code == 303
        assert send(bank, f"{DESK}refunds/{fact.reference}", headers, outcome=outcome).status_code == 409
    told = [one for one in provider.changed_since(LONG_AGO) if isinstance(one, RefundFact)]
    assert [(one.amount_minor, one.failed) for one in told] == [(300, False), (900, True)]
    # What could not be sent may be asked for again.
    assert (
        provider.refund(RefundRequest(checkout.reference, "order-1", 900, "EUR", key="c")).amount_minor == 900
    )
    assert Refund.select().count() == 3


def test_what_was_rejected_with_a_part_of_it_there_is_kept_in_sight(bank: FlaskClient) -> None:
    checkout, headers = by_hand().begin_checkout(contract.once(1200)), admin()
    send(bank, f"{DESK}demands/{checkout.reference}/confirm", headers, amount="5")
    assert send(bank, f"{DESK}demands/{checkout.reference}/reject", headers).status_code == 303
    assert "rejected" in bank.get(DESK, headers=headers).get_data(as_text=True)


def test_one_sees_what_one_paid_and_what_is_asked_for(bank: FlaskClient) -> None:
    provider = by_hand()
    checkout = provider.begin_checkout(contract.each_month())
    customer = Demand.get().customer
    path = path_of(provider.portal(customer, return_to="http://localhost/account?x=1"))
    page = bank.get(path).get_data(as_text=True)
    assert "To be paid until" in page and path_of(checkout.url) in page and 'href="/account?x=1"' in page
    for elsewhere in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"):
        page = bank.get(f"/plugins/manual_payments/mine/{customer}", query_string={"back": elsewhere})
        assert f'href="{elsewhere}"' not in page.get_data(as_text=True)
    assert bank.get("/plugins/manual_payments/mine/unknown").status_code == 404
    with pytest.raises(NotFound):
        provider.portal("unknown", return_to="/")


def test_a_trial_begins_with_a_word(bank: FlaskClient) -> None:
    checkout = by_hand().begin_checkout(contract.each_month(trial_days=14))
    path = path_of(checkout.url)
    assert "14 days cost nothing" in bank.get(path).get_data(as_text=True)
    assert send(bank, path).location == contract.BACK
    assert "trial has begun" in bank.get(path).get_data(as_text=True)
    assert send(bank, path).status_code == 303


def test_a_member_by_transfer_is_one_when_it_is_confirmed(started) -> None:
    started(**ON["manual_payments"])
    browser, headers = create_app(startup.appliance()).test_client(), admin()
    artist, fan = site.make_artist(site.make_person()), site.make_person("fan@example.com").user
    tier = next(one for one in tiers.of_artist(artist) if one.price_minor)
    began = subscription_joining.begin(
        fan,
        tier,
        interval="month",
        provider="manual",
        return_to=lambda key: f"http://localhost/{key}",
        cancel_to="http://localhost/",
        reader=subscription_joining.Reader(),
        now=clock.now(),
    )
    assert memberships.find_any(began.id).state == "incomplete"
    demand = Demand.get()
    assert (demand.mark, demand.amount_minor) == (began.id, tier.price_minor)
    send(
        browser,
        f"{DESK}demands/{demand.id}/confirm",
        headers,
        amount=currencies.written(tier.price_minor, "EUR"),
    )
    assert memberships.find_any(began.id).state == "active"
    [payment] = payments.of_mark(began.id)
    assert (payment.amount_minor, payment.fee_minor, payment.provider) == (tier.price_minor, 0, "manual")
    assert [row.tier.id for row in granting.of_person(fan, now=clock.now())] == [tier.id]


def test_who_pays_by_transfer_is_asked_by_a_letter_and_reminded_until_the_money_is_there(
    started, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(**ON["manual_payments"])
    app = create_app(startup.appliance())
    browser, headers = app.test_client(), admin()
    artist = site.make_artist(site.make_person())
    fan = site.make_person("fan@example.com", scopes=tuple(Scope))
    tier = next(one for one in tiers.of_artist(artist) if one.price_minor)
    joined = clock.now()
    began = subscription_joining.begin(
        fan.user,
        tier,
        interval="month",
        provider="manual",
        return_to=lambda key: f"http://localhost/{key}",
        cancel_to="http://localhost/",
        reader=subscription_joining.Reader(root="http://localhost"),
        now=joined,
    )
    monkeypatch.setattr(clock, "now", lambda: joined + timedelta(days=day, hours=1))
    monkeypatch.setattr(by_hand(), "_time", clock.now)

    def turn(until: int) -> list[tuple[int, str]]:
        """What is written day by day, by the chores as they come."""
        nonlocal day
        told = []
        while day < until:
            day += 1
            list(by_hand().changed_since(LONG_AGO))
            before = Message.select().count()
            for _again in range(2):
                subscription_letters.write_due(collective="Harbour", now=clock.now())
            told += [(day, row.kind) for row in Message.select().order_by(Message.id).offset(before)]
        return told

    def confirm(amount: str) -> None:
        demand = Demand.get(Demand.state == DemandState.OPEN)
        assert send(browser, f"{DESK}demands/{demand.id}/confirm", headers, amount=amount).status_code == 303

    day = 0
    confirm("5")
    end = memberships.find_any(began.id).period_end
    assert end is not None
    due = (end - joined).days
    assert turn(due + 9) == [
        (1, "membership_welcome"),
        (due - 7, "membership_asked"),
        (due, "membership_unpaid_first"),
        (due + 3, "membership_unpaid_second"),
        (due + 7, "membership_unpaid_last"),
    ]
    demand = Demand.get(Demand.state == DemandState.OPEN)
    asked = Message.get(Message.kind == "membership_asked")
    for said in ("€5.00", references.spaced(demand.reference), f"http://localhost{DESK}pay/{demand.id}"):
        assert said in asked.text, said
    page = site.signed_in(app, fan).get(f"/memberships/{began.id}").get_data(as_text=True)
    assert (references.spaced(demand.reference) in page, f"{DESK}pay/{demand.id}" in page) == (True, True)
    told = browser.get(f"/api/v1/subscriptions/{began.id}", headers=fan.headers).get_json()
    assert told["pay_url"] == f"http://localhost{DESK}pay/{demand.id}"
    confirm("2")
    assert "€3 is to be paid until" in site.signed_in(app, fan).get(f"/memberships/{began.id}").get_data(
        as_text=True
    )
    confirm("3")
    assert memberships.find_any(began.id).state == "active"
    assert memberships.asked_for([began.id]) == {}
    assert turn(due + 15) == [], "the letters stop with the money"


def test_who_cancels_is_asked_for_nothing_and_who_goes_on_is_asked_anew(stand: ManualStand) -> None:
    subscription, _first = contract.member(stand, good_later=False)
    stand.move(timedelta(days=28))
    contract.facts(stand)
    stand.provider.cancel(subscription.reference, mark=subscription.mark, at_once=False, key="c1")
    [gone] = contract.of_kind(contract.facts(stand), InvoiceFact)
    assert not gone.open
    stand.provider.resume(subscription.reference, mark=subscription.mark, key="r1")
    stand.move(timedelta(hours=1))
    [asked] = contract.of_kind(contract.facts(stand), InvoiceFact)
    assert (asked.open, asked.words != gone.words) == (True, True)


def test_admins_find_the_desk_beside_the_plugin(bank: FlaskClient) -> None:
    assert f'href="{DESK}"' in bank.get("/admin/plugins", headers=admin()).get_data(as_text=True)
