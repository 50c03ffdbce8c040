"""The way to the provider's till: asked outside of transactions, and twice with the same key for the same order."""

from datetime import datetime
from datetime import timedelta

from appliance import processors
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.payments import CheckoutRequest
from appliance.payments import LineItem
from appliance.shop import order_lists
from appliance.shop.models import Order
from appliance.shop.models import OrderState

OPEN_FOR = timedelta(minutes=45)
"""How long the till of an order is open that keeps what others may want, where its provider can close it; Stripe's shortest is half an hour."""
BOOKED_WITHIN = timedelta(days=3)
"""How long a transfer that was made on its last day takes to be there and seen."""


def lead(order: Order, *, return_to: str, cancel_to: str, now: datetime) -> str:
    """Where the browser goes to pay for *order*; ``ProviderFailed`` when its provider does not answer, and then nothing is lost.

    ``Conflict`` when there is nothing to be paid any more.
    """
    if order.state != OrderState.OPEN:
        raise Conflict("There is nothing to be paid for this order.")
    if order.url:
        return str(order.url)
    provider = processors.find(order.provider)
    request = CheckoutRequest(
        mark=order.id,
        key=f"order-{order.id}",
        currency=order.currency,
        items=_lines(order),
        return_to=return_to,
        cancel_to=cancel_to,
        email=order.email,
        locale=order.locale,
        tax_minor=order.tax_minor,
        open_until=order.created_at + OPEN_FOR if order.held_until is not None else None,
    )
    checkout = processors.ask(provider.begin_checkout, provider.label, request)
    with transaction():
        values = {"reference": checkout.reference[:200], "url": checkout.url, "updated_at": now}
        if order.held_until is not None and checkout.due_at is not None:
            values["held_until"] = checkout.due_at + BOOKED_WITHIN
        Order.update(**values).where(Order.id == order.id, Order.url == "").execute()
    return checkout.url


def _lines(order: Order) -> list[LineItem]:
    """What stands at the till: each line without the tax in it, which is told beside."""
    rows = order_lists.items_of([order])[order.id]
    return [
        LineItem(f"{order.artist_name}: {row.name}"[:200], row.amount_minor - row.tax_minor)
        for row in rows
        if row.amount_minor
    ]
