"""The fake PayPal keeps PayPal's rules, or what passes in front of it would prove nothing."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.servers import paypal
from tests.servers.paypal import CLIENT_ID
from tests.servers.paypal import CLIENT_SECRET
from tests.servers.paypal import FakePayPal

EURO = {"currency_code": "EUR", "value": "12.00"}


@pytest.fixture(scope="module")
def running() -> Iterator[FakePayPal]:
    with paypal.serving() as fake:
        yield fake


@pytest.fixture
def fake(running: FakePayPal) -> FakePayPal:
    running.reset()
    return running


class Client:
    """A client that knows nothing but HTTP."""

    def __init__(self, fake: FakePayPal) -> None:
        self.fake = fake
        self.token = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        data = json.dumps(body).encode() if body is not None else None
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        asked = urllib.request.Request(self.fake.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def sign_in(self, secret: str = CLIENT_SECRET) -> int:
        pair = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        data = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        asked = urllib.request.Request(
            f"{self.fake.url}/v1/oauth2/token", data, {"Authorization": f"Basic {pair}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                self.token = json.load(answer)["access_token"]
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def order(self, value: str = "12.00", key: str = "", **unit: object) -> tuple[int, Any]:
        amount = {"currency_code": "EUR", "value": value}
        context = {"return_url": "http://localhost/back", "cancel_url": "http://localhost/shop"}
        body = {
            "intent": "CAPTURE",
            "purchase_units": [{"custom_id": "mark", "amount": amount, **unit}],
            "payment_source": {"paypal": {"experience_context": context}},
        }
        return self.ask("POST", "/v2/checkout/orders", body, PayPal_Request_Id=key)

    def subscription(self, *, trial_days: int = 0) -> Any:
        _status, product = self.ask("POST", "/v1/catalogs/products", {"name": "Memberships"})
        price = {"fixed_price": {"currency_code": "EUR", "value": "5.00"}}
        cycles = [
            {
                "sequence": 2,
                "tenure_type": "REGULAR",
                "frequency": {"interval_unit": "MONTH"},
                "pricing_scheme": price,
            }
        ]
        if trial_days:
            free = {"fixed_price": {"currency_code": "EUR", "value": "0"}}
            frequency = {"interval_unit": "DAY", "interval_count": trial_days}
            cycles.insert(
                0, {"sequence": 1, "tenure_type": "TRIAL", "frequency": frequency, "pricing_scheme": free}
            )
        plan = {"product_id": product["id"], "name": "Supporter", "billing_cycles": cycles}
        _status, plan = self.ask("POST", "/v1/billing/plans", plan)
        context = {"return_url": "http://localhost/back", "cancel_url": "http://localhost/shop"}
        body = {"plan_id": plan["id"], "custom_id": "mark", "application_context": context}
        _status, made = self.ask("POST", "/v1/billing/subscriptions", body)
        return made

    def paid(self, reference: str) -> list[Any]:
        path = f"/v1/billing/subscriptions/{reference}/transactions"
        _status, told = self.ask(
            "GET", f"{path}?start_time=2020-01-01T00:00:00Z&end_time=2100-01-01T00:00:00Z"
        )
        return list(told["transactions"])


@pytest.fixture
def client(fake: FakePayPal) -> Client:
    made = Client(fake)
    assert made.sign_in() == 200
    return made


def approve(made: Any, rel: str) -> str:
    return next(str(link["href"]) for link in made["links"] if link["rel"] == rel)


def test_nobody_gets_in_without_the_secret(fake: FakePayPal) -> None:
    stranger = Client(fake)
    assert stranger.sign_in("wrong") == 401
    assert stranger.order()[0] == 401


def test_an_order_is_agreed_to_and_then_taken_once(client: Client) -> None:
    status, made = client.order()
    assert (status, made["status"]) == (200, "PAYER_ACTION_REQUIRED")
    path = f"/v2/checkout/orders/{made['id']}"
    assert client.ask("POST", f"{path}/capture", {})[1]["details"][0]["issue"] == "ORDER_NOT_APPROVED"
    with urllib.request.urlopen(approve(made, "payer-action"), timeout=10) as page:
        assert b"12.00 EUR" in page.read()
    assert client.fake.pay(approve(made, "payer-action")) == "http://localhost/back"
    status, taken = client.ask("POST", f"{path}/capture", {})
    capture = taken["purchase_units"][0]["payments"]["captures"][0]
    assert (status, taken["status"], capture["custom_id"], capture["amount"]) == (
        201,
        "COMPLETED",
        "mark",
        EURO,
    )
    assert client.ask("POST", f"{path}/capture", {})[1]["details"][0]["issue"] == "ORDER_ALREADY_CAPTURED"
    kinds = [json.loads(body)["event_type"] for body, _headers in client.fake.deliveries()]
    assert kinds == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]


@pytest.mark.parametrize("value", ["0.00", "-1.00"])
def test_nothing_is_no_amount(client: Client, value: str) -> None:
    assert client.order(value)[0] == 422


def test_parts_must_add_up(client: Client) -> None:
    parts = {"item_total": EURO, "tax_total": {"currency_code": "EUR", "value": "1.00"}}
    status, told = client.order(amount={**EURO, "breakdown": parts})
    assert (status, told["details"][0]["issue"]) == (422, "AMOUNT_MISMATCH")


def test_a_key_makes_one_thing(client: Client) -> None:
    assert client.order(key="a")[1]["id"] == client.order(key="a")[1]["id"]
    assert client.order(key="b")[1]["id"] != client.order(key="a")[1]["id"]


def test_an_answer_can_be_lost_after_the_act(client: Client) -> None:
    client.fake.fail("POST", "/v2/checkout/orders", 500, after=True)
    assert client.order(key="a")[0] == 500
    status, made = client.order(key="a")
    assert status == 200 and made["id"].startswith("O00001")


def test_refunds_end_where_the_payment_does(client: Client) -> None:
    _status, made = client.order()
    client.fake.pay(approve(made, "payer-action"))
    _status, taken = client.ask("POST", f"/v2/checkout/orders/{made['id']}/capture", {})
    path = f"/v2/payments/captures/{taken['purchase_units'][0]['payments']['captures'][0]['id']}/refund"
    part = {"amount": {"currency_code": "EUR", "value": "8.00"}}
    assert client.ask("POST", path, part)[0] == 201
    assert client.ask("POST", path, part)[1]["details"][0]["issue"] == "REFUND_AMOUNT_EXCEEDED"
    assert client.ask("POST", path, {"amount": {"currency_code": "EUR", "value": "4.00"}})[0] == 201
    assert client.ask("POST", path, part)[1]["details"][0]["issue"] == "CAPTURE_FULLY_REFUNDED"


def test_a_subscription_is_billed_as_time_passes(client: Client) -> None:
    made = client.subscription()
    assert client.paid(made["id"]) == []
    client.fake.pay(approve(made, "approve"), funding="once")
    assert len(client.paid(made["id"])) == 1
    client.fake.move(timedelta(days=32))
    _status, told = client.ask("GET", f"/v1/billing/subscriptions/{made['id']}?fields=plan")
    assert (told["status"], told["billing_info"]["failed_payments_count"]) == ("ACTIVE", 1)
    assert told["plan"]["name"] == "Supporter"
    client.fake.move(timedelta(days=15))
    _status, told = client.ask("GET", f"/v1/billing/subscriptions/{made['id']}")
    assert told["status"] == "SUSPENDED" and len(client.paid(made["id"])) == 1


def test_a_trial_is_billed_when_it_ends(client: Client) -> None:
    made = client.subscription(trial_days=14)
    client.fake.pay(approve(made, "approve"))
    client.fake.move(timedelta(days=13))
    assert client.paid(made["id"]) == []
    client.fake.move(timedelta(days=2))
    assert len(client.paid(made["id"])) == 1


def test_what_is_cancelled_stays_so(client: Client) -> None:
    made = client.subscription()
    client.fake.pay(approve(made, "approve"))
    path, why = f"/v1/billing/subscriptions/{made['id']}", {"reason": "x"}
    assert client.ask("POST", f"{path}/suspend", why)[0] == 204
    assert client.ask("POST", f"{path}/activate", why)[0] == 204
    assert client.ask("POST", f"{path}/cancel", why)[0] == 204
    assert (
        client.ask("POST", f"{path}/activate", why)[1]["details"][0]["issue"] == "SUBSCRIPTION_STATUS_INVALID"
    )


def test_who_leaves_the_till_goes_back_to_the_shop(client: Client) -> None:
    made = client.subscription()
    assert client.fake.pay(approve(made, "approve"), approve=False) == "http://localhost/shop"
    assert client.ask("GET", f"/v1/billing/subscriptions/{made['id']}")[1]["status"] == "APPROVAL_PENDING"


def test_what_is_not_there_is_said_to_be_missing(client: Client) -> None:
    for path in (
        "/v2/checkout/orders/x",
        "/v1/billing/subscriptions/x",
        "/v2/payments/captures/x",
        "/v1/customer/disputes/x",
    ):
        assert client.ask("GET", path)[0] == 404
