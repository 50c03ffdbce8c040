"""The check of access and of the providers' books: it finds each kind of disagreement, names the row, and is silent when all agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from appliance import clock
from appliance.billing import checking
from appliance.billing import processing
from appliance.billing import reconciling
from appliance.database import new_id
from appliance.errors import Unavailable
from appliance.ledger.models import Payment
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.subscription_models import Subscription
from appliance.payments import Balance
from appliance.payments import DisputeState
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.payments import SubscriptionState
from tests.makers import make_artist
from tests.makers import make_user
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_sales import sell

ANNA = "A" * 26
NOW = clock.now().replace(microsecond=0)


def found() -> list[tuple[str, str]]:
    return [(one.check, one.row) for one in checking.differences(clock.now())]


def make_member(**of_subscription: object) -> str:
    """Somebody who pays by the month and is a member until the end of it; the id of both rows."""
    user, artist = make_user(), make_artist(slug=new_id().lower())
    tier = tiers.of_artist(artist)[1]
    mark, end = new_id(), NOW + timedelta(days=20)
    Subscription.create(
        **{
            "id": mark,
            "user": user.id,
            "artist": artist.id,
            "tier": tier.id,
            "interval": "month",
            "price_minor": 500,
            "currency": "EUR",
            "provider": "simulated",
            "state": SubscriptionState.ACTIVE,
            "period_end": end,
            "created_at": NOW,
            "updated_at": NOW,
            **of_subscription,
        }
    )
    Membership.create(
        id=mark,
        user=user.id,
        artist=artist.id,
        tier=tier.id,
        origin=Origin.PAID,
        paid_through=end,
        created_at=NOW,
        updated_at=NOW,
    )
    return mark


def pay(provider: SimulatedProvider, mark: str) -> PaymentFact:
    """The month is paid for, and the books know it; what settles subscriptions is not asked."""
    sell(mark, ANNA)
    fact = provider.pay(
        PaymentFact(
            f"pay_{mark}", mark, 500, "EUR", NOW, period_start=NOW, period_end=NOW + timedelta(days=20)
        ),
        fee_minor=45,
    )
    processing.apply([fact], provider="simulated", now=NOW)
    return fact


def test_a_member_who_paid_is_one_and_all_agrees(provider: SimulatedProvider) -> None:
    pay(provider, make_member())
    assert found() == []


def test_a_membership_that_nobody_paid_for_is_named(provider: SimulatedProvider) -> None:
    mark = make_member()
    assert found() == [("access", f"membership:{mark}")]


@pytest.mark.parametrize("way", ["refunded", "lost"])
def test_a_membership_whose_money_went_back_is_named(provider: SimulatedProvider, way: str) -> None:
    mark = make_member()
    fact = pay(provider, mark)
    if way == "refunded":
        told: object = provider.give_back(fact, 500, NOW)
    else:
        told = provider.dispute(fact, DisputeState.LOST, NOW, opened_at=NOW)
    processing.apply([told], provider="simulated", now=NOW)  # type: ignore[list-item]
    assert found() == [("access", f"membership:{mark}")]


def test_a_membership_that_runs_longer_than_was_paid_is_named(provider: SimulatedProvider) -> None:
    mark = make_member()
    pay(provider, mark)
    Membership.update(paid_through=NOW + timedelta(days=40)).execute()
    assert found() == [("access", f"membership:{mark}")]


def test_a_trial_and_the_days_of_grace_are_as_good_as_paid(provider: SimulatedProvider) -> None:
    make_member(state=SubscriptionState.TRIALING, trial_end=NOW + timedelta(days=20))
    make_member(state=SubscriptionState.PAST_DUE, past_due_since=NOW + timedelta(days=14))
    assert found() == []
    mark = make_member(state=SubscriptionState.PAST_DUE, past_due_since=NOW)
    assert found() == [("access", f"membership:{mark}")]


def test_a_membership_without_a_subscription_is_named(provider: SimulatedProvider) -> None:
    mark = make_member()
    Subscription.delete().execute()
    assert found() == [("access", f"membership:{mark}")]


@pytest.mark.parametrize(
    "take", [lambda: Membership.delete(), lambda: Membership.update(paid_through=NOW + timedelta(days=1))]
)
def test_somebody_who_paid_and_is_no_member_is_named(
    provider: SimulatedProvider, take: Callable[[], object]
) -> None:
    mark = make_member()
    pay(provider, mark)
    take().execute()  # type: ignore[attr-defined]
    assert found() == [("access", f"subscription:{mark}")]


def test_what_was_given_is_nobodys_debt(provider: SimulatedProvider) -> None:
    make_member()
    Membership.update(origin=Origin.GIFT).execute()
    Subscription.delete().execute()
    assert found() == []


def test_books_that_agree_with_the_providers_say_nothing(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    for number, currency in enumerate(("EUR", "JPY", "KWD")):
        fact = provider.pay(PaymentFact(f"p{number}", "order-1", 5000, currency, NOW), fee_minor=77)
        provider.give_back(fact, 300, NOW)
        provider.dispute(fact, DisputeState.OPEN, NOW, opened_at=NOW)
    reconciling.reconcile(None, since=None, now=clock.now())
    assert found() == []


def test_what_a_provider_holds_otherwise_than_we_think_is_named(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    fact = provider.pay(PaymentFact("p1", "order-1", 5000, "EUR", NOW), fee_minor=77)
    processing.apply([fact], provider="simulated", now=NOW)
    assert found() == []
    provider.give_back(fact, 300, NOW)
    [one] = checking.differences(clock.now())
    assert (one.check, one.row) == ("balances", "provider:simulated:EUR")
    assert "4923" in one.sentence and "4623" in one.sentence and "+300" in one.sentence
    reconciling.reconcile(None, since=None, now=clock.now())
    assert found() == []


def test_an_estimated_fee_is_no_difference_until_it_is_old(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    old = NOW - timedelta(days=8)
    for number, at in enumerate((NOW, old)):
        fact = provider.pay(PaymentFact(f"p{number}", "order-1", 5000, "EUR", at), fee_minor=None)
        processing.apply([fact], provider="simulated", now=NOW)
    late = Payment.get(Payment.reference == "p1")
    assert found() == [("fees", f"payment:{late.id}")]


def test_a_provider_that_holds_nothing_or_does_not_answer(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SimulatedProvider, "balances", lambda self: None)
    assert found() == []

    def away(self: SimulatedProvider) -> list[Balance]:
        raise Unavailable("It is away.")

    monkeypatch.setattr(SimulatedProvider, "balances", away)
    assert [(one.row, one.sentence) for one in checking.differences(clock.now())] == [
        ("provider:simulated", "It is away.")
    ]


def test_a_refund_of_a_payment_that_is_not_known_is_no_access(provider: SimulatedProvider) -> None:
    processing.apply([RefundFact("re", "nothing", 5, "EUR", NOW)], provider="simulated", now=NOW)
    assert found() == []
