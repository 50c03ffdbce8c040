"""The fake Stripe is true where it matters: its objects have the shapes of the SDK's own types, and its rules are Stripe's."""

from __future__ import annotations

import json
import threading
import typing
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
import stripe as sdk
from stripe import StripeObject

from plugins.stripe_payments.calls import API_VERSION
from tests.plugins.stripe_stand import BEGAN
from tests.servers import stripe
from tests.servers.stripe.wire import form

DAY = 86_400


@pytest.fixture(scope="module")
def running() -> Iterator[stripe.FakeStripe]:
    with stripe.serving() as fake:
        yield fake


@pytest.fixture
def fake(running: stripe.FakeStripe) -> stripe.FakeStripe:
    running.tell("forget")
    running.tell("freeze", at=int(BEGAN.timestamp()))
    running.tell("sending", hold=True)
    return running


@pytest.fixture
def v1(fake: stripe.FakeStripe) -> Any:
    client = sdk.StripeClient(
        stripe.KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": fake.url},
        max_network_retries=0,
        http_client=sdk.RequestsClient(timeout=5),
    )
    return client.v1


def visit(v1: Any, fake: stripe.FakeStripe, *, card: str = "pm_card_visa", **more: Any) -> Any:
    """A membership that is begun at the till."""
    price = v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Gold"},
            "metadata": {"a": "b"},
        }
    )
    made = v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://localhost/back",
            "subscription_data": {"metadata": {"musicconnect": "membership-1"}},
            **more,
        }
    )
    fake.tell("pay", session=made.id, card=card, email="fan@example.com")
    return v1.checkout.sessions.retrieve(made.id)


# ---- shapes


def faults_of(thing: Any, path: str = "") -> list[str]:
    """Where *thing* is not as the SDK's type of it says: unknown fields, missing ones, values of another kind."""
    if isinstance(thing, list):
        return [fault for number, one in enumerate(thing) for fault in faults_of(one, f"{path}[{number}]")]
    if not isinstance(thing, StripeObject):
        return []
    kind, here = type(thing), path or type(thing).__name__
    if kind is StripeObject:
        return [f"{here} is of no type"]
    fields = {
        name: note
        for one in reversed(kind.__mro__)
        for name, note in vars(one).get("__annotations__", {}).items()
    }
    found = []
    for name, value in thing.to_dict(recursive=False).items():
        if name not in fields and name != "object":
            found.append(f"{here}.{name} is unknown")
        elif name in fields and not fits(value, fields[name]):
            found.append(f"{here}.{name} is {value!r}, which is no {fields[name]}")
        if "UntypedStripeObject" not in str(fields.get(name)):
            found += faults_of(value, f"{here}.{name}")
    needed = [name for name, note in fields.items() if not name.startswith("_") and not optional(note)]
    given = thing.to_dict(recursive=False)
    return found + [
        f"{here}.{name} is missing" for name in needed if name not in given and name != "OBJECT_NAME"
    ]


def optional(note: Any) -> bool:
    return (
        type(None) in typing.get_args(note)
        or typing.get_origin(note) is typing.ClassVar
        or "NotRequired" in str(note)
    )


def fits(value: Any, note: Any) -> bool:
    """Whether *value* may be what *note* says; types that cannot be looked into are believed."""
    if value is None:
        return optional(note)
    if note in (int, str, bool):
        return type(value) is note
    if typing.get_origin(note) is list:
        return isinstance(value, list)
    if typing.get_origin(note) is typing.Union and all(
        one in (int, str, bool, type(None)) for one in typing.get_args(note)
    ):
        return type(value) in typing.get_args(note)
    return True


