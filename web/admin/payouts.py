"""Payouts to artists as admins look after them: what waits, files for the bank, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.permissions import Permission
from appliance.catalog.models import Artist
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payouts import bank_files
from appliance.payouts import iban
from appliance.payouts import requesting
from appliance.payouts.models import BANK
from appliance.payouts.models import BankFile
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutStanding
from web.admin import entrance
from web.presentation.wording import price
from web.request_cycle import appliance
from web.security import step_up
from web.studio.payouts import STANDINGS


@dataclass(frozen=True, slots=True)
class Line:
    """A payout as the list shows it; *open*: a person must say what came of it."""

    id: str
    artist: str
    amount: str
    to: str
    state: str
    standing: str
    at: datetime
    problem: str
    open: bool


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file for the bank."""

    id: str
    count: int
    total: str
    at: datetime
    xml: bool


@entrance.get("/payouts", Permission.PAYMENTS_MANAGE)
def payouts() -> ResponseReturnValue:
    """All payouts, newest first, and the files for the bank."""
    found = requesting.newest(limit=entrance.ON_A_PAGE + 1, before=entrance.cursor())
    rows, older = entrance.sliced(found, "admin.payouts")
    names = dict(Artist.select(Artist.id, Artist.name).where(Artist.id.in_({r.payee for r in rows})).tuples())
    return entrance.page(
        "payouts",
        "payouts",
        lines=[_line(row, names) for row in rows],
        files=[_file(row) for row in bank_files.latest()],
        waiting=bank_files.currencies_waiting(),
        older=older,
    )


@entrance.post("/payouts/files", Permission.PAYMENTS_MANAGE)
def make_bank_file() -> ResponseReturnValue:
    """Put what waits for the bank into one file."""
    step_up.require()
    currency = entrance.sent("currency") or bank_files.EURO
    try:
        bank_files.make(appliance().settings, currency=currency, actor=entrance.actor(), now=clock.now())
    except (Conflict, Invalid) as error:
        return entrance.refused(error, "admin.payouts")
    return entrance.done(_("The file is made. Fetch it and give it to the bank."), "admin.payouts")


@entrance.get("/payouts/files/<file_id>.<form>", Permission.PAYMENTS_MANAGE)
def bank_file(file_id: str, form: str) -> ResponseReturnValue:
    """One file, as XML (pain.001) or CSV; the same whenever it is fetched."""
    step_up.require()
    file = bank_files.find(file_id)
    if form not in ("xml", "csv") or (form == "xml" and not file.xml):
        raise NotFound("There is no such file.")
    text, kind = (file.xml, "application/xml") if form == "xml" else (bank_files.table(file), "text/csv")
    answer = Response(text, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="payouts-{file.id}.{form}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@entrance.post("/payouts/<payout_id>", Permission.PAYMENTS_MANAGE)
def settle_payout(payout_id: str) -> ResponseReturnValue:
    """Note what the bank did: what failed can be paid out once more, so it wants a proof too."""
    step_up.require()
    paid = entrance.sent("came") == "paid"
    try:
        bank_files.settle(
            payout_id,
            paid=paid,
            problem=entrance.sent("problem"),
            actor=entrance.actor(),
            now=clock.now(),
        )
    except (Conflict, NotFound) as error:
        return entrance.refused(error, "admin.payouts")
    told = _("Noted: it is paid.") if paid else _("Noted: it failed, and is back in the artist's balance.")
    return entrance.done(told, "admin.payouts")


def _line(row: Payout, names: dict[str, str]) -> Line:
    return Line(
        row.id,
        names.get(row.payee, row.payee),
        price(row.amount_minor, row.currency),
        f"{row.holder} · {iban.masked(row.account)}" if row.provider == BANK else row.provider,
        row.state,
        str(STANDINGS[PayoutStanding(row.state)]),
        row.created_at,
        row.problem,
        row.provider == BANK and row.state != PayoutStanding.FAILED,
    )


def _file(row: BankFile) -> FileLine:
    total = price(row.total_minor, row.currency)
    return FileLine(row.id, row.count, total, row.created_at, bool(row.xml))
