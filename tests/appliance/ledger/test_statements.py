"""Statements: every cent of a payee, with the balance before and after, in pages, as CSV and on paper."""

from __future__ import annotations

import csv
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

import pytest

from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger import agreements
from appliance.ledger import payout_entries
from appliance.ledger import statement_files
from appliance.ledger import statements
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import Entry
from appliance.ledger.models import TransactionKind
from appliance.ledger.payments import Sold
from appliance.startup import Appliance
from tests.appliance.ledger.stories import contest
from tests.appliance.ledger.stories import give_back
from tests.appliance.ledger.stories import letters
from tests.appliance.ledger.stories import pay
from tests.makers import NOW
from tests.makers import make_artist
from tests.queries import least

ANNA = "A" * 26
MAY, JULY = date(2026, 5, 1), date(2026, 7, 31)
TEXTS = {
    name: name
    for name in ("statement", "date", "what", "for", "amount", "balance", "opening", "closing", "period")
}


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def day(number: int) -> datetime:
    return NOW + timedelta(days=number)


def story() -> None:
    """A payment, its true fee, a refund, a dispute of another payment, and a payout, ten days apart."""
    pay(ANNA, number=1, fee=None, sold=(Sold("Low Tide", 700), Sold("A tip", 300)))
    pay(ANNA, number=1, fee=45, at=day(10))
    give_back(300, of=1, at=day(20))
    pay(ANNA, 5000, number=2, fee=0, at=day(30))
    contest(5000, of=2, at=day(40))
    payout_entries.begin("P", payee=ANNA, amount_minor=100, currency="EUR", provider="bank", now=day(50))


def test_a_statement_tells_every_cent_with_the_balance_after_it(appliance: Appliance) -> None:
    story()
    told = statements.of(ANNA, "EUR", first=MAY, last=JULY)
    lines = statements.page(told)
    assert [(line.kind, line.amount_minor, line.balance_minor) for line in lines] == [
        ("payment", 847, 847),
        ("fee", 13, 860),
        ("refund", -270, 590),
        ("payment", 4500, 5090),
        ("dispute", -6000, -910),
        ("payout", -100, -1010),
    ]
    assert lines[0].names == ("Low Tide", "A tip")
    assert (told.opening_minor, told.closing_minor) == (0, -1010)
    assert told.sums == {
        TransactionKind.PAYMENT: 5347,
        TransactionKind.FEE: 13,
        TransactionKind.REFUND: -270,
        TransactionKind.DISPUTE: -6000,
        TransactionKind.PAYOUT: -100,
    }
    assert statements.currencies_of(ANNA) == ["EUR"]


def test_one_period_begins_with_what_the_one_before_ended_with(appliance: Appliance) -> None:
    story()
    closing = 0
    for first in (MAY + timedelta(days=number) for number in range(0, 60, 5)):
        told = statements.of(ANNA, "EUR", first=first, last=first + timedelta(days=4))
        assert told.opening_minor == closing
        assert told.closing_minor == closing + sum(told.sums.values())
        assert sum(line.amount_minor for line in statements.every(told)) == sum(told.sums.values())
        closing = told.closing_minor
    assert closing == -1010


