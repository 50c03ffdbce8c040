"""Payments by Stripe: whole lives of memberships and orders through the real SDK, and what must not happen when things go wrong."""

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
from appliance.payments import Balance
from appliance.payments import Change
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Interval
from appliance.payments import LineItem
from appliance.payments import PaymentFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments import signatures
from tests.plugins.stripe_stand import BEGAN
from tests.plugins.stripe_stand import EMAIL
from tests.plugins.stripe_stand import StripeStand
from tests.plugins.stripe_stand import each_month
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


def of(told: list[Fact], kind: type[Any]) -> list[Any]:
    return [one for one in told if isinstance(one, kind)]


def last(told: list[Fact], kind: type[Any]) -> Any:
    return of(told, kind)[-1]


def member(stand: StripeStand, amount_minor: int = 1000, **more: Any) -> SubscriptionFact:
    card = more.pop("card", "")
    stand.pay(stand.provider.begin_checkout(each_month(amount_minor, **more)), card=card)
    found: SubscriptionFact = last(stand.facts(), SubscriptionFact)
    return found


def change_to(
    subscription: SubscriptionFact,
    amount_minor: int,
    *,
    interval: Interval = Interval.MONTH,
    at_once: bool = True,
    key: str = "change-1",
) -> Change:
    price = Price(amount_minor, "EUR", interval, f"Tier {amount_minor}")
    return Change(subscription.reference, subscription.mark, price, at_once, key)


def agreed(stand: StripeStand, change: Change) -> Change:
    return replace(change, agreed=stand.provider.preview(change))


# ---- the till


def test_a_record_is_paid_for_and_every_figure_is_told(stand: StripeStand) -> None:
    visit = stand.provider.begin_checkout(once(1190, items=[LineItem("Harbour Lights", 1000)], tax_minor=190))
    [made] = stand.fake.things("checkout.session")
    assert (made["mode"], made["client_reference_id"], made["url"]) == ("payment", "order-1", visit.url)
    assert made["metadata"]["musicconnect"] == "order-1"
    assert made["metadata"]["musicconnect_site"] == "harbour"
    stand.pay(visit)
    told = stand.facts()
    payment = last(told, PaymentFact)
    assert payment == PaymentFact(
        reference=payment.reference,
        mark="order-1",
        amount_minor=1190,
        currency="EUR",
        paid_at=BEGAN,
        fee_minor=65,
        tax_minor=190,
        email=EMAIL,
        country="DE",
    )
    assert last(told, CheckoutFact).state is CheckoutState.COMPLETED
    [intent] = stand.fake.things("payment_intent")
    assert intent["metadata"]["musicconnect"] == "order-1"


def test_lines_are_told_as_they_are_and_a_discount_is_in_the_total(stand: StripeStand) -> None:
    cart = [LineItem("Shirt", 6000, 3), LineItem("Sticker", 1000, 3), LineItem("Post", 490)]
    stand.provider.begin_checkout(once(mark="order-2", items=cart))
    [made] = stand.fake.things("checkout.session")
    assert made["amount_total"] == 7490
    names = {thing["name"] for thing in stand.fake.things("product")}
    assert names == {"Shirt", "3 × Sticker", "Post"}
    off = [LineItem("Shirt", 2000), LineItem("Members' discount", -400)]
    stand.provider.begin_checkout(once(mark="order-3", items=off))
    totals = {
        one["client_reference_id"]: one["amount_total"] for one in stand.fake.things("checkout.session")
    }
    assert totals["order-3"] == 1600


def test_a_visit_that_nobody_pays_expires(stand: StripeStand) -> None:
    stand.provider.begin_checkout(once())
    stand.move(timedelta(days=2))
    [fact] = stand.facts()
    assert isinstance(fact, CheckoutFact)
    assert (fact.state, fact.mark) == (CheckoutState.EXPIRED, "order-1")


