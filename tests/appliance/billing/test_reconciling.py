"""Reconciliation: what was missed is found out, noted, and stated; what is known stays as it is."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import peewee
import pytest

from appliance import chores
from appliance import clock
from appliance.billing import inbox
from appliance.billing import reconciling
from appliance.billing.models import Reconciliation
from appliance.billing.models import Repaired
from appliance.billing.models import RunState
from appliance.billing.reconciling import Repair
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Payment
from appliance.ledger.models import Transaction
from appliance.payments import CheckoutState
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutState
from appliance.payouts.models import Payout
from tests.servers.simulated_provider import SimulatedProvider
from tests.servers.simulated_sales import SimulatedSale
from tests.servers.simulated_sales import sell

ANNA = "A" * 26
NOW = clock.now().replace(microsecond=0)


def paid(mark: str = "order-1", *, number: int = 1, amount: int = 1000) -> PaymentFact:
    return PaymentFact(f"pay_{number}", mark, amount, "EUR", NOW)


def run() -> list[Repair]:
    return reconciling.reconcile(None, since=None, now=clock.now())


def last() -> Reconciliation:
    return reconciling.runs()[0]


def owed() -> int:
    return -posting.balance(AccountKind.PAYABLE, ANNA, "EUR")


def test_what_no_event_told_is_found_out_and_stated(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    fact = provider.pay(paid(), fee_minor=None)
    provider.give_back(fact, 400, NOW)
    provider.check_out("order-1", CheckoutState.COMPLETED, NOW)
    repairs = run()
    assert [repair.what for repair in repairs] == ["payment", "refund", "payment"]
    assert repairs[0].before == {}
    assert (repairs[2].before, repairs[2].after) == ({"refunded_minor": "0"}, {"refunded_minor": "400"})
    assert owed() == 1000 - 400 - 59 - 54
    assert (last().state, last().facts, last().strangers) == (RunState.COMPLETE, 3, 0)
    [told] = reconciling.repairs_of([last()]).values()
    assert told[0].endswith("was missing")
    assert told[2].endswith(": refunded_minor 0 -> 400")


def test_a_second_run_repairs_nothing_and_writes_nothing(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    fact = provider.pay(paid(), fee_minor=59)
    provider.dispute(fact, DisputeState.OPEN, NOW, opened_at=NOW)
    assert run()
    written = Transaction.select().count()
    assert run() == []
    assert Transaction.select().count() == written
    assert Repaired.select().where(Repaired.run == last().id).count() == 0


def test_it_begins_a_day_before_the_last_complete_run(provider: SimulatedProvider) -> None:
    assert reconciling.since_last("simulated") == reconciling.BEGINNING
    run()
    begun = last().started_at
    assert reconciling.since_last("simulated") == begun - timedelta(days=1)
    provider.failing = [Unavailable("It is away.")]
    with pytest.raises(Unavailable):
        run()
    assert (last().state, last().problem) == (RunState.FAILED, "It is away.")
    assert reconciling.since_last("simulated") == begun - timedelta(days=1)


def test_one_provider_that_fails_keeps_no_other_from_being_asked(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SimulatedProvider(name="other")
    monkeypatch.setattr("appliance.processors.every", lambda: (provider, other))
    provider.failing = [RuntimeError("a secret")]
    sell("order-1", ANNA)
    other.pay(paid(), fee_minor=None)
    with pytest.raises(Unavailable) as told:
        run()
    assert "secret" not in str(told.value)
    assert owed() == 847
    assert {run.provider: run.state for run in reconciling.runs()} == {
        "simulated": RunState.FAILED,
        "other": RunState.COMPLETE,
    }


def test_a_fact_that_cannot_be_keeps_no_other_from_being_taken(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.move("payment", "pay_1", dataclasses.replace(paid(), currency="XXX"), NOW)
    provider.pay(paid(number=2), fee_minor=None)
    assert len(run()) == 1
    assert last().state == RunState.FAILED
    assert "XXX" in last().problem
    assert owed() == 847


def test_a_fault_in_taking_one_fact_keeps_no_other_from_being_taken(
    provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell("order-1", ANNA)
    for number in (1, 2):
        provider.pay(paid(number=number), fee_minor=None)
    take, facts = reconciling._take, []

    def taken(fact: Fact, *named: object) -> object:
        facts.append(fact)
        if len(facts) == 1:
            raise peewee.DataError("value too long")
        return take(fact, *named)

    monkeypatch.setattr(reconciling, "_take", taken)
    assert len(run()) == 1
    assert (last().state, "DataError" in last().problem, len(facts)) == (RunState.FAILED, True, 2)
    assert owed() == 847


def test_more_facts_than_are_told_at_once_are_all_taken(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    for number in range(3 * reconciling.AT_ONCE + 1):
        provider.pay(paid(number=number), fee_minor=None)
    assert len(run()) == 3 * reconciling.AT_ONCE + 1
    assert Payment.select().count() == last().facts


def test_only_what_changed_since_is_asked_for(provider: SimulatedProvider) -> None:
    sell("order-1", ANNA)
    provider.pay(dataclasses.replace(paid(), paid_at=NOW - timedelta(days=9)), fee_minor=None)
    provider.pay(paid(number=2), fee_minor=None)
    repairs = reconciling.reconcile("simulated", since=NOW - timedelta(days=1), now=clock.now())
    assert len(repairs) == 1
    with pytest.raises(NotFound):
        reconciling.reconcile("nobody", since=None, now=clock.now())


def test_a_payout_that_arrived_without_a_word_is_found_out(provider: SimulatedProvider) -> None:
    payout = Payout.create(
        payee=ANNA,
        provider="simulated",
        account="acct",
        amount_minor=500,
        currency="EUR",
        as_of=NOW,
        created_at=NOW,
    )
    provider.move("payout", "po_1", PayoutFact("po_1", payout.id, PayoutState.PAID, NOW), NOW)
    provider.move("payout", "po_2", PayoutFact("po_2", "somebody else's", PayoutState.PAID, NOW), NOW)
    [repair] = run()
    assert (repair.what, repair.subject, repair.after) == ("payout", payout.id, {"state": "paid"})
    assert last().strangers == 1


def test_the_chore_reconciles_with_every_provider_and_what_is_old_is_forgotten(
    provider: SimulatedProvider,
) -> None:
    sell("order-1", ANNA)
    provider.pay(paid(), fee_minor=None)
    chores.reconcile_payments()
    assert SimulatedSale.get_by_id("order-1").standing
    chores.reconcile_payments()
    assert len(reconciling.runs()) == 2
    later = clock.now() + inbox.KEPT + timedelta(days=1)
    assert reconciling.expire(now=later, kept=inbox.KEPT) == 1
    assert reconciling.since_last("simulated") == last().started_at - timedelta(days=1)


def test_a_run_whose_process_was_lost_is_told_as_failed(provider: SimulatedProvider) -> None:
    Reconciliation.create(provider="simulated", since=NOW, started_at=NOW - timedelta(hours=4))
    run()
    assert {found.state for found in reconciling.runs()} == {RunState.FAILED, RunState.COMPLETE}
