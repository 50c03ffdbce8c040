"""What is paid again and again by hand: asked for a week before its time, past due when it did not come, and ended two weeks later."""

from datetime import datetime
from datetime import timedelta
from typing import Any

from appliance import database
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import Change
from appliance.payments import Interval
from appliance.payments import Preview
from appliance.payments import SubscriptionState
from plugins.manual_payments import periods
from plugins.manual_payments import references
from plugins.manual_payments.acts import Act
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import DemandState
from plugins.manual_payments.models import Subscription
from plugins.manual_payments.models import change

ASKED_BEFORE = timedelta(days=7)
WAITED_FOR = timedelta(days=14)
RUNNING = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING)
NONE_PENDING = {"pending_amount_minor": None, "pending_interval": "", "pending_name": ""}


def find(reference: str, mark: str) -> Subscription:
    """The subscription of this reference, if it is for this mark, held until the transaction ends; ``NotFound`` else."""
    here = (Subscription.id == reference) & (Subscription.mark == mark)
    row: Subscription | None = database.locked(Subscription.select().where(here)).first()
    if row is None:
        raise NotFound("There is no such subscription here.")
    return row


def begin(demand: Demand, *, act: Act, trial: bool = False) -> Subscription:
    """Begin what somebody agreed to at the till: with a trial, or with what they paid."""
    trial_end = act.now + timedelta(days=demand.trial_days) if trial else None
    months = 0 if trial else periods.MONTHS[Interval(demand.interval)]
    row: Subscription = Subscription.create(
        mark=demand.mark,
        customer=demand.customer,
        email=demand.email,
        name=demand.name,
        state=SubscriptionState.TRIALING if trial else SubscriptionState.ACTIVE,
        amount_minor=demand.amount_minor,
        tax_minor=demand.tax_minor,
        taxed_minor=demand.amount_minor,
        currency=demand.currency,
        interval=demand.interval,
        anchor=trial_end or act.now,
        months=months,
        period_end=trial_end or periods.after(act.now, months),
        trial_end=trial_end,
        changed_at=act.now,
    )
    act.tell(f"subscription:{row.id}")
    return row


def begin_trial(demand: Demand, *, act: Act) -> Demand:
    """Begin a trial; nothing is asked for until a week before it ends."""
    if demand.state != DemandState.OPEN or not demand.trial_days:
        raise Conflict("There is no trial to begin here.")
    row = begin(demand, act=act, trial=True)
    change(demand, now=act.now, state=DemandState.PAID, subscription=row.id)
    act.tell(f"demand:{demand.id}")
    return demand


def paid(demand: Demand, *, act: Act) -> None:
    """A period was paid: the first one, or the next."""
    if not demand.subscription:
        row = begin(demand, act=act)
        start, end = act.now, row.period_end
        change(demand, now=act.now, subscription=row.id, period_start=start, period_end=end)
        return
    row = Subscription.get_by_id(demand.subscription)
    values: dict[str, object] = {"state": SubscriptionState.ACTIVE, "period_end": demand.period_end}
    if row.pending_amount_minor is not None:
        values |= {
            "amount_minor": row.pending_amount_minor,
            "interval": row.pending_interval,
            "name": row.pending_name,
            **NONE_PENDING,
        }
    if demand.interval != row.interval:
        values["anchor"], row.months = demand.period_start, 0
    values["months"] = row.months + periods.MONTHS[Interval(demand.interval)]
    change(row, now=act.now, **values)
    act.tell(f"subscription:{row.id}")


def preview(wanted: Change, *, now: datetime) -> Preview:
    """What a change costs: nothing before the next period."""
    row = find(wanted.reference, wanted.mark)
    _check(row, wanted)
    return Preview(0, wanted.price.amount_minor, row.currency, row.period_end, now)


def change_price(wanted: Change, *, act: Act) -> Subscription:
    """Ask for another price from the next period on."""
    row = find(wanted.reference, wanted.mark)
    _check(row, wanted)
    price, agreed = wanted.price, wanted.agreed
    if agreed is not None and (agreed.due_now_minor, agreed.next_minor, agreed.next_at) != (
        0,
        price.amount_minor,
        row.period_end,
    ):
        raise Conflict("What this costs has changed in the meantime. Look again.")
    withdraw(row, act=act)
    same = (row.amount_minor, row.interval) == (price.amount_minor, price.interval)
    later = {
        "pending_amount_minor": price.amount_minor,
        "pending_interval": price.interval,
        "pending_name": price.name[:300],
    }
    change(row, now=act.now, **(NONE_PENDING if same else later))
    act.tell(f"subscription:{row.id}")
    return row


