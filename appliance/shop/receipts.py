"""Receipts: numbered by their seller without gaps, sent to the buyer once, and the letters about an order."""

from datetime import datetime

from appliance import currencies
from appliance import mail
from appliance import prepared
from appliance import startup
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.database import transaction
from appliance.shop import keys
from appliance.shop import numbers
from appliance.shop import taxes
from appliance.shop.models import Order
from appliance.shop.models import Receipt
from appliance.shop.models import Seller

LONGEST_NAME, LONGEST_ADDRESS = 200, 500
ATTACHED = "receipt"
"""What a receipt is called as something that goes with a letter."""


def issue(order: Order, *, now: datetime, letter: str = "order_paid") -> Receipt:
    """The receipt of a paid order, written the first time and sent to its buyer with this *letter*; in the transaction of the caller."""
    found = of(order)
    if found is not None:
        return found
    with transaction():
        seller = numbers.hold(order.artist)
        made = Receipt(
            order=order.id,
            artist=order.artist,
            number=numbers.next_receipt(seller),
            seller=seller.name or order.artist_name,
            address=seller.address,
            tax_number=seller.tax_number,
            issued_at=now,
        )
        prepared.insert(Receipt, **made.__data__)
        tell(letter, order, now=now, attached=f"{ATTACHED}:{made.id}")
    return made


def of(order: Order) -> Receipt | None:
    """The receipt of an order, once it was paid."""
    return prepared.one(Receipt, order=order.id)


def named(receipt: Receipt) -> str:
    """Pure: the number of a receipt as people write it."""
    return f"{receipt.issued_at.year}-{receipt.number:06}"


def seller_of(artist: Artist) -> Seller:
    """What stands on the artist's receipts from now on; empty until somebody wrote it."""
    found: Seller | None = Seller.get_or_none(Seller.artist == artist.id)
    return found or Seller(artist=artist.id)


def describe_seller(
    artist: Artist, *, name: str, address: str, tax_number: str, actor: User, now: datetime
) -> None:
    """Say what stands on the artist's receipts from now on; those that were written stay as they are."""
    values = {
        "name": clean_line(name, field="seller_name", longest=LONGEST_NAME, required=False),
        "address": clean_text(address, field="seller_address", longest=LONGEST_ADDRESS),
        "tax_number": taxes.business_number(tax_number),
    }
    with transaction():
        Seller.insert(artist=artist.id).on_conflict_ignore().execute()
        Seller.update(**values).where(Seller.artist == artist.id).execute()
        audit.record(Action.SELLER_CHANGED, actor=actor.id, subject=f"artist:{artist.id}", now=now)


def tell(kind: str, order: Order, *, now: datetime, attached: str = "", **more: object) -> str:
    """Write a letter of *kind* about an order to its buyer, in the transaction of the caller; the id of the job that sends it once that is committed.

    The paper that is *attached* goes with it.
    """
    running = startup.appliance()
    settings = running.settings
    link = f"{order.root or settings.public_url.rstrip('/') or f'http://{settings.host}:{settings.port}'}/orders/{order.id}"
    if order.user_id is None:
        link += f"?key={keys.of_order(order, secret=running.secret)}"
    facts = {
        "collective": order.collective or settings.collective_name,
        "artist": order.artist_name,
        "total": f"{currencies.written(order.total_minor, order.currency)} {order.currency}",
        "link": link,
        **more,
    }
    return mail.post(kind, order.email, facts=facts, locale=order.locale, attached=attached, now=now)
