"""Memberships that are paid for, and what a change of one costs, as JSON."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin

from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.memberships.subscription_asking import FIGURES_HOLD
from appliance.memberships.subscription_models import PaymentAsked
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_models import SubscriptionAct
from appliance.memberships.subscription_offers import Offer
from appliance.memberships.subscription_offers import Step
from appliance.memberships.subscription_states import Stage
from appliance.memberships.subscription_states import stage
from web import addresses
from web.presentation import subscriptions as shown


def every(rows: Sequence[Subscription]) -> list[dict[str, Any]]:
    """Subscriptions, tier and artist joined, for who pays, by two more queries whatever their number."""
    ids = [row.id for row in rows]
    standing = Membership.ended_at.is_null() & Membership.id.in_(ids)
    members = {row.id: row for row in (Membership.select().where(standing) if ids else ())}
    asked = subscriptions.asked_for(ids)
    return [_told(row, members.get(row.id), asked.get(row.id)) for row in rows]


def offer(row: Offer) -> dict[str, Any]:
    """A way to pay for a tier, and by whom."""
    return {
        "interval": row.interval,
        "price_minor": row.price_minor,
        "currency": row.tier.currency,
        "saving_minor": row.saving_minor,
        "providers": [{"name": way.name, "label": way.label} for way in offers.ways(row)],
    }


def step(row: Step) -> dict[str, Any]:
    """A change that can be made."""
    return {
        "tier": _tier(row.offer.tier),
        "interval": row.offer.interval,
        "price_minor": row.offer.price_minor,
        "currency": row.offer.tier.currency,
        "at_once": row.at_once,
    }


def figures(act: SubscriptionAct) -> dict[str, Any]:
    """What a change costs now and next, and when."""
    return {
        "id": act.id,
        "tier": _tier(act.tier) if act.tier else None,
        "interval": act.interval,
        "price_minor": act.price_minor,
        "currency": act.currency,
        "at_once": bool(act.at_once),
        "due_now_minor": act.due_now_minor or 0,
        "next_minor": act.next_minor or 0,
        "next_at": act.next_at.isoformat() if act.next_at else None,
        "hold_until": (act.created_at + FIGURES_HOLD).isoformat(),
    }


def _told(row: Subscription, member: Membership | None, asked: PaymentAsked | None) -> dict[str, Any]:
    where = stage(row.state, row.cancel_at)
    return {
        "id": row.id,
        "artist": {"slug": row.artist.slug, "name": row.artist.name},
        "tier": _tier(row.tier),
        "interval": row.interval,
        "price_minor": row.price_minor,
        "currency": row.currency,
        "provider": row.provider,
        "stage": where,
        "member": member is not None,
        "paid_through": _instant(member.paid_through if member else None),
        "trial_end": _instant(row.trial_end),
        "cancel_at": _instant(row.cancel_at),
        "past_due_since": _instant(row.past_due_since if where is Stage.PAST_DUE else None),
        "next_payment": _next(row, where),
        "pending": _pending(row),
        "moves": sorted(shown.subscription(row).moves),
        "pay_url": _pay_url(row, where, asked),
        "created_at": row.created_at.isoformat(),
    }  # fmt: skip


def _pay_url(row: Subscription, where: Stage, asked: PaymentAsked | None) -> str | None:
    if where is Stage.INCOMPLETE:
        return (row.current and row.checkout_url) or None
    return urljoin(addresses.root(), asked.url) if asked is not None else None


def _next(row: Subscription, where: Stage) -> dict[str, Any] | None:
    at = row.period_end or row.trial_end
    if where not in {Stage.ACTIVE, Stage.TRIALING} or at is None:
        return None
    due = row.price_minor if row.pending_price_minor is None else row.pending_price_minor
    return {"at": at.isoformat(), "amount_minor": due, "currency": row.currency}


def _pending(row: Subscription) -> dict[str, Any] | None:
    if row.pending_tier is None:
        return None
    return {
        "tier": _tier(row.pending_tier),
        "interval": row.pending_interval,
        "price_minor": row.pending_price_minor or 0,
    }


def _tier(row: Tier) -> dict[str, Any]:
    return {"id": row.id, "name": row.name}


def _instant(found: Any) -> str | None:
    return found.isoformat() if found is not None else None
