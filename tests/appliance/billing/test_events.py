"""Events of providers: taken once, processed in any order, tried again, kept for a season."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from appliance import chores
from appliance import clock
from appliance import jobs
from appliance import processors
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.billing import draining
from appliance.billing import inbox
from appliance.billing.inbox import TooLarge
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.jobs import Job
from appliance.jobs.running import run_job
from appliance.ledger import checking
from appliance.ledger import posting
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Payment
from appliance.mail import Message
from appliance.payments import Delivery
from appliance.payments import DisputeState
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from tests.makers import make_user
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_provider import signed
from tests.servers.simulated_sales import SimulatedSale
from tests.servers.simulated_sales import sell

ANNA = "A" * 26
NOW = clock.now().replace(microsecond=0)


def paid(mark: str = "order-1", *, amount: int = 1000, currency: str = "EUR", number: int = 1) -> PaymentFact:
    return PaymentFact(f"pay_{number}", mark, amount, currency, NOW, email="fan@example.com")


def deliver(provider: SimulatedProvider, *numbers: int) -> list[bool]:
    sent = provider.deliveries(clock.now())
    return [
        inbox.receive("simulated", sent[number], now=clock.now()) for number in numbers or range(len(sent))
    ]


def event() -> ProviderEvent:
    found: ProviderEvent = ProviderEvent.select().order_by(ProviderEvent.id.desc()).get()
    return found


def owed(currency: str = "EUR") -> int:
    return -posting.balance(AccountKind.PAYABLE, ANNA, currency)


def test_an_event_is_taken_checked_and_processed(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    assert deliver(provider) == [True]
    assert (event().state, event().marks, event().kind) == (EventState.PROCESSED, "order-1", "payment.moved")
    assert owed() == 847
    assert SimulatedSale.get_by_id("order-1").standing


def test_an_event_that_comes_twice_is_taken_once(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    assert [*deliver(provider), *deliver(provider)] == [True, False]
    assert ProviderEvent.select().count() == 1
    assert owed() == 847


def test_what_is_not_signed_or_too_old_or_too_large_is_not_stored(provider: SimulatedProvider) -> None:
    provider.pay(paid(), fee_minor=None)
    body = provider.sent[0][1]
    refused: list[tuple[Delivery, type[Exception]]] = [
        (Delivery(body), NotAllowed),
        (signed(body, clock.now(), secret=b"another"), NotAllowed),
        (signed(body, clock.now() - timedelta(minutes=6)), NotAllowed),
        (replace(signed(body, clock.now()), body=body + b" "), NotAllowed),
        (signed(b"rubbish", clock.now()), Invalid),
        (signed(b"x" * (5 * 1024 * 1024), clock.now()), TooLarge),
        (signed(body.replace(b"evt_0", b"evt\xff"), clock.now()), Invalid),
    ]
    for delivery, kind in refused:
        with pytest.raises(kind):
            inbox.receive("simulated", delivery, now=clock.now())
    with pytest.raises(NotFound):
        inbox.receive("nobody", signed(body, clock.now()), now=clock.now())
    assert not ProviderEvent.select().exists()


def test_a_refund_that_comes_before_its_payment_is_taken_off_it(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    fact = provider.pay(paid(), fee_minor=59)
    provider.give_back(fact, 1000, NOW)
    deliver(provider, 2, 1, 0)
    assert owed() == -59
    assert not SimulatedSale.get_by_id("order-1").standing


def test_a_dispute_that_was_won_before_it_was_opened_ends_won(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    fact = provider.pay(paid(), fee_minor=59)
    provider.dispute(fact, DisputeState.OPEN, NOW, opened_at=NOW)
    provider.dispute(fact, DisputeState.WON, NOW + timedelta(days=2), opened_at=NOW)
    deliver(provider, 3, 2, 1, 0)
    assert posting.balance(AccountKind.DISPUTE_RESERVE, "simulated", "EUR") == 0
    assert SimulatedSale.get_by_id("order-1").standing


def test_a_dispute_is_told_to_every_admin_once_and_not_when_it_is_over(provider: SimulatedProvider) -> None:
    admins = [make_user(f"{name}@example.org", roles=(RoleName.ADMIN,)).email for name in ("one", "two")]
    sell("order-1", ANNA)
    fact = provider.pay(paid(), fee_minor=59)
    provider.dispute(fact, DisputeState.OPEN, NOW, opened_at=NOW)
    for _twice in range(2):
        deliver(provider)
        ProviderEvent.delete().execute()
    letters = list(Message.select().where(Message.kind == "dispute_opened"))
    assert sorted(letter.to for letter in letters) == admins
    assert "10.00 EUR" in letters[0].text
    over = provider.pay(paid(number=2), fee_minor=59)
    provider.dispute(over, DisputeState.WON, NOW, opened_at=NOW)
    deliver(provider)
    assert Message.select().where(Message.kind == "dispute_opened").count() == 2


def test_what_is_about_nobodys_mark_is_ignored_and_counted(provider: SimulatedProvider) -> None:
    provider.pay(paid("somebody else's"), fee_minor=None)
    provider.subscribe(SubscriptionFact("sub", "theirs", SubscriptionState.ACTIVE, NOW))
    deliver(provider)
    assert inbox.counts() == {("simulated", EventState.IGNORED): 2}
    assert not Payment.select().exists()


def test_a_payment_of_somebody_who_left_is_in_the_books(provider: SimulatedProvider) -> None:
    fan = make_user()
    sell("order-1", ANNA, user=fan.id)
    provider.pay(paid(), fee_minor=None)
    User.delete().where(User.id == fan.id).execute()
    deliver(provider)
    assert event().state == EventState.PROCESSED
    assert owed() == 847


@pytest.mark.parametrize(("currency", "kept"), [("JPY", 847), ("KWD", 604)])
def test_currencies_without_and_with_three_digits_are_kept_as_they_are(
    provider: SimulatedProvider, currency: str, kept: int
) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(currency=currency), fee_minor=None)
    deliver(provider)
    assert Account.select().where(Account.currency != currency).count() == 0
    assert sum(account.balance_minor for account in Account.select()) == 0
    assert owed(currency) == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXX"},
        {"amount_minor": -1},
        {"amount_minor": 10**13},
        {"fee_minor": -5},
        {"tax_minor": 2000},
        {"reference": ""},
    ],
)
def test_a_fact_that_cannot_be_reaches_no_book(provider: SimulatedProvider, wrong: dict[str, object]) -> None:
    sell("order-1", ANNA)
    provider.move("payment", "pay_1", replace(paid(), **wrong), NOW)  # type: ignore[arg-type]
    deliver(provider)
    assert event().state == EventState.FAILED
    assert event().problem
    assert not Account.select().exists()


def test_an_event_is_tried_again_with_growing_patience(
    provider: SimulatedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    provider.failing = [RuntimeError("fan@example.com"), Unavailable("It is away.")]
    with caplog.at_level(logging.INFO):
        deliver(provider)
    assert (event().state, event().attempts, event().problem) == (EventState.RECEIVED, 1, "It is away.")
    assert event().due_at > clock.now() + timedelta(seconds=3)
    assert inbox.queue_due(now=clock.now()) == []
    for attempt in (2, 3):
        ProviderEvent.update(due_at=clock.now()).execute()
        chores.process_payment_events()
        assert event().attempts == attempt
    assert (event().state, event().problem) == (EventState.PROCESSED, "")
    assert owed() == 847


def test_an_event_that_fails_for_a_day_is_given_up_and_can_be_replayed(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    provider.failing = [RuntimeError("no")] * draining.MOST_ATTEMPTS
    deliver(provider)
    while event().state == EventState.RECEIVED:
        draining.process(deque([event()]))
    assert (event().state, event().attempts) == (EventState.FAILED, draining.MOST_ATTEMPTS)
    assert not provider.failing
    inbox.replay(event().id, actor=None, now=clock.now())
    assert (event().state, event().attempts) == (EventState.PROCESSED, 1)
    inbox.replay(event().id, actor=None, now=clock.now())
    assert owed() == 847
    ProviderEvent.update(state=EventState.RECEIVED, due_at=clock.now()).execute()
    with pytest.raises(Conflict):
        inbox.replay(event().id, actor=None, now=clock.now())
    with pytest.raises(NotFound):
        inbox.replay("nothing", actor=None, now=clock.now())


def test_one_event_that_cannot_be_processed_keeps_no_other_waiting(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    jobs.huey.immediate = False
    provider.pay(paid(number=1), fee_minor=None)
    provider.pay(paid(number=2), fee_minor=None)
    deliver(provider)
    provider.failing = [RuntimeError("only once")]
    run_waiting()
    assert inbox.counts() == {
        ("simulated", EventState.PROCESSED): 1,
        ("simulated", EventState.RECEIVED): 1,
    }


def test_one_event_that_cannot_be_noted_keeps_nothing_of_itself_and_all_of_the_others(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may share one transaction."""
    sell("order-1", ANNA)
    jobs.huey.immediate = False
    for number in range(6):
        provider.pay(paid(number=number), fee_minor=None)
    deliver(provider)
    post, bad = posting.post, itertools.count()

    def fails_midway(*arguments: Any, **named: Any) -> bool:
        written = post(*arguments, **named)
        if next(bad) in {0, 3}:
            raise RuntimeError("after it was written")
        return written

    monkeypatch.setattr(posting, "post", fails_midway)
    run_waiting()
    assert inbox.counts() == {
        ("simulated", EventState.PROCESSED): 4,
        ("simulated", EventState.RECEIVED): 2,
    }
    assert (Payment.select().count(), owed()) == (4, 4 * 847)
    monkeypatch.undo()
    assert checking.differences() == []


