"""Whether the books say of each payout what its row does: on its way, arrived, or back with the payee."""

from collections.abc import Iterator
from typing import Any

from appliance import database
from appliance.ledger.checking import Difference
from appliance.payouts.models import PayoutStanding

MOST_NAMED = 100
BOOKED = """
    SELECT p.id, p.state, p.amount_minor, p.currency, b.payable, b.transit, b.arrived FROM (
        SELECT q.id,
            COALESCE(SUM(CASE WHEN a.kind = 'payable' AND a.owner = q.payee THEN e.amount_minor ELSE 0 END), 0) AS payable,
            COALESCE(SUM(CASE WHEN a.kind = 'payouts_in_transit' THEN -e.amount_minor ELSE 0 END), 0) AS transit,
            COALESCE(SUM(CASE WHEN a.kind = 'paid_out' THEN -e.amount_minor ELSE 0 END), 0) AS arrived
        FROM payout q
        LEFT JOIN ledger_transaction t ON t.subject = 'payout:' || q.id
        LEFT JOIN ledger_entry e ON e.transaction_id = t.id
        LEFT JOIN ledger_account a ON a.id = e.account_id AND a.currency = q.currency
        GROUP BY q.id
    ) b JOIN payout p ON p.id = b.id ORDER BY p.id
"""


def differences() -> Iterator[Difference]:
    """Each payout of which the books say something else than its row."""
    named = 0
    cursor: Any = database.proxy.execute_sql(BOOKED)
    for payout, state, amount, currency, payable, transit, arrived in cursor:
        gone = 0 if state == PayoutStanding.FAILED else amount
        paid = gone if state == PayoutStanding.PAID else 0
        if (payable, transit, arrived) == (gone, gone - paid, paid):
            continue
        yield Difference(
            "payouts",
            f"payout:{payout}",
            f"It is {state}, of {amount} (minor units of {currency}); by the books {payable} left the payee, "
            f"{transit} are on their way and {arrived} arrived.",
        )
        named += 1
        if named >= MOST_NAMED:
            return
