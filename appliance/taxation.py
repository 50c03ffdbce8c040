"""The tax in a price, asked of the hook ``tax_rate``; and what a buyer says of where they are."""

import re
from datetime import datetime

from appliance import hooks
from appliance.errors import Invalid
from appliance.payments import TaxableSale
from appliance.payments import TaxRate

LONGEST_NUMBER = 40
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9 .-]{2,39}")


def are_asked() -> bool:
    """Whether anybody here knows of taxes; only then is a buyer asked for a country."""
    return hooks.has("tax_rate")


def country(text: str) -> str:
    """A country as it is kept (ISO 3166-1 alpha-2), or nothing; ``Invalid`` for what is none."""
    code = text.strip().upper()
    if code and not _COUNTRY.fullmatch(code):
        raise Invalid("A country is two letters, such as DE.", field="country")
    return code


def require_country(code: str) -> None:
    """``Invalid`` for a buyer who did not say where they are."""
    if not code:
        raise Invalid("Choose your country: the tax in the price depends on it.", field="country")


def business_number(text: str) -> str:
    """The number by which a business pays its own tax, or nothing; ``Invalid`` for what cannot be one."""
    number = " ".join(text.upper().split())
    if number and not _NUMBER.fullmatch(number):
        raise Invalid("A VAT number is letters and digits, such as DE123456789.", field="business_number")
    return number


def rate(
    kind: str,
    amount_minor: int,
    currency: str,
    *,
    country: str,
    business_number: str,
    paid_at: datetime | None = None,
) -> TaxRate | None:
    """The tax in *amount_minor* of one kind of thing, or none; ``Unavailable`` when a plugin fails, since a wrong tax cannot be taken back."""
    if not amount_minor:
        return None
    sale = TaxableSale(kind, country, amount_minor, currency, business_number, paid_at)
    found: TaxRate | None = hooks.first("tax_rate", sale=sale)
    return found
