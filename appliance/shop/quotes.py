"""What a wish costs: its lines, what is taken off, the tax in it and the total; the figure shown is the figure charged."""

from dataclasses import dataclass
from dataclasses import replace
from datetime import datetime

from appliance import currencies
from appliance.catalog.wording import clean_text
from appliance.errors import Invalid
from appliance.shop import discounts
from appliance.shop import gift_offers
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop import taxes
from appliance.shop.gift_offers import GiftWish
from appliance.shop.models import Discount
from appliance.shop.models import Kind
from appliance.shop.offers import Offer
from appliance.shop.offers import Part

LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: a thing for *amount_minor* (``None``: its price), a tip with a *message*, by a *discount* code.

    *tip_name* is what the tip is called on the receipt, in the buyer's language. With a *gift* the thing is a tier, for somebody else.
    """

    kind: str
    thing: str
    amount_minor: int | None = None
    tip_minor: int = 0
    message: str = ""
    discount: str = ""
    country: str = ""
    business_number: str = ""
    tip_name: str = "Tip"
    gift: GiftWish | None = None


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One line of an order to be: *amount_minor* with *tax_minor* in it."""

    kind: Kind
    name: str
    amount_minor: int
    tax_minor: int = 0
    tax_name: str = ""
    tax_bps: int = 0
    release: str = ""
    track: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """All that an order will say, before it is one."""

    offer: Offer
    lines: tuple[QuotedLine, ...]
    discount: Discount | None
    discount_minor: int
    country: str
    business_number: str
    shipping_minor: int = 0
    """What of it pays for the way to the buyer; the platform has no share in that."""

    @property
    def currency(self) -> str:
        """The currency of all of it."""
        return self.offer.currency

    @property
    def total_minor(self) -> int:
        """What is paid, tax included."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def agreed(self) -> str:
        """What a form says that its reader was shown: the number alone would hold in whatever currency."""
        return f"{self.total_minor} {self.currency}"

    @property
    def tax_minor(self) -> int:
        """The tax in it."""
        return sum(line.tax_minor for line in self.lines)


def make(wish: Wish, *, now: datetime, draft: bool = False) -> Quote:
    """What *wish* costs now; ``NotFound`` when it cannot be bought, ``Invalid`` for an amount, code or country that cannot be taken.

    A *draft* is to be looked at while the rest is being filled in: it may lack the country and the tip.
    """
    if wish.gift is not None:
        offer = gift_offers.of_tier(gift_offers.find(wish.thing), wish.gift)
    else:
        offer = offers.find(wish.kind, wish.thing)
    least = prices.least_minor(offer.currency)
    amount = _amount(offer, wish)
    tip = _tip(wish, draft=draft)
    found = discounts.find(offer.artist.id, wish.discount, now=now) if wish.discount.strip() else None
    off = 0
    if found is not None and offer.kind is not Kind.TIP:
        # From the price, not from what somebody gives of their own will beyond it.
        off = discounts.off_minor(found, min(amount, offer.price_minor), least_minor=least)
    country = taxes.country(wish.country)
    number = taxes.business_number(wish.business_number)
    if taxes.are_asked() and amount - off + tip and not draft:
        taxes.require_country(country)

    lines = [
        QuotedLine(offer.kind, _line_name(offer, part), cost, release=part.release, track=part.track)
        for part, cost in offers.shared(offer, amount - off)
    ]
    lines += [
        QuotedLine(Kind.TRACK, part.name, 0, release=part.release, track=part.track) for part in offer.at_once
    ]
    if tip:
        lines.append(QuotedLine(Kind.TIP, wish.tip_name, tip, message=_message(wish)))
    elif lines:
        # Whoever writes a few words and gives nothing on top is read as well.
        lines[0] = replace(lines[0], message=_message(wish))
    taxed_lines = tuple(taxed(lines, offer.currency, country=country, business_number=number))
    quote = Quote(offer, taxed_lines, found, off, country, number)
    require_payable(quote, least)
    return quote


def _line_name(offer: Offer, part: Part) -> str:
    return f"{offer.name}: {part.name}" if offer.kind is Kind.BUNDLE else part.name


def _amount(offer: Offer, wish: Wish) -> int:
    if offer.kind is Kind.TIP:
        return 0
    if wish.amount_minor is None or not offer.pay_more:
        return offer.price_minor
    _require_sane(wish.amount_minor, "amount")
    if wish.amount_minor < offer.price_minor:
        raise Invalid(
            "It costs at least {least} {currency}.",
            least=currencies.written(offer.price_minor, offer.currency),
            currency=offer.currency,
            field="amount",
        )
    return wish.amount_minor


def _tip(wish: Wish, *, draft: bool) -> int:
    tip = wish.tip_minor
    _require_sane(tip, "tip")
    if wish.kind == Kind.TIP and not tip and not draft:
        raise Invalid("Write how much you want to give.", field="tip")
    return tip


def _message(wish: Wish) -> str:
    return clean_text(wish.message, field="message", longest=LONGEST_MESSAGE)


def _require_sane(amount_minor: int, field: str) -> None:
    if not 0 <= amount_minor <= prices.MOST_MINOR:
        raise Invalid("This is more than can be paid at once.", field=field)


def require_payable(quote: Quote, least: int) -> None:
    """``Invalid`` for a total that nobody takes."""
    if 0 < quote.total_minor < least:
        raise Invalid(
            "The smallest amount that can be paid here is {least} {currency}.",
            least=currencies.written(least, quote.currency),
            currency=quote.currency,
            field="tip" if quote.offer.kind is Kind.TIP else "amount",
        )
    if quote.total_minor > prices.MOST_MINOR:
        raise Invalid("This is more than can be paid at once.", field="amount")


def taxed(lines: list[QuotedLine], currency: str, *, country: str, business_number: str) -> list[QuotedLine]:
    """The lines with the tax in each; one question for each kind of thing."""
    sums: dict[Kind, int] = {}
    for line in lines:
        sums[line.kind] = sums.get(line.kind, 0) + line.amount_minor
    rates = {
        kind: taxes.rate(kind, amount, currency, country=country, business_number=business_number)
        for kind, amount in sums.items()
    }
    found = []
    for line in lines:
        rate = rates[line.kind]
        if rate is not None:
            line = replace(
                line,
                tax_minor=rate.included_minor(line.amount_minor),
                tax_name=rate.name[:40],
                tax_bps=rate.rate_bps,
            )
        found.append(line)
    return found
