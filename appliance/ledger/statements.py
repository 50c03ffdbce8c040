"""The statement of a payee in one currency: every cent that came or went between two days, with the balance before and after each.

Nothing is added up that grows with the years: each entry knows the balance after it, and sums by kind are kept by the day. Days are
of UTC and by when something was written into the books, which for a payment can be a little later than when it was paid.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import Any

import peewee

from appliance import currencies
from appliance.catalog.models import Artist
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import DaySum
from appliance.ledger.models import Entry
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import SplitPart
from appliance.ledger.models import Transaction
from appliance.ledger.models import TransactionKind

ON_A_PAGE = 100
LAST_DAY = date(9999, 12, 30)


@dataclass(frozen=True, slots=True)
class Statement:
    """Balances and sums of a payee in one currency from the *first* to the *last* day; what the payee is owed is positive."""

    payee: str
    currency: str
    first: date
    last: date
    opening_minor: int
    closing_minor: int
    sums: Mapping[TransactionKind, int]
    account: int
    after_entry: int
    """The last entry before the first day; 0 when there is none."""
    last_entry: int


@dataclass(frozen=True, slots=True)
class Line:
    """*amount_minor* that came (or went, negative), and the balance after it; *names* are the things sold, *artist* whose sale it was."""

    id: int
    at: datetime
    kind: TransactionKind
    names: tuple[str, ...]
    artist: str
    amount_minor: int
    balance_minor: int
    reference: str


def currencies_of(payee: str) -> list[str]:
    """The currencies in which this payee ever had money, by their codes."""
    rows = Account.select(Account.currency).where(Account.kind == AccountKind.PAYABLE, Account.owner == payee)
    return sorted(row.currency for row in rows)


def of(payee: str, currency: str, *, first: date, last: date) -> Statement:
    """The statement of a payee (an artist's id); ``Invalid`` for days that make no period."""
    code = currencies.read(currency)
    if last < first:
        raise Invalid("The last day of a statement is not before its first.", field="last")
    found = Account.get_or_none(
        Account.kind == AccountKind.PAYABLE, Account.owner == payee, Account.currency == code
    )
    if found is None:
        return Statement(payee, code, first, last, 0, 0, {}, 0, 0, 0)
    before = _last_entry(found.id, _begin(first))
    until = _last_entry(found.id, _begin(min(last, LAST_DAY) + timedelta(days=1)))
    return Statement(
        payee=payee,
        currency=code,
        first=first,
        last=last,
        opening_minor=-before.after_minor if before else 0,
        closing_minor=-until.after_minor if until else 0,
        sums=_sums(found.id, first, last),
        account=found.id,
        after_entry=before.id if before else 0,
        last_entry=until.id if until else 0,
    )


def page(statement: Statement, *, after: int = 0, before: int = 0, limit: int = ON_A_PAGE) -> list[Line]:
    """Lines in the order they were written: those after the entry *after*, or the last ones before the entry *before*."""
    lowest = max(statement.after_entry, after)
    query = (
        Entry.select(Entry, Transaction)
        .join(Transaction)
        .where(Entry.account == statement.account, Entry.id > lowest, Entry.id <= statement.last_entry)
        .limit(limit)
    )
    if before:
        rows = list(query.where(Entry.id < before).order_by(Entry.id.desc()))[::-1]
    else:
        rows = list(query.order_by(Entry.id))
    return _lines(statement, rows)


def reaches_before(statement: Statement, entry: int) -> bool:
    """Whether the statement has lines before this entry."""
    here = (Entry.account == statement.account) & (Entry.id > statement.after_entry) & (Entry.id < entry)
    return bool(Entry.select(Entry.id).where(here).limit(1).exists())


def every(statement: Statement, *, at_once: int = 1000) -> Iterator[Line]:
    """All lines, read page by page: those of years fit into no memory."""
    after = 0
    while lines := page(statement, after=after, limit=at_once):
        yield from lines
        after = lines[-1].id


def month(now: datetime) -> tuple[date, date]:
    """Pure: the first and the last day of the month of *now*."""
    today = now.astimezone(UTC).date()
    return today.replace(day=1), (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(
        days=1
    )


def payee_named(text: str) -> Artist:
    """The artist with this address (slug) or id, or ``NotFound``."""
    artist: Artist | None = Artist.get_or_none((Artist.slug == text) | (Artist.id == text))
    if artist is None:
        raise NotFound("There is no such artist.")
    return artist


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _last_entry(account: int, instant: datetime) -> Entry | None:
    """The last entry before *instant*; of entries by instant as by number, see ``models.Account``."""
    found: Entry | None = (
        Entry.select()
        .where(Entry.account == account, Entry.at < instant)
        .order_by(Entry.at.desc(), Entry.id.desc())
        .first()
    )
    return found


def _sums(account: int, first: date, last: date) -> dict[TransactionKind, int]:
    query: Any = (
        DaySum.select(DaySum.kind, peewee.fn.SUM(DaySum.amount_minor))
        .where(DaySum.account == account, DaySum.day >= first, DaySum.day <= last)
        .group_by(DaySum.kind)
    )
    found = {TransactionKind(kind): -int(amount) for kind, amount in query.tuples()}
    return {kind: found[kind] for kind in TransactionKind if kind in found}


def _lines(statement: Statement, rows: list[Entry]) -> list[Line]:
    subjects = {row.id: row.transaction.subject.partition(":") for row in rows}
    ids = {subject for kind, _colon, subject in subjects.values() if kind == "payment"}
    sold, whose = _sold(statement.payee, ids)
    return [
        Line(
            id=row.id,
            at=row.at,
            kind=TransactionKind(row.transaction.kind),
            names=sold.get(subjects[row.id][2], ())
            or ((row.transaction.memo,) if row.transaction.memo else ()),
            artist=whose.get(subjects[row.id][2], ""),
            amount_minor=-row.amount_minor,
            balance_minor=-row.after_minor,
            reference=subjects[row.id][2],
        )
        for row in rows
    ]


def _sold(payee: str, ids: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Of each payment the names of the things that this payee has a part in, and whose sale it was, when it was another's."""
    wanted = list(ids)
    if not wanted:
        return {}, {}
    payments = {
        row.id: row.artist for row in Payment.select(Payment.id, Payment.artist).where(Payment.id.in_(wanted))
    }
    lines = list(
        PaymentLine.select()
        .where(PaymentLine.payment.in_(wanted))
        .order_by(PaymentLine.payment, PaymentLine.position)
    )
    agreements = {line.agreement for line in lines} - {""}
    own = {
        part.agreement_id
        for part in (
            SplitPart.select(SplitPart.agreement).where(
                SplitPart.payee == payee, SplitPart.agreement.in_(agreements)
            )
            if agreements
            else ()
        )
    }
    names: dict[str, tuple[str, ...]] = {}
    for line in lines:
        mine = line.agreement in own if line.agreement else payments.get(line.payment_id) == payee
        if mine and line.name:
            names[line.payment_id] = (*names.get(line.payment_id, ()), line.name)
    others = {artist for artist in payments.values() if artist != payee}
    called = (
        {row.id: row.name for row in Artist.select(Artist.id, Artist.name).where(Artist.id.in_(others))}
        if others
        else {}
    )
    return names, {payment: called.get(artist, "") for payment, artist in payments.items()}
