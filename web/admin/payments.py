"""Payments and disputes as admins look after them, and giving money back."""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance import clock
from appliance import currencies
from appliance import processors
from appliance.accounts.permissions import Permission
from appliance.billing import listing
from appliance.billing import refunding
from appliance.billing.models import AskedState
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.ledger import payments as books
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.payments import DisputeState
from appliance.payments import Feature
from web.admin import entrance
from web.presentation.wording import price
from web.security import step_up

DISPUTES = {
    "": lazy_gettext("All"),
    DisputeState.OPEN: lazy_gettext("Open"),
    DisputeState.WON: lazy_gettext("Won"),
    DisputeState.LOST: lazy_gettext("Lost"),
}
ASKED = {
    AskedState.ASKED: lazy_gettext("Asked; it is not known yet whether it went back"),
    AskedState.DONE: lazy_gettext("Went back"),
    AskedState.REFUSED: lazy_gettext("Refused"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A payment as the list shows it."""

    id: str
    artist: str
    amount: str
    gone: str
    provider: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A dispute as the list shows it."""

    reference: str
    artist: str
    amount: str
    state: str
    is_open: bool
    opened: datetime
    respond_by: datetime | None
    payment: str
    provider: str


def tabs() -> list[tuple[str, str, str]]:
    """The pages about payments, beside each other."""
    return [
        ("payments", _("Payments"), url_for("admin.payments")),
        ("disputes", _("Disputes"), url_for("admin.disputes")),
        ("payment_events", _("Events"), url_for("admin.payment_events")),
        ("reconciliations", _("Reconciliation"), url_for("admin.reconciliations")),
    ]


@entrance.get("/payments", Permission.PAYMENTS_MANAGE)
def payments() -> str:
    """Payments, newest first."""
    about = request.args.get("q", "").strip()[:120]
    found = listing.payments(about=about, limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.payments", q=about)
    names = listing.artists(row.artist for row in rows)
    return entrance.page(
        "payments",
        "payments",
        pages=tabs(),
        about=about,
        lines=[_line(row, names) for row in rows],
        older=older,
        waiting=listing.open_disputes(),
    )


@entrance.get("/payments/disputes", Permission.PAYMENTS_MANAGE)
def disputes() -> str:
    """What payers contest, newest first; who is to answer does so at the provider."""
    state = request.args.get("state", "")
    state = state if state in DISPUTES else ""
    found = listing.disputes(state=state, limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.disputes", state=state)
    paid = listing.payments_of(rows)
    names = listing.artists(payment.artist for payment in paid.values())
    return entrance.page(
        "disputes",
        "payments",
        pages=tabs(),
        state=state,
        states=[
            (str(name), str(text), url_for("admin.disputes", state=name or None))
            for name, text in DISPUTES.items()
        ],
        lines=[_dispute(row, paid.get(row.id), names) for row in rows],
        older=older,
    )


@entrance.get("/payments/<payment_id>", Permission.PAYMENTS_MANAGE)
def payment(payment_id: str) -> str:
    """One payment, and giving it back."""
    return _payment(refunding.find(payment_id))


@entrance.post("/payments/<payment_id>/refund", Permission.PAYMENTS_MANAGE)
def refund_payment(payment_id: str) -> ResponseReturnValue:
    """Give all that is left of a payment back, or a part."""
    step_up.require()
    found = refunding.find(payment_id)
    try:
        amount = _amount(entrance.sent("amount"), found.currency)
        refunding.refund(
            found.id, amount, reason=entrance.sent("reason"), actor=entrance.actor(), now=clock.now()
        )
    except Invalid as error:
        return _payment(found, problem=error), 422
    except Conflict as error:
        return entrance.refused(error, "admin.payment", payment_id=payment_id)
    except Unavailable:
        told = _(
            "The provider does not answer. It is asked again by itself until it does; the money goes back once."
        )
        if entrance.sent("end"):
            told += " " + _("The membership was not ended; do it when the provider answers again.")
        return entrance.done(told, "admin.payment", payment_id=payment_id)
    told = _("The money is on its way back.")
    if entrance.sent("end"):
        try:
            refunding.end_membership(found, actor=entrance.actor(), now=clock.now())
            told = _("The money is on its way back, and the membership is over.")
        except (Conflict, Unavailable):
            told = _(
                "The money is on its way back. The membership could not be ended; end it at the provider."
            )
    return entrance.done(told, "admin.payment", payment_id=payment_id)


def _amount(text: str, currency: str) -> int | None:
    try:
        return currencies.minor(text, currency) if text else None
    except Invalid as error:
        error.field = "amount"
        raise


def _payment(found: Payment, *, problem: Exception | None = None) -> str:
    left = refunding.refundable(found)
    return entrance.page(
        "payment",
        "payments",
        payment=found,
        line=_line(found, listing.artists([found.artist])),
        facts=_facts(found),
        refunds=[
            (row.reference, price(row.amount_minor, row.currency), row.refunded_at, row.failed)
            for row in listing.refunds_of(found)
        ],
        disputes=[_dispute(row, found, {}) for row in listing.disputes_of(found)],
        asked=[
            (
                price(row.amount_minor, found.currency),
                row.asked_at,
                str(ASKED[AskedState(row.state)]),
                row.problem,
                row.reason,
            )
            for row in refunding.of_payment(found)
        ],
        goes_on=refunding.membership_of(found) is not None,
        left=price(left, found.currency) if left > 0 and _can_refund(found) else "",
        sent=request.form,
        longest=refunding.LONGEST_REASON,
        problem=problem,
    )


def _can_refund(found: Payment) -> bool:
    try:
        return Feature.REFUNDS in processors.find(found.provider).features
    except NotFound:
        return False


def _facts(found: Payment) -> list[tuple[str, str]]:
    amounts = [
        (_("Amount"), found.amount_minor),
        (_("Tax in it"), found.tax_minor),
        (_("The provider's fee"), found.fee_minor),
        (_("Given back"), found.refunded_minor),
        (_("Contested"), found.contested_minor),
        (_("Lost"), found.lost_minor),
        (_("Fees of disputes"), found.dispute_fees_minor),
    ]
    told = [(name, price(amount, found.currency)) for name, amount in amounts if amount]
    if found.fee_minor is None:
        told.append((_("The provider's fee"), _("not told yet")))
    return [*told, (_("For"), found.mark), (_("Provider"), found.provider), (_("Reference"), found.reference)]


def _line(row: Payment, names: dict[str, str]) -> Line:
    gone = row.amount_minor - books.kept(row)
    return Line(
        row.id,
        names.get(row.artist, row.artist),
        price(row.amount_minor, row.currency),
        price(gone, row.currency) if gone else "",
        row.provider,
        row.reference,
        row.paid_at,
    )


def _dispute(row: Dispute, paid: Payment | None, names: dict[str, str]) -> DisputeLine:
    return DisputeLine(
        row.reference,
        names.get(paid.artist, paid.artist) if paid is not None else "",
        price(row.amount_minor, row.currency),
        str(DISPUTES[DisputeState(row.state)]),
        row.state == DisputeState.OPEN,
        row.opened_at,
        row.respond_by,
        paid.id if paid is not None else "",
        row.provider,
    )
