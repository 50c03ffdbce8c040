"""Whether the books say of each payment what follows from it, and of each payee what follows from the agreements."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import peewee

from appliance import database
from appliance.ledger import settlement
from appliance.ledger import splits
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Entry
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import SplitTotal
from appliance.ledger.models import Transaction
from appliance.ledger.payments import OF_PROVIDER

AT_ONCE = 5_000
PAYABLE = str(AccountKind.PAYABLE)
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
    accounts = {
        row[0]: row[1:]
        for row in _raw(Account.select(Account.id, Account.kind, Account.owner, Account.currency))
    }
    last = ""
    while rows := _payments(last):
        last = rows[-1][0]
        between = (rows[0][0], last)
        booked, lines = _booked(*between, accounts), _lines(*between)
        for payment, provider, known in rows:
            yield from _compared(payment, provider, known, booked.get(payment, {}), lines.get(payment, 0))


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


def _payments(after: str) -> list[tuple[str, str, settlement.Known]]:
    query = (
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
        )
        .where(Payment.id > after)
        .order_by(Payment.id)
        .limit(AT_ONCE)
    )
    return [(row[0], row[1], settlement.Known(*row[2:])) for row in _raw(query)]


def _booked(first: str, last: str, accounts: Mapping[int, tuple[str, str, str]]) -> dict[str, Booked]:
    query = (
        Entry.select(Transaction.subject, Entry.account, Entry.amount_minor)
        .join(Transaction)
        .where(Transaction.subject.between(f"payment:{first}", f"payment:{last}"))
    )
    found: dict[str, Booked] = {}
    for subject, account, amount in _raw(query):
        booked = found.setdefault(subject[len("payment:") :], {})
        kind, owner, currency = accounts[account]
        key = (kind, "" if kind == PAYABLE else owner, currency)
        booked[key] = booked.get(key, 0) + amount
    return found


def _lines(first: str, last: str) -> dict[str, int]:
    query = (
        PaymentLine.select(PaymentLine.payment, peewee.fn.SUM(PaymentLine.booked_minor))
        .where(PaymentLine.payment.between(first, last))
        .group_by(PaymentLine.payment)
    )
    return {payment: int(amount) for payment, amount in _raw(query)}


def _raw(query: "peewee.ModelSelect[Any]") -> Iterator[tuple[Any, ...]]:
    """The rows as the driver gives them: texts and numbers need no conversion, which for a million of them takes longer than the question."""
    return iter(database.proxy.execute_sql(*query.sql()))
