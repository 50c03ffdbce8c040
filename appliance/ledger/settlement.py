"""Pure: what the books must say of one payment, from what is known of it.

The order of taking: tax, then what the processor keeps, then the platform's share of what is left, and the rest is the artists'. The platform's
share is rounded down, so the artists keep the odd cent. Money that went back, is contested or lost counts as never earned; the
processor's fee for it stays, and is borne by the artists, as the platform has no share in a loss.
"""

from dataclasses import dataclass
from dataclasses import replace

from appliance.currencies import DIGITS
from appliance.ledger.models import AccountKind

ESTIMATE_BPS = 290
ESTIMATE_FLAT = {0: 30, 2: 30, 3: 300}
"""What a processor is taken to keep until it says: 2.9 % and 0.30, in minor units by the digits of the currency (30 of one without any)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a payment, in minor units of *currency*; without a *fee* the estimate stands for it."""

    amount: int
    currency: str
    tax: int = 0
    fee: int | None = None
    share_bps: int = 1000
    refunded: int = 0
    contested: int = 0
    lost: int = 0
    dispute_fees: int = 0


def estimated_fee(amount: int, currency: str) -> int:
    """Pure: what a processor may keep of *amount*; a half is rounded up, and it is never more than all of it."""
    return min(amount, (amount * ESTIMATE_BPS + 5_000) // 10_000 + ESTIMATE_FLAT[DIGITS[currency]])


def target(known: Known) -> tuple[dict[AccountKind, int], int]:
    """Pure: the balance that this payment must have on each account, and the artists' part (positive: owed to them); all sum to nothing."""
    kept = known.amount - known.refunded - known.contested - known.lost
    tax = known.tax * kept // known.amount if known.amount and kept > 0 else 0
    fee = estimated_fee(known.amount, known.currency) if known.fee is None else known.fee
    fees = fee + known.dispute_fees
    base = kept - tax - fees
    share = max(base, 0) * known.share_bps // 10_000
    books = {
        AccountKind.FAN_PAYMENTS: known.amount,
        AccountKind.REFUNDS: -known.refunded - known.lost,
        AccountKind.DISPUTE_RESERVE: -known.contested,
        AccountKind.TAXES: -tax,
        AccountKind.PROCESSOR_FEES: -fees,
        AccountKind.PLATFORM_SHARE: -share,
    }
    return {kind: amount for kind, amount in books.items() if amount}, base - share


def without_contest(known: Known) -> Known:
    """Pure: the same as if whoever contests it had lost."""
    return replace(known, contested=0)


def apportion(total: int, weights: list[int]) -> list[int]:
    """Pure: *total* in parts as *weights* say, to the cent: the largest remainders get the odd ones, of equal ones the first (Hamilton's method).

    A negative total is apportioned as its opposite.
    """
    if total < 0:
        return [-part for part in apportion(-total, weights)]
    whole = sum(weights)
    if whole <= 0:
        return [total if position == 0 else 0 for position in range(len(weights))]
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts
