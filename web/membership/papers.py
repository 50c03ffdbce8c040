"""The papers of a membership, for who pays for it: receipts, credit notes, and whom they are for."""

from flask import Response
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import taxation
from appliance.errors import Invalid
from appliance.memberships import subscription_invoicing as invoicing
from appliance.memberships.subscription_invoicing import Invoiced
from appliance.memberships.subscription_models import Subscription
from appliance.papers import drawing
from appliance.papers import finding
from web import presentation
from web import rates
from web.membership.routing import blueprint
from web.membership.routing import own
from web.presentation import countries
from web.presentation import papers as shown
from web.presentation import subscriptions

FIELDS = ("country", "business_number", "buyer_name", "buyer_address")


@blueprint.get("/memberships/<subscription_id>/receipts/<receipt_id>.pdf")
def receipt(subscription_id: str, receipt_id: str) -> Response:
    """A receipt on paper."""
    row = finding.receipt_of_subscription(own(subscription_id).id, receipt_id[:26])
    return shown.answer(drawing.receipt(row))


@blueprint.get("/memberships/<subscription_id>/receipts/<receipt_id>/credit-notes/<note_id>.pdf")
def credit_note(subscription_id: str, receipt_id: str, note_id: str) -> Response:
    """A credit note on paper."""
    row = finding.receipt_of_subscription(own(subscription_id).id, receipt_id[:26])
    return shown.answer(drawing.credit_note(finding.note_of(row, note_id[:26])))


@blueprint.get("/memberships/<subscription_id>/invoice")
def ask_whom_for(subscription_id: str) -> str:
    """What stands on the receipts to come."""
    row = own(subscription_id)
    return _page(row, {name: getattr(row, name) for name in FIELDS})


@blueprint.post("/memberships/<subscription_id>/invoice")
@rates.limited("payments")
def say_whom_for(subscription_id: str) -> ResponseReturnValue:
    """Let other things stand on the receipts to come; those that were written stay as they are."""
    row = own(subscription_id)
    sent = {name: request.form.get(name, "") for name in FIELDS}
    try:
        invoicing.change(row, sent_by(sent), now=clock.now())
    except Invalid as error:
        return _page(row, sent, problem=error), 422
    flash(_("This stands on your receipts from now on."))
    return redirect(url_for("membership.show", subscription_id=row.id), 303)


def sent_by(form: dict[str, str]) -> Invoiced:
    """What a form says of whom receipts are for."""
    return Invoiced(form["country"], form["business_number"], form["buyer_name"], form["buyer_address"])


def _page(row: Subscription, sent: dict[str, str], *, problem: Invalid | None = None) -> str:
    return render_template(
        "membership/invoice.html",
        artist=presentation.artist(row.artist),
        membership=subscriptions.subscription(row),
        sent=sent,
        problem=problem,
        countries=countries.choices() if taxation.are_asked() else [],
    )
