"""Payments by Stripe when things go wrong: strangers on the account, events that are lost, forged or old, and a Stripe that is not well."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.payments import AccountFact
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import PaymentFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from plugins.stripe_payments import history
from plugins.stripe_payments import signatures
from tests.plugins.stripe_stand import BEGAN
from tests.plugins.stripe_stand import EMAIL
from tests.plugins.stripe_stand import StripeStand
from tests.plugins.stripe_stand import agreed
from tests.plugins.stripe_stand import change_to
from tests.plugins.stripe_stand import last
from tests.plugins.stripe_stand import member
from tests.plugins.stripe_stand import of
from tests.plugins.stripe_stand import once
from tests.plugins.stripe_stand import standing
from tests.servers import stripe

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def fake() -> Iterator[stripe.FakeStripe]:
    with stripe.serving() as running:
        yield running


@pytest.fixture
def stand(fake: stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStand]:
    with standing(fake, monkeypatch) as stand:
        yield stand


# ---- strangers


def test_another_product_on_the_account_is_neither_told_nor_touched(stand: StripeStand) -> None:
    other = StripeStand(stand.fake, site="cellar")
    begun = member(other, mark="membership-1")
    stand.foreign()
    payer = stand.way.ask(lambda v1: v1.customers.create({"email": "other@example.com"}))
    stand.way.ask(lambda v1: v1.payment_methods.attach("pm_card_visa", {"customer": payer["id"]}))
    price = stand.way.ask(
        lambda v1: v1.prices.create(
            {
                "currency": "eur",
                "unit_amount": 700,
                "recurring": {"interval": "month"},
                "product_data": {"name": "Gym"},
            }
        )
    )
    gym = stand.way.ask(
        lambda v1: v1.subscriptions.create({"customer": payer["id"], "items": [{"price": price["id"]}]})
    )
    stand.move(timedelta(days=40))
    [*_, intent] = stand.fake.things("payment_intent")
    stand.way.ask(lambda v1: v1.refunds.create({"payment_intent": intent["id"]}))
    assert stand.facts() == []
    assert list(stand.provider.changed_since(LONG_AGO)) == []
    before = stand.fake.things("subscription")
    for reference in (gym["id"], begun.reference):
        for act in (stand.provider.pause, stand.provider.resume):
            with pytest.raises(NotFound):
                act(reference, mark="membership-1", key="x")
        with pytest.raises(NotFound):
            stand.provider.cancel(reference, mark="membership-1", at_once=True, key="x")
        with pytest.raises(NotFound):
            stand.provider.preview(change_to(replace(begun, reference=reference), 2000))
    with pytest.raises(NotFound):
        stand.provider.portal(payer["id"], return_to="http://x/")
    with pytest.raises(NotFound):
        stand.provider.refund(RefundRequest(intent["id"], "membership-1", 100, "EUR", key="x"))
    assert stand.fake.things("subscription") == before


# ---- webhooks that come late, twice, in any order, or never


def year(stand: StripeStand) -> None:
    """Some lives, side by side."""
    first = member(stand, mark="membership-1")
    second = member(stand, 2000, mark="membership-2", card="4000000000000341")
    stand.pay(stand.provider.begin_checkout(once(9900, mark="order-1")))
    stand.pay(stand.provider.begin_checkout(once(4200, mark="order-2")), card="4000000000000259")
    stand.provider.begin_checkout(once(4200, mark="order-3"))
    stand.move(timedelta(days=10))
    stand.provider.change(agreed(stand, change_to(first, 2000)))
    stand.move(timedelta(days=25))
    [paid] = [
        one for one in stand.fake.things("payment_intent") if one["metadata"].get("musicconnect") == "order-1"
    ]
    stand.provider.refund(RefundRequest(paid["id"], "order-1", 900, "EUR", key="refund-1"))
    [dispute] = stand.fake.things("dispute")
    stand.fake.tell("dispute_over", dispute=dispute["id"], won=False)
    stand.fake.tell("card", customer=second.customer, card="4242424242424242")
    stand.provider.change(change_to(second, 500, at_once=False, key="change-2"))
    stand.move(timedelta(days=35))
    stand.provider.cancel(first.reference, mark=first.mark, at_once=True, key="cancel-1")


def truths(told: list[Fact]) -> dict[tuple[str, str], Any]:
    """What whoever keeps facts ends up with: of each object the latest word, without when it was said."""
    kept: dict[tuple[str, str], Any] = {}
    for fact in told:
        name = (type(fact).__name__, fact.account if isinstance(fact, AccountFact) else fact.reference)
        former = kept.get(name)
        if former is None or getattr(fact, "as_of", BEGAN) >= getattr(former, "as_of", BEGAN):
            kept[name] = fact
    return {
        name: replace(fact, as_of=BEGAN) if hasattr(fact, "as_of") else fact  # type: ignore[type-var, arg-type]
        for name, fact in kept.items()
        if not isinstance(fact, FailureFact)
    }


@pytest.mark.parametrize("seed", range(3))
def test_what_was_shuffled_doubled_and_lost_is_the_same_after_asking(stand: StripeStand, seed: int) -> None:
    # The events of making it are taken while it runs, so the first facts are left aside on purpose.
    year(stand)
    events = stand.events()
    whole = truths([fact for event in events for fact in stand.provider.facts_of(event.body)])
    chance = random.Random(seed)
    some = [event for event in events for _ in range(2) if chance.random() > 0.3]
    chance.shuffle(some)
    told = [fact for event in some for fact in stand.provider.facts_of(event.body)]
    told += stand.provider.changed_since(LONG_AGO)
    found = truths(told)
    assert {name: found[name] for name in whole} == whole
    kinds = {name for name, _ in found}
    assert kinds >= {"PaymentFact", "RefundFact", "DisputeFact", "SubscriptionFact", "CheckoutFact"}
    assert found == truths(list(stand.provider.changed_since(LONG_AGO)))


def test_an_old_object_that_moved_is_found_although_it_was_made_long_before(stand: StripeStand) -> None:
    begun = member(stand)
    stand.pay(stand.provider.begin_checkout(once(5000)), card="4000000000000259")
    dispute = last(stand.facts(), DisputeFact)
    stand.move(timedelta(days=20))
    since = clock.now()
    stand.move(timedelta(hours=1))
    stand.fake.tell("dispute_over", dispute=dispute.reference, won=True)
    stand.provider.cancel(begun.reference, mark=begun.mark, at_once=False, key="cancel-1")
    told = list(stand.provider.changed_since(since))
    assert [one.state for one in of(told, DisputeFact)] == [DisputeState.WON]
    assert [one.cancel_at for one in of(told, SubscriptionFact)] == [begun.period_end]
    assert of(told, PaymentFact) == []


def test_the_log_is_asked_for_no_more_kinds_than_it_takes() -> None:
    assert 0 < len(history.LOGGED) <= 20
    assert set(history.LOGGED) < set(history.ABOUT_US)


def test_more_than_a_page_is_listed_whole(stand: StripeStand) -> None:
    for number in range(103):
        asked = {
            "amount": 500,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": stand.marks.on(f"order-{number}"),
        }
        stand.way.ask(lambda v1, asked=asked: v1.payment_intents.create(asked))  # type: ignore[misc]
    paid = of(list(stand.provider.changed_since(LONG_AGO)), PaymentFact)
    assert {one.mark for one in paid} == {f"order-{number}" for number in range(103)}


# ---- signatures


def signed(body: bytes, *, at: datetime, secret: str) -> Delivery:
    stamp = int(at.timestamp())
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return Delivery(body, {"stripe-signature": f"t={stamp},v1={'0' * 64},v1={signature}"})


def test_a_signature_is_believed_for_five_minutes_and_by_each_of_our_secrets(stand: StripeStand) -> None:
    body = json.dumps({"id": "evt_1", "type": "x.y", "created": 1_700_000_000}).encode()
    for secret in stand.secrets:
        delivery = signed(body, at=BEGAN, secret=secret)
        notice = stand.provider.read_event(delivery, now=BEGAN + timedelta(seconds=300))
        assert (notice.id, notice.kind) == ("evt_1", "x.y")
        for late in (301, -301):
            with pytest.raises(NotAllowed, match="too old"):
                stand.provider.read_event(delivery, now=BEGAN + timedelta(seconds=late))
    with pytest.raises(NotAllowed):
        stand.provider.read_event(signed(body, at=BEGAN, secret="whsec_other"), now=BEGAN)


@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "t=x,v1=y", "v1=y", "t=1", "t=1,t=2,v1=x", "t=" + "9" * 5000, "é=1", "t=²,v1=é"]
)
def test_a_header_of_rubbish_is_refused(header: str) -> None:
    with pytest.raises(NotAllowed):
        signatures.read(Delivery(b"{}", {"stripe-signature": header}), ["whsec_x"], now=BEGAN)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"id": 1}',
        b"[" * 100_000,
        b'{"id":"a","type":"b","created":"x"}',
        b'{"id":"a","type":"b","created":1e99}',
    ],
)
def test_a_signed_body_of_rubbish_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        signatures.read(signed(body, at=BEGAN, secret="s"), ["s"], now=BEGAN)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"type": "x", "data": []}', b'{"type":"x","data":{"object":{}}}']
)
def test_an_event_about_nothing_is_invalid(stand: StripeStand, body: bytes) -> None:
    with pytest.raises(Invalid):
        stand.provider.facts_of(body)


def test_an_event_about_what_is_gone_yields_nothing(stand: StripeStand) -> None:
    thing = {"id": "sub_gone", "object": "subscription", "metadata": stand.marks.on("membership-1")}
    event = {"type": "customer.subscription.updated", "data": {"object": thing}}
    assert list(stand.provider.facts_of(json.dumps(event).encode())) == []


# ---- when Stripe is not well


def test_what_was_done_but_not_answered_is_done_once(stand: StripeStand) -> None:
    stand.fake.tell("fault", match="POST /v1/checkout/sessions", kind="drop_after", times=2)
    visit = stand.provider.begin_checkout(once())
    assert [one["id"] for one in stand.fake.things("checkout.session")] == [visit.reference]
    stand.pay(visit)
    payment = last(stand.facts(), PaymentFact)
    asked = RefundRequest(payment.reference, payment.mark, 500, "EUR", key="refund-1")
    stand.fake.tell("fault", match="POST /v1/refunds", kind="drop_after", times=3)
    with pytest.raises(Unavailable):
        stand.provider.refund(asked)
    done = stand.provider.refund(asked)
    assert [one["id"] for one in stand.fake.things("refund")] == [done.reference]
    keys = {one["key"] for one in stand.fake.requests("POST /v1/refunds")}
    assert keys == {"refund-1"}


def test_an_upgrade_that_was_not_answered_is_charged_once(stand: StripeStand) -> None:
    begun = member(stand)
    change = agreed(stand, change_to(begun, 2000))
    stand.fake.tell("fault", match=f"POST /v1/subscriptions/{begun.reference}", kind="drop_after", times=3)
    with pytest.raises(Unavailable):
        stand.provider.change(change)
    again = stand.provider.change(change)
    assert again.price is not None and again.price.amount_minor == 2000
    paid = {one.reference: one.amount_minor for one in of(stand.facts(), PaymentFact)}
    assert sorted(paid.values()) == [1000]


@pytest.mark.parametrize("kind", ["429", "500", "drop_before"])
def test_a_stripe_that_is_not_well_is_unavailable(stand: StripeStand, kind: str) -> None:
    stand.fake.tell("fault", match="checkout/sessions", kind=kind, times=9)
    with pytest.raises(Unavailable, match="Try again in a few minutes"):
        stand.provider.begin_checkout(once())


def test_a_stripe_that_hangs_is_unavailable_in_time(fake: stripe.FakeStripe, stand: StripeStand) -> None:
    hasty = StripeStand(fake, timeout_s=0.2)
    fake.tell("fault", match="checkout/sessions", kind="hang", times=9, seconds=2.0)
    with pytest.raises(Unavailable):
        hasty.provider.begin_checkout(once())


def test_one_key_for_two_things_is_a_conflict(stand: StripeStand) -> None:
    stand.provider.begin_checkout(once(1200))
    with pytest.raises(Conflict, match="asked for before"):
        stand.provider.begin_checkout(once(1300))


def test_a_wrong_key_is_for_the_operator_to_mend(stand: StripeStand) -> None:
    stand.way.secret_key = "pk_live_wrong"
    stand.way._client = None
    with pytest.raises(Unavailable, match="an operator must look"):
        stand.provider.begin_checkout(once())


def test_neither_keys_nor_addresses_come_into_a_log_or_an_error(
    stand: StripeStand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stand.pay(stand.provider.begin_checkout(once()))
    stand.facts()
    list(stand.provider.changed_since(LONG_AGO))
    stand.fake.tell("fault", match="checkout/sessions", kind="declined")
    with pytest.raises(Invalid) as failed:
        stand.provider.begin_checkout(once(mark="order-2"))
    logging.getLogger(__name__).error("it failed", exc_info=failed.value)
    said = caplog.text + repr(stand.provider) + repr(stand.way)
    for secret in (stripe.KEY, *stand.secrets, EMAIL, "fan%40example.com"):
        assert secret not in said
