"""What the database knows, each by one cheap question, and none about anybody: sums by kinds that are written in code.

Names of tiers, artists and people are as many as these are, so no label has them: memberships are told by the kind of their tier.
"""

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from appliance import currencies
from appliance.billing import inbox
from appliance.billing import listing
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.collective import storage_use
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.ledger import alarms
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import Subscription

Rows = Iterable[tuple[tuple[str, ...], float]]
OFTEN_S = 15.0
SELDOM_S = 300.0
"""How old an answer may be: what only looks at what waits is asked often, what counts all rows of a kind seldom."""
TOLD_ACCOUNTS = [kind for kind in AccountKind if kind != AccountKind.PAYABLE]
"""Of which there is one for each provider and currency; those of artists are as many as there are artists."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: what it is called, what its values are told apart by, how old it may be, and how it is found out."""

    name: str
    help: str
    labels: tuple[str, ...]
    every_s: float
    ask: Callable[[datetime], Rows]


def jobs_by_state(now: datetime) -> Rows:
    """Jobs that wait, run or failed; those that are done are counted where they are done."""
    query: Any = (
        Job.select(Job.kind, Job.state, peewee.fn.COUNT(Job.id))
        .where(Job.state.in_([JobState.QUEUED, JobState.RUNNING, JobState.FAILED]))
        .group_by(Job.state, Job.kind)
    )
    return [((kind, state), number) for kind, state, number in query.tuples()]


def queue_age(now: datetime) -> Rows:
    """For how long the oldest job of a kind could have been running."""
    query: Any = (
        Job.select(Job.kind, peewee.fn.MIN(Job.run_after))
        .where(Job.state == JobState.QUEUED, Job.run_after <= now)
        .group_by(Job.kind)
    )
    return [((kind,), (now - _instant(oldest)).total_seconds()) for kind, oldest in query.tuples()]


def memberships(now: datetime) -> Rows:
    """Memberships that hold now, by the kind of tier and where they come from."""
    query: Any = (
        Membership.select(Tier.kind, Membership.origin, peewee.fn.COUNT(Membership.id))
        .join(Tier)
        .where(
            Membership.ended_at.is_null(),
            Membership.paid_through.is_null() | (Membership.paid_through > now),
        )
        .group_by(Tier.kind, Membership.origin)
    )
    return [((kind or "own", origin), number) for kind, origin, number in query.tuples()]


def subscriptions(now: datetime) -> Rows:
    """What is paid for month by month or year by year."""
    query: Any = (
        Subscription.select(
            Subscription.state, Subscription.interval, Subscription.currency, peewee.fn.COUNT(Subscription.id)
        )
        .where(Subscription.current)
        .group_by(Subscription.state, Subscription.interval, Subscription.currency)
    )
    return [((state, interval, currency), number) for state, interval, currency, number in query.tuples()]


def books(now: datetime) -> Rows:
    """The accounts of the collective and of providers, as a person would say it: what is owed or kept is above nothing."""
    query: Any = (
        Account.select(Account.kind, Account.currency, peewee.fn.SUM(Account.balance_minor))
        .where(Account.kind.in_(TOLD_ACCOUNTS))
        .group_by(Account.kind, Account.currency)
    )
    owed = {AccountKind.PLATFORM_SHARE, AccountKind.TAXES}
    return [
        ((kind, currency), _units(-int(sum_minor) if kind in owed else int(sum_minor), currency))
        for kind, currency, sum_minor in query.tuples()
    ]


def revenue(now: datetime) -> Rows:
    """What fans paid and did not get back."""
    query: Any = (
        Account.select(Account.currency, Account.kind, peewee.fn.SUM(Account.balance_minor))
        .where(Account.kind.in_([AccountKind.FAN_PAYMENTS, AccountKind.REFUNDS]))
        .group_by(Account.currency, Account.kind)
    )
    sums: dict[str, int] = {}
    for currency, _, sum_minor in query.tuples():
        sums[currency] = sums.get(currency, 0) + int(sum_minor)
    return [((currency,), _units(sum_minor, currency)) for currency, sum_minor in sums.items()]


