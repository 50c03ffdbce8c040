"""Whether the books say of each payment what follows from it, and of each payee what follows from the agreements."""

from collections.abc import Iterator
from typing import Any

import peewee

from appliance import database
from appliance.ledger import settlement
from appliance.ledger import splits
from appliance.ledger.booking import OF_PROVIDER
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Entry
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import SplitTotal
from appliance.ledger.models import Transaction

AT_ONCE = 5_000
PAYABLE = str(AccountKind.PAYABLE)
BOOKS = (
    AccountKind.FAN_PAYMENTS,
    AccountKind.PROCESSOR_FEES,
    AccountKind.REFUNDS,
    AccountKind.DISPUTE_RESERVE,
    AccountKind.TAXES,
    AccountKind.PLATFORM_SHARE,
)
KINDS = (*BOOKS, AccountKind.PAYABLE)
"""Accounts that a payment can be booked on."""
Booked = dict[tuple[str, str, str], int]
"""What was booked of one payment, by kind, owner and currency of the account; what payees got, without whom."""
ORPHANS = """
    SELECT t.id, t.subject FROM ledger_transaction t LEFT JOIN payment p ON p.id = SUBSTR(t.subject, 9)
    WHERE SUBSTR(t.subject, 1, 8) = 'payment:' AND p.id IS NULL ORDER BY t.id
"""
EARNED = """
    SELECT a.owner, a.currency, SUM(e.amount_minor) FROM ledger_entry e
    JOIN ledger_account a ON a.id = e.account_id JOIN ledger_transaction t ON t.id = e.transaction_id
    WHERE a.kind = 'payable' AND SUBSTR(t.subject, 1, 8) = 'payment:' GROUP BY a.owner, a.currency
"""
OWN = """
    SELECT p.artist, p.currency, SUM(l.booked_minor) FROM payment_line l JOIN payment p ON p.id = l.payment_id
    WHERE l.agreement = '' GROUP BY p.artist, p.currency
"""


def payments() -> Iterator[tuple[str, str]]:
    """Payments of which the books do not say what ``settlement.target`` does: the row, and a sentence."""
    for transaction, subject in database.proxy.execute_sql(ORPHANS):
        yield f"transaction:{transaction}", f"It is about {subject}, which there is not."
    for payment, provider, known, lines in _suspected():
        yield from _compared(payment, provider, known, _booked(payment), lines)


def payees() -> Iterator[tuple[str, str]]:
    """Payees whose accounts got something else from payments than the agreements give them: the row, and a sentence."""
    owed: dict[tuple[str, str], int] = {}

    def add(payee: str, currency: str, amount: int) -> None:
        owed[payee, currency] = owed.get((payee, currency), 0) + amount

    for artist, currency, amount in database.proxy.execute_sql(OWN):
        add(artist, currency, int(amount))
    for total in SplitTotal.select():
        parts = splits.parts_of(total.agreement_id, total.currency)
        for payee, amount in splits.allocate(total.total_minor, parts).items():
            add(payee, total.currency, amount)
    got = {(owner, code): -int(amount) for owner, code, amount in database.proxy.execute_sql(EARNED)}
    for payee, currency in sorted(owed.keys() | got.keys()):
        wanted, there = owed.get((payee, currency), 0), got.get((payee, currency), 0)
        if wanted != there:
            yield (
                f"payee:{payee}",
                f"In {currency}, the agreements give it {wanted}; its account got {there}.",
            )


def _compared(
    payment: str, provider: str, known: settlement.Known, booked: Booked, lines: int
) -> Iterator[tuple[str, str]]:
    books, artists = settlement.target(known)
    wanted: Booked = {
        (kind, provider if kind in OF_PROVIDER else "", known.currency): amount
        for kind, amount in books.items()
    }
    if artists:
        wanted[AccountKind.PAYABLE, "", known.currency] = -artists
    for kind, owner, currency in sorted(wanted.keys() | booked.keys()):
        right, there = wanted.get((kind, owner, currency), 0), booked.get((kind, owner, currency), 0)
        if right != there:
            where = " ".join(filter(None, (kind, owner, currency)))
            yield f"payment:{payment}", f"On {where} should be {right}; there is {there}."
    if lines != artists:
        yield f"payment:{payment}", f"The artists' part is {artists}; its lines come to {lines}."


