"""Pure: what of a receipt each refund and each lost dispute takes, and how much of that is of which tax."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.ledger import settlement

Rate = tuple[str, int]
"""A tax by its name and its rate; both are empty where there is none or a provider told only how much it is."""


@dataclass(frozen=True, slots=True)
class Part:
    """*amount_minor* that is taxed alike, with *tax_minor* in it."""

    name: str
    bps: int
    amount_minor: int
    tax_minor: int

    @property
    def rate(self) -> Rate:
        """Which tax it is."""
        return self.name, self.bps


@dataclass(frozen=True, slots=True)
class Gone:
    """Money that went back at an instant, by a refund or a lost dispute (*cause*); nothing of it where that did not hold."""

    at: datetime
    cause: str
    amount_minor: int


def credited(gone: Iterable[Gone], *, total_minor: int, above_minor: int) -> dict[str, int]:
    """How much of a receipt each cause takes: first what had been paid *above* its total, which no receipt says, and never more than all of it."""
    taken: dict[str, int] = {}
    so_far, before = 0, 0
    for one in sorted(gone, key=lambda row: (row.at, row.cause)):
        so_far += one.amount_minor
        after = max(0, min(total_minor, so_far - above_minor))
        taken[one.cause] = after - before
        before = after
    return taken


def summed(parts: Iterable[Part]) -> dict[Rate, Part]:
    """One part for each tax, in the order in which they come first."""
    found: dict[Rate, Part] = {}
    for part in parts:
        there = found.get(part.rate, Part(*part.rate, 0, 0))
        found[part.rate] = Part(
            *part.rate, there.amount_minor + part.amount_minor, there.tax_minor + part.tax_minor
        )
    return found


def taken(amount_minor: int, whole: Mapping[Rate, Part], before: Mapping[Rate, Part]) -> list[Part]:
    """*amount_minor* more (or less, below nothing) of a receipt of which *before* is taken already, in parts of each tax.

    All of it in the end takes exactly the tax that the receipt says, whatever the steps were.
    """
    rates = list(whole)
    there = [before[rate].amount_minor if rate in before else 0 for rate in rates]
    left = [whole[rate].amount_minor - had for rate, had in zip(rates, there, strict=True)]
    shares = settlement.apportion(amount_minor, left if amount_minor > 0 else there)
    parts = []
    for rate, had, share in zip(rates, there, shares, strict=True):
        if share:
            tax = _tax(whole[rate], had + share) - _tax(whole[rate], had)
            parts.append(Part(*rate, share, tax))
    return parts


def _tax(whole: Part, taken_minor: int) -> int:
    """The tax in so much of a part: what stays is rounded down, as in the books."""
    if not whole.amount_minor:
        return 0
    left = whole.amount_minor - taken_minor
    return whole.tax_minor - whole.tax_minor * left // whole.amount_minor


def as_json(parts: Sequence[Part]) -> list[list[object]]:
    """How a credit note keeps them."""
    return [[part.name, part.bps, part.amount_minor, part.tax_minor] for part in parts]
