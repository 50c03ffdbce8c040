"""Buying: what something costs, the order, its receipt, and codes."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask import jsonify
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.collective import identity
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.papers import drawing
from appliance.shop import codes
from appliance.shop import delivery
from appliance.shop import offers
from appliance.shop import order_lists
from appliance.shop import orders
from appliance.shop import quotes
from appliance.shop import receipts
from appliance.shop import till
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from web import addresses
from web import rates
from web.api import fields
from web.api import gifts
from web.api import money
from web.api import order_told
from web.api.once import once
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import cursor_for
from web.api.routing import cursor_id
from web.api.routing import limit
from web.downloads.fetching import disposition
from web.request_cycle import appliance
from web.request_cycle import person

WISH = (
    "kind",
    "thing",
    "amount_minor",
    "tip_minor",
    "message",
    "discount",
    "country",
    "business_number",
    "gift",
)


@blueprint.post("/quotes")
@rates.limited("orders")
def make_quote() -> Response:
    """What something costs: lines, what is taken off, tax and total."""
    sent = body(required=("kind", "thing"))
    fields.only(sent, WISH)
    return jsonify(order_told.quote(quotes.make(_wish(sent), now=clock.now(), draft=True), person()))


@blueprint.post("/orders")
@rates.limited("orders")
def make_order() -> tuple[Response, int, dict[str, str]]:
    """Begin an order for the total that was quoted; the answer says where it is paid."""
    who = money.payer()
    sent = body(required=("kind", "thing", "total_minor"))
    fields.only(sent, (*WISH, "total_minor", "provider"))
    return _answer(orders.find(once(who, sent, lambda: _begin(who, sent).id)))


@blueprint.get("/orders")
def list_orders() -> Response:
    """What one bought, the last first, also from before there was an account."""
    who, wanted = money.payer(Scope.MONEY_READ), limit()
    delivery.claim(who, now=clock.now())
    rows = order_lists.of_person(who, limit=wanted + 1, before=cursor_id())
    following = cursor_for(rows[wanted - 1].id) if len(rows) > wanted else None
    return jsonify(items=order_told.bought(rows[:wanted]), next_cursor=following)


@blueprint.get("/orders/<order_id>")
def show_order(order_id: str) -> Response:
    """One order: how it stands, what it is for, its receipt."""
    return jsonify(order_told.bought([_own(order_id)])[0])


@blueprint.get("/orders/<order_id>/receipt.pdf")
def order_receipt(order_id: str) -> Response:
    """The receipt on paper."""
    row = _own(order_id)
    found = receipts.of(row)
    if found is None:
        raise NotFound("There is a receipt once this is paid.")
    paper = drawing.receipt(found)
    answer = Response(paper.content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = disposition(paper.name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/redemptions")
@rates.limited("codes")
def redeem_code() -> tuple[Response, int, dict[str, str]]:
    """Take what a download code opens."""
    who = money.payer()
    sent = body(required=("code",))
    fields.only(sent, ("code",))
    code = fields.text(sent, "code")
    made = once(who, sent, lambda: codes.redeem(code, _buyer(who), now=clock.now()).id, needed=False)
    return _answer(orders.find(made))


def _begin(who: User, sent: Mapping[str, Any]) -> Order:
    wish, now = _wish(sent), clock.now()
    agreed = fields.whole(sent, "total_minor")
    if agreed is None:
        raise Invalid("'{name}' is a whole number from 0 on.", name="total_minor", field="total_minor")
    if quotes.make(wish, now=now).total_minor != agreed:
        raise Conflict("The total is another one by now. Nothing was charged; ask for a new quote.")
    order = orders.begin(wish, _buyer(who), provider=fields.text(sent, "provider"), now=now)
    if order.state == OrderState.OPEN:
        back = (
            url_for("shop.gift", tier_id=wish.thing)
            if wish.gift
            else url_for("shop.checkout", kind=wish.kind, thing=wish.thing)
        )
        till.lead(
            order,
            return_to=addresses.root() + url_for("shop.order", order_id=order.id),
            cancel_to=addresses.root() + back,
            now=clock.now(),
        )
    return order


def _wish(sent: Mapping[str, Any]) -> Wish:
    kind, thing = fields.text(sent, "kind"), fields.text(sent, "thing")
    gift = gifts.wished(thing, sent) if kind == Kind.GIFT else None
    return Wish(
        kind=kind,
        thing=thing,
        amount_minor=fields.whole(sent, "amount_minor"),
        tip_minor=fields.whole(sent, "tip_minor") or 0,
        message=fields.text(sent, "message"),
        discount=fields.text(sent, "discount"),
        country=fields.text(sent, "country"),
        business_number=fields.text(sent, "business_number"),
        tip_name=_("A gift for %(artist)s", artist=offers.find(kind, thing).artist.name) if not gift else "",
        gift=gift,
    )


def _buyer(who: User) -> Buyer:
    return Buyer(
        email=who.email,
        user=who,
        locale=str(get_locale() or "en"),
        collective=identity.current(appliance().settings).name,
        root=addresses.root(),
    )


def _own(order_id: str) -> Order:
    """The order, for its buyer; ``NotFound`` for everybody else, who need not know that there is one."""
    who = money.payer(Scope.MONEY_READ)
    order = orders.find(order_id)
    if order.user_id != who.id:
        raise NotFound("There is no such order.")
    return order


def _answer(order: Order) -> tuple[Response, int, dict[str, str]]:
    where = url_for("api.show_order", order_id=order.id)
    return jsonify(order_told.bought([order])[0]), 201, {"Location": where}
