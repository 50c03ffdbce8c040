"""Periods that ended while nobody looked: renewed, tried again or ended, each at its own time, in order."""

from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from appliance.payments import CheckoutState
from appliance.payments import Interval
from appliance.payments import PayoutState
from appliance.payments import SubscriptionState
from plugins.demo_payments import charging
from plugins.demo_payments import models
from plugins.demo_payments import reckoning
from plugins.demo_payments import telling
from plugins.demo_payments.cards import Bank
from plugins.demo_payments.cards import Declined
from plugins.demo_payments.models import Account
from plugins.demo_payments.models import Payout
from plugins.demo_payments.models import Subscription
from plugins.demo_payments.models import Till

TRIES: Sequence[timedelta] = (timedelta(days=3), timedelta(days=4))
"""How long after one failure a card is asked again; after the last one the subscription ends."""
OPEN_FOR = timedelta(hours=24)
RUNNING = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING)


def catch_up(now: datetime) -> None:
    """Do all that was due until *now*."""
    while (row := _next(now)) is not None:
        _step(row, now)
    # Lists: SQLite lets nobody begin to write while rows of an older state are still being read.
    for till in list(Till.select().where(Till.state == CheckoutState.OPEN, Till.opened_at <= now - OPEN_FOR)):
        models.change(till, now=till.opened_at + OPEN_FOR, state=CheckoutState.EXPIRED)
        telling.note("till.expired", till.id, now=till.changed_at)
    due = (Payout.state == PayoutState.IN_TRANSIT) & (Payout.arrives_at <= now)
    for payout in list(Payout.select().where(due)):
        arrive(payout, now=payout.arrives_at)


def arrive(payout: Payout, *, now: datetime) -> None:
    """Let a payout arrive, or come back, as its bank is."""
    if Account.get_by_id(payout.account).bank == Bank.REFUSES:
        models.change(payout, now=now, state=PayoutState.FAILED, problem="The bank sent it back.")
    else:
        models.change(payout, now=now, state=PayoutState.PAID)
    telling.note(f"payout.{payout.state}", payout.id, now=payout.changed_at)


def try_again(row: Subscription, *, at: datetime) -> None:
    """Ask the card for the period that is due; it begins where the one before ended."""
    start = row.period_end
    months = row.months + reckoning.MONTHS[Interval(row.interval)]
    period = (start, reckoning.after(row.anchor, months))
    due = max(0, row.amount_minor - row.credit_minor)
    try:
        charging.charge_for(row, due, period=period, at=at)
    except Declined:
        pause = TRIES[row.tries] if row.tries < len(TRIES) else None
        next_try_at = at + pause if pause else None
        state = SubscriptionState.PAST_DUE if pause else SubscriptionState.ENDED
        models.change(row, now=at, state=state, tries=row.tries + 1, next_try_at=next_try_at)
        charging.note_failure(row, due, next_try_at=next_try_at, at=at)
        return
    models.change(
        row,
        now=at,
        state=SubscriptionState.ACTIVE,
        months=months,
        period_start=period[0],
        period_end=period[1],
        credit_minor=max(0, row.credit_minor - row.amount_minor),
        tries=0,
        next_try_at=None,
    )


def _next(now: datetime) -> Subscription | None:
    ends = (Subscription.state.in_(RUNNING)) & (Subscription.period_end <= now)
    again = (Subscription.state == SubscriptionState.PAST_DUE) & (Subscription.next_try_at <= now)
    gone = (Subscription.state == SubscriptionState.PAUSED) & (Subscription.cancel_at <= now)
    found: Subscription | None = (
        Subscription.select().where(ends | again | gone).order_by(Subscription.period_end).first()
    )
    return found


def _step(row: Subscription, now: datetime) -> None:
    if row.cancel_at is not None and row.cancel_at <= now:
        models.change(row, now=row.cancel_at, state=SubscriptionState.ENDED)
        telling.note("subscription.ended", row.id, now=row.changed_at)
        return
    if row.state == SubscriptionState.PAST_DUE:
        try_again(row, at=row.next_try_at)
        return
    if row.pending_amount_minor is not None:
        _take_up_pending(row)
    try_again(row, at=row.period_end)


def _take_up_pending(row: Subscription) -> None:
    if row.pending_interval != row.interval:
        row.anchor, row.months = row.period_end, 0
    models.change(
        row,
        now=row.period_end,
        amount_minor=row.pending_amount_minor,
        interval=row.pending_interval,
        name=row.pending_name,
        pending_amount_minor=None,
        pending_interval="",
        pending_name="",
    )
