"""What becomes of memberships that are paid for: facts are noted in whatever order they come, and the membership follows from them.

``settle`` looks at nothing but facts: the provider's last word on the subscription, its payments in the books, failed payments, and what
the member asked for. So a fact that comes twice, late or in another order changes nothing in the end.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from appliance import database
from appliance import prepared
from appliance import revocations
from appliance import startup
from appliance import taxation
from appliance.database import transaction
from appliance.ledger import payments
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import Refund
from appliance.ledger.payments import Sale
from appliance.ledger.payments import Sold
from appliance.memberships import relations
from appliance.memberships import subscription_rights as rights
from appliance.memberships.decision import runs
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import ActKind
from appliance.memberships.subscription_models import ActState
from appliance.memberships.subscription_models import PaymentFailure
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_noting import hold
from appliance.memberships.subscription_noting import note_checkout
from appliance.memberships.subscription_noting import note_failure
from appliance.memberships.subscription_noting import note_invoice
from appliance.memberships.subscription_noting import note_subscription
from appliance.memberships.subscription_noting import store
from appliance.memberships.subscription_rights import Failed
from appliance.memberships.subscription_rights import Known
from appliance.memberships.subscription_rights import Paid
from appliance.memberships.subscription_rights import Right
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import stage
from appliance.payments import CheckoutState
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionState
from appliance.payments import TaxRate

__all__ = [
    "hold",
    "note_checkout",
    "note_failure",
    "note_invoice",
    "note_subscription",
    "owns",
    "sale_of",
    "settle",
]


def owns(mark: str) -> bool:
    """Whether *mark* is a subscription."""
    return prepared.exists(Subscription, id=mark)


def sale_of(mark: str, fact: PaymentFact) -> Sale | None:
    """Whose sale a payment for this subscription is; ``None`` when the mark is none."""
    row: Subscription | None = (
        Subscription.select(Subscription, Tier)
        .join(Tier, on=Subscription.tier)
        .where(Subscription.id == mark)
        .first()
    )
    if row is None:
        return None
    share_bps = startup.appliance().settings.platform_share_bps
    sold = [Sold(row.tier.name, fact.amount_minor)]
    tax = _tax(row, fact)
    if tax is None:
        return Sale(row.artist_id, row.user_id or "", share_bps, sold)
    tax_minor = tax.included_minor(fact.amount_minor)
    return Sale(row.artist_id, row.user_id or "", share_bps, sold, tax_minor, tax.name, tax.rate_bps)


def _tax(row: Subscription, fact: PaymentFact) -> TaxRate | None:
    """The tax in a payment at its day, unless the provider tells it; of a payment that is booked nobody is asked again."""
    if fact.tax_minor is not None or not taxation.are_asked() or payments.is_known(row.provider, fact):
        return None
    return taxation.rate(
        "membership",
        fact.amount_minor,
        fact.currency,
        country=row.country or fact.country,
        business_number=row.business_number,
        paid_at=fact.paid_at,
    )


def settle(mark: str, *, now: datetime) -> None:
    """Bring the subscription's row and the membership in line with what is known; what is shut by it is revoked at once."""
    with transaction():
        row = hold(mark)
        if row is None:
            return
        booked = payments.of_mark(mark)
        paid = [_paid(payment, row.interval) for payment in booked]
        failed = [
            Failed(failure.first_failed_at, failure.last_failed_at)
            for failure in PaymentFailure.select().where(PaymentFailure.subscription == row.id)
        ]
        state = SubscriptionState(row.state)
        values = _terms(row) | {
            "past_due_since": rights.past_due_since(state, paid, failed),
            "current": _is_current(row),
        }
        if _is_given_up(row) and row.given_up_at is None:
            values["given_up_at"] = now
        store(row, values, now=now)
        known = Known(
            state=state,
            trial_end=row.trial_end,
            cancel_at=row.cancel_at,
            ended_at=row.ended_at,
            past_due_since=row.past_due_since,
            payments=paid,
            returned_at=None if not paid or any(one.kept for one in paid) else _returned_at(booked),
        )
        _give(row, rights.right_of(known), now=now)


