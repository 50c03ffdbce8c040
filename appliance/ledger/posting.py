"""Writing into the books: a transaction whose entries balance, once for each key."""

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any

import peewee

from appliance import database
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import DaySum
from appliance.ledger.models import Entry
from appliance.ledger.models import Transaction
from appliance.ledger.models import TransactionKind
from appliance.prepared import Statement

MOST_MINOR = 10**15
"""No single entry is larger: a sum of very many still fits the column."""

Line = tuple[AccountKind, str]
"""An account without its currency: its kind and its owner."""


# What every transaction asks and writes, put into words once: a payment takes some thirty statements, and a flood of them comes at once.
_write = Statement(
    lambda key, kind, subject, at, memo: (
        Transaction.insert(
            {
                Transaction.key: key,
                Transaction.kind: kind,
                Transaction.subject: subject,
                Transaction.at: at,
                Transaction.memo: memo,
            }
        )
        .on_conflict_ignore()
        .as_rowcount()
    ),
    5,
)
_number = Statement(lambda key: Transaction.select(Transaction.id).where(Transaction.key == key), 1)
_count = Statement(
    lambda subject: Transaction.select(peewee.fn.COUNT(Transaction.id)).where(Transaction.subject == subject),
    1,
)
_place = Statement(
    lambda kind, owner, currency: Account.select(Account.id).where(
        Account.kind == kind, Account.owner == owner, Account.currency == currency
    ),
    3,
)
_held = Statement(
    lambda account: database.locked(
        Account.select(Account.balance_minor, Account.moved_at, Account.kind).where(Account.id == account)
    ),
    1,
)
_move = Statement(
    lambda balance, at, account: Account.update({Account.balance_minor: balance, Account.moved_at: at}).where(
        Account.id == account
    ),
    3,
)
_add = Statement(
    lambda made, account, amount, after, at: Entry.insert(
        {
            Entry.transaction: made,
            Entry.account: account,
            Entry.amount_minor: amount,
            Entry.after_minor: after,
            Entry.at: at,
        }
    ).as_rowcount(),
    5,
)
_add_to_day = Statement(
    lambda account, day, kind, amount: (
        DaySum.insert(
            {
                DaySum.account: account,
                DaySum.day: day,
                DaySum.kind: kind,
                DaySum.amount_minor: amount,
            }
        )
        .on_conflict(
            conflict_target=[DaySum.account, DaySum.day, DaySum.kind],
            update={DaySum.amount_minor: DaySum.amount_minor + amount},
        )
        .as_rowcount()
    ),
    4,
)
_entries = Statement(
    lambda subject: (
        Entry.select(Account.kind, Account.owner, Entry.amount_minor)
        .join(Transaction)
        .switch(Entry)
        .join(Account)
        .where(Transaction.subject == subject)
    ),
    1,
)


def post(
    key: str,
    kind: TransactionKind,
    entries: Mapping[Line, int],
    *,
    currency: str,
    subject: str,
    now: datetime,
    memo: str = "",
) -> bool:
    """Write *entries*, debits positive, in minor units; False when *key* was written before, and nothing happens.

    ``Invalid`` when they do not balance.
    """
    amounts = {line: amount for line, amount in entries.items() if amount}
    if sum(amounts.values()) or any(abs(amount) > MOST_MINOR for amount in amounts.values()):
        raise Invalid("These entries do not balance, so they are not written.")
    if not amounts:
        return False
    with transaction():
        written = _write(key, str(kind), subject, _instant(now), memo[:200])
        if not written.rowcount:
            return False
        made = int(_number(key).fetchone()[0])
        # In one order everywhere, or two transactions that meet on two accounts would wait for each other.
        for account, amount in sorted((_account(line, currency), amounts[line]) for line in sorted(amounts)):
            _enter(made, kind, account, amount, now=now)
    return True


def _enter(made: int, kind: TransactionKind, account: int, amount: int, *, now: datetime) -> None:
    balance, moved, of = _held(account).fetchone()
    after, moved_at = balance + amount, Account.moved_at.python_value(moved)
    # Who waited for the account writes after the others, so its instant is not before theirs.
    at = max(now, moved_at or now)
    _move(after, _instant(at), account)
    _add(made, account, amount, after, _instant(at))
    if of == AccountKind.PAYABLE:
        _add_to_day(account, at.astimezone(UTC).date(), str(kind), amount)


def booked(subject: str) -> dict[Line, int]:
    """What was written about *subject* so far, by account."""
    sums: dict[Line, int] = {}
    for kind, owner, amount in _entries(subject).fetchall():
        line = (AccountKind(kind), owner)
        sums[line] = sums.get(line, 0) + amount
    return sums


def count(subject: str) -> int:
    """How many transactions there are about *subject*."""
    return int(_count(subject).fetchone()[0])


def _account(line: Line, currency: str) -> int:
    kind, owner = line
    found = _place(str(kind), owner, currency).fetchone()
    if found is None:
        Account.insert(kind=kind, owner=owner, currency=currency).on_conflict_ignore().execute()
        found = _place(str(kind), owner, currency).fetchone()
    return int(found[0])


def _instant(at: datetime) -> Any:
    return Entry.at.db_value(at)


def balance(kind: AccountKind, owner: str, currency: str) -> int:
    """The balance of an account in minor units, debits positive; nothing when it was never written to."""
    here = (Account.kind == kind) & (Account.owner == owner) & (Account.currency == currency)
    found = Account.get_or_none(here)
    return int(found.balance_minor) if found is not None else 0


def hold(kind: AccountKind, owner: str, currency: str) -> int:
    """The balance, with its account held until the transaction ends, so that nobody spends it meanwhile."""
    account = _account((kind, owner), currency)
    return int(database.locked(Account.select().where(Account.id == account)).get().balance_minor)
