"""Whether the books hold together: every transaction balances, every balance and every chain is the sum of its entries, and what was written follows
from what is known of each payment and from the agreements on sharing.

Each question is put to the database as a whole, and all of them to one and the same state of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from appliance import database
from appliance.ledger import following

MOST_NAMED = 100
"""So many rows of each kind are named; when the books are that wrong, more names help nobody."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that does not fit: which *check* found it, the *row* by its kind and id, and a *sentence* with both figures."""

    check: str
    row: str
    sentence: str


UNBALANCED = """
    SELECT e.transaction_id, SUM(e.amount_minor), COUNT(DISTINCT a.currency)
    FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
    GROUP BY e.transaction_id HAVING SUM(e.amount_minor) <> 0 OR MIN(a.currency) <> MAX(a.currency)
    ORDER BY e.transaction_id
"""
EMPTY = """
    SELECT t.id, t.key FROM ledger_transaction t
    WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.transaction_id = t.id) ORDER BY t.id
"""
WRONG_BALANCES = """
    SELECT a.id, a.kind, a.owner, a.currency, a.balance_minor, COALESCE(s.total, 0)
    FROM ledger_account a
    LEFT JOIN (SELECT account_id, SUM(amount_minor) AS total FROM ledger_entry GROUP BY account_id) s ON s.account_id = a.id
    WHERE a.balance_minor <> COALESCE(s.total, 0) ORDER BY a.id
"""
BROKEN_CHAINS = """
    SELECT id, account_id, after_minor, wanted FROM (
        SELECT id, account_id, after_minor,
            amount_minor + LAG(after_minor, 1, 0) OVER (PARTITION BY account_id ORDER BY id) AS wanted,
            at, LAG(at) OVER (PARTITION BY account_id ORDER BY id) AS earlier
        FROM ledger_entry
    ) chained WHERE after_minor <> wanted OR at < earlier ORDER BY id
"""
WRONG_DAYS = """
    SELECT a.owner, a.currency, COALESCE(s.total, 0), COALESCE(d.total, 0)
    FROM ledger_account a
    LEFT JOIN (
        SELECT e.account_id, t.kind, SUM(e.amount_minor) AS total FROM ledger_entry e
        JOIN ledger_transaction t ON t.id = e.transaction_id GROUP BY e.account_id, t.kind
    ) s ON s.account_id = a.id
    LEFT JOIN (
        SELECT account_id, kind, SUM(amount_minor) AS total FROM ledger_day GROUP BY account_id, kind
    ) d ON d.account_id = a.id AND d.kind = s.kind
    WHERE a.kind = 'payable' AND COALESCE(s.total, 0) <> COALESCE(d.total, 0) ORDER BY a.id
"""
WRONG_REFUNDS = """
    SELECT p.id, p.refunded_minor, COALESCE(r.total, 0) FROM payment p
    LEFT JOIN (
        SELECT provider, payment, SUM(CASE WHEN failed THEN 0 ELSE amount_minor END) AS total
        FROM refund GROUP BY provider, payment
    ) r ON r.provider = p.provider AND r.payment = p.reference
    WHERE p.refunded_minor <> COALESCE(r.total, 0) ORDER BY p.id
"""
WRONG_DISPUTES = """
    SELECT p.id, p.contested_minor + p.lost_minor + p.dispute_fees_minor, COALESCE(d.total, 0) FROM payment p
    LEFT JOIN (
        SELECT provider, payment, SUM(fee_minor + CASE WHEN state IN ('open', 'lost') THEN amount_minor ELSE 0 END) AS total
        FROM dispute GROUP BY provider, payment
    ) d ON d.provider = p.provider AND d.payment = p.reference
    WHERE p.contested_minor + p.lost_minor + p.dispute_fees_minor <> COALESCE(d.total, 0) ORDER BY p.id
"""
WRONG_TOTALS = """
    SELECT s.agreement_id, s.currency, s.total_minor, COALESCE(l.total, 0) FROM split_total s
    LEFT JOIN (
        SELECT l.agreement, p.currency, SUM(l.booked_minor) AS total FROM payment_line l
        JOIN payment p ON p.id = l.payment_id WHERE l.agreement <> '' GROUP BY l.agreement, p.currency
    ) l ON l.agreement = s.agreement_id AND l.currency = s.currency
    WHERE s.total_minor <> COALESCE(l.total, 0) ORDER BY s.agreement_id
"""


def differences() -> list[Difference]:
    """Everything in the books that does not fit; empty when all is well."""
    with database.snapshot():
        return [
            *_asked(
                "transactions balance", UNBALANCED, "transaction:{0}", "Its entries come to {1} and not to 0."
            ),
            *_asked("transactions balance", EMPTY, "transaction:{0}", "It has no entries ({1})."),
            *_asked(
                "balances",
                WRONG_BALANCES,
                "account:{0}",
                "The balance of {1} {2} {3} is {4}; its entries come to {5}.",
            ),
            *_asked(
                "chains",
                BROKEN_CHAINS,
                "entry:{0}",
                "The balance after it on account {1} is {2}; by the entry before it would be {3}, and no entry is earlier than the one before.",
            ),
            *_asked(
                "days", WRONG_DAYS, "payee:{0}", "In {1}, entries of one kind come to {2}, their days to {3}."
            ),
            *_asked(
                "refunds", WRONG_REFUNDS, "payment:{0}", "It says {1} went back; its refunds come to {2}."
            ),
            *_asked("disputes", WRONG_DISPUTES, "payment:{0}", "It says {1} for disputes; they come to {2}."),
            *_asked(
                "shares", WRONG_TOTALS, "agreement:{0}", "In {1} it has shared {2}; its lines come to {3}."
            ),
            *_followed("payments", following.payments()),
            *_followed("payees", following.payees()),
        ]


def _asked(check: str, sql: str, row: str, sentence: str) -> Iterator[Difference]:
    cursor: Any = database.proxy.execute_sql(sql)
    for values in islice(cursor, MOST_NAMED):
        yield Difference(check, row.format(*values), sentence.format(*values))


def _followed(check: str, found: Iterator[tuple[str, str]]) -> Iterator[Difference]:
    for row, sentence in islice(found, MOST_NAMED):
        yield Difference(check, row, sentence)
