"""Papers as their buyers find them: receipts, each with the credit notes that correct it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appliance.accounts.models import User
from appliance.errors import NotFound
from appliance.ledger.models import Payment
from appliance.papers import naming
from appliance.shop import receipts
from appliance.shop.models import CreditNote
from appliance.shop.models import Order
from appliance.shop.models import Receipt


@dataclass(frozen=True, slots=True)
class Note:
    """A credit note; below nothing, it takes an earlier one back."""

    id: str
    number: str
    issued_at: datetime
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt of an *order* or a *subscription* (ids, one of them empty) and what corrects it."""

    id: str
    number: str
    issued_at: datetime
    amount_minor: int
    currency: str
    artist: str
    order: str
    subscription: str
    notes: tuple[Note, ...]


def of_subscription(subscription_id: str, *, limit: int, before: str = "") -> list[Found]:
    """The papers of a subscription, newest first (keyset by id)."""
    query = Receipt.select().where(Receipt.subscription == subscription_id)
    return _page(query, limit=limit, before=before)


def of_person(user: User, *, limit: int, before: str = "") -> list[Found]:
    """All papers of a person, newest first (keyset by id)."""
    own = Receipt.order.in_(Order.select(Order.id).where(Order.user == user.id)) | (Receipt.user == user.id)
    return _page(Receipt.select().where(own), limit=limit, before=before)


def of_order(order: Order) -> list[Found]:
    """The receipt of an order, if there is one."""
    return _page(Receipt.select().where(Receipt.order == order.id), limit=1, before="")


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


def _page(query: object, *, limit: int, before: str) -> list[Found]:
    if before:
        query = query.where(Receipt.id < before)  # type: ignore[attr-defined]
    rows = list(query.order_by(Receipt.id.desc()).limit(limit))  # type: ignore[attr-defined]
    return _told(rows)


def _told(rows: list[Receipt]) -> list[Found]:
    orders = {row.id: row for row in Order.select().where(Order.id.in_(_ids(row.order_id for row in rows)))}
    query = Payment.select().where(Payment.id.in_(_ids(row.payment for row in rows)))
    payments = {row.id: row for row in query}
    notes: dict[str, list[Note]] = {row.id: [] for row in rows}
    for note in (
        CreditNote.select().where(CreditNote.receipt.in_(_ids(notes))).order_by(CreditNote.id) if rows else ()
    ):
        notes[note.receipt_id].append(Note(note.id, naming.of_note(note), note.issued_at, note.amount_minor))
    found = []
    for row in rows:
        order = orders.get(row.order_id or "")
        payment = payments.get(row.payment or "")
        found.append(
            Found(
                id=row.id,
                number=receipts.named(row),
                issued_at=row.issued_at,
                amount_minor=order.total_minor if order else payment.amount_minor if payment else 0,
                currency=order.currency if order else payment.currency if payment else "",
                artist=order.artist_name if order else row.artist_name,
                order=row.order_id or "",
                subscription=row.subscription,
                notes=tuple(notes[row.id]),
            )
        )
    return found


def _ids(some: Iterable[str | None]) -> list[str]:
    return sorted({one for one in some if one})
