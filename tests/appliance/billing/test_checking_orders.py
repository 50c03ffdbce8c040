"""The check of orders: whoever paid has what they bought, and nobody whose money went back."""

from __future__ import annotations

import pytest

from appliance import clock
from appliance.billing import checking
from appliance.billing import processing
from appliance.database import new_id
from appliance.ledger.models import Payment
from appliance.memberships.models import Purchase
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.shop import settling
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.startup import Appliance
from tests.makers import make_release
from tests.makers import make_user

NOW = clock.now().replace(microsecond=0)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def order(appliance: Appliance) -> Order:
    """A release that somebody bought and paid for."""
    release = make_release()
    made = Order.create(
        user=make_user().id,
        email="fan@example.com",
        artist=release.artist_id,
        artist_name="Night Ferry",
        provider="simulated",
        currency="EUR",
        total_minor=700,
        created_at=NOW,
        updated_at=NOW,
    )
    OrderItem.create(
        order=made.id, position=0, kind=Kind.RELEASE, name="x", amount_minor=700, release=release.id
    )
    OrderItem.create(order=made.id, position=1, kind=Kind.TIP, name="A tip", amount_minor=0)
    fact = PaymentFact("pay_1", made.id, 700, "EUR", NOW, fee_minor=50)
    processing.apply([fact], provider="simulated", now=NOW)
    assert found() == []
    return Order.get_by_id(made.id)


def found() -> list[str]:
    return [one.row.partition(":")[0] for one in checking.differences(clock.now())]


def give_back() -> None:
    processing.apply([RefundFact("re_1", "pay_1", 700, "EUR", NOW)], provider="simulated", now=NOW)


def test_what_was_paid_for_and_is_shut_is_named(order: Order) -> None:
    Purchase.update(refunded_at=NOW).execute()
    assert found() == ["order_item"]
    OrderItem.update(purchase=None).execute()
    assert found() == ["order_item"]


def test_what_was_refunded_and_is_open_is_named(order: Order) -> None:
    give_back()
    assert found() == []
    Purchase.update(refunded_at=None).execute()
    assert found() == ["purchase"]


def test_an_order_that_stands_otherwise_than_its_money_is_named(order: Order) -> None:
    give_back()
    Order.update(state=OrderState.PAID).execute()
    assert found() == ["order", "order_item"]
    Order.update(state=OrderState.REFUNDED).execute()
    Payment.update(refunded_minor=0).execute()
    assert found() == ["order", "receipt"], "a credit note stands for what did not go back"
    settling.settle(order.id, now=NOW)
    assert found() == ["receipt"]


def test_an_order_that_nobody_paid_or_whose_buyer_has_no_account_owes_nothing(order: Order) -> None:
    Order.insert(
        id=new_id(),
        email="x@example.com",
        artist=order.artist,
        artist_name="x",
        currency="EUR",
        total_minor=500,
        created_at=NOW,
        updated_at=NOW,
    ).execute()
    Order.update(user=None).where(Order.id == order.id).execute()
    OrderItem.update(purchase=None).execute()
    assert found() == []
