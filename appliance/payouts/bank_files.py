"""Payouts by hand: a file of credit transfers for the bank (ISO 20022, pain.001), and what came of each."""

import csv
import io
from datetime import datetime
from typing import Any

import peewee
import sepaxml

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.currencies import written
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import PayoutFact
from appliance.payments import PayoutState
from appliance.payouts import iban as ibans
from appliance.payouts import settling
from appliance.payouts.models import BANK
from appliance.payouts.models import BankFile
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutStanding
from appliance.settings import Settings

SCHEMA = "pain.001.001.09"
EURO = "EUR"
MOST = 5_000


def waiting(currency: str = EURO) -> list[Payout]:
    """Payouts by hand that stand in no file yet, the oldest first."""
    here = (
        (Payout.provider == BANK)
        & (Payout.state == PayoutStanding.REQUESTED)
        & (Payout.currency == currency)
        & Payout.bank_file.is_null()
    )
    return list(Payout.select().where(here).order_by(Payout.id).limit(MOST))


def currencies_waiting() -> list[tuple[str, int]]:
    """In which currencies payouts wait for the bank, and how many."""
    here = (Payout.provider == BANK) & (Payout.state == PayoutStanding.REQUESTED) & Payout.bank_file.is_null()
    count = peewee.fn.COUNT(Payout.id)
    rows: Any = Payout.select(Payout.currency, count).where(here).group_by(Payout.currency).tuples()
    return sorted((currency, int(number)) for currency, number in rows)


def make(settings: Settings, *, currency: str = EURO, actor: User, now: datetime) -> BankFile:
    """Put all that wait into one file, each once; ``Conflict`` when none waits, ``Invalid`` when our own account is not set."""
    if currency == EURO and not (ibans.plain(settings.bank_holder) and settings.bank_iban):
        raise Invalid("Set 'bank_holder' and 'bank_iban' first: the account that payouts are made from.")
    with transaction():
        database.in_turn(_TURN)
        rows = waiting(currency)
        if not rows:
            raise Conflict("No payout waits for the bank.")
        made = BankFile.create(
            currency=currency,
            count=len(rows),
            total_minor=sum(row.amount_minor for row in rows),
            made_by=actor.id,
            created_at=now,
        )
        # Euro goes by SEPA; other currencies are told by the table alone, for each bank has a form of its own.
        text = _pain(settings, rows, now=now) if currency == EURO else ""
        BankFile.update(xml=text).where(BankFile.id == made.id).execute()
        for row in rows:
            Payout.update(bank_file=made.id).where(Payout.id == row.id).execute()
            fact = PayoutFact(made.id, row.id, PayoutState.IN_TRANSIT, now)
            settling.note_payout(fact, provider=BANK, now=now)
        audit.record(
            Action.BANK_FILE_MADE,
            actor=actor.id,
            subject=f"bank_file:{made.id}",
            now=now,
            detail={"count": made.count, "total_minor": made.total_minor, "currency": currency},
        )
    return find(made.id)


def latest(limit: int = 20) -> list[BankFile]:
    """The newest files."""
    return list(BankFile.select().order_by(BankFile.id.desc()).limit(limit))


def find(file_id: str) -> BankFile:
    """The file with this id, or ``NotFound``."""
    found: BankFile | None = BankFile.get_or_none(BankFile.id == file_id)
    if found is None:
        raise NotFound("There is no such file.")
    return found


def table(file: BankFile) -> str:
    """The payouts of a file as CSV (RFC 4180), for banks that take no XML and for people."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["payout", "holder", "iban", "bic", "amount", "currency"])
    for row in Payout.select().where(Payout.bank_file == file.id).order_by(Payout.id):
        amount = written(row.amount_minor, row.currency)
        rows.writerow([row.id, _plain(row.holder), row.account, row.bic, amount, row.currency])
    return out.getvalue()


def settle(payout_id: str, *, paid: bool, problem: str = "", actor: User, now: datetime) -> Payout:
    """Note what the bank did; what it could not pay comes back to the balance. ``Conflict`` when that was noted before."""
    with transaction():
        row: Payout | None = Payout.get_or_none(Payout.id == payout_id, Payout.provider == BANK)
        if row is None:
            raise NotFound("There is no such payout.")
        state = PayoutState.PAID if paid else PayoutState.FAILED
        settled = PayoutFact("", row.id, state, now, problem=problem)
        settling.note_payout(settled, provider=BANK, now=now)
        after: Payout = Payout.get_by_id(row.id)
        if after.state == row.state:
            raise Conflict("This is noted already.")
        audit.record(
            Action.PAYOUT_SETTLED,
            actor=actor.id,
            subject=f"artist:{row.payee}",
            now=now,
            detail={"payout": row.id, "state": str(state)},
        )
    return after


_TURN = 0x62616E6B
"""Any number will do that nobody else takes turns by."""


def _pain(settings: Settings, rows: list[Payout], *, now: datetime) -> str:
    config = {
        "name": ibans.plain(settings.bank_holder)[:70],
        "IBAN": ibans.read(settings.bank_iban),
        "batch": True,
        "currency": EURO,
    }
    if settings.bank_bic:
        config["BIC"] = ibans.read_bic(settings.bank_bic)
    order = sepaxml.SepaTransfer(config, schema=SCHEMA, clean=True)
    for row in rows:
        payment = {
            # As a bank writes it where there is no name: one that nobody can read keeps nobody else from being paid.
            "name": ibans.plain(row.holder) or "NOTPROVIDED",
            "IBAN": row.account,
            "amount": row.amount_minor,
            "execution_date": now.date(),
            "description": f"{ibans.plain(settings.collective_name)[:100]} {row.id}".strip(),
            "endtoend_id": row.id,
        }
        if row.bic:
            payment["BIC"] = row.bic
        order.add_payment(payment)
    # The text is kept as it is, with the message's id in it: a bank refuses the second of two that were sent by mistake.
    return str(order.export(validate=True).decode("utf-8"))


def _plain(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