def everything(v1: Any, fake: stripe.FakeStripe) -> Iterator[Any]:
    """One object of each kind that the plugin reads, in states that differ."""
    fake.tell("conditions", tax_bps=1900)
    paid = visit(v1, fake, automatic_tax={"enabled": True})
    yield paid
    once = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {"currency": "eur", "unit_amount": 5000, "product_data": {"name": "A"}},
                    "quantity": 2,
                }
            ],
            "success_url": "http://localhost/back",
        }
    )
    yield once
    fake.tell("pay", session=once.id, card="pm_card_createDispute", email="fan@example.com")
    yield v1.checkout.sessions.retrieve(once.id)
    account = v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    yield account
    link = {
        "account": account.id,
        "type": "account_onboarding",
        "refresh_url": "http://x/",
        "return_url": "http://x/",
    }
    yield v1.account_links.create(link)
    fake.tell("onboarded", account=account.id)
    yield v1.accounts.retrieve(account.id)
    v1.payment_intents.create(
        {"amount": 20_000, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    )
    transfer = v1.transfers.create({"amount": 100, "currency": "eur", "destination": account.id})
    yield v1.transfers.reversals.create(transfer.id)
    yield v1.transfers.retrieve(transfer.id)
    subscription = v1.subscriptions.retrieve(paid.subscription, {"expand": ["latest_invoice"]})
    yield subscription
    yield v1.invoices.retrieve(subscription.latest_invoice.id, {"expand": ["payments"]})
    yield v1.subscription_schedules.create({"from_subscription": subscription.id})
    yield v1.subscriptions.retrieve(subscription.id, {"expand": ["schedule.phases.items.price"]})
    yield v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    price = v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 2000,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Platinum"},
        }
    )
    how = {
        "items": [{"id": subscription["items"].data[0].id, "price": price.id}],
        "proration_behavior": "always_invoice",
    }
    yield v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": how})
    yield v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    yield v1.billing_portal.sessions.create({"customer": paid.customer, "return_url": "http://x/"})
    yield v1.webhook_endpoints.create({"url": "http://x/", "enabled_events": ["*"]})
    yield v1.balance.retrieve()
    for kind in (
        "payment_intents",
        "charges",
        "disputes",
        "products",
        "prices",
        "customers",
        "events",
        "invoices",
    ):
        yield from getattr(v1, kind).list({"limit": 3}).data
    yield from v1.invoice_payments.list({"limit": 3}).data
    yield from v1.balance_transactions.list({"limit": 20}).data
    [dispute] = v1.disputes.list().data
    yield v1.disputes.retrieve(dispute.id, {"expand": ["charge"]})
    intent = v1.payment_intents.list({"limit": 1}).data[0]
    yield v1.refunds.create({"payment_intent": intent.id, "amount": 10})
    yield v1.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge.balance_transaction", "payment_method"]}
    )
    fake.tell("advance", days=40)
    yield v1.invoices.list({"limit": 1}).data[0]


def test_its_objects_have_the_shapes_of_the_sdk(v1: Any, fake: stripe.FakeStripe) -> None:
    found = {fault for thing in everything(v1, fake) for fault in faults_of(thing)}
    assert sorted(found) == []


def test_the_check_of_shapes_sees_what_is_wrong() -> None:
    wrong = sdk.Refund.construct_from({"id": "re_1", "object": "refund", "amount": "1", "surprise": 2}, "key")
    assert faults_of(wrong) == [
        "Refund.amount is '1', which is no <class 'int'>",
        "Refund.surprise is unknown",
        "Refund.created is missing",
        "Refund.currency is missing",
    ]


# ---- rules


def test_a_key_answers_the_same_and_refuses_another_question(v1: Any, fake: stripe.FakeStripe) -> None:
    asked = {"email": "fan@example.com"}
    first, second = (v1.customers.create(asked, {"idempotency_key": "k"}) for _ in range(2))
    assert first.id == second.id
    with pytest.raises(sdk.IdempotencyError):
        v1.customers.create({"email": "other@example.com"}, {"idempotency_key": "k"})
    assert len(fake.things("customer")) == 1


