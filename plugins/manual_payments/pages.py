"""Pages of payments by hand: where one reads where to pay, what one paid, and where somebody confirms what arrived."""

import qrcode
from flask import Blueprint
from flask import flash
from flask import g
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import currencies
from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from plugins.manual_payments import demands
from plugins.manual_payments import references
from plugins.manual_payments import refunds
from plugins.manual_payments import subscriptions
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import DemandState
from plugins.manual_payments.models import Refund
from plugins.manual_payments.models import RefundState
from plugins.manual_payments.provider import ManualPayments
from plugins.manual_payments.provider import Ways

NEEDS = {
    "demand": "anybody",
    "note": "anybody",
    "leave": "anybody",
    "mine": "anybody",
    "desk": "payments.manage",
    "confirm": "payments.manage",
    "reject": "payments.manage",
    "settle_refund": "payments.manage",
}
"""Whom each page is for: what asks somebody for money is for who has its address."""
ON_A_PAGE = 100


def blueprint(provider: ManualPayments) -> Blueprint:
    """The pages of this provider."""
    family = Blueprint("manual_payments", __name__, template_folder="templates")

    @family.get("/pay/<demand_id>")
    def demand(demand_id: str) -> ResponseReturnValue:
        """Where to pay, and what has arrived."""
        with provider.act():
            row = demands.find(demand_id)
        return _demand(row, provider.ways)

    @family.post("/pay/<demand_id>")
    def note(demand_id: str) -> ResponseReturnValue:
        """Somebody has written it down, or begins a trial, and goes back."""
        email = request.form.get("email", "")
        try:
            with provider.act() as act:
                row = demands.name_address(demand_id, email, act=act)
                if row.trial_days and row.state == DemandState.OPEN:
                    subscriptions.begin_trial(row, act=act)
        except NotFound:
            raise
        except MusicConnectError as problem:
            with provider.act():
                return _demand(demands.find(demand_id), provider.ways, problem=problem, email=email), 422
        return redirect(row.return_to or "/", 303)

    @family.post("/pay/<demand_id>/leave")
    def leave(demand_id: str) -> ResponseReturnValue:
        """Go back without wanting to pay."""
        with provider.act() as act:
            row = demands.leave(demand_id, act=act)
        return redirect(row.cancel_to or "/", 303)

    @family.get("/mine/<customer>")
    def mine(customer: str) -> ResponseReturnValue:
        """All that was asked of somebody."""
        with provider.act():
            rows = list(
                Demand.select().where(Demand.customer == customer).order_by(Demand.id.desc()).limit(ON_A_PAGE)
            )
        if not rows:
            raise NotFound("Nothing of that kind was asked for here.")
        back = request.args.get("back", "")
        # Two slashes, or one and a backslash, would lead elsewhere, also with a tab between them, which browsers leave out.
        ours = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
        return render_template("manual_payments/mine.html", rows=rows, back=back if ours else "/")

    @family.get("/")
    def desk() -> ResponseReturnValue:
        """What is waited for, and what is to go back."""
        return _desk(provider)

    @family.post("/demands/<demand_id>/confirm")
    def confirm(demand_id: str) -> ResponseReturnValue:
        """Something arrived."""
        typed = request.form.get("amount", "")
        try:
            with provider.act() as act:
                row = demands.find(demand_id)
                amount = _minor(typed, row.currency)
                row = demands.confirm(demand_id, amount, by=g.visitor.id, act=act)
        except Invalid as problem:
            return _desk(provider, problem=problem, at=demand_id, typed=typed), 422
        flash(
            _("It is paid.")
            if row.received_minor >= row.amount_minor
            else _("Noted. The rest is waited for.")
        )
        return redirect(url_for(".desk"), 303)

    @family.post("/demands/<demand_id>/reject")
    def reject(demand_id: str) -> ResponseReturnValue:
        """It is not waited for any more."""
        with provider.act() as act:
            demands.reject(demand_id, by=g.visitor.id, act=act)
        flash(_("It is not waited for any more."))
        return redirect(url_for(".desk"), 303)

    @family.post("/refunds/<refund_id>")
    def settle_refund(refund_id: str) -> ResponseReturnValue:
        """It was sent, or could not be."""
        with provider.act() as act:
            refunds.settle(refund_id, sent=request.form.get("outcome") == "sent", by=g.visitor.id, act=act)
        flash(_("Noted."))
        return redirect(url_for(".desk"), 303)

    return family


def _demand(row: Demand, ways: Ways, *, problem: MusicConnectError | None = None, email: str = "") -> str:
    rest = row.amount_minor - row.received_minor
    return render_template(
        "manual_payments/demand.html",
        demand=row,
        ways=ways,
        rest=rest,
        reference=references.spaced(row.reference),
        iban=references.spaced(ways.iban),
        picture=_picture(row, ways, rest),
        is_open=row.state == DemandState.OPEN,
        is_paid=row.state == DemandState.PAID,
        email=email,
        problem=problem,
    )


def _desk(
    provider: ManualPayments, *, problem: MusicConnectError | None = None, at: str = "", typed: str = ""
) -> str:
    asked = request.args.get("q", "").strip()
    query = Demand.select().where(Demand.state == DemandState.OPEN)
    if asked:
        word = references.plain(asked)
        query = query.where((Demand.reference.contains(word)) | (Demand.email.contains(asked)))
    with provider.act():
        rows = list(query.order_by(Demand.due_at, Demand.id).limit(ON_A_PAGE + 1))
        waiting = list(
            Refund.select().where(Refund.state == RefundState.WAITING).order_by(Refund.id).limit(ON_A_PAGE)
        )
        paid = {row.id: row for row in Demand.select().where(Demand.id.in_([one.payment for one in waiting]))}
        rejected = list(
            Demand.select()
            .where(Demand.state == DemandState.REJECTED, Demand.received_minor > 0)
            .order_by(Demand.id.desc())
            .limit(ON_A_PAGE)
        )
    return render_template(
        "manual_payments/desk.html",
        rows=[(row, references.spaced(row.reference), _rest(row)) for row in rows[:ON_A_PAGE]],
        more=len(rows) > ON_A_PAGE,
        refunds=[(one, paid[one.payment]) for one in waiting],
        rejected=rejected,
        asked=asked,
        problem=problem,
        at=at,
        typed=typed,
    )


def _rest(row: Demand) -> str:
    return currencies.written(max(0, row.amount_minor - row.received_minor), row.currency)


def _minor(text: str, currency: str) -> int:
    try:
        return currencies.minor(text, currency)
    except Invalid as error:
        raise Invalid(error.sentence, field="amount", **error.facts) from error


def _picture(row: Demand, ways: Ways, rest: int) -> tuple[int, str] | None:
    """The transfer as a QR code for banking apps: how wide it is, and the outline of what is dark. Only euros have one."""
    if row.currency != currencies.EURO or not ways.iban or rest <= 0:
        return None
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(
        references.transfer(
            holder=ways.holder, iban=ways.iban, bic=ways.bic, amount_minor=rest, reference=row.reference
        )
    )
    code.make(fit=True)
    rows = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(rows) for x, on in enumerate(line) if on)
    return len(rows), dark
