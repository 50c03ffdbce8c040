"""How long somebody is a member by what they were given: one gift after the other, so that nothing is lost. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance.memberships.subscription_rights import after
from appliance.payments import Interval


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A gift that was redeemed, for so many months of one tier, counted from *begins_at* at the earliest; *returned_at*: its money went back."""

    id: str
    redeemed_at: datetime
    begins_at: datetime
    months: int
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From when until when one gift makes somebody a member, unless it *ended* before."""

    begins_at: datetime
    through: datetime
    ended_at: datetime | None = None


def spans(gifts: Iterable[Redeemed]) -> dict[str, Span]:
    """The time of each gift to one person in one tier, by its id: each begins where the one before it ends.

    One whose money went back ends at that moment, and those after it begin there.
    """
    found: dict[str, Span] = {}
    free: datetime | None = None
    for gift in sorted(gifts, key=lambda one: (one.redeemed_at, one.id)):
        begins = gift.begins_at if free is None else max(gift.begins_at, free)
        through = after(begins, Interval.MONTH, gift.months)
        if gift.returned_at is None:
            found[gift.id] = Span(begins, through)
            free = through
            continue
        found[gift.id] = Span(begins, through, ended_at=min(through, gift.returned_at))
        if gift.returned_at > begins:
            free = min(through, gift.returned_at)
    return found
