"""Writing into the books: balanced, once for each key, in one order whoever writes at the same time."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from appliance import currencies
from appliance import database
from appliance.errors import Invalid
from appliance.ledger import agreements
from appliance.ledger import checking
from appliance.ledger import posting
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Entry
from appliance.ledger.models import Transaction
from appliance.ledger.models import TransactionKind
from appliance.ledger.payments import Sold
from appliance.startup import Appliance
from tests.appliance.ledger.stories import letters
from tests.appliance.ledger.stories import pay
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release

A, B = (AccountKind.FAN_PAYMENTS, "demo"), (AccountKind.PAYABLE, "A" * 26)
WRITERS, EACH = 6, 5


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def post(key: str, *amounts: int, currency: str = "EUR") -> bool:
    entries = dict(zip((A, B), amounts, strict=False))
    return posting.post(key, TransactionKind.ADJUSTMENT, entries, currency=currency, subject="x", now=NOW)


def test_what_does_not_balance_is_refused_and_leaves_nothing(appliance: Appliance) -> None:
    for amounts in ((1,), (1, 1), (-5, 4), (10**16, -(10**16))):
        with pytest.raises(Invalid):
            post("x", *amounts)
    assert not post("x", 0, 0)
    assert (Transaction.select().count(), Entry.select().count()) == (0, 0)


def test_a_key_is_written_once_whatever_comes_with_it_later(appliance: Appliance) -> None:
    assert [post("x", 5, -5), post("x", 7, -7), post("y", 1, -1)] == [True, False, True]
    assert posting.balance(*A, "EUR") == 6
    assert posting.booked("x") == {A: 6, B: -6}


def test_each_currency_has_accounts_of_its_own(appliance: Appliance) -> None:
    for code, amount in (("EUR", 1), ("JPY", 20), ("KWD", 300)):
        post(code, amount, -amount, currency=code)
    found = {code: posting.balance(*A, code) for code in ("EUR", "JPY", "KWD", "USD")}
    assert found == {"EUR": 1, "JPY": 20, "KWD": 300, "USD": 0}
    assert checking.differences() == []
    assert [currencies.written(-amount, code) for code, amount in found.items()] == [
        "-0.01",
        "-20",
        "-0.300",
        "0.00",
    ]


def test_the_books_hold_together_when_many_write_at_once(appliance: Appliance) -> None:
    anna, ben = make_artist(name="Anna", slug="anna"), make_artist(name="Ben", slug="ben")
    things = [make_release(anna), make_release(anna, title="Low Water")]
    for release in things:
        agreements.make(
            Subject(anna, release),
            [Wanted("anna", 3333), Wanted("ben", 6667)],
            starts_at=None,
            actor=anna.owner,
            letters=letters(),
            now=NOW,
        )
    problems: list[Exception] = []

    def write(writer: int) -> None:
        # Half of them name the two releases the other way round: nobody may wait for somebody who waits for them.
        sold = tuple(Sold(row.title, 500, row.id) for row in (things if writer % 2 else reversed(things)))
        try:
            for number in range(EACH):
                at = NOW + timedelta(seconds=writer)
                pay(anna.id, 997, number=writer * EACH + number, sold=sold, at=at)
        except Exception as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert Transaction.select().count() == WRITERS * EACH
    assert checking.differences() == []
    total = sum(posting.balance(AccountKind.PAYABLE, one.id, "EUR") for one in (anna, ben))
    assert total == -845 * WRITERS * EACH
