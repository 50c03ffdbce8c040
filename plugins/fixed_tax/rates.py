"""Rates by country: read from the settings, and found for a sale."""

import re
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from appliance.errors import Invalid
from appliance.payments import TaxableSale
from appliance.payments import TaxRate

ELSEWHERE = "*"
MOST_BPS = 10_000
PREFIXES = {"GR": "EL"}
"""Where the letters of VAT numbers are not those of the country (Directive 2006/112/EC, article 215)."""
_RATE = re.compile(r"([A-Z]{2}|\*)\s*=\s*(\d{1,3})(?:\.(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Table:
    """What is taxed, in hundredths of a percent by country, and what that is called."""

    name: str = "VAT"
    sales: Mapping[str, int] = field(default_factory=dict)
    tips: Mapping[str, int] = field(default_factory=dict)
    home: str = ""

    def rate_for(self, sale: TaxableSale) -> TaxRate | None:
        """The tax in this sale; none for a country without a rate, and for a business elsewhere, which pays it itself."""
        if self.home and sale.country != self.home and is_of(sale.business_number, sale.country):
            return None
        known = self.tips if sale.kind == "tip" else self.sales
        bps = known.get(sale.country, known.get(ELSEWHERE, 0))
        return TaxRate(self.name, bps) if bps else None


def is_of(number: str, country: str) -> bool:
    """Pure: whether *number* has the form of a VAT number of *country*: its letters, then a digit at least; no word will do."""
    plain = re.sub(r"[ .-]", "", number)
    return plain[:2] == PREFIXES.get(country, country) and any(sign.isdigit() for sign in plain[2:])


def read(rows: Iterable[str], *, field: str) -> dict[str, int]:
    """Rows such as ``DE=19`` as hundredths of a percent by country; ``Invalid`` names the one that is none."""
    found: dict[str, int] = {}
    for row in rows:
        said = _RATE.fullmatch(row.strip().upper())
        bps = int(said[2]) * 100 + int((said[3] or "").ljust(2, "0")) if said else MOST_BPS + 1
        if said is None or bps > MOST_BPS:
            raise Invalid(
                f"{row!r} in the setting '{field}' is no rate; write DE=19 or FR=5.5, from 0 to 100 percent.",
                field=field,
            )
        if said[1] in found:
            raise Invalid(f"The setting '{field}' names {said[1]} twice.", field=field)
        found[said[1]] = bps
    return found
