"""Giving money back, as an admin decides: written down, asked of the provider under a key of ours, and noted like any other fact.

A process that ends between two of these steps loses nothing: who asks again does so under the same key, and what the provider did without our
knowing comes back as an event.
"""

import logging
from datetime import datetime
from datetime import timedelta

from appliance import database
from appliance import processors
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.billing import processing
from appliance.billing.models import AskedState
from appliance.billing.models import RefundAsked
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.memberships import subscriptions
from appliance.memberships.subscription_models import Subscription
from appliance.payments import Feature
from appliance.payments import RefundRequest

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
"""After this long nobody is asking any more."""
LONGEST_REASON = 300


def refund(
    payment_id: str, amount_minor: int | None, *, reason: str = "", actor: User | None, now: datetime
) -> RefundAsked:
    """Give *amount_minor* of a payment back, or all that is left of it; what it opened ends when nothing is left. Without an *actor* nobody asked but the rules.

    ``Unavailable`` when the provider does not answer: then it is asked again until it does, and the money goes back once.
    """
    asked = _ask_for(payment_id, amount_minor, reason=reason, actor=actor, now=now)
    return carry_out(asked, now=now)


def membership_of(payment: Payment) -> Subscription | None:
    """The subscription that this paid for, as long as it will be charged again."""
    row: Subscription | None = Subscription.get_or_none(Subscription.id == payment.mark)
    return row if row is not None and row.cancel_at is None and subscriptions.runs(row) else None


def end_membership(payment: Payment, *, actor: User, now: datetime) -> bool:
    """End what *payment* paid for at once, as an admin decides, and charge it no more; False when nothing would be charged.

    ``Unavailable`` when the provider does not answer.
    """
    row = membership_of(payment)
    if row is None:
        return False
    subscriptions.cancel(row, at_once=True, now=now)
    audit.record(
        Action.MEMBERSHIP_ENDED,
        actor=actor.id,
        subject=f"artist:{row.artist_id}",
        detail={"subscription": row.id, "payment": payment.id},
        now=now,
    )
    return True


def refundable(payment: Payment) -> int:
    """What of a payment can go back: what is left of it, without what is contested or on its way back."""
    under_way = RefundAsked.select(RefundAsked.amount_minor).where(
        RefundAsked.payment == payment.id, RefundAsked.state == AskedState.ASKED
    )
    return payments.kept(payment) - sum(row.amount_minor for row in under_way)


def carry_out(asked: RefundAsked, *, now: datetime) -> RefundAsked:
    """Ask the provider for what was written down; nothing happens when it answered before."""
    payment: Payment = Payment.get_by_id(asked.payment)
    provider = processors.find(payment.provider)
    request = RefundRequest(
        reference=payment.reference,
        mark=payment.mark,
        amount_minor=asked.amount_minor,
        currency=payment.currency,
        key=asked.id,
        reason=asked.reason,
    )
    try:
        fact = processors.ask(provider.refund, provider.label, request)
    except Unavailable:
        raise
    except MusicConnectError as error:
        _end(asked, AskedState.REFUSED, now=now, problem=str(error)[:500])
        raise
    with transaction():
        processing.apply([fact], provider=payment.provider, now=now)
        if _end(asked, AskedState.DONE, now=now, reference=fact.reference):
            audit.record(
                Action.PAYMENT_REFUNDED,
                actor=asked.asked_by or None,
                subject=f"payment:{payment.id}",
                detail={"amount_minor": asked.amount_minor, "currency": payment.currency},
                now=now,
            )
    return RefundAsked.get_by_id(asked.id)


def carry_out_due(*, now: datetime) -> int:
    """Ask again for all refunds whose asking did not come to an end; how many did now."""
    due = (RefundAsked.state == AskedState.ASKED) & (RefundAsked.asked_at < now - PATIENCE)
    done = 0
    for asked in list(RefundAsked.select().where(due).order_by(RefundAsked.id)):
        try:
            carry_out(asked, now=now)
            done += 1
        except MusicConnectError as error:
            log.warning("refund not done", extra={"refund": asked.id, "why": str(error)})
    return done


def find(payment_id: str) -> Payment:
    """The payment with this id, or ``NotFound``."""
    found: Payment | None = Payment.get_or_none(Payment.id == payment_id)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def of_payment(payment: Payment) -> list[RefundAsked]:
    """What admins asked to give back of it, last first."""
    here = RefundAsked.payment == payment.id
    return list(RefundAsked.select().where(here).order_by(RefundAsked.id.desc()))


def _ask_for(
    payment_id: str, amount_minor: int | None, *, reason: str, actor: User | None, now: datetime
) -> RefundAsked:
    find(payment_id)
    with transaction():
        held: Payment = database.locked(Payment.select().where(Payment.id == payment_id)).get()
        provider = processors.find(held.provider)
        if Feature.REFUNDS not in provider.features:
            raise Conflict("{label} cannot give money back; do it there.", label=provider.label)
        most = refundable(held)
        if most <= 0:
            raise Conflict("Nothing is left of this payment that could go back.")
        wanted = most if amount_minor is None else amount_minor
        if not 0 < wanted <= most:
            raise Invalid("This is more than what is left of the payment, or nothing.", field="amount")
        made: RefundAsked = RefundAsked.create(
            payment=held.id,
            amount_minor=wanted,
            reason=" ".join(reason.split())[:LONGEST_REASON],
            asked_by=actor.id if actor else "",
            asked_at=now,
        )
    return made


def _end(asked: RefundAsked, state: AskedState, *, now: datetime, **values: object) -> bool:
    here = (RefundAsked.id == asked.id) & (RefundAsked.state == AskedState.ASKED)
    return bool(RefundAsked.update(state=state, ended_at=now, **values).where(here).execute())
