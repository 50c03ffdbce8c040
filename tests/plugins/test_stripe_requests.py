"""What the plugin asks Stripe for is what the SDK's own types of each request know: the fake cannot say so, as it takes what it is given."""

from __future__ import annotations

import importlib
import re
import typing
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest
import typing_extensions

from appliance.payments import Interval
from appliance.payments import PaymentFact
from appliance.payments import PayoutRequest
from appliance.payments import RefundRequest
from plugins.stripe_payments.endpoints import Endpoints
from tests.plugins.stripe_stand import StripeStand
from tests.plugins.stripe_stand import agreed
from tests.plugins.stripe_stand import change_to
from tests.plugins.stripe_stand import each_month
from tests.plugins.stripe_stand import last
from tests.plugins.stripe_stand import member
from tests.plugins.stripe_stand import once
from tests.plugins.stripe_stand import standing
from tests.servers import stripe
from tests.servers.stripe.wire import form

REQUESTS = {
    "POST /v1/products": "_product_create_params.ProductCreateParams",
    "GET /v1/products/*": "_product_retrieve_params.ProductRetrieveParams",
    "GET /v1/prices": "_price_list_params.PriceListParams",
    "POST /v1/prices": "_price_create_params.PriceCreateParams",
    "POST /v1/checkout/sessions": "checkout._session_create_params.SessionCreateParams",
    "GET /v1/checkout/sessions": "checkout._session_list_params.SessionListParams",
    "GET /v1/checkout/sessions/*": "checkout._session_retrieve_params.SessionRetrieveParams",
    "GET /v1/subscriptions": "_subscription_list_params.SubscriptionListParams",
    "GET /v1/subscriptions/*": "_subscription_retrieve_params.SubscriptionRetrieveParams",
    "POST /v1/subscriptions/*": "_subscription_update_params.SubscriptionUpdateParams",
    "DELETE /v1/subscriptions/*": "_subscription_cancel_params.SubscriptionCancelParams",
    "POST /v1/subscription_schedules": "_subscription_schedule_create_params.SubscriptionScheduleCreateParams",
    "POST /v1/subscription_schedules/*": "_subscription_schedule_update_params.SubscriptionScheduleUpdateParams",
    "POST /v1/subscription_schedules/*/release": "_subscription_schedule_release_params.SubscriptionScheduleReleaseParams",
    "GET /v1/invoices": "_invoice_list_params.InvoiceListParams",
    "GET /v1/invoices/*": "_invoice_retrieve_params.InvoiceRetrieveParams",
    "POST /v1/invoices/create_preview": "_invoice_create_preview_params.InvoiceCreatePreviewParams",
    "GET /v1/invoice_payments": "_invoice_payment_list_params.InvoicePaymentListParams",
    "GET /v1/payment_intents": "_payment_intent_list_params.PaymentIntentListParams",
    "GET /v1/payment_intents/*": "_payment_intent_retrieve_params.PaymentIntentRetrieveParams",
    "GET /v1/charges/*": "_charge_retrieve_params.ChargeRetrieveParams",
    "GET /v1/refunds": "_refund_list_params.RefundListParams",
    "GET /v1/refunds/*": "_refund_retrieve_params.RefundRetrieveParams",
    "POST /v1/refunds": "_refund_create_params.RefundCreateParams",
    "GET /v1/disputes": "_dispute_list_params.DisputeListParams",
    "GET /v1/disputes/*": "_dispute_retrieve_params.DisputeRetrieveParams",
    "GET /v1/transfers": "_transfer_list_params.TransferListParams",
    "GET /v1/transfers/*": "_transfer_retrieve_params.TransferRetrieveParams",
    "POST /v1/transfers": "_transfer_create_params.TransferCreateParams",
    "GET /v1/accounts": "_account_list_params.AccountListParams",
    "POST /v1/accounts": "_account_create_params.AccountCreateParams",
    "POST /v1/account_links": "_account_link_create_params.AccountLinkCreateParams",
    "GET /v1/events": "_event_list_params.EventListParams",
    "GET /v1/webhook_endpoints": "_webhook_endpoint_list_params.WebhookEndpointListParams",
    "POST /v1/webhook_endpoints": "_webhook_endpoint_create_params.WebhookEndpointCreateParams",
    "GET /v1/billing_portal/configurations": "billing_portal._configuration_list_params.ConfigurationListParams",
    "POST /v1/billing_portal/configurations": "billing_portal._configuration_create_params.ConfigurationCreateParams",
    "POST /v1/billing_portal/sessions": "billing_portal._session_create_params.SessionCreateParams",
}
BARE = {"GET /v1/balance", "GET /v1/accounts/*", "DELETE /v1/webhook_endpoints/*"}
"""Requests without a word of ours."""
NOT_OURS = ("/v1/customers", "/v1/payment_methods")


@pytest.fixture(scope="module")
def fake() -> Iterator[stripe.FakeStripe]:
    with stripe.serving() as running:
        yield running


