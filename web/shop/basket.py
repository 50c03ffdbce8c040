"""The basket of one artist and its order in one page: how many, sent where, for how much; nothing is charged but what the page showed."""

from dataclasses import dataclass
from dataclasses import field

from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import processors
from appliance.catalog import artists
from appliance.catalog.models import Artist
from appliance.errors import MusicConnectError
from appliance.payments import Feature
from appliance.shop import taxes
from appliance.shop.merchandise import destinations
from appliance.shop.merchandise import ordering
from appliance.shop.merchandise import quoting
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.quoting import Basket
from appliance.shop.merchandise.quoting import BasketQuote
from appliance.shop.models import Order
from web import presentation
from web import rates
from web.presentation import countries
from web.presentation import merchandise as goods
from web.presentation import providers
from web.presentation import shop as shown
from web.request_cycle import person
from web.shop import baskets
from web.shop import leading
from web.shop import visitors
from web.shop.leading import PAY
from web.shop.leading import Sent
from web.shop.routing import blueprint

FIELDS = (*destinations.FIELDS, "discount", "email", "business_number", "provider")


@dataclass(slots=True)
class SentBasket(Sent):
    """What the form says, what of it can be had, and what that costs."""

    lines: list[tuple[Article, Variant, int]] = field(default_factory=list)
    basket: BasketQuote | None = None


@blueprint.get("/basket/<artist>")
def basket(artist: str) -> str:
    """What is in it, and what it costs so far."""
    seller = artists.find(artist)
    sent = SentBasket(dict.fromkeys(FIELDS, ""), lines=baskets.lines(seller, baskets.of(seller)))
    _quote(seller, sent, draft=True)
    return _page(seller, sent)


@blueprint.post("/basket/<artist>")
@rates.limited("orders")
def order_basket(artist: str) -> ResponseReturnValue:
    """Change the numbers and show the total anew, or begin the order and lead to the till."""
    seller = artists.find(artist)
    chosen = {
        key: baskets.number(request.form.get(f"quantity-{key}", str(there)))
        for key, there in baskets.of(seller).items()
    }
    baskets.keep(seller, chosen)
    values = {name: request.form.get(name, "").strip() for name in FIELDS}
    sent = SentBasket(values, lines=baskets.lines(seller, baskets.of(seller)))
    paying = request.form.get("act") == PAY
    _quote(seller, sent, draft=not paying)
    if sent.problem is not None:
        return _page(seller, sent), 422
    if not paying:
        return _page(seller, sent), 200
    sent.again = sent.quote is not None and request.form.get("agreed") != sent.quote.agreed
    if sent.again:
        return _page(seller, sent), 409
    try:
        order = _begin(seller, sent)
    except leading.REFUSALS as error:
        sent.problem = error
        return _page(seller, sent), leading.status(error)
    return leading.onwards(order, _("It is ordered."))


def _begin(seller: Artist, sent: SentBasket) -> Order:
    order = ordering.begin(
        _wanted(seller, sent),
        Destination(**{name: sent.values[name] for name in destinations.FIELDS}),
        visitors.buyer(sent.values["email"]),
        provider=sent.values["provider"],
        now=clock.now(),
        instead_of=_begun_here(),
    )
    baskets.began(seller, order.id)
    return leading.lead(order, cancel_to=url_for("shop.basket", artist=seller.slug))


def _quote(seller: Artist, sent: SentBasket, *, draft: bool) -> None:
    """Reckon what is in the basket; where that cannot be, say why."""
    if not sent.lines:
        return
    now, who = clock.now(), person()
    kept = ordering.held(seller, who, _begun_here())
    try:
        sent.basket = quoting.make(_wanted(seller, sent), who, now=now, draft=draft, kept=kept)
        sent.quote = sent.basket.quote
    except MusicConnectError as error:
        sent.problem = error


def _wanted(seller: Artist, sent: SentBasket) -> Basket:
    return Basket(
        artist=seller,
        chosen={variant.id: quantity for _article, variant, quantity in sent.lines},
        country=sent.values["country"],
        discount=sent.values["discount"],
        business_number=sent.values["business_number"],
        shipping_name=_("Shipping"),
    )


def _begun_here() -> list[str]:
    return list(session.get(visitors.OWN, []))


def _page(seller: Artist, sent: SentBasket) -> str:
    quote = sent.quote
    total = quote.total_minor if quote else 0
    ways = (
        processors.offering(Feature.ONE_OFF, currency=quote.currency, amount_minor=total)
        if quote and total
        else ()
    )
    return render_template(
        "shop/basket.html",
        artist=presentation.artist(seller),
        lines=[
            (f"quantity-{variant.id}", variants.named(article, variant), quantity)
            for article, variant, quantity in sent.lines
        ],
        quote=shown.quote(quote) if quote else None,
        member=goods.member_off(sent.basket) if sent.basket else None,
        to_country=sent.basket is not None and sent.basket.zone is not None,
        sent=sent.values,
        problem=sent.problem,
        again=sent.again,
        ways=[(way.name, providers.label(way)) for way in ways],
        guest=person() is None,
        taxed=taxes.are_asked(),
        begun=[
            url_for("shop.order", order_id=one)
            for one in ordering.open_orders(seller, person(), _begun_here())
        ],
        countries=countries.choices(zones.reached(zones.of_artist(seller.id))),
        most=quoting.MOST_OF_ONE,
        longest=(destinations.LONGEST_NAME, destinations.LONGEST_CITY, destinations.LONGEST_CODE),
        action=url_for("shop.order_basket", artist=seller.slug),
    )