@pytest.mark.parametrize(
    ("amount", "currency", "sentence"),
    [
        (49, "EUR", "too small an amount"),
        (0, "EUR", "too small an amount"),
        (-500, "EUR", "too small an amount"),
        (10**12, "EUR", "more than Stripe takes"),
        (5001, "KWD", "must end in 0"),
        (500, "IRR", "does not take IRR"),
        (500, "XXQ", "does not take XXQ"),
    ],
)
def test_what_cannot_be_paid_is_said_before_stripe_is_asked(
    stand: StripeStand, amount: int, currency: str, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        stand.provider.begin_checkout(once(amount, currency=currency))
    assert stand.fake.requests("checkout/sessions") == []


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("EUR", 500, 500),
        ("JPY", 500, 500),
        ("KWD", 5120, 5120),
        ("ISK", 500, 50_000),
        ("UGX", 900, 90_000),
        ("MGA", 50_000, 500),
    ],
)
def test_currencies_of_their_own_mind_go_there_and_come_back(currency: str, ours: int, theirs: int) -> None:
    assert amounts.theirs(ours, currency) == theirs
    assert amounts.ours(theirs, currency) == ours
    least = amounts.smallest(currency)
    assert least is not None and least > 0 and amounts.charged(least, currency) > 0


def test_whatever_was_exchanged_has_its_fee_in_its_own_currency(stand: StripeStand) -> None:
    stand.fake.tell("conditions", rates={"usd": ["eur", 9, 10]})
    stand.pay(stand.provider.begin_checkout(once(10_000, currency="USD")))
    payment = last(stand.facts(), PaymentFact)
    # 90.00 EUR arrive, of which 2.91 are kept: 3.23 USD at the same rate.
    assert (payment.amount_minor, payment.currency, payment.fee_minor) == (10_000, "USD", 323)


def test_a_fee_that_is_told_late_follows(stand: StripeStand) -> None:
    stand.fake.tell("conditions", late_fees=True)
    stand.pay(stand.provider.begin_checkout(once()))
    assert last(stand.facts(), PaymentFact).fee_minor is None
    stand.fake.tell("settle_fees")
    assert last(stand.facts(), PaymentFact).fee_minor == 65


def test_stripe_reckons_the_tax_when_it_is_told_to(stand: StripeStand) -> None:
    stand.fake.tell("conditions", tax_bps=1900)
    taxed = replace_provider(stand, taxed=True)
    stand.pay(taxed.begin_checkout(once(1190)))
    stand.pay(taxed.begin_checkout(each_month(1190)))
    told = [fact for event in stand.events() for fact in taxed.facts_of(event.body)]
    assert {(one.mark, one.amount_minor, one.tax_minor) for one in of(told, PaymentFact)} == {
        ("order-1", 1190, 190),
        ("membership-1", 1190, 190),
    }
    for made in stand.fake.things("price"):
        assert made["tax_behavior"] == "inclusive"


def replace_provider(stand: StripeStand, **named: Any) -> Any:
    given = stand.provider
    return type(given)(given.stripe, given.marks, given.endpoints, **named)


# ---- a membership


def test_the_life_of_a_membership(stand: StripeStand) -> None:
    begun = member(stand)
    assert (begun.state, begun.price) == (
        SubscriptionState.ACTIVE,
        Price(1000, "EUR", Interval.MONTH, "Harbour Lights"),
    )
    stand.move(timedelta(days=10))
    upgrade = agreed(stand, change_to(begun, 2000))
    # 21 of 31 days are left: 13.55 of the new price, 6.77 of the old one.
    assert upgrade.agreed is not None
    assert (upgrade.agreed.due_now_minor, upgrade.agreed.next_minor) == (678, 2000)
    assert upgrade.agreed.next_at == begun.period_end
    # They think for an hour; what was shown still is what is charged.
    stand.move(timedelta(hours=1))
    changed = stand.provider.change(upgrade)
    assert changed.price is not None and changed.price.amount_minor == 2000
    assert changed.period_end == begun.period_end
    [paid] = set(of(stand.facts(), PaymentFact))
    assert (paid.amount_minor, paid.mark) == (678, "membership-1")
    assert (paid.period_start, paid.period_end) == (BEGAN + timedelta(days=10), begun.period_end)

    downgrade = agreed(stand, change_to(begun, 500, at_once=False, key="change-2"))
    assert downgrade.agreed is not None
    assert (downgrade.agreed.due_now_minor, downgrade.agreed.next_minor) == (0, 500)
    waiting = stand.provider.change(downgrade)
    assert waiting.price == changed.price
    assert waiting.pending == Price(500, "EUR", Interval.MONTH, "Tier 500")
    assert of(stand.facts(), PaymentFact) == []
    stand.move(timedelta(days=22))
    told = stand.facts()
    assert last(told, PaymentFact).amount_minor == 500
    after = last(told, SubscriptionFact)
    assert (after.price, after.pending) == (waiting.pending, None)

    paused = stand.provider.pause(begun.reference, mark=begun.mark, key="pause-1")
    assert paused.state is SubscriptionState.PAUSED
    resumed = stand.provider.resume(begun.reference, mark=begun.mark, key="resume-1")
    assert resumed.state is SubscriptionState.ACTIVE
    ending = stand.provider.cancel(begun.reference, mark=begun.mark, at_once=False, key="cancel-1")
    assert ending.cancel_at == after.period_end and ending.state is SubscriptionState.ACTIVE
    stand.move(timedelta(days=32))
    told = stand.facts()
    assert last(told, SubscriptionFact).state is SubscriptionState.ENDED
    assert of(told, PaymentFact) == []


