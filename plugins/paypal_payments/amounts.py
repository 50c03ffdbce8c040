"""Pure: amounts as PayPal writes them, and months."""

import calendar
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance import currencies
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.payments import Interval

_CODES = "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD"
TAKEN = frozenset(_CODES.split())
WHOLE = frozenset({"HUF", "JPY", "TWD"})
"""Of these PayPal takes no parts, whatever ISO 4217 says."""
LEAST = 100
MOST = 99_999_999
MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}
UNITS = {"MONTH": Interval.MONTH, "YEAR": Interval.YEAR}
# A payment of a period may be booked a little before it begins.
_EARLY = timedelta(hours=12)


def least(currency: str) -> int | None:
    """The smallest amount: one of it, or a hundred where there is nothing smaller; ``None`` where it is not taken."""
    return LEAST if currency in TAKEN else None


def check(amount_minor: int, currency: str) -> None:
    """``Invalid`` for an amount that PayPal does not take."""
    smallest = least(currency)
    if smallest is None:
        raise Invalid("PayPal takes no {currency}.", currency=currency[:10])
    if not smallest <= amount_minor <= MOST:
        raise Invalid("This amount is too small or too large for PayPal.")
    if currency in WHOLE and amount_minor % 10 ** currencies.DIGITS[currency]:
        raise Invalid("PayPal takes whole amounts of {currency} only.", currency=currency)


def money(amount_minor: int, currency: str) -> dict[str, str]:
    """An amount as PayPal takes it."""
    value = currencies.written(amount_minor, currency)
    return {"currency_code": currency, "value": value.partition(".")[0] if currency in WHOLE else value}


def minor(told: Mapping[str, Any] | None) -> int:
    """What PayPal says an amount is, in minor units; nothing for none."""
    if not told:
        return 0
    value = str(told.get("value", told.get("total", "0")))
    currency = currency_of(told)
    digits = currencies.DIGITS.get(currency, 2)
    sign, whole, rest = _parts(value)
    if len(rest.rstrip("0")) > digits or not whole.isdigit() or (rest and not rest.isdigit()):
        raise Unavailable("PayPal wrote an amount that cannot be read.")
    return sign * int(whole + rest[:digits].ljust(digits, "0"))


def currency_of(told: Mapping[str, Any]) -> str:
    """The currency of an amount, which the two generations of the interface call differently."""
    return str(told.get("currency_code", told.get("currency", "")))


def part(amount: int, of: int, whole: int) -> int:
    """*of* / *whole* of *amount*, a half rounded up."""
    return (2 * amount * of + whole) // (2 * whole) if whole else 0


def instant(text: str | None) -> datetime | None:
    """An instant as PayPal writes it."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def after(anchor: datetime, months: int) -> datetime:
    """So many months after *anchor*: the same day, or the last one of a month that is too short."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def period(anchor: datetime, interval: Interval, paid_at: datetime) -> tuple[datetime, datetime]:
    """Which period a payment is for: of those counted from *anchor*, the one that it came in."""
    step, turn = MONTHS[interval], 0
    while after(anchor, (turn + 1) * step) <= paid_at + _EARLY:
        turn += 1
    return after(anchor, turn * step), after(anchor, (turn + 1) * step)


def _parts(value: str) -> tuple[int, str, str]:
    sign = -1 if value.startswith("-") else 1
    whole, _, rest = value.lstrip("-").partition(".")
    return sign, whole, rest
