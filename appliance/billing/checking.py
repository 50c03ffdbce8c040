"""Whether access and papers agree with money, and our books with the providers': what the check of the books asks beside the books themselves."""

from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any

import peewee

from appliance import processors
from appliance.billing import access_checking
from appliance.billing import paper_checking
from appliance.billing import payout_checking
from appliance.errors import MusicConnectError
from appliance.ledger.checking import Difference
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.ledger.models import Payment
from appliance.payments import Balance
from appliance.payments import PaymentProvider

HELD = (
    AccountKind.FAN_PAYMENTS,
    AccountKind.PROCESSOR_FEES,
    AccountKind.REFUNDS,
    AccountKind.DISPUTE_RESERVE,
    AccountKind.PAYOUTS_IN_TRANSIT,
    AccountKind.PAID_OUT,
)
"""Accounts that a provider owns: together they are what it holds for us."""
FEE_KNOWN_AFTER = timedelta(days=7)
"""By then a provider has told what it kept; until then our books hold an estimate, and the two cannot be compared."""
MOST_NAMED = 100


def differences(now: datetime) -> list[Difference]:
    """What does not agree; empty when all is well. Providers are asked, so call it outside of transactions."""
    return [
        *access_checking.differences(now),
        *paper_checking.differences(now),
        *payout_checking.differences(),
        *_of_providers(now),
    ]


def missing_fees(provider: str, now: datetime) -> Iterator[Difference]:
    """Payments whose fee the provider did not tell for too long."""
    unknown = (Payment.provider == provider) & Payment.fee_minor.is_null() & (Payment.amount_minor > 0)
    old = unknown & (Payment.paid_at < now - FEE_KNOWN_AFTER)
    for payment in Payment.select().where(old).order_by(Payment.id).limit(MOST_NAMED):
        days = (now - payment.paid_at).days
        yield Difference(
            "fees",
            f"payment:{payment.id}",
            f"What {payment.provider} kept of it is not known after {days} days; the books hold an estimate.",
        )


def held(provider: str) -> dict[str, int]:
    """What a provider holds for us by our books, in minor units, by currency."""
    query: Any = (
        Account.select(Account.currency, peewee.fn.SUM(Account.balance_minor))
        .where(Account.owner == provider, Account.kind.in_(HELD))
        .group_by(Account.currency)
    )
    return {currency: int(total) for currency, total in query.tuples()}


def compared(
    provider: str, ours: dict[str, int], theirs: Iterable[Balance], *, waiting: frozenset[str]
) -> Iterator[Difference]:
    """Pure: each currency in which two books disagree, save those in which a fee is still *waiting* to be told."""
    told = {balance.currency: balance.amount_minor for balance in theirs}
    for currency in sorted(ours.keys() | told.keys()):
        here, there = ours.get(currency, 0), told.get(currency, 0)
        if here != there and currency not in waiting:
            yield Difference(
                "balances",
                f"provider:{provider}:{currency}",
                f"By our books it holds {here} (minor units of {currency}), by its own {there}: {here - there:+} here.",
            )


def _of_providers(now: datetime) -> Iterator[Difference]:
    for provider in processors.every():
        yield from _of_provider(provider, now)


def _of_provider(provider: PaymentProvider, now: datetime) -> Iterator[Difference]:
    before = held(provider.name)
    try:
        theirs = processors.ask(provider.balances, provider.label)
    except MusicConnectError as error:
        yield Difference("balances", f"provider:{provider.name}", str(error))
        return
    if theirs is None:
        return
    yield from missing_fees(provider.name, now)
    after = held(provider.name)
    # What moved while the provider was asked is looked at the next time.
    moved = {
        currency for currency in before.keys() | after.keys() if before.get(currency) != after.get(currency)
    }
    unknown = (Payment.provider == provider.name) & Payment.fee_minor.is_null()
    waiting = {row.currency for row in Payment.select(Payment.currency).where(unknown).distinct()}
    yield from compared(provider.name, after, theirs, waiting=frozenset(waiting | moved))