def _give(row: Subscription, right: Right | None, *, now: datetime) -> None:
    """Let the membership of this subscription be what *right* says."""
    before: Membership | None = database.locked(
        Membership.select(Membership).where(Membership.id == row.id)
    ).first()
    if right is None or row.user_id is None:
        return
    values = {"tier": row.tier_id, "paid_through": right.through, "ended_at": right.ended_at}
    if before is None:
        Membership.insert(
            id=row.id,
            user=row.user_id,
            artist=row.artist_id,
            origin=Origin.PAID,
            created_at=row.created_at,
            updated_at=now,
            **values,
        ).execute()
        return
    known = {"tier": before.tier_id, "paid_through": before.paid_through, "ended_at": before.ended_at}
    if values == known:
        return
    Membership.update(version=Membership.version + 1, updated_at=now, **values).where(
        Membership.id == row.id
    ).execute()
    if _shrank(before, row, right, now=now):
        revocations.revoke(f"member:{row.user_id}:{row.artist_id}", now=now)


def _shrank(before: Membership, row: Subscription, right: Right, *, now: datetime) -> bool:
    """Whether somebody who heard by this membership now hears less, or not as long."""
    if before.ended_at is not None or not runs(before.paid_through, now):
        return False
    if right.ended_at is not None or before.paid_through is None or right.through < before.paid_through:
        return True
    if row.tier_id == before.tier_id:
        return False
    old, new = (
        relations.perks_of(tier) for tier in (Tier.get_by_id(before.tier_id), Tier.get_by_id(row.tier_id))
    )
    return bool(new.joined(old) != new)


def _terms(row: Subscription) -> dict[str, Any]:
    """Which tiers the prices belong to that the provider named: those that were agreed to, the last one first."""
    agreed = list(
        SubscriptionAct.select()
        .where(
            SubscriptionAct.subscription == row.id,
            SubscriptionAct.kind.in_((ActKind.BEGIN, ActKind.CHANGE)),
            SubscriptionAct.state.in_((ActState.ASKED, ActState.DONE)),
        )
        .order_by(SubscriptionAct.id.desc())
    )
    pending = None
    if row.pending_price_minor is not None:
        pending = _tier_of(agreed, row.pending_price_minor, row.currency, row.pending_interval)
        # What waits for the next period is not what holds now, also where both cost the same.
        waits = next((act for act in agreed if act.tier_id == pending and not act.at_once), None)
        agreed = [act for act in agreed if act is not waits]
    return {
        "tier": _tier_of(agreed, row.price_minor, row.currency, row.interval) or row.tier_id,
        "pending_tier": pending,
    }


def _tier_of(
    agreed: Sequence[SubscriptionAct], amount_minor: int, currency: str, interval: str
) -> str | None:
    for act in agreed:
        if (act.price_minor, act.currency, act.interval) == (amount_minor, currency, interval):
            return act.tier_id
    # A price that nobody agreed to here was changed at the provider itself; the tier stays what was agreed to last.
    return next((act.tier_id for act in agreed if act.kind == ActKind.BEGIN or act.at_once), None)


def _is_current(row: Subscription) -> bool:
    """Whether this is the subscription of its person and artist; one that was left behind takes the place when it is free."""
    where = stage(row.state, row.cancel_at)
    if row.state == SubscriptionState.ENDED or _is_given_up(row):
        return False
    if row.current or where not in RUNNING or row.user_id is None:
        return bool(row.current)
    here = (Subscription.user == row.user_id) & (Subscription.artist == row.artist_id) & Subscription.current
    # What is paid takes the place of what was only begun.
    begun = here & (Subscription.state == SubscriptionState.INCOMPLETE)
    Subscription.update(current=False).where(begun).execute()
    return not Subscription.select().where(here).exists()


def _is_given_up(row: Subscription) -> bool:
    """Whether its till closed before anybody paid."""
    return row.state == SubscriptionState.INCOMPLETE and row.checkout_state == CheckoutState.EXPIRED


def _paid(payment: Payment, interval: str) -> Paid:
    lost = payment.refunded_minor + payment.lost_minor
    return Paid(
        at=payment.paid_at,
        until=payment.period_end or rights.after(payment.paid_at, interval),
        kept=lost == 0 or lost < payment.amount_minor,
    )


def _returned_at(booked: Sequence[Payment]) -> datetime | None:
    """When the last money of these payments went back."""
    references = [payment.reference for payment in booked]
    provider = booked[0].provider
    refunds = Refund.select(peewee.fn.MAX(Refund.refunded_at)).where(
        Refund.provider == provider, Refund.payment.in_(references), ~Refund.failed
    )
    disputes = Dispute.select(peewee.fn.MAX(Dispute.opened_at)).where(
        Dispute.provider == provider, Dispute.payment.in_(references)
    )
    found = [at for at in (refunds.scalar(), disputes.scalar()) if at is not None]
    return max(found, default=None)
