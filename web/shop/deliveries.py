"""What a buyer sees of the parcel of an order: how it stands, where it goes; and what they can still change."""

from dataclasses import dataclass

from flask import flash
from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import Scope
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop.merchandise import destinations
from appliance.shop.merchandise import dispatch
from appliance.shop.merchandise import ordering
from appliance.shop.merchandise import parcels
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.models import Order
from web.errors import told
from web.presentation import merchandise as shown
from web.presentation.merchandise import MemberOff
from web.presentation.merchandise import ParcelView
from web.shop import baskets
from web.shop import visitors
from web.shop.routing import blueprint


@dataclass(frozen=True, slots=True)
class Panel:
    """The parcel on the page of its order; *values* fill the form of the address, where it can be changed."""

    parcel: ParcelView
    member: MemberOff | None
    values: dict[str, str]
    may_change: bool
    give_up: str


def panel(order: Order) -> Panel | None:
    """The panel of this order, if there is something to send; what was paid for leaves the basket."""
    row = parcels.of(order.id)
    if row is None:
        return None
    lines = parcels.contents(row)
    if order.state == "paid":
        baskets.take_out(order.artist, order.id, {line.variant for line in lines})
    return Panel(
        parcel=shown.parcel(row, lines),
        member=shown.member_off_of(row, order.currency),
        values={name: getattr(row, name) for name in destinations.FIELDS},
        may_change=row.state == ParcelState.TO_SEND,
        give_up=url_for("shop.give_up", order_id=order.id) if order.state == "open" else "",
    )


@blueprint.post("/orders/<order_id>/address")
def change_address(order_id: str) -> ResponseReturnValue:
    """Send it elsewhere in the same country, while it is here."""
    order = visitors.own(order_id, Scope.MONEY_WRITE)
    row = parcels.of(order.id)
    if row is None:
        raise NotFound("There is no such order.")
    sent = {name: request.form.get(name, "") for name in destinations.FIELDS} | {"country": row.country}
    try:
        dispatch.readdress(row, Destination(**sent), now=clock.now())
    except (Invalid, Conflict) as error:
        flash(told(error), "problem")
    else:
        flash(_("The address is changed."))
    return redirect(url_for("shop.order", order_id=order.id), 303)


@blueprint.post("/orders/<order_id>/give-up")
def give_up(order_id: str) -> ResponseReturnValue:
    """Order it no more: others may have it, and the address is erased."""
    order = visitors.own(order_id, Scope.MONEY_WRITE)
    try:
        ordering.give_up(order, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
    else:
        flash(_("The order is given up, and its address is erased."))
    return redirect(url_for("shop.order", order_id=order.id), 303)
