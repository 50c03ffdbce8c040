"""Payments in the books: whatever comes, in whatever order and however often, the books end up the same, and balance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from appliance import database
from appliance.ledger import payments
from appliance.ledger import posting
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Entry
from appliance.ledger.models import SplitAgreement
from appliance.ledger.models import SplitPart
from appliance.ledger.models import Transaction
from appliance.ledger.payments import Sale
from appliance.ledger.payments import Sold
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import Fact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.startup import Appliance
from tests.makers import NOW

ANNA, BEN = "A" * 26, "B" * 26
SALE = Sale(ANNA, "", 1000, [Sold("Low Tide", 700, release="R"), Sold("A tip", 300)])


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def payment(number: int, *, amount: int = 1000, fee: int | None = None) -> PaymentFact:
    return PaymentFact(f"pay_{number}", "mark", amount, "EUR", NOW + timedelta(days=number), fee_minor=fee)


def refund(number: int, of: int, amount: int, *, failed: bool = False) -> RefundFact:
    return RefundFact(f"re_{number}", f"pay_{of}", amount, "EUR", NOW, failed=failed)


def dispute(number: int, of: int, amount: int, state: DisputeState, *, day: int = 0) -> DisputeFact:
    return DisputeFact(
        f"dp_{number}", f"pay_{of}", amount, "EUR", state, NOW, NOW + timedelta(days=day), fee_minor=1500
    )


def tell(fact: Fact) -> None:
    match fact:
        case PaymentFact():
            payments.note(fact, SALE, provider="demo", now=NOW)
        case RefundFact():
            payments.note_refund(fact, provider="demo", now=NOW)
        case DisputeFact():
            payments.note_dispute(fact, provider="demo", now=NOW)


def balances() -> dict[tuple[str, str], int]:
    return {(row.kind, row.owner): row.balance_minor for row in Account.select() if row.balance_minor}


def agree(*shares: tuple[str, int], release: str = "", recoup: int = 0) -> None:
    agreement = SplitAgreement.create(artist=ANNA, release=release, starts_at=NOW, created_at=NOW)
    for position, (payee, bps) in enumerate(shares):
        SplitPart.create(
            agreement=agreement.id,
            payee=payee,
            share_bps=bps,
            position=position,
            recoup_minor=0 if position else recoup,
            recoup_currency="EUR",
        )


def test_a_payment_is_shared_after_the_fee_and_the_platforms_share(appliance: Appliance) -> None:
    tell(payment(1, fee=59))
    assert balances() == {
        ("fan_payments", "demo"): 1000,
        ("processor_fees", "demo"): -59,
        ("platform_share", ""): -94,
        ("payable", ANNA): -847,
    }


def test_an_estimated_fee_is_corrected_by_an_entry_once_it_is_known(appliance: Appliance) -> None:
    tell(payment(1))
    assert balances()["processor_fees", "demo"] == -59
    tell(payment(1, fee=45))
    assert balances() == {
        ("fan_payments", "demo"): 1000,
        ("processor_fees", "demo"): -45,
        ("platform_share", ""): -95,
        ("payable", ANNA): -860,
    }
    assert Transaction.select().count() == 2


def test_what_is_told_twice_is_written_once(appliance: Appliance) -> None:
    for _ in range(3):
        tell(payment(1, fee=59))
        tell(refund(1, 1, 500))
    assert Transaction.select().count() == 2


def test_a_refund_that_is_told_of_before_its_payment_is_taken_off_it(appliance: Appliance) -> None:
    tell(refund(1, 1, 1000))
    assert not balances()
    tell(payment(1, fee=59))
    assert balances() == {
        ("fan_payments", "demo"): 1000,
        ("refunds", "demo"): -1000,
        ("processor_fees", "demo"): -59,
        ("payable", ANNA): 59,
    }


def test_what_is_contested_is_held_back_until_the_dispute_is_won(appliance: Appliance) -> None:
    tell(payment(1, fee=59))
    before = balances()
    tell(dispute(1, 1, 1000, DisputeState.OPEN))
    assert balances()["dispute_reserve", "demo"] == -1000
    assert balances()["payable", ANNA] == 59 + 1500
    tell(dispute(1, 1, 1000, DisputeState.WON, day=3))
    tell(dispute(1, 1, 1000, DisputeState.OPEN, day=1))
    assert ("dispute_reserve", "demo") not in balances()
    assert before["payable", ANNA] == -847
    assert sum(balances().values()) == 0


def test_the_database_refuses_to_change_or_remove_an_entry(appliance: Appliance) -> None:
    tell(payment(1))
    for statement in ("UPDATE ledger_entry SET amount_minor = 0", "DELETE FROM ledger_transaction"):
        with pytest.raises(Exception, match="only appended to"), database.transaction():
            database.proxy.execute_sql(statement)


def test_recoups_come_first_and_the_rest_is_shared(appliance: Appliance) -> None:
    agree((BEN, 5000), (ANNA, 5000), recoup=1000)
    tell(payment(1, fee=59))
    assert posting.balance(AccountKind.PAYABLE, BEN, "EUR") == -847
    tell(payment(2, fee=59))
    assert posting.balance(AccountKind.PAYABLE, BEN, "EUR") == -1347
    assert posting.balance(AccountKind.PAYABLE, ANNA, "EUR") == -347


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    told: list[Fact] = []
    for number in range(draw(st.integers(1, 5))):
        amount = draw(st.integers(50, 5000))
        told.append(payment(number, amount=amount))
        told.append(payment(number, amount=amount, fee=draw(st.integers(0, 200))))
        if draw(st.booleans()):
            told.append(refund(number, number, draw(st.integers(1, amount)), failed=draw(st.booleans())))
        if draw(st.booleans()):
            told.append(dispute(number, number, amount, DisputeState.OPEN))
            told.append(
                dispute(
                    number, number, amount, draw(st.sampled_from(DisputeState)), day=draw(st.integers(1, 9))
                )
            )
    return told


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories(), data=st.data())
def test_in_any_order_and_twice_the_books_end_up_the_same(
    appliance: Appliance, told: list[Fact], data: st.DataObject
) -> None:
    ends = []
    for order in (told, data.draw(st.permutations(told)) + told[::2]):
        with database.proxy.atomic() as undone:
            agree((BEN, 3333), (ANNA, 6667), recoup=900)
            agree((BEN, 1), (ANNA, 4999), ("C" * 26, 5000), release="R")
            for fact in order:
                tell(fact)
            ends.append(balances())
            assert sum(balances().values()) == 0
            for account in Account.select():
                amounts = Entry.select(Entry.amount_minor).where(Entry.account == account.id).tuples()
                assert account.balance_minor == sum(amount for (amount,) in amounts)
            undone.rollback()
    assert ends[0] == ends[1]
