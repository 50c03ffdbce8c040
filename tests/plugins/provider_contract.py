"""What every payment provider must do, whatever is behind it: one suite, run by the tests of each bundled provider.

A test module makes a ``Stand`` for its provider and a class of the name ``Test…`` that inherits ``ProviderContract`` and has a fixture ``stand``.
What a provider does not offer (``Feature``) is not asked of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Protocol

import pytest

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.payments import AccountFact
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutRequest
from appliance.payments import CheckoutState
from appliance.payments import Delivery
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import LineItem
from appliance.payments import PaymentFact
from appliance.payments import PaymentProvider
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payments import Price
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BACK = "http://localhost:8000/back"


class Stand(Protocol):
    """A provider with the world around it: who pays, who confirms, and what time it is."""

    provider: PaymentProvider

    def pay(self, checkout: Checkout, *, good_later: bool = True) -> None:
        """Somebody pays at the till, with a card that goes on working (*good_later*) or with one that works this once."""

    def events(self) -> list[Delivery]:
        """What was delivered since this was last asked, none of it processed; waits until it has come."""

    def move(self, time: timedelta) -> None:
        """Time passes at the provider, and what is due by then is paid or fails."""

    def foreign_event(self) -> Delivery | None:
        """A well signed event about something that has no mark of ours; ``None`` where there can be none."""

    def open_account(self, account: str, url: str) -> None:
        """A payee answers all that the provider wants to know."""


def once(
    amount_minor: int = 1200, *, currency: str = "EUR", mark: str = "order-1", **more: Any
) -> CheckoutRequest:
    """Somebody buys a record."""
    values = {"key": f"key-{mark}", "email": "fan@example.com", "return_to": BACK, "cancel_to": BACK, **more}
    return CheckoutRequest(
        mark=mark, currency=currency, items=[LineItem("Harbour Lights", amount_minor)], **values
    )


def each_month(amount_minor: int = 500, *, mark: str = "membership-1", **more: Any) -> CheckoutRequest:
    """Somebody becomes a member."""
    return once(amount_minor, mark=mark, **{"interval": Interval.MONTH, **more})


def asks(*features: Feature) -> Callable[[Any], Any]:
    """A test for providers that offer all of these; the others have nothing to show there, which is no skipped test."""

    def mark(test: Any) -> Any:
        @functools.wraps(test)
        def run(self: object, stand: Stand, **values: Any) -> None:
            if set(features) <= stand.provider.features:
                test(self, stand, **values)

        return run

    return mark


class ProviderContract:
    """The suite."""

    # ---- paying once

    def test_its_name_fits_into_an_address(self, stand: Stand) -> None:
        assert stand.provider.name.isidentifier() and stand.provider.name == stand.provider.name.lower()
        assert stand.provider.label

    @asks(Feature.ONE_OFF)
    def test_who_pays_is_told_of_with_our_mark(self, stand: Stand) -> None:
        payment = paid_once(stand, once(1200, tax_minor=0))
        assert (payment.mark, payment.amount_minor, payment.currency) == ("order-1", 1200, "EUR")
        assert payment.fee_minor is None or 0 <= payment.fee_minor < 1200
        assert payment.email in {"", "fan@example.com"}

    @asks(Feature.ONE_OFF)
    def test_nobody_has_paid_before_they_have(self, stand: Stand) -> None:
        stand.provider.begin_checkout(once())
        assert of_kind(facts(stand), PaymentFact) == []
        assert [one for one in stand.provider.changed_since(LONG_AGO) if isinstance(one, PaymentFact)] == []

    @asks(Feature.ONE_OFF)
    def test_what_is_asked_for_twice_with_one_key_is_one_till(self, stand: Stand) -> None:
        first, second = stand.provider.begin_checkout(once()), stand.provider.begin_checkout(once())
        assert first == second
        stand.pay(first)
        payments = of_kind(facts(stand), PaymentFact)
        assert len({one.reference for one in payments}) == 1

    @asks(Feature.ONE_OFF)
    def test_tax_is_part_of_what_is_paid(self, stand: Stand) -> None:
        payment = paid_once(stand, once(1000, tax_minor=190))
        assert payment.amount_minor == 1190
        assert payment.tax_minor == 190

    @asks(Feature.ONE_OFF)
    def test_currencies_have_their_own_digits(self, stand: Stand) -> None:
        for currency, amount in (("JPY", 1500), ("USD", 999)):
            if stand.provider.minimum_minor(currency) is not None:
                payment = paid_once(stand, once(amount, currency=currency, mark=f"order-{currency}"))
                assert (payment.amount_minor, payment.currency) == (amount, currency)

    @asks(Feature.ONE_OFF)
    @pytest.mark.parametrize(
        "amount", [0, -500, 1, 10**12], ids=["nothing", "negative", "too little", "10^12"]
    )
    def test_an_amount_that_cannot_be_paid_opens_no_till(self, stand: Stand, amount: int) -> None:
        if amount == 1 and (stand.provider.minimum_minor("EUR") or 0) <= 1:
            return
        with pytest.raises(Invalid):
            stand.provider.begin_checkout(once(amount))

    @asks(Feature.ONE_OFF)
    def test_a_currency_that_is_none_opens_no_till(self, stand: Stand) -> None:
        assert stand.provider.minimum_minor("XXQ") is None
        with pytest.raises(Invalid):
            stand.provider.begin_checkout(once(currency="XXQ"))

    @asks(Feature.ONE_OFF)
    def test_the_smallest_amount_is_taken(self, stand: Stand) -> None:
        least = stand.provider.minimum_minor("EUR")
        assert least is not None
        assert stand.provider.begin_checkout(once(max(least, 1))).reference

    # ---- subscriptions

    @asks(Feature.SUBSCRIPTIONS)
    def test_who_becomes_a_member_has_paid_for_a_month(self, stand: Stand) -> None:
        subscription, payment = member(stand)
        assert (subscription.mark, subscription.state) == ("membership-1", SubscriptionState.ACTIVE)
        assert subscription.price is not None
        assert (subscription.price.amount_minor, subscription.price.interval) == (500, Interval.MONTH)
        assert payment is not None and (payment.mark, payment.amount_minor) == ("membership-1", 500)
        assert payment.period_end == subscription.period_end
        assert payment.period_start is not None and payment.period_end is not None
        assert 27 <= (payment.period_end - payment.period_start).days <= 31

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_year_is_paid_at_once(self, stand: Stand) -> None:
        subscription, payment = member(stand, each_month(5000, interval=Interval.YEAR))
        assert payment is not None and payment.amount_minor == 5000
        assert payment.period_start is not None and payment.period_end is not None
        assert 364 <= (payment.period_end - payment.period_start).days <= 366
        assert subscription.price is not None and subscription.price.interval is Interval.YEAR

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_trial_costs_nothing_until_it_ends(self, stand: Stand) -> None:
        subscription, payment = member(stand, each_month(trial_days=14))
        assert payment is None
        assert subscription.state is SubscriptionState.TRIALING
        assert subscription.trial_end is not None
        stand.move(timedelta(days=15))
        [payment] = of_kind(facts(stand), PaymentFact)
        assert payment.amount_minor == 500
        assert latest(stand, subscription).state is SubscriptionState.ACTIVE

    @asks(Feature.SUBSCRIPTIONS)
    def test_the_next_month_follows_without_a_gap(self, stand: Stand) -> None:
        subscription, first = member(stand)
        stand.move(timedelta(days=32))
        assert first is not None
        [second] = [one for one in of_kind(facts(stand), PaymentFact) if one.reference != first.reference]
        assert second.period_start == first.period_end
        assert latest(stand, subscription).period_end == second.period_end

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_card_that_fails_later_is_told_of(self, stand: Stand) -> None:
        subscription, _first = member(stand, good_later=False)
        stand.move(timedelta(days=32))
        told = facts(stand)
        assert {one.mark for one in of_kind(told, FailureFact)} == {"membership-1"}
        assert latest(stand, subscription).state in {SubscriptionState.PAST_DUE, SubscriptionState.ENDED}

    @asks(Feature.SUBSCRIPTIONS, Feature.PRORATION)
    def test_what_a_change_is_said_to_cost_is_what_it_costs(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        stand.move(timedelta(days=10))
        facts(stand)
        change = change_of(subscription, 2000, at_once=True)
        shown = stand.provider.preview(change)
        assert 0 < shown.due_now_minor < 1500
        assert (shown.next_minor, shown.currency) == (2000, "EUR")
        fact = stand.provider.change(replace(change, agreed=shown))
        assert fact.price is not None and fact.price.amount_minor == 2000
        [payment] = of_kind(facts(stand), PaymentFact)
        assert (payment.amount_minor, payment.mark) == (shown.due_now_minor, "membership-1")

    @asks(Feature.SUBSCRIPTIONS, Feature.PRORATION)
    def test_a_change_that_was_not_agreed_to_does_not_happen(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        change = change_of(subscription, 2000, at_once=True)
        shown = stand.provider.preview(change)
        wrong = replace(shown, due_now_minor=shown.due_now_minor - 1)
        with pytest.raises(Conflict):
            stand.provider.change(replace(change, agreed=wrong))
        assert of_kind(facts(stand), PaymentFact) == []
        price = latest(stand, subscription).price
        assert price is not None and price.amount_minor == 500

    @asks(Feature.SUBSCRIPTIONS, Feature.PRORATION)
    def test_a_change_that_is_sent_twice_is_charged_once(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        change = change_of(subscription, 2000, at_once=True)
        agreed = replace(change, agreed=stand.provider.preview(change))
        first, second = stand.provider.change(agreed), stand.provider.change(agreed)
        assert first.price == second.price
        assert len({one.reference for one in of_kind(facts(stand), PaymentFact)}) == 1

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_cheaper_price_holds_from_the_next_month_on(self, stand: Stand) -> None:
        subscription, _first = member(stand, each_month(2000))
        change = change_of(subscription, 500, at_once=False)
        shown = stand.provider.preview(change)
        assert (shown.due_now_minor, shown.next_minor) == (0, 500)
        assert shown.next_at == subscription.period_end
        fact = stand.provider.change(replace(change, agreed=shown))
        assert fact.price is not None and fact.price.amount_minor == 2000
        assert fact.pending is not None and fact.pending.amount_minor == 500
        assert of_kind(facts(stand), PaymentFact) == []
        stand.move(timedelta(days=32))
        [payment] = of_kind(facts(stand), PaymentFact)
        assert payment.amount_minor == 500
        after = latest(stand, subscription)
        assert after.price is not None and after.price.amount_minor == 500 and after.pending is None

    @asks(Feature.SUBSCRIPTIONS)
    def test_who_cancels_keeps_what_is_paid_and_may_think_again(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        asked = {"mark": subscription.mark, "at_once": False}
        fact = stand.provider.cancel(subscription.reference, key="cancel-1", **asked)
        assert fact.state is SubscriptionState.ACTIVE
        assert fact.cancel_at == subscription.period_end
        fact = stand.provider.resume(subscription.reference, mark=subscription.mark, key="resume-1")
        assert (fact.state, fact.cancel_at) == (SubscriptionState.ACTIVE, None)
        stand.provider.cancel(subscription.reference, key="cancel-2", **asked)
        facts(stand)
        stand.move(timedelta(days=32))
        assert of_kind(facts(stand), PaymentFact) == []
        assert latest(stand, subscription).state is SubscriptionState.ENDED

    @asks(Feature.SUBSCRIPTIONS)
    def test_who_cancels_at_once_has_no_subscription(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        for _twice in range(2):
            fact = stand.provider.cancel(
                subscription.reference, mark=subscription.mark, at_once=True, key="cancel-1"
            )
            assert fact.state is SubscriptionState.ENDED
        with pytest.raises((Conflict, NotFound)):
            stand.provider.resume(subscription.reference, mark=subscription.mark, key="resume-1")

    @asks(Feature.SUBSCRIPTIONS, Feature.PAUSE)
    def test_a_pause_asks_for_no_money(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        fact = stand.provider.pause(subscription.reference, mark=subscription.mark, key="pause-1")
        assert fact.state is SubscriptionState.PAUSED
        facts(stand)
        stand.move(timedelta(days=40))
        assert of_kind(facts(stand), PaymentFact) == []
        fact = stand.provider.resume(subscription.reference, mark=subscription.mark, key="resume-1")
        assert fact.state is SubscriptionState.ACTIVE

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_subscription_of_another_mark_is_none_of_ours(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        asked = {"mark": "membership-2", "key": "other"}
        with pytest.raises(NotFound):
            stand.provider.cancel(subscription.reference, at_once=True, **asked)
        with pytest.raises(NotFound):
            stand.provider.resume(subscription.reference, **asked)
        assert latest(stand, subscription).state is SubscriptionState.ACTIVE

    @asks(Feature.SUBSCRIPTIONS, Feature.PORTAL)
    def test_the_portal_is_a_page(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        assert stand.provider.portal(subscription.customer, return_to=BACK).startswith("http")

    # ---- back, and onwards

    @asks(Feature.REFUNDS, Feature.ONE_OFF)
    def test_money_goes_back_in_parts_and_never_too_much(self, stand: Stand) -> None:
        payment = paid_once(stand, once(1000))
        part = RefundRequest(payment.reference, payment.mark, 400, "EUR", key="refund-1")
        first, again = stand.provider.refund(part), stand.provider.refund(part)
        assert (first.payment, first.amount_minor, first.failed) == (payment.reference, 400, False)
        assert again == first
        with pytest.raises((Invalid, Conflict)):
            stand.provider.refund(replace(part, amount_minor=601, key="refund-2"))
        rest = stand.provider.refund(replace(part, amount_minor=600, key="refund-3"))
        assert rest.reference != first.reference
        with pytest.raises((Invalid, Conflict)):
            stand.provider.refund(replace(part, amount_minor=1, key="refund-4"))
        told = [one for one in stand.provider.changed_since(LONG_AGO) if isinstance(one, RefundFact)]
        assert {one.reference: one.amount_minor for one in told} == {
            first.reference: 400,
            rest.reference: 600,
        }

    @asks(Feature.REFUNDS, Feature.ONE_OFF)
    @pytest.mark.parametrize("amount", [0, -1])
    def test_nothing_is_no_refund(self, stand: Stand, amount: int) -> None:
        payment = paid_once(stand)
        with pytest.raises(Invalid):
            stand.provider.refund(
                RefundRequest(payment.reference, payment.mark, amount, "EUR", key="refund-1")
            )

    @asks(Feature.REFUNDS, Feature.ONE_OFF)
    def test_a_payment_of_another_mark_is_not_given_back(self, stand: Stand) -> None:
        payment = paid_once(stand)
        with pytest.raises(NotFound):
            stand.provider.refund(RefundRequest(payment.reference, "order-2", 100, "EUR", key="refund-1"))

    @asks(Feature.PAYOUTS, Feature.ONE_OFF)
    def test_a_payout_is_sent_once(self, stand: Stand) -> None:
        account = ""
        if Feature.ONBOARDING in stand.provider.features:
            there = stand.provider.onboard("artist-1", account="", email="artist@example.com", return_to=BACK)
            again = stand.provider.onboard(
                "artist-1", account=there.account, email="artist@example.com", return_to=BACK
            )
            assert there.account == again.account
            stand.open_account(there.account, again.url)
            told = [one for one in stand.provider.changed_since(LONG_AGO) if isinstance(one, AccountFact)]
            assert (told[-1].mark, told[-1].payable) == ("artist-1", True)
            account = there.account
        paid_once(stand, once(5000))
        request = PayoutRequest("payout-1", account, 1500, "EUR")
        first, again = stand.provider.pay_out(request), stand.provider.pay_out(request)
        assert first.mark == "payout-1"
        assert first.reference == again.reference
        assert first.state in {PayoutState.IN_TRANSIT, PayoutState.PAID}
        told = [one for one in stand.provider.changed_since(LONG_AGO) if isinstance(one, PayoutFact)]
        assert {one.reference for one in told} == {first.reference}

    # ---- events

    @asks(Feature.ONE_OFF)
    def test_an_event_whose_signature_holds_is_read(self, stand: Stand) -> None:
        for delivery in delivered(stand):
            notice = stand.provider.read_event(delivery, now=clock.now())
            assert notice.id and notice.kind and notice.happened_at.tzinfo is not None

    @asks(Feature.ONE_OFF)
    def test_an_event_that_was_changed_or_is_old_is_refused(self, stand: Stand) -> None:
        for delivery in delivered(stand)[:2]:
            now = clock.now()
            for bad in spoilt(delivery):
                with pytest.raises((NotAllowed, Invalid)):
                    stand.provider.read_event(bad, now=now)
            with pytest.raises(NotAllowed):
                stand.provider.read_event(delivery, now=now + timedelta(hours=1))

    @asks(Feature.ONE_OFF)
    def test_an_event_told_twice_says_the_same(self, stand: Stand) -> None:
        for delivery in delivered(stand):
            assert list(stand.provider.facts_of(delivery.body)) == list(
                stand.provider.facts_of(delivery.body)
            )

    def test_what_is_not_ours_yields_nothing(self, stand: Stand) -> None:
        foreign = stand.foreign_event()
        if foreign is not None:
            stand.provider.read_event(foreign, now=clock.now())
            assert list(stand.provider.facts_of(foreign.body)) == []
        assert list(stand.provider.changed_since(LONG_AGO)) == []

    @asks(Feature.ONE_OFF)
    def test_what_was_not_told_is_found_by_asking(self, stand: Stand) -> None:
        began = clock.now() - timedelta(seconds=5)
        checkout = stand.provider.begin_checkout(once())
        stand.pay(checkout)
        by_event = facts(stand)
        asked = list(stand.provider.changed_since(began))
        assert {one.reference: one for one in of_kind(asked, PaymentFact)} == {
            one.reference: one for one in of_kind(by_event, PaymentFact)
        }
        assert CheckoutState.COMPLETED in {one.state for one in of_kind(asked, CheckoutFact)}
        # It may tell of more than what changed, but not of every payment again and again.
        later = list(stand.provider.changed_since(clock.now() + timedelta(days=1)))
        assert of_kind(later, PaymentFact) == []

    @asks(Feature.SUBSCRIPTIONS)
    def test_a_renewal_that_was_not_told_is_found_by_asking(self, stand: Stand) -> None:
        subscription, _first = member(stand)
        stand.move(timedelta(days=32))
        found = list(stand.provider.changed_since(LONG_AGO))
        assert len({one.reference for one in of_kind(found, PaymentFact)}) == 2
        assert of_kind(found, SubscriptionFact)[-1] == latest(stand, subscription)


# ---- what the tests say in one word


def of_kind(told: Sequence[Fact], kind: type[Any]) -> list[Any]:
    """The facts of one kind, each once."""
    return list(dict.fromkeys(one for one in told if isinstance(one, kind)))


def facts(stand: Stand) -> list[Fact]:
    """What the events since the last time tell that was not told before: an event may say everything about its object once more."""
    known: set[Fact] = vars(stand).setdefault("known_facts", set())
    told = [fact for delivery in stand.events() for fact in stand.provider.facts_of(delivery.body)]
    fresh = [fact for fact in told if fact not in known]
    known.update(told)
    return fresh


def paid_once(stand: Stand, request: CheckoutRequest | None = None) -> PaymentFact:
    """Somebody pays for something; the payment, as an event told it."""
    stand.pay(stand.provider.begin_checkout(request or once()))
    [payment] = of_kind(facts(stand), PaymentFact)
    assert isinstance(payment, PaymentFact)
    return payment


def member(
    stand: Stand, request: CheckoutRequest | None = None, *, good_later: bool = True
) -> tuple[SubscriptionFact, PaymentFact | None]:
    """Somebody becomes a member: the subscription and its first payment, as events told them."""
    stand.pay(stand.provider.begin_checkout(request or each_month()), good_later=good_later)
    told = facts(stand)
    payments = of_kind(told, PaymentFact)
    assert len(payments) <= 1
    return of_kind(told, SubscriptionFact)[-1], payments[0] if payments else None


def latest(stand: Stand, subscription: SubscriptionFact) -> SubscriptionFact:
    """How this subscription stands by what the provider says when asked."""
    told = [
        one
        for one in stand.provider.changed_since(LONG_AGO)
        if isinstance(one, SubscriptionFact) and one.reference == subscription.reference
    ]
    return max(told, key=lambda one: one.as_of)


def change_of(subscription: SubscriptionFact, amount_minor: int, *, at_once: bool) -> Change:
    """This subscription shall cost so much."""
    price = Price(amount_minor, "EUR", Interval.MONTH, "Superfan")
    return Change(subscription.reference, subscription.mark, price, at_once, key=f"change-{amount_minor}")


def delivered(stand: Stand) -> list[Delivery]:
    """The events of one payment."""
    stand.pay(stand.provider.begin_checkout(once()))
    events = stand.events()
    assert events
    return events


def spoilt(delivery: Delivery) -> list[Delivery]:
    """The same event, each time with something wrong."""
    signatures = {name: value for name, value in delivery.headers.items() if "sig" in name}
    assert signatures
    return [
        replace(delivery, body=delivery.body.replace(b"order-1", b"order-2") + b" "),
        replace(delivery, body=b"{}"),
        replace(delivery, body=b""),
        replace(delivery, headers={}),
        replace(delivery, headers={**delivery.headers, **dict.fromkeys(signatures, "rubbish")}),
        replace(
            delivery, headers={**delivery.headers, **{name: value[:-6] for name, value in signatures.items()}}
        ),
    ]
