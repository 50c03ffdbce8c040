"""What a payee is owed, and payouts in the books."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from appliance import database
from appliance.errors import Invalid
from appliance.ledger import agreements
from appliance.ledger import balances
from appliance.ledger import payout_entries
from appliance.ledger import posting
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.balances import Owed
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Transaction
from appliance.ledger.payments import Sold
from appliance.payments import DisputeState
from appliance.startup import Appliance
from tests.appliance.ledger.stories import contest
from tests.appliance.ledger.stories import letters
from tests.appliance.ledger.stories import pay
from tests.makers import NOW
from tests.makers import make_artist

ANNA = "A" * 26
PAYOUT = {"payee": ANNA, "amount_minor": 800, "currency": "EUR", "provider": "bank"}
ACTS = {"begin": payout_entries.begin, "paid": payout_entries.paid, "failed": payout_entries.failed}


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def act(name: str, day: int = 0) -> bool:
    return ACTS[name]("P", **PAYOUT, now=NOW + timedelta(days=day))  # type: ignore[arg-type]


def books() -> tuple[int, int, int]:
    return (
        -posting.balance(AccountKind.PAYABLE, ANNA, "EUR"),
        -posting.balance(AccountKind.PAYOUTS_IN_TRANSIT, "bank", "EUR"),
        -posting.balance(AccountKind.PAID_OUT, "bank", "EUR"),
    )


def test_what_is_owed_stands_by_currency(appliance: Appliance) -> None:
    assert balances.of_payee(ANNA) == []
    pay(ANNA, number=1)
    pay(ANNA, 1000, number=2, currency="JPY", fee=None)
    pay(ANNA, 10_000, number=3, currency="KWD", fee=None)
    assert balances.of_payee(ANNA) == [
        Owed("EUR", 847, 0, 847),
        # 2.9 % and 30 of a currency without digits; 2.9 % and 0.300 of one with three.
        Owed("JPY", 847, 0, 847),
        Owed("KWD", 10_000 - 590 - 941, 0, 8469),
    ]


def test_what_is_contested_is_held_and_comes_back_when_it_is_won(appliance: Appliance) -> None:
    pay(ANNA, number=1)
    pay(ANNA, 9000, number=2, fee=0)
    contest(1000, of=1)
    # Of 847 that were earned by it, 59 and 1500 are kept by the processor whatever comes of it.
    assert balances.of_payee(ANNA) == [Owed("EUR", 8100 - 1559 + 1000, 1000, 8100 - 1559)]
    with database.transaction():
        assert balances.hold(ANNA, "EUR").available_minor == 8100 - 1559
    contest(1000, DisputeState.WON, of=1, day=2)
    assert balances.of_payee(ANNA) == [Owed("EUR", 8100 - 559, 0, 8100 - 559)]


def test_nothing_is_available_to_who_owes_more_than_was_earned(appliance: Appliance) -> None:
    pay(ANNA)
    contest(1000, DisputeState.LOST)
    assert balances.of_payee(ANNA) == [Owed("EUR", -1559, 0, 0)]


def test_what_is_held_is_each_payees_own_part(appliance: Appliance) -> None:
    anna, ben = make_artist(name="Anna", slug="anna"), make_artist(name="Ben", slug="ben")
    agreements.make(
        Subject(anna),
        [Wanted("anna", 7500), Wanted("ben", 2500)],
        starts_at=None,
        actor=anna.owner,
        letters=letters(),
        now=NOW,
    )
    for number in (1, 2):
        pay(anna.id, number=number, sold=(Sold("a", 300), Sold("b", 700)))
        contest(1000, of=number)
    before = {payee.id: balances.of_payee(payee.id)[0] for payee in (anna, ben)}
    for number in (1, 2):
        contest(1000, DisputeState.WON, of=number, day=1)
    for payee in (anna, ben):
        # What was said to be held is what came back, to the cent.
        assert balances.of_payee(payee.id)[0].owed_minor == before[payee.id].owed_minor
        assert balances.of_payee(payee.id)[0].held_minor == 0
    assert before[ben.id].held_minor == 500


def test_a_payout_goes_by_transit_to_paid_out_and_each_word_is_written_once(appliance: Appliance) -> None:
    pay(ANNA)
    assert [act("begin"), act("begin"), books()] == [True, False, (47, 800, 0)]
    assert [act("paid"), act("paid"), act("begin"), books()] == [True, False, False, (47, 0, 800)]
    assert Transaction.select().where(Transaction.subject == "payout:P").count() == 2


@pytest.mark.parametrize("order", list(permutations(["paid", "failed", "failed", "paid"], 3)))
def test_of_a_payout_the_last_word_holds_however_often_it_fails_and_arrives(
    appliance: Appliance, order: tuple[str, ...]
) -> None:
    pay(ANNA)
    act("begin")
    for day, name in enumerate(order):
        act(name, day)
        act(name, day)
    assert books() == ((847, 0, 0) if order[-1] == "failed" else (47, 0, 800))


def test_a_payout_of_nothing_is_none(appliance: Appliance) -> None:
    for amount in (0, -1, 10**16):
        with pytest.raises(Invalid):
            payout_entries.begin(
                "P", payee=ANNA, amount_minor=amount, currency="EUR", provider="bank", now=NOW
            )