def test_lists_come_in_pages_and_are_walked_whole(v1: Any) -> None:
    made = [v1.customers.create({"email": f"fan{number}@example.com"}).id for number in range(25)]
    page = v1.customers.list({"limit": 10})
    assert page.has_more and len(page.data) == 10
    assert [one.id for one in page.auto_paging_iter()] == made[::-1]
    with pytest.raises(sdk.InvalidRequestError):
        v1.customers.list({"limit": 1000})


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("4000000000000002", "generic_decline"),
        ("4000 0000 0000 9995", "insufficient_funds"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_cards_do_what_their_numbers_say(v1: Any, card: str, code: str) -> None:
    asked = {"amount": 500, "currency": "eur", "confirm": True, "payment_method": card}
    with pytest.raises(sdk.CardError) as failed:
        v1.payment_intents.create(asked)
    assert failed.value.error is not None and failed.value.error.decline_code == code


@pytest.mark.parametrize(
    ("kind", "error"), [("429", sdk.RateLimitError), ("500", sdk.APIError), ("declined", sdk.CardError)]
)
def test_errors_are_switched_for_a_request(v1: Any, fake: stripe.FakeStripe, kind: str, error: type) -> None:
    fake.tell("fault", match="POST /v1/customers", kind=kind)
    with pytest.raises(error):
        v1.customers.create({})
    assert v1.customers.create({}).id


def test_a_version_that_was_not_pinned_is_refused(fake: stripe.FakeStripe) -> None:
    other = sdk.StripeClient(stripe.KEY, stripe_version="2020-08-27", base_addresses={"api": fake.url})
    with pytest.raises(sdk.InvalidRequestError):
        other.v1.balance.retrieve()


def test_what_it_does_not_know_it_refuses(v1: Any) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        v1.coupons.list()
    with pytest.raises(sdk.InvalidRequestError, match="4 levels"):
        v1.subscriptions.list({"expand": ["data.schedule.phases.items.price"]})


def test_a_clock_brings_renewals_in_their_time(v1: Any, fake: stripe.FakeStripe) -> None:
    clock = v1.test_helpers.test_clocks.create({"frozen_time": int(BEGAN.timestamp())})
    begun = visit(v1, fake)
    v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": int(BEGAN.timestamp()) + 100 * DAY})
    bills = v1.invoices.list({"subscription": begun.subscription}).data or v1.invoices.list().data
    # The 15th of January, February, March and April.
    assert [(one.status, one.amount_paid) for one in bills] == [("paid", 1000)] * 4
    assert {one.period_end for one in bills} != {bills[0].period_end}


def test_forms_become_trees() -> None:
    assert form("a[b][0][c]=1&a[b][1][c]=2&d=&e[]=x") == {
        "a": {"b": [{"c": "1"}, {"c": "2"}]},
        "d": "",
        "e": ["x"],
    }


# ---- pages


def page(url: str, **fields: str) -> tuple[str, str]:
    """Where a browser ends up, and what it sees."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    data = urllib.parse.urlencode(fields).encode() if fields else None
    try:
        with urllib.request.build_opener(Stay).open(url, data) as answer:
            return url, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers.get("Location")), ""


def test_a_browser_pays_after_a_card_that_fails_and_a_bank_that_asks(
    v1: Any, fake: stripe.FakeStripe
) -> None:
    made = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {"price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "<b>A</b>"}}}
            ],
            "success_url": "http://localhost/back",
        }
    )
    assert "&lt;b&gt;A&lt;/b&gt;" in page(made.url)[1]
    assert "not enough money" in page(made.url, card="4000000000009995", email="fan@example.com")[1]
    assert "Your bank asks" in page(made.url, card="4000002760003184", email="fan@example.com")[1]
    assert "unable to authenticate" in page(made.url, card="4000002760003184", bank="fail")[1]
    assert page(made.url, card="4000002760003184", bank="complete")[0] == "http://localhost/back"
    assert "is over" in page(made.url)[1]
    assert v1.checkout.sessions.retrieve(made.id).payment_status == "paid"


def test_a_browser_mends_a_card_in_the_portal(v1: Any, fake: stripe.FakeStripe) -> None:
    begun = visit(v1, fake, card="pm_card_chargeCustomerFail")
    fake.tell("advance", days=32)
    assert v1.subscriptions.retrieve(begun.subscription).status == "past_due"
    portal = v1.billing_portal.sessions.create(
        {"customer": begun.customer, "return_url": "http://localhost/back"}
    )
    assert "http://localhost/back" in page(portal.url)[1]
    assert "Your card was saved." in page(portal.url, card="4242424242424242")[1]
    assert v1.subscriptions.retrieve(begun.subscription).status == "active"


def test_a_browser_onboards_a_payee_by_a_link_that_works_once(v1: Any, fake: stripe.FakeStripe) -> None:
    account = v1.accounts.create({"type": "express"})
    link = {
        "account": account.id,
        "type": "account_onboarding",
        "refresh_url": "http://x/",
        "return_url": "http://y/",
    }
    url = v1.account_links.create(link).url
    assert "Agree and submit" in page(url)[1]
    assert page(url, well="yes")[0] == "http://y/"
    assert page(url) == ("None", "")
    assert v1.accounts.retrieve(account.id).capabilities.transfers == "active"


# ---- webhooks


@pytest.fixture
def mailbox() -> Iterator[tuple[str, list[tuple[bytes, str]]]]:
    """A server that takes what is sent to it."""
    got: list[tuple[bytes, str]] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_webhooks_are_signed_as_the_sdk_checks_them(
    v1: Any, fake: stripe.FakeStripe, mailbox: tuple[str, list[tuple[bytes, str]]]
) -> None:
    url, got = mailbox
    secret = v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]}).secret
    v1.customers.create({"email": "fan@example.com"})
    assert fake.tell("deliver") == {"sent": 1, "refused": 0}
    [(body, header)] = got
    event = sdk.Webhook.construct_event(body.decode(), header, secret)
    assert event.type == "customer.created"
    assert "_" not in {name[0] for name in json.loads(body)["data"]["object"]}


def test_webhooks_come_twice_in_any_order_or_never(
    v1: Any, fake: stripe.FakeStripe, mailbox: tuple[str, list[tuple[bytes, str]]]
) -> None:
    url, got = mailbox
    v1.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
    fake.tell("sending", twice=True, shuffle=True, lose=0.3, seed=7)
    made = [v1.customers.create({}).id for _ in range(20)]
    fake.tell("deliver")
    told = [json.loads(body)["data"]["object"]["id"] for body, _ in got]
    assert 0 < len(set(told)) < 20 and len(told) == 2 * len(set(told))
    assert told != sorted(told, key=made.index)


def test_a_webhook_that_nobody_takes_is_sent_again(v1: Any, fake: stripe.FakeStripe) -> None:
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    v1.customers.create({})
    assert fake.tell("deliver") == {"sent": 0, "refused": 1}
    assert fake.tell("deliver") == {"sent": 0, "refused": 1}