def test_a_change_of_rhythm_begins_a_new_period(stand: StripeStand) -> None:
    begun = member(stand)
    stand.move(timedelta(days=15, hours=12))
    change = agreed(stand, change_to(begun, 10_000, interval=Interval.YEAR))
    assert change.agreed is not None
    assert change.agreed.due_now_minor == 9500
    changed = stand.provider.change(change)
    assert changed.period_end == change.agreed.next_at
    assert changed.period_end is not None and (changed.period_end - clock.now()).days == 365
    assert last(stand.facts(), PaymentFact).amount_minor == 9500


def test_going_down_at_once_is_taken_off_what_comes(stand: StripeStand) -> None:
    begun = member(stand, 2000)
    change = agreed(stand, change_to(begun, 1500))
    assert change.agreed is not None
    assert (change.agreed.due_now_minor, change.agreed.next_minor) == (0, 1000)
    stand.provider.change(change)
    stand.facts()
    stand.move(timedelta(days=32))
    assert last(stand.facts(), PaymentFact).amount_minor == 1000


def test_what_was_agreed_to_a_period_ago_is_not_charged(stand: StripeStand) -> None:
    begun = member(stand)
    change = agreed(stand, change_to(begun, 2000))
    stand.move(timedelta(days=32))
    stand.facts()
    with pytest.raises(Conflict, match="another period"):
        stand.provider.change(change)
    assert of(stand.facts(), PaymentFact) == []


def test_of_two_upgrades_the_second_is_told_that_the_price_moved(stand: StripeStand) -> None:
    begun = member(stand)
    stand.move(timedelta(days=10))
    first, second = (
        agreed(stand, change_to(begun, amount, key=f"change-{amount}")) for amount in (2000, 3000)
    )
    stand.provider.change(first)
    with pytest.raises(Conflict, match="has changed since"):
        stand.provider.change(second)
    assert len({one.reference for one in of(stand.facts(), PaymentFact)}) == 1


def test_an_upgrade_that_the_card_does_not_pay_changes_nothing(stand: StripeStand) -> None:
    begun = member(stand, card="4000000000000341")
    change = agreed(stand, change_to(begun, 2000))
    with pytest.raises(Invalid, match="declined"):
        stand.provider.change(change)
    told = list(stand.provider.changed_since(LONG_AGO))
    assert last(told, SubscriptionFact).price.amount_minor == 1000
    assert [one.amount_minor for one in of(told, PaymentFact)] == [1000]
    stand.fake.tell("card", customer=begun.customer, card="4242424242424242")
    changed = stand.provider.change(replace(change, key="change-2"))
    assert changed.price is not None and changed.price.amount_minor == 2000


def test_a_change_that_waits_is_taken_back_or_gives_way(stand: StripeStand) -> None:
    begun = member(stand, 2000)
    assert stand.provider.change(change_to(begun, 500, at_once=False)).pending is not None
    other = stand.provider.change(change_to(begun, 1000, at_once=False, key="change-2"))
    assert other.pending is not None and other.pending.amount_minor == 1000
    same = replace(change_to(begun, 2000, key="change-3"), price=begun.price or other.pending)
    assert stand.provider.change(same).pending is None
    stand.provider.change(change_to(begun, 500, at_once=False, key="change-4"))
    ending = stand.provider.cancel(begun.reference, mark=begun.mark, at_once=False, key="cancel-1")
    assert (ending.pending, ending.cancel_at) == (None, begun.period_end)
    with pytest.raises(Conflict, match="resume it first"):
        stand.provider.preview(change_to(begun, 3000))
    resumed = stand.provider.resume(begun.reference, mark=begun.mark, key="resume-1")
    assert resumed.cancel_at is None


