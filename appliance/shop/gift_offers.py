"""What a membership costs as a gift: so many months of a tier, paid once."""

from dataclasses import dataclass
from datetime import datetime

from appliance import processors
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.payments import Feature
from appliance.payments import PaymentProvider
from appliance.shop.models import Kind
from appliance.shop.offers import Offer
from appliance.shop.offers import Part

MONTHS = (1, 3, 6, 12)
"""For how long a membership is given."""


@dataclass(frozen=True, slots=True)
class GiftWish:
    """What of a gift is not its price: from whom, to whom (an *email*, or nothing for a code to hand on), from when on the letter goes out.

    *name* is what the gift is called on the receipt, in the buyer's language.
    """

    months: int
    by: str = ""
    message: str = ""
    email: str = ""
    send_at: datetime | None = None
    name: str = ""


def find(tier_id: str) -> Tier:
    """The tier, artist joined, if it can be given; ``NotFound`` or ``Conflict`` says why not."""
    query = Tier.select(Tier, Artist).join(Artist, on=Tier.artist)
    tier: Tier | None = query.where(Tier.id == tier_id).first()
    if tier is None:
        raise NotFound("There is no such tier.")
    if not can_be_given(tier):
        raise Conflict("This tier cannot be given.")
    return tier


def can_be_given(tier: Tier) -> bool:
    """Pure: whether one can pay for this tier, and it takes members."""
    return tier.kind != TierKind.FREE and tier.archived_at is None and bool(tier.price_minor)


def price_minor(tier: Tier, months: int) -> int:
    """Pure: what so many months cost; twelve are a year, where the tier has a price for it."""
    if months == 12 and tier.annual_price_minor:
        return int(tier.annual_price_minor)
    return months * int(tier.price_minor)


def of_tier(tier: Tier, wish: GiftWish) -> Offer:
    """The offer for so many months of this tier, artist joined; ``Invalid`` for another number of them."""
    if wish.months not in MONTHS:
        raise Invalid("Choose for how long.", field="months")
    cost = price_minor(tier, wish.months)
    return Offer(
        kind=Kind.GIFT,
        thing=tier.id,
        name=tier.name,
        artist=tier.artist,
        currency=tier.currency,
        price_minor=cost,
        full_minor=wish.months * tier.price_minor,
        pay_more=False,
        parts=(Part(wish.name or tier.name, 1),),
    )


def ways(tier: Tier, months: int = MONTHS[-1]) -> tuple[PaymentProvider, ...]:
    """By what so many months of this tier can be paid."""
    return processors.offering(
        Feature.ONE_OFF, currency=tier.currency, amount_minor=price_minor(tier, months)
    )
