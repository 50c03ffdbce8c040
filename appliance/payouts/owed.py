"""What payees are owed now, by the books."""

from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind


def of_payee(payee: str) -> list[tuple[str, int]]:
    """What this payee is owed, by currency, in minor units; what they owe themselves after a refund is negative."""
    rows = Account.select().where(Account.kind == AccountKind.PAYABLE, Account.owner == payee)
    return [(row.currency, -row.balance_minor) for row in rows.order_by(Account.currency)]
