"""Writing into the books: a transaction whose entries balance, once for each key."""

from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from typing import Any

from appliance import database
from appliance.database import transaction
from appliance.errors import Invalid
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import DaySum
from appliance.ledger.models import Entry
from appliance.ledger.models import Transaction
from appliance.ledger.models import TransactionKind

MOST_MINOR = 10**15
"""No single entry is larger: a sum of very many still fits the column."""

Line = tuple[AccountKind, str]
"""An account without its currency: its kind and its owner."""


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
        written = (
            Transaction.insert(key=key, kind=kind, subject=subject, at=now, memo=memo[:200])
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        if not written:
            return False
        made: int = Transaction.get(Transaction.key == key).id
        # In one order everywhere, or two transactions that meet on two accounts would wait for each other.
        for account, amount in sorted((_account(line, currency), amounts[line]) for line in sorted(amounts)):
            _enter(made, kind, account, amount, now=now)
    return True


def _enter(made: int, kind: TransactionKind, account: int, amount: int, *, now: datetime) -> None:
    held = database.locked(Account.select().where(Account.id == account)).get()
    after = held.balance_minor + amount
    # Who waited for the account writes after the others, so its instant is not before theirs.
    at = max(now, held.moved_at or now)
    Account.update(balance_minor=after, moved_at=at).where(Account.id == account).execute()
    Entry.insert(transaction=made, account=account, amount_minor=amount, after_minor=after, at=at).execute()
    if held.kind == AccountKind.PAYABLE:
        DaySum.insert(
            account=account, day=at.astimezone(UTC).date(), kind=kind, amount_minor=amount
        ).on_conflict(
            conflict_target=[DaySum.account, DaySum.day, DaySum.kind],
            update={DaySum.amount_minor: DaySum.amount_minor + amount},
        ).execute()


def booked(subject: str) -> dict[Line, int]:
    """What was written about *subject* so far, by account."""
    rows: Any = (
        Entry.select(Account.kind, Account.owner, Entry.amount_minor)
        .join(Transaction)
        .switch(Entry)
        .join(Account)
        .where(Transaction.subject == subject)
    )
    sums: dict[Line, int] = {}
    for kind, owner, amount in rows.tuples():
        line = (AccountKind(kind), owner)
        sums[line] = sums.get(line, 0) + amount
    return sums


def count(subject: str) -> int:
    """How many transactions there are about *subject*."""
    return int(Transaction.select().where(Transaction.subject == subject).count())


def _account(line: Line, currency: str) -> int:
    kind, owner = line
    here = (Account.kind == kind) & (Account.owner == owner) & (Account.currency == currency)
    found = Account.get_or_none(here)
    if found is None:
        Account.insert(kind=kind, owner=owner, currency=currency).on_conflict_ignore().execute()
        found = Account.get(here)
    return int(found.id)


def balance(kind: AccountKind, owner: str, currency: str) -> int:
    """The balance of an account in minor units, debits positive; nothing when it was never written to."""
    here = (Account.kind == kind) & (Account.owner == owner) & (Account.currency == currency)
    found = Account.get_or_none(here)
    return int(found.balance_minor) if found is not None else 0


def hold(kind: AccountKind, owner: str, currency: str) -> int:
    """The balance, with its account held until the transaction ends, so that nobody spends it meanwhile."""
    account = _account((kind, owner), currency)
    return int(database.locked(Account.select().where(Account.id == account)).get().balance_minor)
