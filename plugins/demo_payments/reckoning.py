"""Pure: what the demo's till charges, keeps and gives back; whole numbers of minor units, and time to the second."""

import calendar
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance.currencies import DIGITS
from appliance.payments import Interval

MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}
FEE_BPS = 290
FEE_FLAT = {0: 30, 2: 30, 3: 300}
"""0.30, and 30 of a currency without digits."""
DISPUTE_FEE = {0: 1500, 2: 1500, 3: 15_000}
LEAST = {0: 50, 2: 50, 3: 500}
MOST = 99_999_999
"""What one payment may be, as with the real ones."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of price at once comes to: *due* now, *credit* left for later, and when the next payment is."""

    due: int
    credit: int
    period_end: datetime
    anew: bool


def fee(amount: int, currency: str) -> int:
    """What the till keeps of a payment: 2.9 % and 0.30, a half rounded up, never more than all of it."""
    return min(amount, (amount * FEE_BPS + 5_000) // 10_000 + FEE_FLAT[DIGITS[currency]])


def part(amount: int, of: int, whole: int) -> int:
    """*of* / *whole* of *amount*, a half rounded up."""
    return (2 * amount * of + whole) // (2 * whole)


def after(anchor: datetime, months: int) -> datetime:
    """So many months after *anchor*: the same day, or the last one of a month that is too short."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def moved(
    old: tuple[int, Interval],
    new: tuple[int, Interval],
    *,
    period: tuple[datetime, datetime],
    credit: int,
    at: datetime,
) -> Moved:
    """What it comes to when the price changes from *old* to *new* within *period*: what is left of it counts, to the second."""
    start, end = period
    left, whole = max(0, (end - at) // _SECOND), max(1, (end - start) // _SECOND)
    anew = old[1] is not new[1]
    worth = part(old[0], left, whole)
    price = new[0] if anew else part(new[0], left, whole)
    due = price - worth - credit
    return Moved(max(due, 0), max(-due, 0), after(at, MONTHS[new[1]]) if anew else end, anew)
