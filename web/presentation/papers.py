"""Receipts and credit notes as finished values for templates."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Response
from flask import url_for
from flask_babel import gettext as _

from appliance.mail.attachments import Paper
from appliance.papers import naming
from appliance.papers.finding import Found
from appliance.shop import receipts
from appliance.shop.models import CreditNote
from web.downloads.fetching import disposition
from web.presentation.wording import price


@dataclass(frozen=True, slots=True)
class PaperView:
    """One paper: its *name* with the number, the day, how much it says, and where its PDF is; *artist* is whose receipt it is."""

    name: str
    artist: str
    at: datetime
    amount: str
    href: str
    note: bool


def of(found: Iterable[Found]) -> list[PaperView]:
    """Receipts, each followed by the credit notes that correct it."""
    views: list[PaperView] = []
    for row in found:
        views.append(
            PaperView(
                _("Receipt %(number)s", number=receipts.named(row.receipt)),
                row.artist_name,
                row.receipt.issued_at,
                price(row.amount_minor, row.currency),
                receipt_address(row),
                note=False,
            )
        )
        views += [_note(row, note) for note in row.notes]
    return views


def receipt_address(row: Found) -> str:
    """Where the PDF of a receipt is: below what it is for, so that the same people may see it."""
    if row.order:
        return url_for("shop.receipt", order_id=row.order.id)
    return url_for("membership.receipt", subscription_id=row.receipt.subscription, receipt_id=row.receipt.id)


def _note(row: Found, note: CreditNote) -> PaperView:
    if row.order:
        href = url_for("shop.credit_note", order_id=row.order.id, note_id=note.id)
    else:
        href = url_for(
            "membership.credit_note",
            subscription_id=row.receipt.subscription,
            receipt_id=row.receipt.id,
            note_id=note.id,
        )
    back = note.amount_minor > 0
    number, receipt = naming.of_note(note), receipts.named(row.receipt)
    name = (
        _("Credit note %(number)s for receipt %(receipt)s", number=number, receipt=receipt)
        if back
        else _(
            "Credit note %(number)s, which takes another one for receipt %(receipt)s back",
            number=number,
            receipt=receipt,
        )
    )
    return PaperView(
        name, row.artist_name, note.issued_at, price(-note.amount_minor, row.currency), href, note=True
    )


def answer(paper: Paper) -> Response:
    """A paper as a file that is kept nowhere on the way."""
    sent = Response(paper.content, mimetype="application/pdf")
    sent.headers["Content-Disposition"] = disposition(paper.name)
    sent.headers["Cache-Control"] = "private, no-store"
    return sent
