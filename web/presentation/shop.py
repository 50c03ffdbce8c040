"""What is for sale and what was bought, as finished values for templates."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance import clock
from appliance import currencies
from appliance import processors
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.payments import CheckoutState
from appliance.payments import Feature
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.offers import Offer
from appliance.shop.quotes import Quote
from web.presentation.wording import day
from web.presentation.wording import price

STATES = {
    OrderState.OPEN: lazy_gettext("Not paid yet"),
    OrderState.PAID: lazy_gettext("Paid"),
    OrderState.EXPIRED: lazy_gettext("Given up"),
    OrderState.REFUNDED: lazy_gettext("Refunded"),
}
KINDS = {
    Kind.RELEASE: lazy_gettext("Release"),
    Kind.TRACK: lazy_gettext("Track"),
    Kind.CATALOGUE: lazy_gettext("From everything at once"),
    Kind.TIP: lazy_gettext("A gift"),
    Kind.CODE: lazy_gettext("By a code"),
    Kind.MERCHANDISE: lazy_gettext("Merchandise"),
    Kind.SHIPPING: lazy_gettext("Shipping"),
    Kind.GIFT: lazy_gettext("Membership for somebody else"),
    Kind.BUNDLE: lazy_gettext("From a bundle"),
}


MOST = prices.MOST_MINOR


@dataclass(frozen=True, slots=True)
class BuyBox:
    """What stands beside the music: what it costs, and where one buys it; *least* is written as one types it."""

    action: str
    price: str
    currency: str
    least: str
    pay_more: bool
    free: bool
    owned: bool
    preorder: str
    """What is said of what is not out yet; empty for what is."""
    tip_url: str
    name: str = ""
    instead: str = ""
    """The price without what is taken off, where something is."""
    has: Sequence[str] = ()
    """What of it who looks has already."""


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of an order, or of what is to be one."""

    name: str
    kind: str
    amount: str
    message: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What an order would say; *agreed* comes back with the form, so that what was shown is what is charged."""

    lines: list[LineView]
    discount: str
    taxes: list[str]
    total: str
    total_minor: int
    agreed: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its buyer sees it, and, with *buyer*, as its artist does."""

    id: str
    url: str
    artist: str
    state: str
    state_name: str
    at: datetime
    total: str
    discount: str
    taxes: list[str]
    lines: list[LineView]
    buyer: str
    kept: str


def buy_box(offer: Offer | None, who: User | None) -> BuyBox | None:
    """The box for *offer*, if there is one."""
    if offer is None:
        return None
    mine = offers.owned(offer, who)
    asked = price(offer.price_minor, offer.currency) if offer.price_minor else _("Free")
    return BuyBox(
        action=url_for("shop.checkout", kind=offer.kind, thing=offer.thing),
        price=asked,
        currency=offer.currency,
        least=currencies.written(offer.price_minor, offer.currency),
        pay_more=offer.pay_more,
        free=not offer.price_minor,
        owned=bool(offer.parts) and len(mine) == len(offer.parts),
        has=[part.name for part in mine],
        preorder=_ahead(offer),
        tip_url=url_for("shop.checkout", kind=Kind.TIP, thing=offer.artist.id),
        name=_("Everything by %(artist)s", artist=offer.artist.name)
        if offer.kind is Kind.CATALOGUE
        else offer.name,
        instead=price(offer.full_minor, offer.currency) if offer.full_minor > offer.price_minor else "",
    )


def _ahead(offer: Offer) -> str:
    if not offer.preorder:
        return ""
    if offer.out_at is None:
        return _("It is not out yet. You pay now, and have it the moment it is.")
    return _("It is out on %(day)s. You pay now, and have it the moment it is.", day=day(offer.out_at))


def tip_page(artist: Artist) -> str:
    """Where one gives this artist something; empty while nothing can be paid here."""
    ways = processors.offering(Feature.ONE_OFF, currency=prices.currency_of(artist.id), amount_minor=MOST)
    return url_for("shop.checkout", kind=Kind.TIP, thing=artist.id) if ways else ""


def quote(found: Quote) -> QuoteView:
    """What an order would say."""
    return QuoteView(
        lines=[
            LineView(line.name, str(KINDS[line.kind]), price(line.amount_minor, found.currency), line.message)
            for line in found.lines
        ],
        discount=price(found.discount_minor, found.currency) if found.discount_minor else "",
        taxes=_taxes([(line.tax_name, line.tax_bps, line.tax_minor) for line in found.lines], found.currency),
        total=price(found.total_minor, found.currency),
        total_minor=found.total_minor,
        agreed=found.agreed,
    )


def order(row: Order, items: Sequence[OrderItem], pages: dict[str, str] | None = None) -> OrderView:
    """An order; *pages* are the addresses of what it opens, by id."""
    known = pages or {}
    return OrderView(
        id=row.id,
        url=url_for("shop.order", order_id=row.id),
        artist=row.artist_name,
        state=row.state,
        state_name=str(STATES[OrderState(row.state)]),
        at=row.paid_at or row.created_at,
        total=price(row.total_minor, row.currency) if row.total_minor else _("Free"),
        discount=price(row.discount_minor, row.currency) if row.discount_minor else "",
        taxes=_taxes([(item.tax_name, item.tax_bps, item.tax_minor) for item in items], row.currency),
        lines=[
            LineView(
                name=item.name,
                kind=str(KINDS[Kind(item.kind)]),
                amount=price(item.amount_minor, row.currency),
                message=item.message,
                page=known.get(item.track or item.release, ""),
            )
            for item in items
        ],
        buyer=row.email,
        kept=_kept(row),
    )


def _kept(row: Order) -> str:
    """For how long it keeps what others may want, while it can still be paid."""
    if (
        row.state != OrderState.OPEN
        or row.held_until is None
        or row.checkout_state == CheckoutState.COMPLETED
    ):
        return ""
    left = row.held_until - clock.now()
    if left > timedelta(hours=2):
        return _("It is kept for you until %(day)s, if it is paid by then.", day=day(row.held_until))
    minutes = max(1, left // timedelta(minutes=1))
    return ngettext(
        "It is kept for you for one more minute, to be paid.",
        "It is kept for you for %(num)d more minutes, to be paid.",
        minutes,
    )


def _taxes(parts: Iterable[tuple[str, int, int]], currency: str) -> list[str]:
    """Each tax with its rate and how much it is: ``VAT 19 %: €1.12``."""
    sums: dict[tuple[str, int], int] = {}
    for name, rate_bps, amount in parts:
        if name:
            sums[name, rate_bps] = sums.get((name, rate_bps), 0) + amount
    return [
        _(
            "including %(tax)s %(rate)s %%: %(amount)s",
            tax=name,
            rate=percent(bps),
            amount=price(amount, currency),
        )
        for (name, bps), amount in sums.items()
    ]


def percent(rate_bps: int) -> str:
    """Pure: hundredths of a percent as one writes them: ``19``, ``5.5``."""
    whole, rest = divmod(rate_bps, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)