def test_a_trial_may_be_changed_and_left(stand: StripeStand) -> None:
    begun = member(stand, trial_days=14)
    assert (begun.state, begun.trial_end) == (SubscriptionState.TRIALING, BEGAN + timedelta(days=14))
    up = agreed(stand, change_to(begun, 2000))
    assert up.agreed is not None
    assert (up.agreed.due_now_minor, up.agreed.next_at) == (0, begun.trial_end)
    assert stand.provider.change(up).state is SubscriptionState.TRIALING
    down = stand.provider.change(change_to(begun, 500, at_once=False, key="change-2"))
    assert down.pending is not None and down.state is SubscriptionState.TRIALING
    stand.move(timedelta(days=15))
    assert last(stand.facts(), PaymentFact).amount_minor == 500
    gone = stand.provider.cancel(begun.reference, mark=begun.mark, at_once=True, key="cancel-1")
    assert gone.state is SubscriptionState.ENDED


def test_a_card_that_fails_is_tried_again_and_mended_in_the_portal(stand: StripeStand) -> None:
    begun = member(stand, card="4000000000000341")
    stand.move(timedelta(days=31))
    told = stand.facts()
    [failure] = set(of(told, FailureFact))
    assert (failure.mark, failure.amount_minor, failure.failed_at) == ("membership-1", 1000, begun.period_end)
    assert failure.next_try_at == begun.period_end + timedelta(days=3)
    assert last(told, SubscriptionFact).state is SubscriptionState.PAST_DUE
    stand.move(timedelta(days=3))
    [again] = set(of(stand.facts(), FailureFact))
    assert (again.reference, again.failed_at) == (failure.reference, failure.failed_at)
    assert stand.provider.portal(begun.customer, return_to="http://localhost/back").startswith(stand.fake.url)
    [configuration] = stand.fake.things("billing_portal.configuration")
    assert not configuration["features"]["subscription_cancel"]["enabled"]
    stand.fake.tell("card", customer=begun.customer, card="4242424242424242")
    told = stand.facts()
    assert last(told, SubscriptionFact).state is SubscriptionState.ACTIVE
    assert last(told, PaymentFact).amount_minor == 1000


def test_a_card_that_never_pays_ends_it(stand: StripeStand) -> None:
    member(stand, card="4000000000000341")
    stand.move(timedelta(days=60))
    told = stand.facts()
    assert last(told, SubscriptionFact).state is SubscriptionState.ENDED


def test_the_period_is_read_from_the_item_and_from_the_subscription_of_before() -> None:
    old = {"items": {"data": [{"price": {}}]}, "current_period_start": 1, "current_period_end": 2}
    new = {"items": {"data": [{"current_period_start": 3, "current_period_end": 4}]}}
    assert (facts.period_of(old), facts.period_of(new)) == ((1, 2), (3, 4))


def test_a_thing_has_one_product_and_a_price_is_made_once(stand: StripeStand) -> None:
    for number in range(3):
        stand.provider.begin_checkout(each_month(500, mark=f"membership-{number}"))
    stand.provider.begin_checkout(each_month(5000, mark="membership-9", interval=Interval.YEAR))
    # Another process knows nothing of what this one has made.
    other = StripeStand(stand.fake)
    other.provider.begin_checkout(each_month(500, mark="membership-10"))
    assert len(stand.fake.things("product")) == 1
    assert sorted(one["unit_amount"] for one in stand.fake.things("price")) == [500, 5000]


# ---- back, and disputed


def test_money_goes_back_once_for_one_key_even_when_stripe_forgot_the_key(stand: StripeStand) -> None:
    stand.pay(stand.provider.begin_checkout(once()))
    payment = last(stand.facts(), PaymentFact)
    asked = RefundRequest(payment.reference, payment.mark, 500, "EUR", key="refund-1", reason="Scratched")
    first = stand.provider.refund(asked)
    stand.way.ask(lambda v1: v1.balance.retrieve())
    again = stand.provider.refund(replace(asked, reason="Scratched, indeed"))
    assert first == again
    assert len(stand.fake.things("refund")) == 1
    assert set(of(stand.facts(), RefundFact)) == {first}
    stand.fake.tell("refund_failed", refund=first.reference)
    assert last(stand.facts(), RefundFact).failed


