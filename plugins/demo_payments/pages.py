"""Pages of the demo's till: where one pays, changes one's card, says which bank to pay, and the desk from which things go wrong on purpose."""

import json
from datetime import timedelta

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.errors import Invalid
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.payments import CheckoutState
from plugins.demo_payments import models
from plugins.demo_payments import money
from plugins.demo_payments import renewals
from plugins.demo_payments import subscriptions
from plugins.demo_payments import tills
from plugins.demo_payments.cards import BANKS
from plugins.demo_payments.cards import CARDS
from plugins.demo_payments.provider import DemoPayments

NEEDS = {
    "till": "anybody",
    "pay": "anybody",
    "leave": "anybody",
    "card": "anybody",
    "change_card": "anybody",
    "account": "anybody",
    "choose_bank": "anybody",
    "desk": "person",
    "contest": "person",
    "decide": "person",
    "arrive": "person",
    "move_clock": "person",
}
"""Whom each page is for: what has a reference in its address is for who has that address, as with the real ones."""
OPEN_FOR = timedelta(hours=1)
ON_THE_DESK = 50


def blueprint(demo: DemoPayments) -> Blueprint:
    """The pages of this till."""
    family = Blueprint("demo_payments", __name__, template_folder="templates")

    @family.get("/tills/<reference>")
    def till(reference: str) -> ResponseReturnValue:
        """The till."""
        with demo.act():
            row = tills.find(reference)
        if row.state == CheckoutState.COMPLETED:
            return redirect(row.return_to, 303)
        return _till(row)

    @family.post("/tills/<reference>")
    def pay(reference: str) -> ResponseReturnValue:
        """Pay, and go back; a card that is declined leaves one here."""
        given = {"card": request.form.get("card", ""), "email": request.form.get("email", "")}
        try:
            with demo.act() as now:
                row = tills.pay(reference, now=now, **given)
        except NotFound:
            raise
        except MusicConnectError as problem:
            with demo.act():
                return _till(tills.find(reference), problem=problem, **given), 422
        return redirect(row.return_to, 303)

    @family.post("/tills/<reference>/leave")
    def leave(reference: str) -> ResponseReturnValue:
        """Go back without paying."""
        with demo.act() as now:
            row = tills.leave(reference, now=now)
        return redirect(row.cancel_to, 303)

    @family.get("/cards/<reference>")
    def card(reference: str) -> ResponseReturnValue:
        """One's own card and payments."""
        with demo.act() as now:
            visit, customer = _visit(reference, now=now)
            payments = _payments(models.Payment.customer == customer.id)
        return render_template(
            "demo_payments/card.html", visit=visit, customer=customer, cards=CARDS, payments=payments
        )

    @family.post("/cards/<reference>")
    def change_card(reference: str) -> ResponseReturnValue:
        """Take another card, and pay with it what is due."""
        chosen = request.form.get("card", "")
        if chosen not in CARDS:
            raise Invalid("Choose a card.", field="card")
        with demo.act() as now:
            visit, customer = _visit(reference, now=now)
            models.change(customer, now=now, card=chosen)
            subscriptions.take_card(customer.id, now=now)
        flash(_("Your card is changed."))
        return redirect(url_for(".card", reference=visit.id), 303)

    @family.get("/accounts/<reference>")
    def account(reference: str) -> ResponseReturnValue:
        """Where a payee chooses a bank."""
        with demo.act():
            row = models.Account.get_or_none(models.Account.id == reference)
        if row is None:
            raise NotFound("There is no such account at the demo's till.")
        return render_template("demo_payments/account.html", account=row, banks=BANKS)

    @family.post("/accounts/<reference>")
    def choose_bank(reference: str) -> ResponseReturnValue:
        """Take it, and go back."""
        with demo.act() as now:
            row = money.choose_bank(reference, request.form.get("bank", ""), now=now)
        return redirect(row.return_to, 303)

    @family.get("/")
    def desk() -> ResponseReturnValue:
        """All payments, disputes and payouts, with what can go wrong as buttons."""
        with demo.act() as now:
            values = {
                "payments": _payments(True),
                "disputes": list(_latest(models.Dispute)),
                "payouts": list(_latest(models.Payout)),
                "balances": money.balances(),
            }
        return render_template("demo_payments/desk.html", now=now, **values)

    @family.post("/payments/<reference>/contest")
    def contest(reference: str) -> ResponseReturnValue:
        """Somebody says that they did not pay this."""
        with demo.act() as now:
            money.contest(reference, now=now)
        return _done(_("The payment is contested."))

    @family.post("/disputes/<reference>")
    def decide(reference: str) -> ResponseReturnValue:
        """End a dispute."""
        with demo.act() as now:
            money.decide(reference, won=request.form.get("outcome") == "won", now=now)
        return _done(_("The dispute is decided."))

    @family.post("/payouts/<reference>")
    def arrive(reference: str) -> ResponseReturnValue:
        """Let a payout arrive now."""
        with demo.act() as now:
            row = models.Payout.get_or_none(models.Payout.id == reference)
            if row is None or row.state != "in_transit":
                raise NotFound("There is no such payout on its way.")
            renewals.arrive(row, now=now)
        return _done(_("The payout has reached the bank."))

    @family.post("/clock")
    def move_clock() -> ResponseReturnValue:
        """Let the till's clock run ahead."""
        days = request.form.get("days", "")
        if not (days.isascii() and days.isdigit() and 0 < int(days) <= 366):
            raise Invalid("The clock runs ahead by 1 to 366 days.", field="days")
        demo.move(timedelta(days=int(days)))
        return _done(_("The till's clock is ahead."))

    return family


def _till(
    row: models.Till, *, problem: MusicConnectError | None = None, card: str = "good", email: str = ""
) -> str:
    return render_template(
        "demo_payments/till.html",
        till=row,
        items=json.loads(row.items),
        cards=CARDS,
        card=card,
        email=row.email or email,
        is_open=row.state == CheckoutState.OPEN,
        problem=problem,
    )


def _visit(reference: str, *, now: object) -> tuple[models.Visit, models.Customer]:
    visit = models.Visit.get_or_none(models.Visit.id == reference)
    if visit is None or visit.changed_at + OPEN_FOR < now:
        raise NotFound("This page was open for too long; go back and open it once more.")
    return visit, models.Customer.get_by_id(visit.customer)


def _payments(which: object) -> list[tuple[models.Payment, int]]:
    rows = models.Payment.select().where(which).order_by(models.Payment.paid_at.desc()).limit(ON_THE_DESK)
    return [(row, money.left(row)) for row in rows]


def _latest(kind: type[models.Row]) -> object:
    return kind.select().order_by(kind.changed_at.desc()).limit(ON_THE_DESK)


def _done(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for(".desk"), 303)