@pytest.fixture
def stand(fake: stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStand]:
    with standing(fake, monkeypatch) as stand:
        yield stand


def everything(stand: StripeStand) -> None:
    """Each verb once, and what it may have to ask for on the way."""
    given = stand.provider
    taxed = type(given)(given.stripe, given.marks, given.endpoints, taxed=True, own_account=True)
    taxed.begin_checkout(once(mark="order-8"))
    taxed.begin_checkout(each_month(mark="membership-8", interval=Interval.YEAR))
    begun = member(stand, trial_days=3)
    stand.pay(given.begin_checkout(once(9000, tax_minor=100)), card="4000000000000259")
    stand.pay(given.begin_checkout(once(9000, mark="order-2")))
    payment = last(stand.facts(), PaymentFact)
    given.change(agreed(stand, change_to(begun, 500, at_once=False, key="change-0")))
    stand.move(timedelta(days=10))
    given.change(agreed(stand, change_to(begun, 2000)))
    given.change(change_to(begun, 500, at_once=False, key="change-2"))
    given.pause(begun.reference, mark=begun.mark, key="pause-1")
    given.cancel(begun.reference, mark=begun.mark, at_once=False, key="cancel-1")
    given.resume(begun.reference, mark=begun.mark, key="resume-1")
    given.portal(begun.customer, return_to="http://x/")
    given.refund(RefundRequest(payment.reference, "order-2", 100, "EUR", key="refund-1", reason="Scratched"))
    there = given.onboard("artist-1", account="", email="artist@example.com", return_to="http://x/")
    stand.fake.tell("onboarded", account=there.account)
    given.pay_out(PayoutRequest("payout-1", there.account, 100, "EUR"))
    given.cancel(begun.reference, mark=begun.mark, at_once=True, key="cancel-2")
    taxed.balances()
    stand.facts()
    for old in (given, taxed):
        list(old.changed_since(datetime(2020, 1, 1, tzinfo=UTC)))
    given.begin_checkout(replace(each_month(mark="membership-3"), customer=begun.customer, email=""))
    given.endpoints = Endpoints(given.stripe, given.marks, "https://music.example", kept=tuple)
    given.stripe.ask(lambda v1: v1.balance.retrieve())
    list(given.stripe.every(lambda v1: v1.webhook_endpoints.list({"limit": 100})))


def strange(said: Any, note: Any, path: str) -> list[str]:
    """The names in *said* that the type *note* does not have."""
    if isinstance(said, list):
        inner = [one for arm in arms(note) for one in typing.get_args(arm) if typing.get_origin(arm) is list]
        return [fault for one in said for fault in strange(one, inner[0] if inner else Any, f"{path}[]")]
    if not isinstance(said, dict):
        return []
    kinds = [arm for arm in arms(note) if typing_extensions.is_typeddict(arm)]
    if not kinds:
        # Metadata, and the like.
        return []
    found = []
    for name, value in said.items():
        notes = [resolved(kind, name) for kind in kinds if name in kind.__annotations__]
        if not notes:
            found.append(f"{path}.{name}")
        for inner in notes:
            found += strange(value, inner, f"{path}.{name}")
    return found


def resolved(kind: Any, name: str) -> Any:
    """The type of one field; of the others some name what is there for type checkers alone."""
    alone = type(
        "Alone", (), {"__annotations__": {name: kind.__annotations__[name]}, "__module__": kind.__module__}
    )
    return typing_extensions.get_type_hints(alone)[name]


def arms(note: Any) -> list[Any]:
    """What a type may be: of ``A | B``, both."""
    if typing.get_origin(note) in {typing.NotRequired, typing.Required}:
        return arms(typing.get_args(note)[0])
    return list(typing.get_args(note)) if "Union" in str(typing.get_origin(note)) else [note]


def test_the_types_of_the_sdk_know_all_that_is_asked_for(stand: StripeStand) -> None:
    everything(stand)
    faults: set[str] = set()
    seen: set[str] = set()
    for request in stand.fake.requests():
        name = re.sub(
            r"/(?!create_preview|sessions|configurations)[a-zA-Z]+_(test_)?[0-9a-z_]{16,}(?=/|$)",
            "/*",
            request["name"],
        )
        seen.add(name)
        if name in BARE or any(path in name for path in NOT_OURS):
            continue
        module, _, kind = REQUESTS[name].rpartition(".")
        params = getattr(importlib.import_module(f"stripe.params.{module}"), kind)
        faults |= {f"{name}: {fault}" for fault in strange(form(request["body"]), params, "")}
    assert sorted(faults) == []
    assert set(REQUESTS) - seen <= {"GET /v1/products/*"}


def test_the_check_sees_what_is_strange() -> None:
    from stripe.params.checkout._session_create_params import SessionCreateParams

    said = form("mode=payment&line_items[0][price_data][colour]=red&metadata[a]=b&surprise=1")
    assert sorted(strange(said, SessionCreateParams, "")) == [".line_items[].price_data.colour", ".surprise"]
