"""Payments by Stripe: whole lives of memberships and orders through the real SDK, and what must not happen when things go wrong."""

from __future__ import annotations

import logging
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
from appliance.errors import NotFound
from appliance.payments import AccountFact
from appliance.payments import Balance
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutState
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
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
from tests.plugins.stripe_stand import BEGAN
from tests.plugins.stripe_stand import EMAIL
from tests.plugins.stripe_stand import StripeStand
from tests.plugins.stripe_stand import agreed
from tests.plugins.stripe_stand import change_to
from tests.plugins.stripe_stand import each_month
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


def test_a_visit_ends_when_what_is_sold_may_be_gone(stand: StripeStand) -> None:
    until = clock.now() + timedelta(minutes=45)
    stand.provider.begin_checkout(once(open_until=until))
    [made] = stand.fake.things("checkout.session")
    assert made["expires_at"] == int(until.timestamp())
    stand.move(timedelta(minutes=44))
    assert stand.facts() == []
    stand.move(timedelta(minutes=2))
    [fact] = stand.facts()
    assert isinstance(fact, CheckoutFact) and fact.state is CheckoutState.EXPIRED


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


def test_a_tax_that_stripe_cannot_write_is_part_of_one_line(stand: StripeStand) -> None:
    dinars = replace(once(currency="KWD"), items=[LineItem("Harbour Lights", 4348)], tax_minor=652)
    stand.pay(stand.provider.begin_checkout(dinars))
    payment = last(stand.facts(), PaymentFact)
    assert (payment.amount_minor, payment.tax_minor) == (5000, 652)


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


@pytest.mark.parametrize("well", [True, False])
def test_a_bank_that_takes_its_days_pays_or_sends_it_back(stand: StripeStand, well: bool) -> None:
    visit = stand.provider.begin_checkout(once())
    stand.pay(visit, card="DE89370400440532013000")
    told = stand.facts()
    assert last(told, CheckoutFact).state is CheckoutState.COMPLETED
    assert of(told, PaymentFact) == of(told, FailureFact) == []
    assert of(list(stand.provider.changed_since(LONG_AGO)), FailureFact) == []
    stand.move(timedelta(days=5))
    stand.fake.tell("arrive", session=visit.reference, well=well)
    told, asked = stand.facts(), list(stand.provider.changed_since(LONG_AGO))
    for found in (told, asked):
        assert {one.mark for one in of(found, PaymentFact)} == ({"order-1"} if well else set())
        assert {one.mark for one in of(found, FailureFact)} == (set() if well else {"order-1"})
    assert set(of(told, FailureFact)) == set(of(asked, FailureFact))


def test_an_invoice_that_a_bank_still_works_on_has_not_failed(stand: StripeStand) -> None:
    begun = member(stand, card="4000000000000341")
    stand.move(timedelta(days=31))
    [intent, *_] = stand.fake.things("payment_intent")
    stand.fake.tell("touch", thing=intent["id"], status="processing")
    assert of(stand.facts(), FailureFact) == []
    assert of(list(stand.provider.changed_since(LONG_AGO)), FailureFact) == []
    assert begun.mark


def test_who_was_deleted_at_stripe_is_somebody_new_there(stand: StripeStand) -> None:
    begun = member(stand)
    stand.way.ask(lambda v1: v1.customers.delete(begun.customer))
    again = each_month(mark="membership-2", customer=begun.customer)
    stand.pay(stand.provider.begin_checkout(again))
    assert last(stand.facts(), SubscriptionFact).customer not in {"", begun.customer}


def test_a_price_that_was_archived_by_hand_is_made_anew(stand: StripeStand) -> None:
    stand.provider.begin_checkout(each_month(500))
    [made] = stand.fake.things("price")
    stand.move(timedelta(days=2))
    stand.way.ask(lambda v1: v1.prices.update(made["id"], {"active": False}))
    stand.fake.tell("forget_keys")
    other = StripeStand(stand.fake)
    assert other.provider.begin_checkout(each_month(500, mark="membership-2")).url
    assert len(stand.fake.things("price")) == 2


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


def test_who_goes_on_after_what_they_paid_is_over_pays_for_the_next_period_at_once(
    stand: StripeStand,
) -> None:
    begun = member(stand)
    stand.provider.pause(begun.reference, mark=begun.mark, key="pause-1")
    stand.move(timedelta(days=45))
    stand.facts()
    for _twice in range(2):
        resumed = stand.provider.resume(begun.reference, mark=begun.mark, key="resume-1")
    assert resumed.state is SubscriptionState.ACTIVE
    [paid] = set(of(stand.facts(), PaymentFact))
    assert (paid.amount_minor, paid.period_end) == (1000, resumed.period_end)
    assert paid.period_start == clock.now().replace(microsecond=0)


def test_who_goes_on_within_what_they_paid_pays_nothing_before_its_end(stand: StripeStand) -> None:
    begun = member(stand)
    stand.provider.pause(begun.reference, mark=begun.mark, key="pause-1")
    stand.move(timedelta(days=10))
    resumed = stand.provider.resume(begun.reference, mark=begun.mark, key="resume-1")
    assert (resumed.state, resumed.period_end) == (SubscriptionState.ACTIVE, begun.period_end)
    stand.facts()
    stand.move(timedelta(days=22))
    assert len(set(of(stand.facts(), PaymentFact))) == 1


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


def test_an_end_that_was_set_in_the_dashboard_is_taken_back(stand: StripeStand) -> None:
    begun = member(stand)
    day = int((BEGAN + timedelta(days=40)).timestamp())
    stand.way.ask(lambda v1: v1.subscriptions.update(begun.reference, {"cancel_at": day}))
    assert last(stand.facts(), SubscriptionFact).cancel_at == BEGAN + timedelta(days=40)
    with pytest.raises(Conflict, match="resume it first"):
        stand.provider.preview(change_to(begun, 2000))
    assert stand.provider.resume(begun.reference, mark=begun.mark, key="resume-1").cancel_at is None


def test_a_membership_stays_in_its_currency(stand: StripeStand) -> None:
    begun = member(stand)
    other = replace(change_to(begun, 2000), price=Price(2000, "USD", Interval.MONTH, "Gold"))
    with pytest.raises(Conflict, match="stays in its currency"):
        stand.provider.change(other)


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
    stand.fake.tell("forget_keys")
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


def test_what_was_paid_in_one_currency_goes_back_in_it(stand: StripeStand) -> None:
    stand.pay(stand.provider.begin_checkout(once()))
    payment = last(stand.facts(), PaymentFact)
    with pytest.raises(Invalid, match="goes back in it"):
        stand.provider.refund(RefundRequest(payment.reference, payment.mark, 500, "USD", key="refund-1"))


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
    stand.fake.tell("forget_keys")
    assert stand.provider.pay_out(payout).reference == sent.reference
    assert len(stand.fake.things("transfer")) == 1
    stand.way.ask(lambda v1: v1.transfers.reversals.create(sent.reference))
    back = [one for one in stand.provider.changed_since(LONG_AGO) if one.__class__ is sent.__class__]
    assert [one.state for one in back] == [PayoutState.FAILED]


def test_where_payees_must_take_cards_too_they_are_asked_to(stand: StripeStand) -> None:
    stand.fake.tell("conditions", both_capabilities=True)
    assert stand.provider.onboard("artist-1", account="", email="", return_to="http://x/").account
    assert len(stand.fake.things("account")) == 1


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
