"""From a form to the till: what the form said, and the way on once there is an order."""

from dataclasses import dataclass

from flask import flash
from flask import redirect
from flask import url_for
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.shop import till
from appliance.shop.models import Order
from appliance.shop.quotes import Quote
from web import addresses
from web.shop import visitors

PAY = "pay"
"""What the button of a form says that agrees to the total; any other one only shows it anew."""
REFUSALS = (Invalid, Conflict, NotFound, Unavailable)
"""What a form comes back with."""


@dataclass(slots=True)
class Sent:
    """What the form says, and what is wrong with it."""

    values: dict[str, str]
    problem: Exception | None = None
    again: bool = False
    """The total has changed since it was shown, so it is asked for once more."""
    quote: Quote | None = None


def lead(order: Order, *, cancel_to: str) -> Order:
    """Let this browser look at its order, and open the till where there is something to pay; *cancel_to* is a path of ours."""
    visitors.keep(order)
    if order.total_minor:
        till.lead(
            order,
            return_to=addresses.root() + url_for("shop.order", order_id=order.id),
            cancel_to=addresses.root() + cancel_to,
            now=clock.now(),
        )
    return order


def onwards(order: Order, done: str) -> ResponseReturnValue:
    """On to the till, or to the order, which says that it is *done*, where nothing is to be paid."""
    if order.total_minor:
        return redirect(url_for("shop.pay", order_id=order.id), 303)
    flash(done)
    return redirect(url_for("shop.order", order_id=order.id), 303)


def status(error: Exception) -> int:
    """Pure: what a form that was refused comes back with."""
    return 503 if isinstance(error, Unavailable) else 422