def cancel(reference: str, mark: str, *, at_once: bool, act: Act) -> Subscription:
    """End it now, or with what is paid; nothing more is asked for."""
    row = find(reference, mark)
    if row.state == SubscriptionState.ENDED:
        return row
    withdraw(row, act=act)
    if at_once or row.period_end <= act.now:
        change(row, now=act.now, state=SubscriptionState.ENDED)
    else:
        change(row, now=act.now, cancel_at=row.period_end)
    act.tell(f"subscription:{row.id}")
    return row


def resume(reference: str, mark: str, *, act: Act) -> Subscription:
    """Take a cancellation back."""
    row = find(reference, mark)
    if row.state == SubscriptionState.ENDED:
        raise Conflict("This subscription has ended; begin a new one.")
    change(row, now=act.now, cancel_at=None)
    act.tell(f"subscription:{row.id}")
    return row


def withdraw(row: Subscription, *, act: Act) -> None:
    """Ask no more for the next period; ``Conflict`` when a part of it has arrived, since somebody meant it."""
    for demand in database.locked(_open(row)):
        if demand.received_minor:
            raise Conflict(
                "A part of the next payment has arrived; the collective must confirm or reject it first."
            )
        change(demand, now=act.now, state=DemandState.WITHDRAWN)
        act.tell(f"demand:{demand.id}")


def catch_up(*, act: Act) -> None:
    """Ask for, miss and end what its time has come for."""
    soon = Subscription.select().where(
        Subscription.state.in_((*RUNNING, SubscriptionState.PAST_DUE)),
        Subscription.period_end <= act.now + ASKED_BEFORE,
    )
    for row in database.locked(soon):
        if row.cancel_at is not None:
            if row.cancel_at <= act.now:
                change(row, now=act.now, state=SubscriptionState.ENDED)
                act.tell(f"subscription:{row.id}")
            continue
        demand = _open(row).first() or _ask(row, act=act)
        if row.period_end + WAITED_FOR <= act.now and not demand.received_minor:
            change(demand, now=act.now, state=DemandState.WITHDRAWN)
            change(row, now=act.now, state=SubscriptionState.ENDED)
        elif row.period_end <= act.now and row.state in RUNNING:
            change(demand, now=act.now, failed_at=row.period_end)
            change(row, now=act.now, state=SubscriptionState.PAST_DUE)
        else:
            continue
        act.tell(f"subscription:{row.id}", f"demand:{demand.id}")


def _open(row: Subscription) -> Any:
    return Demand.select().where(Demand.subscription == row.id, Demand.state == DemandState.OPEN)


def _ask(row: Subscription, *, act: Act) -> Demand:
    pending = row.pending_amount_minor is not None
    amount = row.pending_amount_minor if pending else row.amount_minor
    interval = row.pending_interval if pending else row.interval
    anchor, months = (row.anchor, row.months) if interval == row.interval else (row.period_end, 0)
    end = periods.after(anchor, months + periods.MONTHS[Interval(interval)])
    # What was withdrawn is asked for anew, under another reference.
    turn = Demand.select().where(Demand.subscription == row.id).count()
    demand: Demand = Demand.create(
        key=f"period:{row.id}:{turn}",
        digest="",
        mark=row.mark,
        reference=references.new(),
        subscription=row.id,
        customer=row.customer,
        email=row.email,
        name=row.pending_name if pending else row.name,
        amount_minor=amount,
        tax_minor=periods.part(amount, row.tax_minor, row.taxed_minor),
        currency=row.currency,
        interval=interval,
        at_till=False,
        period_start=row.period_end,
        period_end=end,
        asked_at=act.now,
        due_at=row.period_end,
        changed_at=act.now,
    )
    act.tell(f"demand:{demand.id}")
    return demand


def _check(row: Subscription, wanted: Change) -> None:
    if wanted.at_once:
        raise Invalid("Who pays by hand changes from the next period on.")
    if wanted.price.currency != row.currency:
        raise Invalid("A subscription stays in its currency, {currency}.", currency=row.currency)
    if wanted.price.amount_minor <= 0:
        raise Invalid("This amount is too small or too large to be paid like this.")
    if row.state not in RUNNING or row.cancel_at is not None:
        raise Conflict("This subscription is not paid just now, so it cannot be changed.")