def test_a_refund_by_hand_in_the_dashboard_is_told_too(stand: StripeStand) -> None:
    begun = member(stand)
    assert begun.mark
    [intent] = stand.fake.things("payment_intent")
    stand.way.ask(lambda v1: v1.refunds.create({"payment_intent": intent["id"]}))
    back = last(stand.facts(), RefundFact)
    assert (back.payment, back.amount_minor, back.failed) == (intent["id"], 1000, False)


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_is_told_from_its_beginning_to_its_end(stand: StripeStand, won: bool) -> None:
    stand.pay(stand.provider.begin_checkout(once(5000)), card="4000000000000259")
    told = stand.facts()
    opened, payment = last(told, DisputeFact), last(told, PaymentFact)
    assert (opened.state, opened.amount_minor, opened.fee_minor) == (DisputeState.OPEN, 5000, 1500)
    assert opened.payment == payment.reference
    assert opened.respond_by == BEGAN + timedelta(days=7)
    with pytest.raises(Conflict, match="disputed"):
        stand.provider.refund(RefundRequest(payment.reference, payment.mark, 100, "EUR", key="refund-1"))
    stand.move(timedelta(days=40))
    stand.fake.tell("dispute_over", dispute=opened.reference, won=won)
    closed = last(stand.facts(), DisputeFact)
    assert closed.state is (DisputeState.WON if won else DisputeState.LOST)
    assert closed.opened_at == opened.opened_at and closed.as_of > opened.as_of


def test_an_inquiry_takes_no_money_and_is_no_dispute(stand: StripeStand) -> None:
    stand.pay(stand.provider.begin_checkout(once()))
    payment = last(stand.facts(), PaymentFact)
    stand.fake.tell("dispute", payment_intent=payment.reference, status="warning_needs_response")
    assert of(stand.facts(), DisputeFact) == []


def test_a_warning_of_radar_is_logged_with_the_mark(
    stand: StripeStand, caplog: pytest.LogCaptureFixture
) -> None:
    stand.pay(stand.provider.begin_checkout(once()), card="4000000000005423")
    with caplog.at_level(logging.WARNING):
        stand.facts()
    [record] = [one for one in caplog.records if one.message == "stripe warns of fraud"]
    assert record.__dict__["mark"] == "order-1"


# ---- payees


def test_a_payee_is_onboarded_and_paid_once_whatever_happens(stand: StripeStand) -> None:
    stand.pay(stand.provider.begin_checkout(once(9000)))
    there = stand.provider.onboard("artist-1", account="", email="artist@example.com", return_to="http://x/")
    assert there.url.startswith(stand.fake.url)
    payout = PayoutRequest("payout-1", there.account, 2500, "EUR")
    with pytest.raises(Conflict, match="cannot be paid yet"):
        stand.provider.pay_out(payout)
    stand.fake.tell("onboarded", account=there.account, well=False)
    account = last(stand.facts(), AccountFact)
    assert (account.mark, account.payable, account.wants) == ("artist-1", False, "document")
    stand.fake.tell("onboarded", account=there.account)
    assert last(stand.facts(), AccountFact).payable
    with pytest.raises(Conflict, match="does not hold enough"):
        stand.provider.pay_out(replace(payout, mark="payout-0", amount_minor=90_000))
    stand.fake.tell("fault", match="POST /v1/transfers", kind="drop_after")
    sent = stand.provider.pay_out(payout)
    assert (sent.state, sent.mark) == (PayoutState.PAID, "payout-1")
    # Days later, when Stripe has forgotten the key, and with nothing of it known here.
    assert stand.provider.pay_out(payout).reference == sent.reference
    assert len(stand.fake.things("transfer")) == 1
    stand.way.ask(lambda v1: v1.transfers.reversals.create(sent.reference))
    back = [one for one in stand.provider.changed_since(LONG_AGO) if one.__class__ is sent.__class__]
    assert [one.state for one in back] == [PayoutState.FAILED]


def test_an_account_of_somebody_else_is_never_paid(stand: StripeStand) -> None:
    other = StripeStand(stand.fake, site="cellar")
    theirs = other.provider.onboard("artist-1", account="", email="", return_to="http://x/")
    stand.fake.tell("onboarded", account=theirs.account)
    with pytest.raises(NotFound):
        stand.provider.pay_out(PayoutRequest("payout-1", theirs.account, 2500, "EUR"))
    with pytest.raises(NotFound):
        stand.provider.onboard("artist-1", account=theirs.account, email="", return_to="http://x/")


def test_the_balance_is_told_only_where_no_other_money_is(stand: StripeStand) -> None:
    stand.pay(stand.provider.begin_checkout(once(1200)))
    assert stand.provider.balances() is None
    assert replace_provider(stand, own_account=True).balances() == [Balance("EUR", 1135)]


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
