"""How things stand at a payment provider, and what it can do."""

from enum import StrEnum


class Feature(StrEnum):
    """What not every provider can do; what is missing is not offered to anybody."""

    SUBSCRIPTIONS = "subscriptions"
    ONE_OFF = "one_off"
    PRORATION = "proration"
    PAUSE = "pause"
    PORTAL = "portal"
    REFUNDS = "refunds"
    PAYOUTS = "payouts"
    ONBOARDING = "onboarding"


class Interval(StrEnum):
    """How often a subscription is paid."""

    MONTH = "month"
    YEAR = "year"


class SubscriptionState(StrEnum):
    """How a subscription stands at its provider."""

    INCOMPLETE = "incomplete"
    """Begun, and nothing paid or agreed yet."""
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    ENDED = "ended"


class DisputeState(StrEnum):
    """How a dispute of a payment stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class PayoutState(StrEnum):
    """How a payout stands."""

    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"


class CheckoutState(StrEnum):
    """How a visit to the provider's till stands."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"
