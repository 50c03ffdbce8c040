"""The check of the books: nothing in sound ones, and the row by name for each way in which they can be wrong; what the database refuses by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import peewee
import pytest
from click.testing import CliRunner

from appliance import chores
from appliance import database
from appliance import doctor
from appliance.accounts.models import RoleName
from appliance.cli import cli
from appliance.collective import books
from appliance.ledger import agreements
from appliance.ledger import alarms
from appliance.ledger import checking
from appliance.ledger import following
from appliance.ledger import payout_entries
from appliance.ledger.agreements import Subject
from appliance.ledger.agreements import Wanted
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import BookCheck
from appliance.ledger.models import DaySum
from appliance.ledger.models import Entry
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import SplitPart
from appliance.ledger.models import SplitTotal
from appliance.ledger.models import Transaction
from appliance.ledger.payments import Sold
from appliance.mail import Message
from appliance.startup import Appliance
from tests.appliance.ledger.stories import contest
from tests.appliance.ledger.stories import give_back
from tests.appliance.ledger.stories import letters
from tests.appliance.ledger.stories import pay
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def told(appliance: Appliance) -> None:
    """Books with a bit of everything in them."""
    anna = make_artist(name="Anna", slug="anna")
    make_artist(name="Ben", slug="ben")
    pay(anna.id, number=1, sold=(Sold("a", 1), Sold("b", 2)))
    agreements.make(
        Subject(anna),
        [Wanted("anna", 3333), Wanted("ben", 6667, 500, "EUR")],
        starts_at=None,
        actor=anna.owner,
        letters=letters(),
        now=NOW,
    )
    for number, currency in enumerate(("EUR", "JPY", "KWD"), start=2):
        pay(anna.id, 10_000, number=number, currency=currency, paid_at=NOW + timedelta(days=1))
    give_back(400, of=2)
    contest(1000, of=1)
    payout_entries.begin("P", payee=anna.id, amount_minor=10, currency="JPY", provider="bank", now=NOW)


def first(model: type[peewee.Model]) -> peewee.Model:
    found: peewee.Model = model.select().order_by(model.id).get()  # type: ignore[attr-defined]
    return found


def one_sided() -> None:
    entry = first(Entry)
    made = Transaction.create(key="x", kind="adjustment", subject="x", at=NOW)
    Entry.create(transaction=made.id, account=entry.account_id, amount_minor=7, after_minor=7, at=NOW)  # type: ignore[attr-defined]


def without_entries() -> None:
    Transaction.create(key="x", kind="adjustment", subject="x", at=NOW)


def of_nothing() -> None:
    Transaction.create(key="x", kind="payment", subject="payment:" + "X" * 26, at=NOW)


WRONGS: list[tuple[Callable[[], object], set[str]]] = [
    (one_sided, {"transactions balance", "balances", "chains"}),
    (without_entries, {"transactions balance"}),
    (of_nothing, {"transactions balance", "payments"}),
    (
        lambda: Account.update(balance_minor=Account.balance_minor + 1).where(Account.id == 1).execute(),
        {"balances"},
    ),
    (lambda: DaySum.update(amount_minor=DaySum.amount_minor + 1).execute(), {"days"}),
    (lambda: DaySum.delete().execute(), {"days"}),
    (lambda: Payment.update(amount_minor=Payment.amount_minor + 1).execute(), {"payments"}),
    (lambda: Payment.update(refunded_minor=1).execute(), {"refunds", "payments"}),
    (lambda: Payment.update(lost_minor=1).execute(), {"disputes", "payments"}),
    (lambda: Payment.update(provider="other").execute(), {"payments", "refunds", "disputes"}),
    (lambda: SplitTotal.update(total_minor=SplitTotal.total_minor + 100).execute(), {"shares", "payees"}),
    (lambda: PaymentLine.update(booked_minor=0).execute(), {"payments", "shares", "payees"}),
    (
        lambda: SplitPart.update(share_bps=5000).execute(),
        {"payees"},
    ),
]


def test_what_goes_back_or_is_contested_in_another_currency_is_named_and_not_booked(
    appliance: Appliance,
) -> None:
    anna = make_artist(name="Anna", slug="anna")
    pay(anna.id, currency="JPY")
    give_back(400)
    contest(500)
    payment = Payment.get()
    assert (payment.refunded_minor, payment.contested_minor, payment.dispute_fees_minor) == (0, 0, 0)
    assert {found.check for found in checking.differences()} == {"refunds", "disputes"}


def test_sound_books_have_no_differences(told: None) -> None:
    assert checking.differences() == []


@pytest.mark.parametrize(("break_it", "checks"), WRONGS)
def test_each_thing_that_is_wrong_is_found_and_named(
    told: None, break_it: Callable[[], object], checks: set[str]
) -> None:
    break_it()
    found = checking.differences()
    assert {one.check for one in found} == checks
    assert all(one.row.partition(":")[2] and one.sentence for one in found)


def test_each_payment_is_looked_at_however_many_at_a_time(
    told: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = Payment.select().count()
    for many in (1, 2, every - 1, every, every + 1):
        monkeypatch.setattr(following, "AT_ONCE", many)
        assert list(following.payments()) == []
    Payment.update(refunded_minor=Payment.refunded_minor + 1).execute()
    for many in (1, 2, every - 1, every, every + 1):
        monkeypatch.setattr(following, "AT_ONCE", many)
        assert len({row for row, _sentence in following.payments()}) == every


def test_no_more_rows_are_named_than_anybody_reads(told: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_NAMED", 2)
    Payment.update(amount_minor=Payment.amount_minor + 1).execute()
    assert len(checking.differences()) == 2


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction"])
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_only_lets_the_books_grow(told: None, table: str, act: str) -> None:
    if act.startswith("TRUNCATE") and isinstance(database.proxy.obj, peewee.SqliteDatabase):
        act = "DELETE FROM {} WHERE 1"
    before = (Entry.select().count(), Transaction.select().count())
    with pytest.raises(peewee.PeeweeException, match="only appended to"), database.transaction():
        database.proxy.execute_sql(act.format(table))
    assert (Entry.select().count(), Transaction.select().count()) == before


def test_a_check_looks_at_one_state_whatever_is_written_meanwhile(told: None) -> None:
    with database.snapshot():
        assert Account.select().where(Account.kind == AccountKind.PAYABLE).exists()
    pay("A" * 26, number=99)
    assert checking.differences() == []


def test_by_night_the_books_are_checked_and_a_difference_is_an_alarm_until_it_is_gone(
    appliance: Appliance, told: None
) -> None:
    admin = make_user("admin@example.com", roles=(RoleName.ADMIN,))
    make_user("other@example.com")
    assert health(appliance) == "not checked yet; they are every night ('musicconnect ledger check')"
    chores.check_books.call_local()
    assert health(appliance).startswith("add up, by the check of ")
    Account.update(balance_minor=Account.balance_minor + 1).where(Account.id == 1).execute()
    chores.check_books.call_local()
    assert "do not add up in 1 place(s)" in health(appliance)
    assert "account:1" in health(appliance)
    # Once a day, however often it is looked at.
    books.look(appliance.settings, began_at=NOW)
    letters = Message.select().where(Message.kind == "books_differ")
    assert [(one.to, "account:1" in one.text) for one in letters] == [(admin.email, True)]
    Account.update(balance_minor=Account.balance_minor - 1).where(Account.id == 1).execute()
    chores.check_books.call_local()
    assert health(appliance).startswith("add up")
    assert BookCheck.select().count() == 4


def health(appliance: Appliance) -> str:
    return next(
        one.sentence for one in doctor.findings(appliance.settings, connect=False) if one.name == "books"
    )


def test_checks_of_long_ago_are_forgotten(appliance: Appliance) -> None:
    alarms.note([], began_at=NOW, now=NOW)
    alarms.note([], began_at=NOW, now=NOW + timedelta(days=91))
    assert BookCheck.select().count() == 1


@pytest.mark.parametrize("database_url", [""])
def test_the_command_names_what_is_wrong_and_prints_statements(appliance: Appliance, told: None) -> None:
    data = ["--data", str(appliance.settings.data)]
    well = CliRunner().invoke(cli, [*data, "ledger", "check"])
    assert (well.exit_code, "No difference(s)," in well.output) == (0, True)
    owed = CliRunner().invoke(cli, [*data, "ledger", "statement", "anna"])
    assert "JPY  owed " in owed.output
    period = ["--currency", "EUR", "--from", "2026-05-01", "--to", "2026-05-31"]
    told_ = CliRunner().invoke(cli, [*data, "ledger", "statement", "anna", *period])
    assert "date,what,for,artist,amount,balance,currency,reference" in told_.output
    assert CliRunner().invoke(cli, [*data, "ledger", "statement", "nobody"]).exit_code == 2
    Account.update(balance_minor=5).where(Account.id == 1).execute()
    wrong = CliRunner().invoke(cli, [*data, "ledger", "check"])
    assert wrong.exit_code == 1
    assert "WRONG balances: account:1: The balance of " in wrong.output
