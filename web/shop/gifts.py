"""Giving a membership: the way to the till, and what its buyer can still do for it."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import Scope
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships.models import Tier
from appliance.shop import gift_offers
from appliance.shop import gifting
from appliance.shop import orders
from appliance.shop import quotes
from appliance.shop import taxes
from appliance.shop.gift_models import Gift
from appliance.shop.gift_offers import GiftWish
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.quotes import Wish
from web import presentation
from web import rates
from web.presentation import countries
from web.presentation import gifts as shown
from web.presentation import providers
from web.presentation import shop as shop_views
from web.presentation import tiers as tier_views
from web.request_cycle import person
from web.sentences import told
from web.shop import leading
from web.shop import visitors
from web.shop.leading import PAY
from web.shop.leading import Sent
from web.shop.routing import blueprint
from web.studio import days

FIELDS = ("months", "by", "to", "day", "message", "email", "country", "business_number", "provider")
USUAL = "3"


@blueprint.get("/gifts/<tier_id>")
def gift(tier_id: str) -> str:
    """For how long, from whom, to whom."""
    tier = gift_offers.find(tier_id)
    sent = Sent({name: request.args.get(name, "").strip() for name in FIELDS})
    who = person()
    if who is not None and not sent.values["by"]:
        sent.values["by"] = who.display_name or ""
    return _page(tier, sent)


@blueprint.post("/gifts/<tier_id>")
@rates.limited("orders")
def begin_gift(tier_id: str) -> ResponseReturnValue:
    """Begin the order and lead to the till, for no other price than was shown."""
    tier = gift_offers.find(tier_id)
    sent = Sent({name: request.form.get(name, "").strip() for name in FIELDS})
    try:
        wish = _wish(tier, sent.values)
        paying = request.form.get("act") == PAY
        sent.quote = quotes.make(wish, now=clock.now(), draft=not paying)
        if not paying:
            return _page(tier, sent), 200
        agreed = request.form.get(f"shown-{sent.values['months']}")
        sent.again = agreed != sent.quote.agreed
        if sent.again:
            return _page(tier, sent), 409
        order = _begin(tier, wish, sent.values)
    except leading.REFUSALS as error:
        sent.problem = error
        return _page(tier, sent), leading.status(error)
    return leading.onwards(order, _("It is yours."))


@blueprint.get("/orders/<order_id>/gift")
def gift_card(order_id: str) -> str:
    """The gift on a page to be printed."""
    order, row = _own(order_id)
    view = shown.gift(row, order)
    if not view.open:
        raise NotFound("There is nothing to be printed.")
    return render_template("shop/gift_card.html", gift=view, back=url_for("shop.order", order_id=order.id))


@blueprint.post("/orders/<order_id>/gift")
@rates.limited("orders")
def send_gift(order_id: str) -> ResponseReturnValue:
    """Send it, again or to another address."""
    order, _row = _own(order_id, Scope.MONEY_WRITE)
    try:
        day = days.first(request.form.get("day", ""), field="day")
        sent = gifting.send(order, email=request.form.get("to", ""), send_at=day, now=clock.now())
    except (Invalid, Conflict) as error:
        flash(told(error), "problem")
        return redirect(url_for("shop.order", order_id=order.id), 303)
    flash(_("The letter is on its way.") if sent else _("The letter goes out on that day."))
    return redirect(url_for("shop.order", order_id=order.id), 303)


def _own(order_id: str, scope: Scope = Scope.MONEY_READ) -> tuple[Order, Gift]:
    order = visitors.own(order_id, scope)
    row = gifting.of_order(order)
    if row is None:
        raise NotFound("There is no such gift.")
    return order, row


def _begin(tier: Tier, wish: Wish, values: dict[str, str]) -> Order:
    order = orders.begin(wish, visitors.buyer(values["email"]), provider=values["provider"], now=clock.now())
    return leading.lead(order, cancel_to=url_for("shop.gift", tier_id=tier.id))


def _wish(tier: Tier, values: dict[str, str]) -> Wish:
    text = values["months"]
    months = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    gift = GiftWish(
        months,
        by=values["by"],
        message=values["message"],
        email=values["to"],
        send_at=days.first(values["day"], field="day"),
        name=shown.name(tier, months),
    )
    return Wish(
        kind=Kind.GIFT,
        thing=tier.id,
        country=values["country"],
        business_number=values["business_number"],
        gift=gift,
    )


def _page(tier: Tier, sent: Sent) -> str:
    ways = gift_offers.ways(tier)
    return render_template(
        "shop/gift.html",
        artist=presentation.artist(tier.artist),
        tier=tier_views.tier(tier),
        choices=shown.choices(tier),
        chosen=sent.values["months"] or USUAL,
        quote=shop_views.quote(sent.quote) if sent.quote else None,
        sent=sent.values,
        problem=sent.problem,
        again=sent.again,
        ways=[(way.name, providers.label(way)) for way in ways],
        guest=person() is None,
        countries=countries.choices() if taxes.are_asked() else [],
        longest=gifting.LONGEST_MESSAGE,
        longest_name=gifting.LONGEST_NAME,
    )
