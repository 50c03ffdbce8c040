"""Subscriptions at the demo's till: what a change costs, and changing, ending, resuming and pausing them."""

from datetime import datetime
from datetime import timedelta

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import Change
from appliance.payments import Interval
from appliance.payments import Preview
from appliance.payments import Price
from appliance.payments import SubscriptionState
from plugins.demo_payments import charging
from plugins.demo_payments import models
from plugins.demo_payments import reckoning
from plugins.demo_payments import renewals
from plugins.demo_payments import telling
from plugins.demo_payments import tills
from plugins.demo_payments.models import Subscription

AGREED_FOR = timedelta(minutes=30)
"""How long what somebody agreed to holds."""


def find(reference: str, mark: str) -> Subscription:
    """The subscription of this reference, if it is for this mark; ``NotFound`` else."""
    row: Subscription | None = Subscription.get_or_none(
        Subscription.id == reference, Subscription.mark == mark
    )
    if row is None or not mark:
        raise NotFound("There is no such subscription at the demo's till.")
    return row


def preview(change: Change, *, at: datetime) -> Preview:
    """What *change* costs when it is made at this instant."""
    row = find(change.reference, change.mark)
    _check(row, change.price)
    new = change.price.amount_minor
    if row.state == SubscriptionState.TRIALING or not change.at_once:
        return Preview(0, max(0, new - row.credit_minor), row.currency, row.period_end, at)
    moved = _moved(row, change.price, at=at)
    return Preview(moved.due, max(0, new - moved.credit), row.currency, moved.period_end, at)


def change(wanted: Change, *, now: datetime) -> Subscription:
    """Change what a subscription costs, for what was agreed or not at all."""
    row = find(wanted.reference, wanted.mark)
    at = _agreed_at(row, wanted, now=now)
    shown = preview(wanted, at=at)
    if wanted.agreed is not None and shown != wanted.agreed:
        raise _stale()
    price, none = wanted.price, {"pending_amount_minor": None, "pending_interval": "", "pending_name": ""}
    now_priced = {"amount_minor": price.amount_minor, "interval": price.interval, "name": price.name, **none}
    if not wanted.at_once:
        same = (row.amount_minor, row.interval) == (price.amount_minor, price.interval)
        later = {
            "pending_amount_minor": price.amount_minor,
            "pending_interval": price.interval,
            "pending_name": price.name,
        }
        models.change(row, now=now, **(none if same else later))
    elif row.state == SubscriptionState.TRIALING:
        models.change(row, now=now, **now_priced)
    else:
        moved = _moved(row, price, at=at)
        if moved.due:
            charging.charge_for(row, moved.due, period=(at, moved.period_end), at=now)
        anew = (
            {"anchor": at, "months": reckoning.MONTHS[price.interval], "period_start": at}
            if moved.anew
            else {}
        )
        models.change(
            row, now=now, credit_minor=moved.credit, period_end=moved.period_end, **now_priced, **anew
        )
    telling.note("subscription.changed", row.id, now=row.changed_at)
    return row


def cancel(reference: str, mark: str, *, at_once: bool, now: datetime) -> Subscription:
    """End a subscription now, or with what is paid; one that ended stays so."""
    row = find(reference, mark)
    if row.state == SubscriptionState.ENDED:
        return row
    if at_once or row.period_end <= now:
        models.change(row, now=now, state=SubscriptionState.ENDED)
        telling.note("subscription.ended", row.id, now=row.changed_at)
    else:
        models.change(row, now=now, cancel_at=row.period_end)
        telling.note("subscription.changed", row.id, now=row.changed_at)
    return row


def resume(reference: str, mark: str, *, now: datetime) -> Subscription:
    """Take back a cancellation or a pause; where the paid time is over, the next one is paid at once."""
    row = find(reference, mark)
    if row.state == SubscriptionState.ENDED:
        raise Conflict("This subscription has ended; begin a new one.")
    models.change(row, now=now, cancel_at=None)
    if row.state == SubscriptionState.PAUSED:
        if row.period_end <= now:
            _begin_anew(row, now=now)
        else:
            models.change(row, now=now, state=SubscriptionState.ACTIVE)
    telling.note("subscription.changed", row.id, now=row.changed_at)
    return row


def pause(reference: str, mark: str, *, now: datetime) -> Subscription:
    """Ask for no more money until it is resumed; what is paid runs on."""
    row = find(reference, mark)
    if row.state == SubscriptionState.PAUSED:
        return row
    if row.state != SubscriptionState.ACTIVE:
        raise Conflict("Only a subscription that is paid can be paused.")
    models.change(row, now=now, state=SubscriptionState.PAUSED)
    telling.note("subscription.changed", row.id, now=row.changed_at)
    return row


def take_card(customer: str, *, now: datetime) -> None:
    """What was waiting for a better card is tried with the one that is there now."""
    for row in Subscription.select().where(
        Subscription.customer == customer, Subscription.state == SubscriptionState.PAST_DUE
    ):
        renewals.try_again(row, at=now)


def _begin_anew(row: Subscription, *, now: datetime) -> None:
    months = reckoning.MONTHS[Interval(row.interval)]
    period = (now, reckoning.after(now, months))
    due = max(0, row.amount_minor - row.credit_minor)
    charging.charge_for(row, due, period=period, at=now)
    models.change(
        row,
        now=now,
        state=SubscriptionState.ACTIVE,
        anchor=now,
        months=months,
        period_start=now,
        period_end=period[1],
        credit_minor=max(0, row.credit_minor - row.amount_minor),
    )


def _check(row: Subscription, price: Price) -> None:
    if price.currency != row.currency:
        raise Invalid("A subscription stays in its currency, {currency}.", currency=row.currency)
    tills.check_amount(price.amount_minor, price.currency)
    if row.state not in renewals.RUNNING:
        raise Conflict("This subscription is not paid just now, so it cannot be changed.")
    if row.cancel_at is not None:
        raise Conflict("This subscription is going to end; resume it first.")


def _moved(row: Subscription, price: Price, *, at: datetime) -> reckoning.Moved:
    return reckoning.moved(
        (row.amount_minor, Interval(row.interval)),
        (price.amount_minor, price.interval),
        period=(row.period_start, row.period_end),
        credit=row.credit_minor,
        at=at,
    )


def _agreed_at(row: Subscription, wanted: Change, *, now: datetime) -> datetime:
    if wanted.agreed is None:
        return now
    at = wanted.agreed.as_of
    # Whatever happened to the subscription in between, a renewal or another change, makes the figure a wrong one.
    if not now - AGREED_FOR <= at <= now or row.changed_at > at:
        raise _stale()
    return at


def _stale() -> Conflict:
    return Conflict("What this costs has changed in the meantime. Look again; nothing was charged.")