def test_a_flood_of_events_is_one_job(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    jobs.huey.immediate = False
    for number in range(120):
        provider.pay(paid(number=number), fee_minor=None)
    deliver(provider)
    assert Job.select().where(Job.kind == inbox.JOB).count() == 1
    run_waiting()
    assert inbox.counts() == {("simulated", EventState.PROCESSED): 120}
    assert owed() == 120 * 847


def test_what_another_job_has_in_hand_is_left_to_it_until_that_is_lost(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    jobs.huey.immediate = False
    provider.pay(paid(), fee_minor=None)
    deliver(provider)
    other = jobs.add(inbox.JOB, "simulated:other", now=clock.now(), payload="simulated")
    Job.update(state=jobs.JobState.RUNNING).where(Job.id == other.id).execute()
    ProviderEvent.update(taken_by=other.id).execute()
    run_waiting()
    assert event().state == EventState.RECEIVED
    Job.update(state=jobs.JobState.FAILED, active=None).where(Job.id == other.id).execute()
    jobs.huey.immediate = True
    chores.process_payment_events()
    assert event().state == EventState.PROCESSED


def test_a_provider_that_went_away_leaves_its_events_for_when_it_comes_back(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell("order-1", ANNA)
    jobs.huey.immediate = False
    provider.pay(paid(), fee_minor=None)
    deliver(provider)
    monkeypatch.setattr(processors, "every", lambda: ())
    run_waiting()
    assert event().state == EventState.RECEIVED
    assert "no payment provider" in event().problem


def test_events_are_kept_for_a_season(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    deliver(provider)
    assert inbox.expire(now=clock.now() + timedelta(days=89)) == 0
    assert inbox.expire(now=clock.now() + timedelta(days=91)) == 1
    assert owed() == 847


def test_the_lag_is_the_age_of_the_oldest_that_waits(provider: SimulatedProvider) -> None:
    jobs.huey.immediate = False
    assert inbox.lag(now=clock.now()) == timedelta()
    provider.pay(paid(), fee_minor=None)
    deliver(provider)
    assert inbox.lag(now=clock.now() + timedelta(minutes=3)) >= timedelta(minutes=3)


def run_waiting() -> None:
    """What a worker would do with the messages on the queue."""
    for job in Job.select().where(Job.kind == inbox.JOB, Job.state == jobs.JobState.QUEUED):
        run_job.call_local(job.id)
