"""Receipts of memberships and credit notes on paper, and whatever paper goes with a letter."""

from collections.abc import Callable

from appliance.errors import N_
from appliance.ledger.models import Payment
from appliance.mail import attachments
from appliance.mail.attachments import Paper
from appliance.mail.rendering import translator
from appliance.papers import crediting
from appliance.papers import naming
from appliance.papers.parts import Part
from appliance.shop import order_lists
from appliance.shop import paper
from appliance.shop import receipt_pdf as words
from appliance.shop import receipts
from appliance.shop.merchandise import parcels
from appliance.shop.models import CreditNote
from appliance.shop.models import Order
from appliance.shop.models import Receipt
from appliance.shop.paper import Row
from appliance.shop.paper import Sheet

CREDIT_NOTE, TAKEN_BACK = N_("Credit note"), N_("Credit note taken back")
CORRECTS, WENT_BACK, PAID_FOR = N_("It corrects the receipt"), N_("What went back"), N_("Paid for")
STAYED = N_("What did not go back after all")
RECEIPT, NOTE = receipts.ATTACHED, "credit-note"


def receipt(row: Receipt) -> Paper:
    """The receipt on paper, of an order or of a membership, in the language of its buyer."""
    if row.order_id is not None:
        order = Order.get_by_id(row.order_id)
        items = order_lists.items_of([order])[order.id]
        content = words.drawn(order, items, row, locale=order.locale, taken_off=parcels.taken_off(order))
    else:
        sheet = of_membership(row, Payment.get_by_id(row.payment), translator(row.locale))
        content = paper.drawn(sheet, at=row.issued_at)
    return Paper(f"{receipts.named(row)}.pdf", content)


def credit_note(row: CreditNote) -> Paper:
    """The credit note on paper, in the language of the receipt."""
    corrected: Receipt = Receipt.get_by_id(row.receipt_id)
    if corrected.order_id is not None:
        order = Order.get_by_id(corrected.order_id)
        sheet = of_note(
            row, corrected, order, order.currency, order.collective, _things(order), translator(order.locale)
        )
    else:
        payment = Payment.get_by_id(corrected.payment)
        sheet = of_note(
            row,
            corrected,
            corrected,
            payment.currency,
            corrected.collective,
            corrected.thing,
            translator(corrected.locale),
        )
    return Paper(f"{naming.of_note(row)}.pdf", paper.drawn(sheet, at=row.issued_at))


def of_membership(row: Receipt, payment: Payment, told: Callable[[str], str]) -> Sheet:
    """What stands on the receipt of a payment for a membership."""
    facts = [
        f"{told(words.NUMBER)}: {receipts.named(row)}",
        f"{told(words.ISSUED)}: {paper.day(row.issued_at)}",
        f"{told(words.PAID)}: {paper.day(payment.paid_at)}",
    ]
    if payment.period_start and payment.period_end:
        facts.append(f"{told(PAID_FOR)}: {paper.day(payment.period_start)} – {paper.day(payment.period_end)}")
    part = Part(row.tax_name, row.tax_bps, payment.amount_minor, row.tax_minor)
    return Sheet(
        title=told(words.RECEIPT),
        number=receipts.named(row),
        facts=facts,
        people=[
            *words.sellers(row.seller, row.address, row.tax_number, row.collective, told),
            "",
            *words.buyers(row, told),
        ],
        rows=[
            (told(words.THING), told(words.TAX), told(words.AMOUNT)),
            _line(f"{row.artist_name}: {row.thing}", part, payment.currency),
            (told(words.TOTAL), "", paper.amount(payment.amount_minor, payment.currency)),
            *_taxes(part, payment.currency, told),
        ],
    )


def of_note(
    row: CreditNote,
    corrected: Receipt,
    buyer: Order | Receipt,
    currency: str,
    collective: str,
    thing: str,
    told: Callable[[str], str],
) -> Sheet:
    """What stands on a credit note: the receipt that it corrects, and how much of which tax went back."""
    back = row.amount_minor > 0
    taken = crediting.read(row)
    facts = [
        f"{told(words.NUMBER)}: {naming.of_note(row)}",
        f"{told(words.ISSUED)}: {paper.day(row.issued_at)}",
        f"{told(CORRECTS)}: {receipts.named(corrected)} ({paper.day(corrected.issued_at)})",
    ]
    heading = (told(WENT_BACK if back else STAYED), told(words.TAX), told(words.AMOUNT))
    rows: list[Row] = [heading]
    rows += [_line(thing, part, currency, sign=-1) for part in taken]
    rows.append((told(words.TOTAL), "", paper.amount(-row.amount_minor, currency)))
    for part in taken:
        rows += _taxes(Part(part.name, part.bps, -part.amount_minor, -part.tax_minor), currency, told)
    return Sheet(
        title=told(CREDIT_NOTE if back else TAKEN_BACK),
        number=naming.of_note(row),
        facts=facts,
        people=[
            *words.sellers(row.seller, row.address, row.tax_number, collective, told),
            "",
            *words.buyers(buyer, told),
        ],
        rows=rows,
    )


def _line(thing: str, part: Part, currency: str, *, sign: int = 1) -> Row:
    return thing, paper.tax_called(part.name, part.bps), paper.amount(sign * part.amount_minor, currency)


def _taxes(part: Part, currency: str, told: Callable[[str], str]) -> list[Row]:
    if not part.tax_minor and not part.name:
        return []
    net = part.amount_minor - part.tax_minor
    return words.taxes(part.name, part.bps, net, part.tax_minor, currency, told)


def _things(order: Order) -> str:
    return ", ".join(item.name for item in order_lists.items_of([order])[order.id])[:300]


def _drawn_receipt(paper_id: str) -> Paper:
    return receipt(Receipt.get_by_id(paper_id))


def _drawn_note(paper_id: str) -> Paper:
    return credit_note(CreditNote.get_by_id(paper_id))


attachments.declare(RECEIPT, _drawn_receipt)
attachments.declare(NOTE, _drawn_note)