def _suspected() -> Iterator[tuple[str, str, settlement.Known, int]]:
    """Payments of which the sums are not what they must be, and how their lines sum up.

    The database adds up, a row for each payment: to fetch a million entries takes three times as long.
    """
    after: str | None = ""
    while after is not None:
        last = _last_of_many(after)
        for payment, provider, *rest in _raw(_sums(after, last)):
            *facts, lines, strange = rest[: -len(KINDS)]
            known = settlement.Known(*facts)
            books, artists = settlement.target(known)
            wanted = [*(books.get(kind, 0) for kind in BOOKS), -artists]
            if strange or lines != artists or rest[-len(KINDS) :] != wanted:
                yield payment, provider, known, int(lines)
        after = last


def _last_of_many(after: str) -> str | None:
    """The payment until which to look in one go; ``None`` when that is until the end."""
    query = Payment.select(Payment.id).where(Payment.id > after).order_by(Payment.id)
    return next((row[0] for row in _raw(query.offset(AT_ONCE - 1).limit(1))), None)


def _sums(after: str, last: str | None) -> "peewee.ModelSelect[Payment]":
    """For each payment what is known of it, the sum of its lines, how many entries are on accounts that are not its own, and a sum by kind."""
    own = peewee.Case(
        None,
        [(Account.kind.in_(sorted(OF_PROVIDER)), Payment.provider), (Account.kind == PAYABLE, Account.owner)],
        "",
    )
    strange = (
        (Account.currency != Payment.currency) | (Account.owner != own) | Account.kind.not_in(list(KINDS))
    )
    lines = PaymentLine.select(peewee.fn.COALESCE(peewee.fn.SUM(PaymentLine.booked_minor), 0))
    here = Payment.id > after
    query: peewee.ModelSelect[Payment] = (
        Payment.select(
            Payment.id,
            Payment.provider,
            Payment.amount_minor,
            Payment.currency,
            Payment.tax_minor,
            Payment.fee_minor,
            Payment.share_bps,
            Payment.refunded_minor,
            Payment.contested_minor,
            Payment.lost_minor,
            Payment.dispute_fees_minor,
            lines.where(PaymentLine.payment == Payment.id),
            _sum_where(strange, 1),
            *(_sum_where(Account.kind == kind, Entry.amount_minor) for kind in KINDS),
        )
        .join(
            Transaction,
            peewee.JOIN.LEFT_OUTER,
            on=(Transaction.subject == peewee.Value("payment:").concat(Payment.id)),
        )
        .join(Entry, peewee.JOIN.LEFT_OUTER, on=(Entry.transaction == Transaction.id))
        .join(Account, peewee.JOIN.LEFT_OUTER, on=(Entry.account == Account.id))
        .where(here if last is None else here & (Payment.id <= last))
        .group_by(Payment.id)
    )
    return query


def _sum_where(condition: Any, amount: Any) -> Any:
    return peewee.fn.SUM(peewee.Case(None, [(condition, amount)], 0))


def _booked(payment: str) -> Booked:
    query = (
        Entry.select(Account.kind, Account.owner, Account.currency, Entry.amount_minor)
        .join(Transaction)
        .switch(Entry)
        .join(Account)
        .where(Transaction.subject == f"payment:{payment}")
    )
    booked: Booked = {}
    for kind, owner, currency, amount in _raw(query):
        key = (kind, "" if kind == PAYABLE else owner, currency)
        booked[key] = booked.get(key, 0) + amount
    return booked


def _raw(query: "peewee.ModelSelect[Any]") -> Iterator[tuple[Any, ...]]:
    """The rows as the driver gives them: texts and numbers need no conversion, which for a million of them takes longer than the question."""
    return iter(database.proxy.execute_sql(*query.sql()))
