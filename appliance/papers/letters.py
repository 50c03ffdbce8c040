"""Letters that papers go with: one for each receipt of a membership and one for each credit note, written by a chore.

Nothing that settles a payment writes them, so that a flood of payments is not held up by letters.
"""

from collections.abc import Mapping
from datetime import datetime

from appliance import currencies
from appliance import mail
from appliance import startup
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.ledger.models import Payment
from appliance.memberships.subscription_models import Subscription
from appliance.papers import drawing
from appliance.papers import naming
from appliance.shop import receipts
from appliance.shop.merchandise import parcels
from appliance.shop.models import CreditNote
from appliance.shop.models import Order
from appliance.shop.models import OrderState
from appliance.shop.models import Receipt

PAGE = "{root}/memberships/{id}"
AT_ONCE = 500


def write_due(*, collective: str, now: datetime) -> list[str]:
    """Write down every letter that is due; the jobs that send them, on their way already."""
    due = Receipt.told_at.is_null() & Receipt.payment.is_null(False)
    jobs: list[str] = []
    # All of them first, here as below: SQLite lets nobody begin to write while rows of an older state are still being read.
    for receipt in list(Receipt.select().where(due).order_by(Receipt.id).limit(AT_ONCE)):
        with transaction():
            said = {"told_at": now, "collective": receipt.collective or collective[:200]}
            if _take(Receipt, receipt, said):
                jobs += _of_membership(
                    "membership_receipt",
                    receipt,
                    {"number": receipts.named(receipt)},
                    f"{drawing.RECEIPT}:{receipt.id}",
                    now=now,
                )
    notes = CreditNote.select().where(CreditNote.told_at.is_null()).order_by(CreditNote.id)
    for note in list(notes.limit(AT_ONCE)):
        with transaction():
            if _take(CreditNote, note, {"told_at": now}):
                jobs += _of_note(note, now=now)
    return jobs


def _take(
    model: type[Receipt] | type[CreditNote], row: Receipt | CreditNote, said: Mapping[str, object]
) -> bool:
    """Whether this letter is ours to write: of two who come at once one is."""
    for name, value in said.items():
        setattr(row, name, value)
    return bool(model.update(**said).where(model.id == row.id, model.told_at.is_null()).execute())


def _of_note(note: CreditNote, *, now: datetime) -> list[str]:
    corrected = Receipt.get_by_id(note.receipt_id)
    kind = "credit_note" if note.amount_minor > 0 else "credit_note_taken_back"
    facts = {"number": naming.of_note(note), "receipt": receipts.named(corrected)}
    attached = f"{drawing.NOTE}:{note.id}"
    if corrected.order_id is None:
        return _of_membership(kind, corrected, facts, attached, amount_minor=abs(note.amount_minor), now=now)
    order = Order.get_by_id(corrected.order_id)
    if _is_the_last(note, order):
        # One letter for both: that the order is no more, with the total of it, and the paper that says so.
        kind = "order_refunded" if parcels.of(order.id) is None else "goods_refunded"
        return [receipts.tell(kind, order, now=now, attached=attached, **facts)]
    facts["total"] = f"{currencies.written(abs(note.amount_minor), order.currency)} {order.currency}"
    return [receipts.tell(kind, order, now=now, attached=attached, **facts)]


def _is_the_last(note: CreditNote, order: Order) -> bool:
    """Whether with this note nothing is left of the order."""
    later = CreditNote.select().where(CreditNote.receipt == note.receipt_id, CreditNote.id > note.id)
    return order.state == OrderState.REFUNDED and note.amount_minor > 0 and not later.exists()


def _of_membership(
    kind: str,
    receipt: Receipt,
    facts: Mapping[str, str],
    attached: str,
    *,
    amount_minor: int | None = None,
    now: datetime,
) -> list[str]:
    payment = Payment.get_by_id(receipt.payment)
    row = Subscription.get_or_none(Subscription.id == receipt.subscription)
    user = User.get_or_none(User.id == receipt.user, User.active)
    to = user.email if user else receipt.email
    if not to or row is None:
        return []
    settings = startup.appliance().settings
    root = settings.public_url.rstrip("/") or row.root or f"http://{settings.host}:{settings.port}"
    amount = payment.amount_minor if amount_minor is None else amount_minor
    said = {
        "collective": receipt.collective or settings.collective_name,
        "artist": receipt.artist_name,
        "tier": receipt.thing,
        "total": f"{currencies.written(amount, payment.currency)} {payment.currency}",
        "link": PAGE.format(root=root, id=row.id),
        **facts,
    }
    return [mail.post(kind, to, facts=said, locale=receipt.locale, attached=attached, now=now)]
