"""What follows from what was paid: how long somebody is a member by their subscription. Pure: it asks no clock and no database."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from appliance.payments import Interval
from appliance.payments import SubscriptionState

GRACE = timedelta(days=7)
"""How long after the first failed payment a member stays one."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment, until when it paid, and whether its money stayed: it did not where all of it was refunded or lost in a dispute."""

    at: datetime
    until: datetime
    kept: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """A payment that did not arrive, tried for the first and the last time."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that decides: the provider's word on the subscription, and what came of its payments; *returned_at* is when the last money went back."""

    state: SubscriptionState
    trial_end: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    past_due_since: datetime | None = None
    payments: Sequence[Paid] = ()
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """A membership until *through*, unless it *ended* before."""

    through: datetime
    ended_at: datetime | None = None


def right_of(known: Known) -> Right | None:
    """The membership that follows from what is known; ``None`` when nothing was ever paid or tried."""
    ends = [payment.until for payment in known.payments if payment.kept]
    if known.trial_end is not None and known.state is not SubscriptionState.INCOMPLETE:
        ends.append(known.trial_end)
    if not ends:
        if not known.payments:
            return None
        last = max(known.payments, key=lambda payment: payment.until)
        return Right(last.until, ended_at=known.returned_at or last.at)
    through = max(ends)
    if known.state is SubscriptionState.ENDED:
        over = [end for end in (known.ended_at, known.cancel_at, through) if end is not None]
        return Right(through, ended_at=min(over))
    if known.state is SubscriptionState.PAST_DUE and known.past_due_since is not None:
        through = max(through, known.past_due_since + GRACE)
    return Right(through)


def past_due_since(
    state: SubscriptionState, payments: Sequence[Paid], failures: Sequence[Failed]
) -> datetime | None:
    """Since when a payment is due: the first try that failed and that no payment followed; nothing unless it is due now."""
    if state is not SubscriptionState.PAST_DUE:
        return None
    last = max((payment.at for payment in payments), default=None)
    due = [failed.first for failed in failures if last is None or failed.last > last]
    if due:
        return min(due)
    # The failure itself was not told of yet: what is due is what follows the time that was paid for.
    return max((payment.until for payment in payments), default=None)


def after(start: datetime, interval: str, number: int = 1) -> datetime:
    """The same day *number* months or years later, or the last of a shorter month."""
    months = start.month - 1 + number * (12 if interval == Interval.YEAR else 1)
    year, month = start.year + months // 12, months % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