def failed_events(now: datetime) -> Rows:
    """Events that could not be processed."""
    query: Any = (
        ProviderEvent.select(ProviderEvent.provider, peewee.fn.COUNT(ProviderEvent.id))
        .where(ProviderEvent.state == EventState.FAILED)
        .group_by(ProviderEvent.provider)
    )
    return [((provider,), number) for provider, number in query.tuples()]


def _instant(stored: Any) -> datetime:
    found = Job.run_after.python_value(stored)
    assert found is not None
    return found


def _units(amount_minor: int, currency: str) -> float:
    # Prometheus knows no other numbers; nothing is reckoned with this one.
    return amount_minor / float(10 ** currencies.DIGITS.get(currency, 2))


def _check(value: Callable[[Any], float]) -> Callable[[datetime], Rows]:
    def ask(now: datetime) -> Rows:
        found = alarms.latest()
        return [((), value(found))] if found is not None else []

    return ask


FIGURES = (
    Figure(
        "musicconnect_jobs",
        "Jobs that wait, run or failed for good.",
        ("kind", "state"),
        OFTEN_S,
        jobs_by_state,
    ),
    Figure(
        "musicconnect_queue_age_seconds",
        "For how long the oldest job of a kind could have been running; none waits where there is no value.",
        ("kind",),
        OFTEN_S,
        queue_age,
    ),
    Figure(
        "musicconnect_payment_events",
        "Events of payment providers of the last 90 days: received (and not processed yet), processed, ignored, failed.",
        ("provider", "state"),
        SELDOM_S,
        lambda now: [((provider, state), number) for (provider, state), number in inbox.counts().items()],
    ),
    Figure(
        "musicconnect_payment_events_failed",
        "Events of payment providers that could not be processed and wait for somebody to look.",
        ("provider",),
        OFTEN_S,
        failed_events,
    ),
    Figure(
        "musicconnect_payment_event_lag_seconds",
        "For how long the oldest event has been here that is not processed.",
        (),
        OFTEN_S,
        lambda now: [((), inbox.lag(now=now).total_seconds())],
    ),
    Figure(
        "musicconnect_open_disputes",
        "Disputes that are not decided.",
        (),
        OFTEN_S,
        lambda now: [((), listing.open_disputes())],
    ),
    Figure(
        "musicconnect_memberships",
        "Memberships that hold, by the kind of their tier (own: one that an artist added) and where they come from.",
        ("tier", "origin"),
        SELDOM_S,
        memberships,
    ),
    Figure(
        "musicconnect_subscriptions",
        "Subscriptions that are paid for, by their state, interval and currency.",
        ("state", "interval", "currency"),
        SELDOM_S,
        subscriptions,
    ),
    Figure(
        "musicconnect_revenue",
        "What fans paid and did not get back, ever, in whole units of the currency.",
        ("currency",),
        OFTEN_S,
        revenue,
    ),
    Figure(
        "musicconnect_book_balance",
        "Balances of the accounts that are not an artist's, in whole units of the currency.",
        ("account", "currency"),
        OFTEN_S,
        books,
    ),
    Figure(
        "musicconnect_book_differences",
        "What the last check of the books found that does not fit.",
        (),
        OFTEN_S,
        _check(lambda found: found.differences),
    ),
    Figure(
        "musicconnect_books_checked_timestamp_seconds",
        "When the books were last checked.",
        (),
        OFTEN_S,
        _check(lambda found: found.ended_at.timestamp()),
    ),
    Figure(
        "musicconnect_storage_bytes",
        "Room that each folder of the store takes, as it was last counted.",
        ("folder",),
        OFTEN_S,
        lambda now: [((row.subject,), row.size_bytes) for row in storage_use.folders()],
    ),
    Figure(
        "musicconnect_storage_objects",
        "Objects in each folder of the store, as they were last counted.",
        ("folder",),
        OFTEN_S,
        lambda now: [((row.subject,), row.objects) for row in storage_use.folders()],
    ),
)
