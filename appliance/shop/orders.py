"""Orders: begun once however often they are sent, and given up when nobody pays."""

import hashlib
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

import peewee

from appliance import processors
from appliance import startup
from appliance.accounts import people
from appliance.accounts.models import User
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import CheckoutState
from appliance.payments import Feature
from appliance.shop import discounts
from appliance.shop import gifting
from appliance.shop import making_room
from appliance.shop import offers
from appliance.shop import quotes
from appliance.shop import receipts
from appliance.shop import settling
from appliance.shop.merchandise import holding
from appliance.shop.models import Discount
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.quotes import Quote
from appliance.shop.quotes import Wish

TILL_STAYS = timedelta(hours=5)
"""How long an open order is led back to its till; after that a new one is made, since the first tills close after six hours (PayPal's)."""
LED_WITHIN = timedelta(minutes=10)
"""How long one whose till could not be opened is tried again, before a new one is made."""
HELD_FOR = timedelta(minutes=60)
"""How long an order keeps stock or a use of a code, unless its money is on the way or it is paid by a transfer; its till closes before."""
LEFT_TO_PAY = timedelta(minutes=20)
"""Whoever comes back with less time than this begins anew."""
OPEN_FOR = timedelta(days=30)
"""When an open order is given up at last. A payment that comes later, by bank say, still makes it paid."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys: somebody with an account, or who has this *email*; *browser* is a random word of theirs, by which two tabs are one.

    *collective* is whose name stands on the receipt, *locale* the language of it, *root* the address below which its link leads here. Who wants
    an invoice says *name* and *address*. *began* are orders that this browser began without an account.
    """

    email: str
    user: User | None = None
    browser: str = ""
    locale: str = "en"
    collective: str = ""
    root: str = ""
    name: str = ""
    address: str = ""
    began: Sequence[str] = ()


def begin(wish: Wish, buyer: Buyer, *, provider: str, now: datetime) -> Order:
    """The order for *wish*: made once, and the same one for whoever sends it again; one that costs nothing is settled at once.

    ``Invalid`` for what cannot be taken, ``Conflict`` when they have it already.
    """
    gift = gifting.checked(wish.gift, now=now) if wish.gift is not None else None
    quote = quotes.make(wish, now=now)
    if gift is None:
        return place(quote, buyer, provider=provider, now=now)

    def write(order_id: str) -> None:
        gifting.write(order_id, quote.offer.thing, quote.offer.artist.id, gift, now=now)

    return place(quote, buyer, provider=provider, now=now, also=gifting.words(gift), written=write)


