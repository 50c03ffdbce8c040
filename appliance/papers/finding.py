"""Receipts, each with the credit notes that correct it, found by who bought and by who sold: page by page, a handful of queries however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.errors import NotFound
from appliance.ledger.models import Payment
from appliance.shop.models import CreditNote
from appliance.shop.models import Order
from appliance.shop.models import Receipt


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt with what it says: the *order* or the *payment* that it is for, and its credit notes."""

    receipt: Receipt
    order: Order | None
    payment: Payment | None
    notes: Sequence[CreditNote]

    @property
    def user_id(self) -> str:
        """Who bought; empty for who has no account."""
        return (self.order.user_id or "") if self.order else self.receipt.user

    @property
    def artist_name(self) -> str:
        """Whose sale it was, as they were called then."""
        return str(self.order.artist_name if self.order else self.receipt.artist_name)

    @property
    def amount_minor(self) -> int:
        """What was paid."""
        return int(self.order.total_minor if self.order else self.payment.amount_minor if self.payment else 0)

    @property
    def tax_minor(self) -> int:
        """The tax in it."""
        return int(self.order.tax_minor if self.order else self.receipt.tax_minor)

    @property
    def currency(self) -> str:
        """In which currency."""
        return str(self.order.currency if self.order else self.payment.currency if self.payment else "")


def of_order(order: Order) -> list[Found]:
    """The receipt of an order, if there is one."""
    return _whole(list(Receipt.select().where(Receipt.order == order.id)))


def of_subscription(subscription_id: str, *, limit: int, before: str = "") -> list[Found]:
    """The receipts of a subscription, newest first (keyset by id)."""
    query = Receipt.select().where(Receipt.subscription == subscription_id)
    if before:
        query = query.where(Receipt.id < before)
    return _whole(list(query.order_by(Receipt.id.desc()).limit(limit)))


def of_person(user: User, *, limit: int, before: str = "") -> list[Found]:
    """What was written for this person, newest first (keyset by id)."""
    bought = Order.select(Order.id).where(Order.user == user.id)
    paid = Payment.select(Payment.id).where(Payment.user == user.id)
    rows: list[Receipt] = []
    # One after the other: either has an index of its own, and both in one condition would have none.
    for mine in (Receipt.order.in_(bought), Receipt.payment.in_(paid)):
        query = Receipt.select().where(mine)
        if before:
            query = query.where(Receipt.id < before)
        rows.extend(query.order_by(Receipt.id.desc()).limit(limit))
    return _whole(sorted(rows, key=lambda row: row.id, reverse=True)[:limit])


def of_artist(artist: Artist, *, limit: int, before: int = 0) -> list[Found]:
    """What this artist wrote, the highest number first (keyset by number)."""
    query = Receipt.select().where(Receipt.artist == artist.id)
    if before:
        query = query.where(Receipt.number < before)
    return _whole(list(query.order_by(Receipt.number.desc()).limit(limit)))


def receipt(receipt_id: str) -> Found:
    """The receipt with this id, or ``NotFound``."""
    row: Receipt | None = Receipt.get_or_none(Receipt.id == receipt_id)
    if row is None:
        raise NotFound("There is no such receipt.")
    return _whole([row])[0]


def credit_note(note_id: str) -> tuple[CreditNote, Found]:
    """The credit note with this id and the receipt that it corrects, or ``NotFound``."""
    row: CreditNote | None = CreditNote.get_or_none(CreditNote.id == note_id)
    if row is None:
        raise NotFound("There is no such credit note.")
    return row, receipt(row.receipt_id)


def receipt_of_subscription(subscription_id: str, receipt_id: str) -> Receipt:
    """This receipt of a subscription, or ``NotFound``."""
    here = (Receipt.id == receipt_id) & (Receipt.subscription == subscription_id)
    found: Receipt | None = Receipt.get_or_none(here) if subscription_id else None
    if found is None:
        raise NotFound("There is no such receipt.")
    return found


def note_of(receipt: Receipt, note_id: str) -> CreditNote:
    """This credit note of a receipt, or ``NotFound``."""
    found: CreditNote | None = CreditNote.get_or_none(
        (CreditNote.id == note_id) & (CreditNote.receipt == receipt.id)
    )
    if found is None:
        raise NotFound("There is no such credit note.")
    return found


def _whole(rows: Sequence[Receipt]) -> list[Found]:
    ids = [row.id for row in rows]
    ordered = {row.order_id for row in rows if row.order_id}
    paid = {row.payment for row in rows if row.payment}
    orders = {row.id: row for row in Order.select().where(Order.id.in_(ordered))} if ordered else {}
    payments = {row.id: row for row in Payment.select().where(Payment.id.in_(paid))} if paid else {}
    notes: dict[str, list[CreditNote]] = {key: [] for key in ids}
    for note in CreditNote.select().where(CreditNote.receipt.in_(ids)).order_by(CreditNote.id) if ids else ():
        notes[note.receipt_id].append(note)
    return [
        Found(row, orders.get(row.order_id or ""), payments.get(row.payment or ""), notes[row.id])
        for row in rows
    ]
