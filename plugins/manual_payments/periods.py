"""Pure: months from an anchor on, and parts of an amount."""

import calendar
from datetime import datetime

from appliance.payments import Interval

MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}


def after(anchor: datetime, months: int) -> datetime:
    """So many months after *anchor*: the same day, or the last one of a month that is too short."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def part(amount: int, of: int, whole: int) -> int:
    """*of* / *whole* of *amount*, a half rounded up."""
    return (2 * amount * of + whole) // (2 * whole) if whole else 0