def place(
    quote: Quote,
    buyer: Buyer,
    *,
    provider: str,
    now: datetime,
    also: Sequence[str] = (),
    scarce: making_room.Scarce | None = None,
    written: Callable[[str], None] | None = None,
) -> Order:
    """As ``begin``, for what *quote* says; *also* is what else tells two orders apart, *scarce* what it keeps from others.

    *written* is called in the same transaction with the id of an order that was made just now, and takes it back by raising.
    """
    email = people.address(buyer.user.email if buyer.user else buyer.email)
    invoiced = {
        "buyer_name": clean_line(
            buyer.name, field="buyer_name", longest=receipts.LONGEST_NAME, required=False
        ),
        "buyer_address": clean_text(buyer.address, field="buyer_address", longest=receipts.LONGEST_ADDRESS),
    }
    paid_by = _provider(quote, provider)
    key = _open_key(quote, buyer, email, paid_by, also)

    def others() -> set[str]:
        who = buyer.user.id if buyer.user else None
        return making_room.candidates(quote, who, buyer.began, key=key, scarce=scarce)

    with transaction():
        if quote.discount is not None:
            discounts.hold(quote.discount)
        holding.orders(others())
        nearly_over = (Order.held_until < now + LEFT_TO_PAY) & (
            Order.checkout_state != CheckoutState.COMPLETED
        )
        never_led = (Order.url == "") & (Order.created_at < now - LED_WITHIN)
        gone = (Order.created_at < now - TILL_STAYS) | nearly_over | never_led
        Order.update(open_key=None).where(Order.open_key == key, gone).execute()
        order_id = new_id()
        made = (
            Order.insert(
                id=order_id,
                user=buyer.user.id if buyer.user else None,
                email=email,
                artist=quote.offer.artist.id,
                artist_name=quote.offer.artist.name,
                collective=buyer.collective[:200],
                root=buyer.root[:200],
                provider=paid_by,
                open_key=key,
                currency=quote.currency,
                total_minor=quote.total_minor,
                tax_minor=quote.tax_minor,
                discount=quote.discount.id if quote.discount else None,
                discount_minor=quote.discount_minor,
                share_bps=_share_bps(quote),
                country=quote.country,
                business_number=quote.business_number,
                **invoiced,
                locale=buyer.locale[:12],
                held_until=now + HELD_FOR if scarce is not None or making_room.counts(quote) else None,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_ignore()
            .as_rowcount()
            .execute()
        )
        if not made:
            found: Order = Order.get(Order.open_key == key)
            return found
        # Only now: of two that came at once the second waited for the first, and sees what it bought and used up.
        if offers.has_all(quote.offer, buyer.user):
            raise Conflict("You have bought this already; it is among your purchases.")
        given_up = others() - {order_id}
        holding.variants(scarce.variants if scarce else (), of_orders=given_up)
        _write(order_id, quote)
        if written is not None:
            written(order_id)
        if quote.discount is not None:
            _use(quote.discount, buyer, order_id, now=now)
        settling.settle(order_id, now=now)
        order: Order = Order.get_by_id(order_id)
    return order


def find(order_id: str) -> Order:
    """The order with this id, or ``NotFound``."""
    order: Order | None = Order.get_or_none(Order.id == order_id)
    if order is None:
        raise NotFound("There is no such order.")
    return order


def expire(*, now: datetime) -> int:
    """Give up orders that were not paid in time, and with them the stock and the codes they keep; how many.

    Those whose till was gone through wait for their money, which takes days by a debit. A payment that comes later still finds its order.
    """
    kept_out = (Order.held_until <= now) & making_room.UNPAID
    due = kept_out | (Order.created_at < now - OPEN_FOR)
    query = Order.select(Order.id).where(Order.state == OrderState.OPEN, due)
    ids = [row.id for row in query.order_by(Order.id).limit(1000)]
    return sum(give_up(order_id, due=due, now=now) for order_id in ids)


def give_up(order_id: str, *, due: peewee.ColumnBase = making_room.UNPAID, now: datetime) -> bool:
    """Wait for it no longer, and let others have what it kept; nothing happens unless it is open and, still, *due*. Whether it was given up."""
    with transaction():
        # Since it was chosen, its buyer may have gone through the till.
        still = (Order.id == order_id) & (Order.state == OrderState.OPEN) & due
        words = {"checkout_state": CheckoutState.EXPIRED, "checkout_as_of": now}
        if not Order.update(**words, updated_at=now).where(still).execute():
            return False
        settling.settle(order_id, now=now)
    return True


def _use(discount: Discount, buyer: Buyer, order_id: str, *, now: datetime) -> None:
    """Count the use of a code; where it is used up, what the same buyer began with it and did not pay makes room: they chose anew."""
    if discounts.is_overdrawn(discount, now=now):
        for other in making_room.begun_with(discount, buyer.user.id if buyer.user else None, buyer.began):
            if other != order_id:
                give_up(other, now=now)
    discounts.require_left(discount, now=now)


def _provider(quote: Quote, name: str) -> str:
    """Who takes the money; nobody where there is none to take."""
    if not quote.total_minor:
        return ""
    ways = processors.offering(Feature.ONE_OFF, currency=quote.currency, amount_minor=quote.total_minor)
    if not ways:
        raise Conflict("Nothing can be paid here at the moment.")
    if name not in {way.name for way in ways}:
        raise Invalid("Choose how you want to pay.", field="provider")
    return name


def _share_bps(quote: Quote) -> int:
    """The platform's share of all of it: of what pays for the way there it takes none, and the artist keeps what rounding leaves."""
    share = startup.appliance().settings.platform_share_bps
    goods = quote.total_minor - quote.shipping_minor
    return share * goods // quote.total_minor if quote.shipping_minor else share


def _open_key(quote: Quote, buyer: Buyer, email: str, provider: str, also: Sequence[str]) -> str:
    """The same for the same things for the same buyer; what somebody else typed an address for is somebody else's order."""
    who = f"user:{buyer.user.id}" if buyer.user else f"guest:{buyer.browser or new_id()}:{email}"
    said = [who, provider, quote.currency, quote.country, quote.business_number]
    said += [buyer.name.strip(), buyer.address.strip(), quote.discount.id if quote.discount else ""]
    for line in quote.lines:
        said += [line.kind, line.release, line.track, str(line.amount_minor), line.message]
    said += also
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def _write(order_id: str, quote: Quote) -> None:
    for position, line in enumerate(quote.lines):
        OrderItem.insert(
            id=new_id(),
            order=order_id,
            position=position,
            kind=line.kind,
            name=line.name[:300],
            message=line.message,
            amount_minor=line.amount_minor,
            tax_minor=line.tax_minor,
            tax_name=line.tax_name,
            tax_bps=line.tax_bps,
            release="" if line.kind is Kind.TIP else line.release,
            track=line.track,
        ).execute()
