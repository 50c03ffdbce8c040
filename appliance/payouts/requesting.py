"""Asking for what one is owed, by hand or once a month: the money leaves the balance in the same transaction."""

from datetime import datetime

from appliance import jobs
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.currencies import DIGITS
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.ledger import balances
from appliance.ledger import payout_entries
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.payouts import accounts
from appliance.payouts.models import BANK
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount

JOB = jobs.kind("send_payout", jobs.Lane.WEBHOOKS)
"""The kind of the jobs that send; their subject is a payout's id."""
ATTEMPTS = 12


def least_minor(currency: str, minimum: int) -> int:
    """Pure: the smallest payout, *minimum* whole units of the currency, in minor units."""
    return int(minimum * 10 ** DIGITS[currency])


def request(
    artist: Artist,
    *,
    currency: str,
    minimum: int,
    provider: str = "",
    actor: User | None = None,
    run: str | None = None,
    now: datetime,
) -> tuple[Payout, list[str]]:
    """Take all that is owed to this artist in *currency* off their balance and on its way; the payout, and the ids of jobs to be sent.

    ``Conflict`` when there is nowhere to pay to, or when it is less than *minimum* whole units. A *run* that was made is not made again.
    """
    if currency not in DIGITS:
        raise Invalid("A currency is three letters such as EUR (ISO 4217).", field="currency")
    with transaction():
        # The account is held, so of two requests the second finds nothing left.
        amount = balances.hold(artist.id, currency).available_minor
        account = accounts.chosen(artist.id, provider, monthly=run is not None)
        if account is None:
            raise Conflict("There is no account yet to which this artist can be paid.")
        if amount < max(1, least_minor(currency, minimum)):
            raise Conflict("Payouts begin at {least} {currency}.", least=minimum, currency=currency)
        if run is not None and _made(artist.id, currency, run):
            raise Conflict("This month is paid out already.")
        made = Payout.create(
            payee=artist.id,
            provider=account.provider,
            account=account.account,
            holder=account.holder,
            bic=account.bic,
            amount_minor=amount,
            currency=currency,
            run=run,
            requested_by=actor.id if actor else "",
            as_of=now,
            created_at=now,
        )
        payout_entries.begin(
            made.id,
            payee=artist.id,
            amount_minor=amount,
            currency=currency,
            provider=account.provider,
            now=now,
        )
        audit.record(
            Action.PAYOUT_REQUESTED,
            actor=actor.id if actor else None,
            subject=f"artist:{artist.id}",
            now=now,
            detail={"payout": made.id, "amount_minor": amount, "currency": currency},
        )
        if account.provider == BANK:
            return made, []
        return made, [jobs.add(JOB, made.id, now=now, max_attempts=ATTEMPTS).id]


def request_due(*, minimum: int, now: datetime) -> list[str]:
    """Once a month: a payout for all who want that, are owed enough and can be paid; the ids of jobs to be sent. Safe to run twice."""
    run = _run(now)
    sent: list[str] = []
    monthly = PayoutAccount.select(PayoutAccount.payee).where(PayoutAccount.payable, PayoutAccount.monthly)
    for owed in list(
        Account.select().where(
            Account.kind == AccountKind.PAYABLE, Account.balance_minor < 0, Account.owner.in_(monthly)
        )
    ):
        artist = Artist.get_or_none(Artist.id == owed.owner)
        if artist is None or -owed.balance_minor < least_minor(owed.currency, minimum):
            continue
        if _made(artist.id, owed.currency, run):
            continue
        try:
            sent += request(artist, currency=owed.currency, minimum=minimum, run=run, now=now)[1]
        except Conflict:
            continue  # Somebody asked by hand in between.
    return sent


def of_payee(payee: str, *, limit: int, before: str | None = None) -> list[Payout]:
    """Payouts to this payee, newest first (keyset by id)."""
    query = Payout.select().where(Payout.payee == payee).order_by(Payout.id.desc()).limit(limit)
    return list(query.where(Payout.id < before) if before else query)


def newest(*, limit: int, before: str | None = None) -> list[Payout]:
    """Payouts to anybody, newest first (keyset by id)."""
    query = Payout.select().order_by(Payout.id.desc()).limit(limit)
    return list(query.where(Payout.id < before) if before else query)


def of_run(*, now: datetime) -> list[Payout]:
    """What was paid out for this month, the oldest first."""
    return list(Payout.select().where(Payout.run == _run(now)).order_by(Payout.id))


def _run(now: datetime) -> str:
    return f"{now:%Y-%m}"


def _made(payee: str, currency: str, run: str) -> bool:
    here = (Payout.payee == payee) & (Payout.currency == currency) & (Payout.run == run)
    return bool(Payout.select().where(here).exists())
