"""Receipts of orders and memberships and the credit notes that correct them, for who bought and for who sold."""

from typing import Any

from flask import Response
from flask import jsonify
from flask import url_for

from appliance.accounts.models import Scope
from appliance.catalog import artists
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.mail.attachments import Paper
from appliance.papers import drawing
from appliance.papers import finding
from appliance.papers import naming
from appliance.papers.finding import Found
from appliance.shop import receipts
from appliance.shop.models import CreditNote
from web import addresses
from web.api import money
from web.api.routing import blueprint
from web.api.routing import cursor_for
from web.api.routing import cursor_id
from web.api.routing import cursor_number
from web.api.routing import limit
from web.downloads.fetching import disposition


@blueprint.get("/receipts")
def list_receipts() -> Response:
    """The receipts that were written for the caller, the last first."""
    who, wanted = money.payer(Scope.MONEY_READ), limit()
    rows = finding.of_person(who, limit=wanted + 1, before=cursor_id())
    following = cursor_for(rows[wanted - 1].receipt.id) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.get("/artists/<slug>/receipts")
def list_artist_receipts(slug: str) -> Response:
    """The receipts that an artist wrote, the highest number first."""
    artist, _who = money.seller(slug, Scope.MONEY_READ)
    wanted = limit()
    rows = finding.of_artist(artist, limit=wanted + 1, before=cursor_number())
    following = cursor_for(str(rows[wanted - 1].receipt.number)) if len(rows) > wanted else None
    return jsonify(items=[_told(row) for row in rows[:wanted]], next_cursor=following)


@blueprint.get("/receipts/<receipt_id>.pdf")
def receipt_paper(receipt_id: str) -> Response:
    """A receipt on paper."""
    money.payer(Scope.MONEY_READ)
    found = finding.receipt(receipt_id)
    _require_party(found, "There is no such receipt.")
    return _paper(drawing.receipt(found.receipt))


@blueprint.get("/credit-notes/<note_id>.pdf")
def credit_note_paper(note_id: str) -> Response:
    """A credit note on paper."""
    money.payer(Scope.MONEY_READ)
    note, found = finding.credit_note(note_id)
    _require_party(found, "There is no such credit note.")
    return _paper(drawing.credit_note(note))


def _require_party(found: Found, sentence: str) -> None:
    """``NotFound`` for who neither bought nor decides about the money of who sold, and need not know that there is one."""
    who = money.payer(Scope.MONEY_READ)
    if found.user_id == who.id:
        return
    try:
        money.behind(artists.by_id(found.receipt.artist), who)
    except (NotAllowed, NotFound) as error:
        raise NotFound(sentence) from error


def _paper(paper: Paper) -> Response:
    answer = Response(paper.content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = disposition(paper.name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _told(found: Found) -> dict[str, Any]:
    row = found.receipt
    return {
        "id": row.id,
        "number": receipts.named(row),
        "seller": row.seller,
        "artist": row.artist,
        "order": row.order_id,
        "subscription": row.subscription or None,
        "amount_minor": found.amount_minor,
        "tax_minor": found.tax_minor,
        "currency": found.currency,
        "credited_minor": row.credited_minor,
        "issued_at": row.issued_at.isoformat(),
        "url": addresses.root() + url_for("api.receipt_paper", receipt_id=row.id),
        "credit_notes": [_note(note) for note in found.notes],
    }


def _note(row: CreditNote) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": naming.of_note(row),
        "amount_minor": row.amount_minor,
        "tax_minor": row.tax_minor,
        "issued_at": row.issued_at.isoformat(),
        "url": addresses.root() + url_for("api.credit_note_paper", note_id=row.id),
    }
