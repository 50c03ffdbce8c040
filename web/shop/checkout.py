"""The way to the till: what one is about to buy, for how much, and how it is paid; nothing is charged but what the page showed."""

from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance import processors
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.payments import Feature
from appliance.shop import offers
from appliance.shop import orders
from appliance.shop import quotes
from appliance.shop import taxes
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.offers import Offer
from appliance.shop.quotes import Wish
from web import leaving
from web import presentation
from web import rates
from web.presentation import countries
from web.presentation import providers
from web.presentation import shop as shown
from web.request_cycle import person
from web.shop import leading
from web.shop import visitors
from web.shop.leading import PAY
from web.shop.leading import Sent
from web.shop.routing import blueprint

FIELDS = (
    "amount",
    "tip",
    "message",
    "discount",
    "email",
    "country",
    "business_number",
    "buyer_name",
    "buyer_address",
    "provider",
)


@blueprint.get("/buy/<kind>/<thing>")
def checkout(kind: str, thing: str) -> str:
    """What one is about to buy; a box on another page may have said for how much."""
    offer = offers.find(kind, thing)
    sent = Sent({name: request.args.get(name, "").strip() for name in FIELDS})
    _quote(offer, sent)
    return _page(offer, sent)


@blueprint.post("/buy/<kind>/<thing>")
@rates.limited("orders")
def begin_order(kind: str, thing: str) -> ResponseReturnValue:
    """Show the total anew, or begin the order and lead to the till."""
    offer = offers.find(kind, thing)
    sent = Sent({name: request.form.get(name, "").strip() for name in FIELDS})
    _quote(offer, sent)
    if sent.problem is not None:
        return _page(offer, sent), 422
    if request.form.get("act") != PAY:
        return _page(offer, sent), 200
    sent.again = sent.quote is not None and request.form.get("agreed") != sent.quote.agreed
    if sent.again:
        return _page(offer, sent), 409
    try:
        order = _begin(offer, sent)
    except leading.REFUSALS as error:
        sent.problem = error
        return _page(offer, sent), leading.status(error)
    return leading.onwards(order, _("It is yours."))


@blueprint.get("/orders/<order_id>/pay")
def pay(order_id: str) -> ResponseReturnValue:
    """On to the provider: a page of ours, since a form may lead nowhere else."""
    order = visitors.own(order_id)
    if order.state != "open" or not order.url:
        return redirect(url_for("shop.order", order_id=order.id), 303)
    return leaving.page(order.url, _("On to pay"))


def _begin(offer: Offer, sent: Sent) -> Order:
    order = orders.begin(
        _wish(offer, sent.values),
        visitors.buyer(
            sent.values["email"], name=sent.values["buyer_name"], address=sent.values["buyer_address"]
        ),
        provider=sent.values["provider"],
        now=clock.now(),
    )
    return leading.lead(order, cancel_to=url_for("shop.checkout", kind=offer.kind, thing=offer.thing))


def _quote(offer: Offer, sent: Sent) -> None:
    """Reckon what the form asks for; where that cannot be, say why."""
    paying = request.method == "POST" and request.form.get("act") == PAY
    try:
        sent.quote = quotes.make(_wish(offer, sent.values), now=clock.now(), draft=not paying)
    except MusicConnectError as error:
        sent.problem = error


def _wish(offer: Offer, values: dict[str, str]) -> Wish:
    def amount(name: str) -> int | None:
        try:
            return currencies.minor(values[name], offer.currency) if values[name] else None
        except Invalid as error:
            error.field = name
            raise

    return Wish(
        kind=offer.kind,
        thing=offer.thing,
        amount_minor=amount("amount"),
        tip_minor=amount("tip") or 0,
        message=values["message"],
        discount=values["discount"],
        country=values["country"],
        business_number=values["business_number"],
        tip_name=_("A gift for %(artist)s", artist=offer.artist.name),
    )


def _page(offer: Offer, sent: Sent) -> str:
    total = sent.quote.total_minor if sent.quote else 0
    ways = processors.offering(Feature.ONE_OFF, currency=offer.currency, amount_minor=total) if total else ()
    return render_template(
        "shop/checkout.html",
        offer=offer.kind,
        box=shown.buy_box(offer, person()),
        artist=presentation.artist(offer.artist),
        currency=offer.currency,
        quote=shown.quote(sent.quote) if sent.quote else None,
        sent=sent.values,
        problem=sent.problem,
        again=sent.again,
        ways=[(way.name, providers.label(way)) for way in ways],
        guest=person() is None,
        countries=countries.choices() if taxes.are_asked() else [],
        longest=quotes.LONGEST_MESSAGE,
        action=url_for("shop.begin_order", kind=offer.kind, thing=offer.thing),
        tip_only=offer.kind is Kind.TIP,
    )
