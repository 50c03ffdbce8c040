"""Credit notes: for what of a receipt each refund and each lost dispute took, numbered by their seller without gaps.

What did not hold after all, a refund that failed or a dispute that was won although it had been lost, takes its note back by another one of
the same series with the amounts below nothing: nothing that was issued is ever changed.
"""

import json
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import datetime

import peewee

from appliance import database
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import Refund
from appliance.papers import parts
from appliance.papers.parts import Gone
from appliance.papers.parts import Part
from appliance.papers.parts import Rate
from appliance.payments import DisputeState
from appliance.shop import numbers
from appliance.shop.models import CreditNote
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import Receipt


def settle(receipt: Receipt, rows: Sequence[Payment], *, now: datetime) -> None:
    """Write the credit notes that a receipt for these payments lacks, in the transaction of the caller."""
    # Held: whoever comes at the same time finds what was written here.
    database.locked(Receipt.select(Receipt.id).where(Receipt.id == receipt.id)).first()
    whole = parts.summed(parts_of(receipt, rows))
    total = sum(part.amount_minor for part in whole.values())
    above = max(0, sum(row.amount_minor for row in rows) - total)
    wanted = parts.credited(_gone(rows), total_minor=total, above_minor=above)
    notes = list(CreditNote.select().where(CreditNote.receipt == receipt.id).order_by(CreditNote.id))
    there: dict[str, int] = {}
    for note in notes:
        there[note.cause] = there.get(note.cause, 0) + note.amount_minor
    lacking = [(cause, amount - there.get(cause, 0)) for cause, amount in wanted.items()]
    # What takes a note back first, so that of no receipt more is taken than it says.
    for cause, amount in sorted((one for one in lacking if one[1]), key=lambda one: one[1] > 0):
        notes.append(_write(receipt, cause, amount, whole, notes, now=now))
    credited = sum(note.amount_minor for note in notes)
    if credited != receipt.credited_minor:
        receipt.credited_minor = credited
        Receipt.update(credited_minor=credited).where(Receipt.id == receipt.id).execute()


def parts_of(receipt: Receipt, rows: Sequence[Payment]) -> list[Part]:
    """What a receipt says, by line, with the tax in each."""
    if receipt.order_id is None:
        return [Part(receipt.tax_name, receipt.tax_bps, row.amount_minor, receipt.tax_minor) for row in rows]
    items = OrderItem.select().where(OrderItem.order == receipt.order_id).order_by(OrderItem.position)
    return [Part(item.tax_name, item.tax_bps, item.amount_minor, item.tax_minor) for item in items]


def read(note: CreditNote) -> list[Part]:
    """Pure: the parts of a credit note."""
    return [Part(*row) for row in json.loads(note.parts)]


def uncredited() -> list[str]:
    """The marks of payments of which something went back and whose receipt may lack a credit note, or have one too many."""
    gone = Payment.refunded_minor + Payment.lost_minor
    query = (
        Payment.select(Payment.mark)
        .join(Receipt, on=((Receipt.payment == Payment.id) | (Receipt.order == Payment.mark)))
        .where(
            (gone > 0) | (Receipt.credited_minor != 0),
            Receipt.credited_minor != peewee.fn.COALESCE(gone, 0),
        )
    )
    return sorted({row.mark for row in query})


def _gone(rows: Iterable[Payment]) -> list[Gone]:
    """Each refund and each dispute of these payments that was lost once; of those that did not hold, nothing."""
    found: list[Gone] = []
    for row in rows:
        # As the books do: what is told in another currency is added to nothing.
        for refund in Refund.select().where(
            Refund.provider == row.provider,
            Refund.payment == row.reference,
            Refund.currency == row.currency,
        ):
            amount = 0 if refund.failed else refund.amount_minor
            found.append(Gone(refund.refunded_at, f"refund:{refund.reference}", amount))
        for dispute in Dispute.select().where(
            Dispute.provider == row.provider,
            Dispute.payment == row.reference,
            Dispute.currency == row.currency,
        ):
            amount = dispute.amount_minor if dispute.state == DisputeState.LOST else 0
            found.append(Gone(dispute.opened_at, f"dispute:{dispute.reference}", amount))
    return found


def _write(
    receipt: Receipt,
    cause: str,
    amount: int,
    whole: dict[Rate, Part],
    notes: Sequence[CreditNote],
    *,
    now: datetime,
) -> CreditNote:
    before = parts.summed(part for note in notes for part in read(note))
    taken = parts.taken(amount, whole, before)
    seller = numbers.hold(receipt.artist)
    made: CreditNote = CreditNote.create(
        receipt=receipt.id,
        artist=receipt.artist,
        number=numbers.next_credit_note(seller),
        cause=cause,
        amount_minor=amount,
        tax_minor=sum(part.tax_minor for part in taken),
        parts=json.dumps(parts.as_json(taken)),
        seller=seller.name or _artist_name(receipt),
        address=seller.address,
        tax_number=seller.tax_number,
        issued_at=now,
    )
    return made


def _artist_name(receipt: Receipt) -> str:
    if receipt.order_id is None:
        return str(receipt.artist_name)
    return str(Order.get_by_id(receipt.order_id).artist_name)
