"""What one can pay for: which tiers, by the month or the year, by which way; and what a change from one to the other means."""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance import currencies
from appliance import processors
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships import tiers
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.memberships.subscription_models import Subscription
from appliance.payments import Feature
from appliance.payments import Interval
from appliance.payments import PaymentProvider
from appliance.payments import Price

LONGEST_INVOICE_NAME = 120


@dataclass(frozen=True, slots=True)
class Offer:
    """A tier by the month or the year; *saving_minor* is what a year costs less than twelve months."""

    tier: Tier
    interval: Interval
    price_minor: int
    saving_minor: int = 0

    @property
    def terms(self) -> tuple[str, str]:
        """By what one tells this offer from others."""
        return self.tier.id, self.interval


@dataclass(frozen=True, slots=True)
class Step:
    """A change that can be made: to what, and whether at once or from the next period on."""

    offer: Offer
    at_once: bool


def of_tier(tier: Tier) -> tuple[Offer, ...]:
    """How this tier can be paid for; not at all when it is free or archived."""
    if tier.kind == TierKind.FREE or tier.archived_at is not None or not tier.price_minor:
        return ()
    monthly = Offer(tier, Interval.MONTH, tier.price_minor)
    if not tier.annual_price_minor:
        return (monthly,)
    saving = 12 * tier.price_minor - tier.annual_price_minor
    return monthly, Offer(tier, Interval.YEAR, tier.annual_price_minor, saving)


def find(tier: Tier, interval: str) -> Offer:
    """The offer with this interval; ``Conflict`` or ``Invalid`` says why there is none."""
    if tier.kind == TierKind.FREE or not tier.price_minor:
        raise Conflict("This tier is what everybody has; there is nothing to pay.")
    if tier.archived_at is not None:
        raise Conflict("This tier takes no new members any more.")
    for offer in of_tier(tier):
        if offer.interval == interval:
            return offer
    if interval == Interval.YEAR:
        raise Invalid("This tier cannot be paid by the year.", field="interval")
    raise Invalid("Choose whether you pay by the month or by the year.", field="interval")


def ways(offer: Offer) -> tuple[PaymentProvider, ...]:
    """By what this offer can be paid."""
    return processors.offering(
        Feature.SUBSCRIPTIONS, currency=offer.tier.currency, amount_minor=offer.price_minor
    )


def way(name: str, offer: Offer) -> PaymentProvider:
    """The provider of this name, if it takes what is offered; ``Invalid`` says why not."""
    provider = next((one for one in processors.every() if one.name == name), None)
    if provider is None:
        raise Invalid("Choose how you want to pay.", field="provider")
    if Feature.SUBSCRIPTIONS not in provider.features:
        raise Invalid("{label} takes single payments only.", label=provider.label, field="provider")
    require_enough(provider, offer)
    return provider


def require_enough(provider: PaymentProvider, offer: Offer) -> None:
    """``Invalid`` unless *provider* takes this amount in this currency."""
    currency = offer.tier.currency
    least = processors.least_minor(provider, currency)
    if least is None:
        raise Invalid(
            "{label} takes no {currency}.", label=provider.label, currency=currency, field="provider"
        )
    if offer.price_minor < least:
        raise Invalid(
            "{label} takes no less than {least} {currency}.",
            label=provider.label,
            least=currencies.written(least, currency),
            currency=currency,
            field="provider",
        )


def price_of(offer: Offer, artist: Artist) -> Price:
    """The price as a provider is told."""
    name = f"{artist.name}: {offer.tier.name}"[:LONGEST_INVOICE_NAME]
    return Price(offer.price_minor, offer.tier.currency, offer.interval, name)


def steps(row: Subscription, provider: PaymentProvider) -> Iterator[Step]:
    """Every change that this subscription, tier and artist joined, can make."""
    prorates = Feature.PRORATION in provider.features
    for tier in tiers.of_artist(row.artist):
        if tier.currency != row.currency:
            continue
        for offer in of_tier(tier):
            least = processors.least_minor(provider, tier.currency)
            if (
                offer.terms != (row.tier_id, row.interval)
                and least is not None
                and offer.price_minor >= least
            ):
                yield Step(offer, prorates and _upgrades(row, offer))
    if row.pending_tier_id is not None:
        # What one has, at the price that was agreed to, instead of what was to come.
        yield Step(Offer(row.tier, Interval(row.interval), row.price_minor), at_once=False)


def step(row: Subscription, provider: PaymentProvider, tier_id: str, interval: str) -> Step:
    """The change to this tier and interval; ``Invalid`` when it cannot be made."""
    for one in steps(row, provider):
        if one.offer.terms == (tier_id, interval):
            return one
    raise Invalid("Choose a tier that you are not in yet.", field="tier")


def _upgrades(row: Subscription, offer: Offer) -> bool:
    """Whether it is more than before, and so begins at once; a year that was paid does not become months before it is over."""
    if (row.interval, offer.interval) == (Interval.YEAR, Interval.MONTH):
        return False
    if offer.tier.id == row.tier_id:
        return offer.interval == Interval.YEAR
    return bool(offer.tier.price_minor > row.tier.price_minor)
