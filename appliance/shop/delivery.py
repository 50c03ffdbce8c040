"""What an order opens: purchases of whom it belongs to, made once and taken back with the money."""

from datetime import datetime

from appliance import prepared
from appliance.accounts.models import User
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.memberships import purchases
from appliance.memberships.models import Purchase
from appliance.prepared import Prepared
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState

NO_MUSIC = (Kind.TIP, Kind.GIFT)
"""What opens nothing to who pays for it."""
_opening = Prepared(
    lambda order: OrderItem.select().where(OrderItem.order == order, OrderItem.kind.not_in(NO_MUSIC))
)


def deliver(order: Order, *, now: datetime) -> None:
    """Open what was paid for, in the transaction of the caller; without an account it waits for one."""
    user_id = order.user_id or _take_in(order, now=now)
    if user_id is None:
        return
    for item in _opening(order.id):
        purchase = prepared.one(Purchase, id=item.purchase_id) if item.purchase_id else None
        if purchase is not None:
            # Its refund failed, or its dispute turned out well after all.
            purchases.restore(purchase)
        elif _is_there(item):
            _open(order, item, user_id)


def take_back(order: Order, *, now: datetime) -> None:
    """Shut what the order opened, at once."""
    held = OrderItem.select(OrderItem.purchase).where(
        OrderItem.order == order.id, OrderItem.purchase.is_null(False)
    )
    for purchase in Purchase.select().where(Purchase.id.in_(held)):
        purchases.refund(purchase, now=now)


def require_unsold(track: Track) -> None:
    """``Conflict`` when somebody paid for this track, or for its release: what was sold stays, as long as the money does."""
    here = (OrderItem.release == track.release_id) & OrderItem.track.in_(("", track.id))
    sold = (
        OrderItem.select(OrderItem.id)
        .join(Order)
        .where(here, OrderItem.kind != Kind.TIP, Order.state == OrderState.PAID, Order.total_minor > 0)
    )
    if sold.exists():
        raise Conflict("Somebody paid for this, so it stays. You can put another master in its place.")


def claim(user: User, *, now: datetime) -> int:
    """Give somebody with a confirmed address what was bought with it before they had an account; how many orders.

    Nobody else can: the address is compared as a whole, and counts for nothing until its owner has shown that it is theirs.
    """
    if user.confirmed_at is None or not user.active:
        return 0
    waiting = Order.user.is_null() & (Order.email == user.email.strip().lower())
    if not Order.select().where(waiting).exists():
        return 0
    with transaction():
        ids = [row.id for row in Order.select(Order.id).where(waiting).order_by(Order.id)]
        Order.update(user=user.id, updated_at=now).where(Order.id.in_(ids) & Order.user.is_null()).execute()
        for order in Order.select().where(Order.id.in_(ids), Order.user == user.id):
            if order.state == OrderState.PAID:
                deliver(order, now=now)
    return len(ids)


def _take_in(order: Order, *, now: datetime) -> str | None:
    """The account that this order's address belongs to, if there is one; the order is its from now on."""
    user = User.get_or_none(User.email == order.email, User.active, User.confirmed_at.is_null(False))
    if user is None:
        return None
    Order.update(user=user.id, updated_at=now).where(Order.id == order.id).execute()
    order.user = user
    return str(user.id)


def _open(order: Order, item: OrderItem, user_id: str) -> None:
    purchase_id = new_id()
    prepared.insert(
        Purchase,
        id=purchase_id,
        user=user_id,
        artist=order.artist,
        release=None if item.track else item.release,
        track=item.track or None,
        # What its artist withdraws while the payment is on its way was still bought before.
        bought_at=order.created_at,
    )
    prepared.update(OrderItem, item.id, purchase=purchase_id)


def _is_there(item: OrderItem) -> bool:
    if item.track:
        return prepared.exists(Track, id=item.track)
    return bool(item.release) and prepared.exists(Release, id=item.release)
