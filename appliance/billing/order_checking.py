"""Whether who paid for an order has what it opens, and nobody whose money went back: asked of the rows as they stand."""

from collections.abc import Iterator
from typing import Any

import peewee

from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.ledger.checking import Difference
from appliance.ledger.models import Payment
from appliance.memberships.models import Purchase
from appliance.shop.delivery import NO_MUSIC
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState

MOST_NAMED = 100


def differences() -> Iterator[Difference]:
    """Each order whose access and whose money disagree."""
    yield from by_money()
    yield from paid_and_shut()
    yield from refunded_and_open()


def by_money() -> Iterator[Difference]:
    """Orders that stand as paid without money, or whose money arrived and that do not stand as paid."""
    arrived = peewee.fn.COALESCE(peewee.fn.SUM(Payment.amount_minor), 0)
    gone = peewee.fn.COALESCE(peewee.fn.SUM(Payment.refunded_minor + Payment.lost_minor), 0)
    is_paid = (Order.state == OrderState.PAID) & ((arrived < Order.total_minor) | (arrived <= gone))
    is_not = (Order.state != OrderState.PAID) & (arrived >= Order.total_minor) & (arrived > gone)
    query: Any = (
        Order.select(Order.id, Order.state, Order.total_minor, Order.currency, arrived, gone)
        .join(
            Payment,
            peewee.JOIN.LEFT_OUTER,
            on=((Payment.mark == Order.id) & (Payment.currency == Order.currency)),
        )
        .where(Order.total_minor > 0)
        .group_by(Order.id, Order.state, Order.total_minor, Order.currency)
        .having(is_paid | is_not)
        .order_by(Order.id)
        .limit(MOST_NAMED)
    )
    for order, state, total, currency, came, went in query.tuples():
        yield Difference(
            "access",
            f"order:{order}",
            f"It is {state} and costs {total} (minor units of {currency}); {came} arrived and {went} went back.",
        )


def paid_and_shut() -> Iterator[Difference]:
    """What somebody paid for, that is still there, and that is not open to them."""
    there = (OrderItem.track != "") & OrderItem.track.in_(Track.select(Track.id)) | (
        OrderItem.track == ""
    ) & OrderItem.release.in_(Release.select(Release.id))
    shut = Purchase.id.is_null() | Purchase.refunded_at.is_null(False)
    found: Any = (
        OrderItem.select(OrderItem.id, OrderItem.order)
        .join(Order)
        .switch(OrderItem)
        .join(Purchase, peewee.JOIN.LEFT_OUTER)
        .where(
            Order.state == OrderState.PAID,
            Order.user.is_null(False),
            OrderItem.kind.not_in(NO_MUSIC),
            there,
            shut,
        )
        .order_by(OrderItem.id)
        .limit(MOST_NAMED)
    )
    for item, order in found.tuples():
        yield Difference("access", f"order_item:{item}", f"The order {order} is paid, but this is not open.")


def refunded_and_open() -> Iterator[Difference]:
    """What is still open though its money went back."""
    found: Any = (
        OrderItem.select(Purchase.id, OrderItem.order)
        .join(Order)
        .switch(OrderItem)
        .join(Purchase)
        .where(Order.state == OrderState.REFUNDED, Purchase.refunded_at.is_null())
        .order_by(Purchase.id)
        .limit(MOST_NAMED)
    )
    for purchase, order in found.tuples():
        yield Difference(
            "access", f"purchase:{purchase}", f"The order {order} is refunded, but this is still open."
        )
