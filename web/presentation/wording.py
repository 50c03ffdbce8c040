"""Lengths, sizes and dates as people write them, in the reader's language."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel import dates
from babel import numbers
from flask_babel import format_date
from flask_babel import format_decimal
from flask_babel import get_locale

from appliance.currencies import DIGITS


def duration(milliseconds: int | None) -> str:
    """A length as people write it: ``3:45`` or ``1:02:03``; empty while it is unknown."""
    if milliseconds is None:
        return ""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(size_bytes: int) -> str:
    """A size as people write it."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    if size_bytes < 1_000_000_000:
        return f"{format_decimal(size_bytes / 1e6, format='0.0')} MB"
    return f"{format_decimal(size_bytes / 1e9, format='0.00')} GB"


def price(amount_minor: int, currency: str) -> str:
    """An amount in minor units with its currency; whole amounts without the digits behind the point."""
    digits = DIGITS[currency]
    amount = Decimal(amount_minor).scaleb(-digits)
    whole = amount == amount.to_integral_value()
    pattern = get_locale().currency_formats["standard"].pattern
    return str(
        numbers.format_currency(
            amount,
            currency,
            format=re.sub(r"\.0+", "", pattern) if whole else None,
            locale=get_locale(),
            currency_digits=not whole,
        )
    )


def short_day(value: date) -> str:
    """A date with its month cut short, for where there is little room."""
    return _short_day(value, get_locale())


@lru_cache(maxsize=4096)
def _short_day(value: date, locale: Locale) -> str:
    # Lists have dozens of dates, and many of them are the same.
    return str(dates.format_date(value, "medium", locale))


def day(value: date) -> str:
    """A date with its month in letters, which no country reads the other way round."""
    return str(format_date(value, "long"))


def amount(amount_minor: int, currency: str) -> str:
    """An amount in minor units with its currency and all of its digits, as it stands in books and statements."""
    digits = DIGITS[currency]
    pattern = get_locale().currency_formats["standard"].pattern
    if numbers.get_currency_symbol(currency, get_locale())[-1:].isalpha():
        # Letters do not touch the figure.
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return str(
        numbers.format_currency(
            Decimal(amount_minor).scaleb(-digits),
            currency,
            # By ISO 4217; what Babel knows of digits is custom, and rounds.
            format=re.sub(r"\.0+", f".{'0' * digits}" if digits else "", pattern),
            locale=get_locale(),
            currency_digits=False,
        )
    )