def test_the_last_second_of_a_day_belongs_to_it(appliance: Appliance) -> None:
    pay(ANNA, number=1, at=datetime(2026, 5, 31, 23, 59, 59, 999_999, tzinfo=UTC))
    pay(ANNA, number=2, at=datetime(2026, 6, 1, tzinfo=UTC))
    may = statements.of(ANNA, "EUR", first=MAY, last=date(2026, 5, 31))
    june = statements.of(ANNA, "EUR", first=date(2026, 6, 1), last=date(2026, 6, 30))
    assert (may.closing_minor, june.opening_minor, june.closing_minor) == (847, 847, 1694)
    assert statements.month(datetime(2026, 2, 3, tzinfo=UTC)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert statements.of(ANNA, "EUR", first=date.min, last=date.max).closing_minor == 1694


def test_who_waited_for_the_account_is_not_written_into_the_past(appliance: Appliance) -> None:
    pay(ANNA, number=1, at=day(1))
    pay(ANNA, number=2, at=day(0))
    assert [entry.at for entry in Entry.select().where(Entry.after_minor < 0).order_by(Entry.id)][-1] == day(
        1
    )
    assert statements.of(ANNA, "EUR", first=MAY, last=MAY).closing_minor == 0


def test_pages_go_on_where_the_one_before_ended_and_back(appliance: Appliance) -> None:
    for number in range(7):
        pay(ANNA, number=number, at=day(number))
    told = statements.of(ANNA, "EUR", first=MAY + timedelta(days=1), last=JULY)
    first = statements.page(told, limit=3)
    second = statements.page(told, after=first[-1].id, limit=3)
    assert [line.balance_minor for line in first + second] == [847 * n for n in range(2, 8)]
    assert statements.page(told, after=second[-1].id, limit=3) == []
    assert statements.page(told, before=second[0].id, limit=2) == first[1:]
    assert [*statements.every(told, at_once=2)] == first + second


def test_a_page_costs_as_many_queries_for_many_lines_as_for_few(appliance: Appliance) -> None:
    for number in range(30):
        pay(ANNA, number=number, at=day(number), sold=(Sold("Low Tide", 1),))
    told = statements.of(ANNA, "EUR", first=MAY, last=JULY)
    assert least(lambda: statements.page(told, limit=2)) == least(lambda: statements.page(told, limit=30))


def test_a_payee_sees_what_they_have_a_part_in_and_whose_sale_it_was(appliance: Appliance) -> None:
    anna, ben = make_artist(name="Anna", slug="anna"), make_artist(name="Ben", slug="ben")
    agreements.make(
        Subject(anna),
        [Wanted("ben", 10_000)],
        starts_at=None,
        actor=anna.owner,
        letters=letters(),
        now=NOW,
    )
    pay(anna.id, sold=(Sold("Low Tide", 1),))
    line = statements.page(statements.of(ben.id, "EUR", first=MAY, last=JULY))[0]
    assert (line.names, line.artist, line.amount_minor) == (("Low Tide",), "Anna", 847)
    assert statements.payee_named("ben").id == statements.payee_named(ben.id).id == ben.id
    with pytest.raises(NotFound):
        statements.payee_named("nobody")


def test_without_any_money_a_statement_is_empty_and_rubbish_is_refused(appliance: Appliance) -> None:
    told = statements.of(ANNA, "EUR", first=MAY, last=JULY)
    assert (told.opening_minor, told.closing_minor, statements.page(told)) == (0, 0, [])
    with pytest.raises(Invalid):
        statements.of(ANNA, "XXX", first=MAY, last=JULY)
    with pytest.raises(Invalid):
        statements.of(ANNA, "EUR", first=JULY, last=MAY)


def test_as_csv_it_holds_the_same_and_no_formula(appliance: Appliance) -> None:
    story()
    pay(ANNA, number=3, at=day(55), sold=(Sold('=HYPERLINK("http://bad")', 1),))
    told = statements.of(ANNA, "EUR", first=MAY, last=JULY)
    rows = list(csv.DictReader(statement_files.csv_lines(told)))
    assert [row["what"] for row in rows][:2] == ["opening balance", "payment"]
    assert [row["amount"] for row in rows][1:-1] == [
        "8.47",
        "0.13",
        "-2.70",
        "45.00",
        "-60.00",
        "-1.00",
        "8.47",
    ]
    assert rows[-1]["balance"] == "-1.63"
    assert rows[-2]["for"].startswith("'=HYPERLINK")
    assert [(row["for"], row["artist"]) for row in (rows[0], rows[-3], rows[-1])] == [("", "")] * 3
    yen = statements.of(ANNA, "JPY", first=MAY, last=JULY)
    assert len(list(statement_files.csv_lines(yen))) == 3


def test_on_paper_it_holds_all_lines_of_all_scripts_or_says_that_they_are_too_many(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    story()
    for number in range(3, 70):
        pay(ANNA, number=number, at=day(55), sold=(Sold("Ελλάδα Größe Кино " * 20, 1),))
    told = statements.of(ANNA, "EUR", first=MAY, last=JULY)
    made = statement_files.pdf(told, payee="Ναύτης", collective="Der Hafen", told={}, texts=TEXTS)
    assert made.startswith(b"%PDF-")
    assert made.count(b"/Type /Page\n") >= 2
    monkeypatch.setattr(statement_files, "MOST_ON_PAPER", 5)
    with pytest.raises(Invalid, match="more than 5 lines"):
        statement_files.pdf(told, payee="x", collective="y", told={}, texts=TEXTS)
