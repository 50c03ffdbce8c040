"""What is sold, as a tax sees it, and the tax that is part of its price."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TaxableSale:
    """What is about to be sold: *kind* is ``digital``, ``goods``, ``membership`` or ``tip``; *country* of who buys is ISO 3166-1 alpha-2, or empty.

    *paid_at* is when it was paid, where it was already, as each period of a membership is: the rate of that day holds.
    """

    kind: str
    country: str
    amount_minor: int
    currency: str
    business_number: str = ""
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax that is part of a price, such as ``VAT``; *rate_bps* is in hundredths of a percent of the price without it."""

    name: str
    rate_bps: int

    def included_minor(self, amount_minor: int) -> int:
        """Pure: how much of *amount_minor*, a price with tax, is the tax; a half is rounded up."""
        return (2 * amount_minor * self.rate_bps + 10_000 + self.rate_bps) // (2 * (10_000 + self.rate_bps))
