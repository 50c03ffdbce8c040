"""Orders that make room for a new one of the same buyer: they chose anew, and must not stand in their own way."""

from collections.abc import Callable
from collections.abc import Collection
from dataclasses import dataclass

from appliance.payments import CheckoutState
from appliance.shop.models import Discount
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.quotes import Quote

UNPAID = Order.checkout_state != CheckoutState.COMPLETED
"""Nobody went through its till yet, so no money is on the way."""


@dataclass(frozen=True, slots=True)
class Scarce:
    """What an order keeps from others: *variants*; *instead_of* tells which open orders are given up for it."""

    instead_of: Callable[[], Collection[str]]
    variants: Collection[str]


def counts(quote: Quote) -> bool:
    """Whether the order uses a code that can be used up."""
    return quote.discount is not None and quote.discount.most_uses is not None


def begun_with(discount: Discount, user_id: str | None, began: Collection[str]) -> list[str]:
    """The orders that *user_id*, or whoever *began* them without an account, began with the code and did not pay."""
    mine = Order.id.in_(list(began)) & Order.user.is_null()
    if user_id is not None:
        mine |= Order.user == user_id
    begun = (Order.discount == discount.id) & (Order.state == OrderState.OPEN) & UNPAID
    return [row.id for row in Order.select(Order.id).where(begun, mine).order_by(Order.id)]


def candidates(
    quote: Quote, user_id: str | None, began: Collection[str], *, key: str, scarce: Scarce | None
) -> set[str]:
    """All that may have to make room for the order with this *key*: asked for before it is written, and again when it is."""
    found = {row.id for row in Order.select(Order.id).where(Order.open_key == key)}
    if quote.discount is not None and counts(quote):
        found.update(begun_with(quote.discount, user_id, began))
    return found | set(scarce.instead_of()) if scarce is not None else found
