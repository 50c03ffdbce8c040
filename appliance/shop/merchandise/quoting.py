"""What a basket costs: goods by their number, less what the buyer's tier and a code take off, and the way there; the tax in all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from appliance.accounts.models import User
from appliance.catalog import openness
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.ledger.settlement import apportion
from appliance.shop import discounts
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop import quotes
from appliance.shop import taxes
from appliance.shop.merchandise import countries
from appliance.shop.merchandise import member_discounts
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.models import Zone
from appliance.shop.models import Kind
from appliance.shop.offers import Offer
from appliance.shop.quotes import Quote
from appliance.shop.quotes import QuotedLine

MOST_OF_ONE, MOST_LINES = 20, 20
NOTHING_KEPT: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Basket:
    """What somebody wants of an artist: how many of each variant, by its id, sent to a *country*. *shipping_name* is in the buyer's language."""

    artist: Artist
    chosen: Mapping[str, int]
    country: str = ""
    discount: str = ""
    business_number: str = ""
    shipping_name: str = "Shipping"


@dataclass(frozen=True, slots=True)
class Picked:
    """So many of one variant: what they cost, and what is left of that after all that is taken off."""

    article: Article
    variant: Variant
    quantity: int
    full_minor: int
    amount_minor: int

    @property
    def name(self) -> str:
        """As it stands on the order and its receipt."""
        named = variants.named(self.article, self.variant)
        return f"{named} × {self.quantity}" if self.quantity > 1 else named


@dataclass(frozen=True, slots=True)
class BasketQuote:
    """All that an order of merchandise will say; without a *zone* the country is still to be told."""

    quote: Quote
    picked: tuple[Picked, ...]
    zone: Zone | None
    shipping_minor: int
    tier: str
    member_percent: int
    member_off_minor: int


def make(
    basket: Basket,
    user: User | None,
    *,
    now: datetime,
    draft: bool = False,
    kept: Mapping[str, int] = NOTHING_KEPT,
) -> BasketQuote:
    """What *basket* costs *user* now; ``Invalid`` and ``Conflict`` tell what cannot be had or not be sent there.

    Of each variant, *kept* is what they hold already by an order that gives way to this one. A *draft* is to be looked at while the rest is being filled in: it may lack the country, and then the shipping.
    """
    currency = prices.currency_of(basket.artist.id)
    percent, tier = member_discounts.of(user, basket.artist.id, now=now)
    chosen = _chosen(basket, kept)
    full = [variant.price_minor * quantity for _article, variant, quantity in chosen]
    member = [offers.discounted(amount, percent) for amount in full]
    goods = sum(member)
    zone, shipping = _shipping(basket, sum(quantity for *_both, quantity in chosen), draft=draft)
    least = prices.least_minor(currency)
    found = discounts.find(basket.artist.id, basket.discount, now=now) if basket.discount.strip() else None
    off = discounts.off_minor(found, goods, least_minor=max(0, least - shipping)) if found else 0
    left = apportion(goods - off, member)
    picked = tuple(
        Picked(article, variant, quantity, cost, rest)
        for (article, variant, quantity), cost, rest in zip(chosen, full, left, strict=True)
    )
    number = taxes.business_number(basket.business_number)
    country = countries.one(basket.country) if zone else ""
    offer = Offer(
        Kind.MERCHANDISE,
        basket.artist.id,
        basket.artist.name,
        basket.artist,
        currency,
        goods,
        sum(full),
        False,
    )
    lines = quotes.taxed(
        _lines(basket, picked, zone, shipping), currency, country=country, business_number=number
    )
    quote = Quote(offer, tuple(lines), found, off, country, number, shipping_minor=shipping)
    quotes.require_payable(quote, least)
    return BasketQuote(quote, picked, zone, shipping, tier if percent else "", percent, sum(full) - goods)


def _chosen(basket: Basket, kept: Mapping[str, int]) -> list[tuple[Article, Variant, int]]:
    """What is wanted, in one order; the article comes with its variant."""
    wanted = {key: number for key, number in basket.chosen.items() if number}
    if not wanted:
        raise Invalid("There is nothing in the basket.")
    if len(wanted) > MOST_LINES:
        raise Invalid("At most {most} different things go into one order.", most=MOST_LINES)
    query = (
        Variant.select(Variant, Article)
        .join(Article)
        .where(Variant.id.in_(list(wanted)), Article.artist == basket.artist.id)
        .order_by(Article.id, Variant.position, Variant.id)
    )
    rows = [(row.article, row, wanted[row.id]) for row in query]
    if len(rows) < len(wanted):
        raise Conflict("Something in the basket is not sold any more; take it out.")
    for article, variant, quantity in rows:
        _require_sold(article, variant, quantity, kept.get(variant.id, 0))
    return rows


def _require_sold(article: Article, variant: Variant, quantity: int, kept: int) -> None:
    name = variants.named(article, variant)
    field = f"quantity-{variant.id}"
    if not 0 < quantity <= MOST_OF_ONE:
        raise Invalid("One order takes 1 to {most} of a thing.", most=MOST_OF_ONE, field=field)
    left = None if variant.stock is None else variant.stock + kept
    if article.state != ArticleState.FOR_SALE or left == 0:
        raise Invalid("“{name}” is sold out.", name=name, field=field)
    if left is not None and left < quantity:
        raise Invalid("Of “{name}” only {left} are left.", name=name, left=left, field=field)


def _shipping(basket: Basket, quantity: int, *, draft: bool) -> tuple[Zone | None, int]:
    if draft and not basket.country.strip():
        return None, 0
    country = countries.one(basket.country)
    zone = zones.holding(zones.of_artist(basket.artist.id), country)
    if zone is None:
        raise Invalid("{artist} does not ship to this country.", artist=basket.artist.name, field="country")
    return zone, zones.cost_minor(zone, quantity)


def _lines(basket: Basket, picked: tuple[Picked, ...], zone: Zone | None, shipping: int) -> list[QuotedLine]:
    lines = [QuotedLine(Kind.MERCHANDISE, one.name, one.amount_minor) for one in picked]
    if zone is not None:
        lines.append(QuotedLine(Kind.SHIPPING, f"{basket.shipping_name} ({zone.name})", shipping))
    with_music = {one.article.release_id: None for one in picked if one.article.release_id}
    for row in Release.select().where(Release.id.in_(list(with_music))) if with_music else ():
        if not openness.is_public(row) and (row.state != ReleaseState.SCHEDULED or row.taken_down_at):
            # A draft, or what is not to be had any more: nobody is told of it.
            continue
        lines.append(QuotedLine(Kind.RELEASE, row.title, 0, release=row.id))
    return lines
