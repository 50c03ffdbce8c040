"""Merchandise and parcels, as finished values for templates."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance.catalog.models import Artist
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.merchandise import variants
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.quoting import BasketQuote
from web.presentation import countries
from web.presentation.pictures import Cover
from web.presentation.pictures import picture
from web.presentation.wording import price

STATES = {
    ArticleState.HIDDEN: lazy_gettext("Hidden"),
    ArticleState.FOR_SALE: lazy_gettext("For sale"),
    ArticleState.SOLD_OUT: lazy_gettext("Sold out"),
    ArticleState.ARCHIVED: lazy_gettext("Archived"),
}
PARCELS = {
    ParcelState.HELD: lazy_gettext("Not paid yet"),
    ParcelState.LET_GO: lazy_gettext("Given up"),
    ParcelState.TO_SEND: lazy_gettext("To be sent"),
    ParcelState.SHORT: lazy_gettext("Sold out, money goes back"),
    ParcelState.SENT: lazy_gettext("Sent"),
    ParcelState.RETURNED: lazy_gettext("Refunded, not sent"),
}
FEW = 5
"""From so many on, a fan is not told how many are left."""


@dataclass(frozen=True, slots=True)
class ArticleCard:
    """An article on a shelf."""

    title: str
    url: str
    note: str
    cover: Cover | None
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant to choose, or not any more."""

    id: str
    name: str
    note: str
    left: bool


@dataclass(frozen=True, slots=True)
class MemberOff:
    """What a tier has taken off the lines: its name with the percentage, and how much that is."""

    label: str
    amount: str


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel as its buyer and the people of its artist see it."""

    order: str
    state: str
    state_name: str
    name: str
    address: list[str]
    country: str
    lines: list[tuple[str, str]]
    tracking: str
    link: str
    sent: datetime | None
    zone: str


def cards(rows: Iterable[Article], artist: Artist) -> list[ArticleCard]:
    """Articles of one artist on a shelf."""
    listed = list(rows)
    if not listed:
        return []
    known, currency = variants.of_articles(listed), prices.currency_of(artist.id)
    return [
        ArticleCard(
            title=row.title,
            url=url_for("shop.article", artist=artist.slug, article=row.slug),
            note=cost(row, known[row.id], currency),
            cover=picture(row.picture_key),
        )
        for row in listed
    ]


def cost(article: Article, rows: Sequence[Variant], currency: str) -> str:
    """What an article costs, from the cheapest on; or that it is sold out."""
    if not any(variants.is_left(article, row) for row in rows):
        return _("Sold out")
    least, most = min(row.price_minor for row in rows), max(row.price_minor for row in rows)
    return price(least, currency) if least == most else _("from %(price)s", price=price(least, currency))


def choices(article: Article, rows: Sequence[Variant], currency: str, percent: int) -> list[Choice]:
    """The variants with their price for this member, and how many are left where that are few."""
    alike = len({row.price_minor for row in rows}) == 1
    found = []
    for row in rows:
        left = variants.is_left(article, row)
        notes = [] if alike else [price(offers.discounted(row.price_minor, percent), currency)]
        if not left:
            notes.append(_("sold out"))
        elif row.stock is not None and row.stock < FEW:
            notes.append(ngettext("%(num)d left", "%(num)d left", row.stock))
        name = ", ".join(filter(None, (row.first, row.second))) or article.title
        found.append(Choice(row.id, name, " · ".join(notes), left))
    return found


def member_off(quote: BasketQuote) -> MemberOff | None:
    """What the buyer's tier took off, of a basket."""
    return _off(quote.tier, quote.member_percent, quote.member_off_minor, quote.quote.currency)


def member_off_of(parcel: Parcel, currency: str) -> MemberOff | None:
    """The same, of an order."""
    return _off(parcel.tier, parcel.member_percent, parcel.member_off_minor, currency)


def parcel(row: Parcel, lines: Iterable[ParcelLine]) -> ParcelView:
    """A parcel with its address and what is in it."""
    place = " ".join(filter(None, (row.postal_code, row.city)))
    is_link = row.tracking.startswith(("https://", "http://")) and " " not in row.tracking
    return ParcelView(
        order=row.order_id,
        state=row.state,
        state_name=str(PARCELS[ParcelState(row.state)]),
        name=row.name,
        address=[row.name, *row.lines.splitlines(), place] if row.name else [],
        country=countries.name(row.country),
        lines=[(line.name, line.sku) for line in lines],
        tracking=row.tracking,
        link=row.tracking if is_link else "",
        sent=row.sent_at,
        zone=row.zone,
    )


def _off(tier: str, percent: int, amount_minor: int, currency: str) -> MemberOff | None:
    if not amount_minor:
        return None
    return MemberOff(
        _("Taken off: %(tier)s, %(percent)s %%", tier=tier, percent=percent), price(amount_minor, currency)
    )
