"""Whether papers agree with money: each payment of a membership has its receipt, no number is missing, and credit notes come to what went back."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance import database
from appliance.ledger.checking import Difference
from appliance.ledger.models import Payment
from appliance.memberships.subscription_models import Subscription
from appliance.shop.models import Receipt

MOST_NAMED = 100
WAITED_FOR = timedelta(days=2)
"""What is older was caught up with by now, such as what was paid before there were such receipts."""
GAPS = """
    SELECT s.artist, s.{last}, COUNT(r.id), COALESCE(MAX(r.number), 0) FROM shop_seller s
    LEFT JOIN {table} r ON r.artist = s.artist
    GROUP BY s.artist, s.{last} HAVING COUNT(r.id) <> s.{last} OR COALESCE(MAX(r.number), 0) <> s.{last} ORDER BY s.artist
"""
UNCREDITED = """
    SELECT r.id, r.credited_minor, COALESCE(n.credited, 0), p.total, p.paid, p.gone FROM shop_receipt r
    LEFT JOIN (SELECT receipt_id, SUM(amount_minor) AS credited FROM shop_credit_note GROUP BY receipt_id) n
        ON n.receipt_id = r.id
    JOIN (
        SELECT r2.id, COALESCE(o.total_minor, SUM(p2.amount_minor)) AS total, SUM(p2.amount_minor) AS paid,
            SUM(p2.refunded_minor + p2.lost_minor) AS gone
        FROM shop_receipt r2 LEFT JOIN shop_order o ON o.id = r2.order_id
        JOIN payment p2 ON p2.mark = r2.order_id GROUP BY r2.id, o.total_minor
        UNION ALL
        SELECT r3.id, p3.amount_minor, p3.amount_minor, p3.refunded_minor + p3.lost_minor
        FROM shop_receipt r3 JOIN payment p3 ON p3.id = r3.payment
    ) p ON p.id = r.id
    WHERE p.gone > 0 OR r.credited_minor <> 0 OR COALESCE(n.credited, 0) <> 0 ORDER BY r.id
"""


def differences(now: datetime) -> Iterator[Difference]:
    """Each paper that is missing or says something else than the books."""
    yield from without_receipt(now)
    for table, last, what in (
        ("shop_receipt", "last_number", "receipts"),
        ("shop_credit_note", "last_credit_number", "credit notes"),
    ):
        yield from gaps(table, last, what)
    yield from wrongly_credited()


def without_receipt(now: datetime) -> Iterator[Difference]:
    """Payments of memberships that have no receipt."""
    there = Receipt.select(Receipt.id).where(Receipt.payment == Payment.id)
    query = (
        Payment.select(Payment.id)
        .join(Subscription, on=(Subscription.id == Payment.mark))
        .where(Payment.amount_minor > 0, Payment.created_at < now - WAITED_FOR, ~peewee.fn.EXISTS(there))
        .order_by(Payment.id)
        .limit(MOST_NAMED)
    )
    for payment in query:
        yield Difference("papers", f"payment:{payment.id}", "It is for a membership and has no receipt.")


def gaps(table: str, last: str, what: str) -> Iterator[Difference]:
    """Sellers whose numbers are not one for each paper, from 1 on."""
    cursor: Any = database.proxy.execute_sql(GAPS.format(table=table, last=last))
    for artist, counted, there, highest in cursor.fetchmany(MOST_NAMED):
        yield Difference(
            "papers",
            f"seller:{artist}",
            f"The last number of its {what} is {counted}; there are {there}, up to number {highest}.",
        )


def wrongly_credited() -> Iterator[Difference]:
    """Receipts whose credit notes do not come to what went back of them."""
    named = 0
    for receipt, says, credited, total, paid, gone in database.proxy.execute_sql(UNCREDITED):
        # What was paid beyond the total stands on no receipt, and goes back without a credit note.
        wanted = max(0, min(total, gone - max(0, paid - total)))
        if (says, credited) != (wanted, wanted):
            named += 1
            yield Difference(
                "papers",
                f"receipt:{receipt}",
                f"Of it {wanted} went back; its credit notes come to {credited}, and it says {says}.",
            )
        if named >= MOST_NAMED:
            return
