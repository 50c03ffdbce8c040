"""From an event to what follows from it: the provider is asked for the facts, and all of them are noted in one transaction.

Facts are noted by whoever owns their mark and the rest is recomputed, so an event can be processed twice, late, or before those that
happened earlier. A payment of somebody who left still goes into the books.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import assert_never

from appliance import processors
from appliance.billing import dispute_letters
from appliance.billing import purposes
from appliance.billing import soundness
from appliance.billing.purposes import Purpose
from appliance.database import transaction
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.papers import issuing
from appliance.payments import AccountFact
from appliance.payments import CheckoutFact
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import InvoiceFact
from appliance.payments import PaymentFact
from appliance.payments import PaymentProvider
from appliance.payments import PayoutFact
from appliance.payments import RefundFact
from appliance.payments import SubscriptionFact
from appliance.payouts import settling as payouts


@dataclass(slots=True)
class Applied:
    """What came of some facts: the marks of ours they were about, and how many were about nobody's."""

    marks: list[str] = field(default_factory=list)
    strangers: int = 0


def apply(facts: Iterable[Fact], *, provider: str, now: datetime) -> Applied:
    """Note *facts* and settle whatever they are about, all of it or nothing; what nobody owns is counted only."""
    told = list(facts)
    with transaction():
        touched: dict[str, Purpose | None] = {}
        applied = Applied()
        for fact in told:
            soundness.require(fact)
        _hold(told, provider=provider)
        for fact in told:
            mark, owner = _note(fact, provider=provider, now=now)
            if mark:
                touched[mark] = owner
            else:
                applied.strangers += 1
        for mark in sorted(touched):
            if (owner := touched[mark]) is not None:
                owner.settle(mark, now=now)
        issuing.settle(sorted(touched), now=now)
        applied.marks = sorted(touched)
    return applied


def _hold(facts: Iterable[Fact], *, provider: str) -> None:
    """Hold all that the facts are about before anything is written, marks before payments and in one order everywhere.

    Else two transactions that meet on a mark and on its payment would wait for each other.
    """
    marks = {
        payments.mark_of(provider, fact.payment) if isinstance(fact, RefundFact | DisputeFact) else fact.mark
        for fact in facts
    }
    for mark in sorted(marks):
        if (owner := purposes.owner_of(mark)) is not None:
            owner.hold(mark)


def _note(fact: Fact, *, provider: str, now: datetime) -> tuple[str, Purpose | None]:
    """The mark that the fact is about, and who is to settle it; no mark when it is nobody's."""
    match fact:
        case PaymentFact():
            owner = purposes.owner_of(fact.mark)
            sale = owner.sale_of(fact.mark, fact) if owner is not None else None
            if sale is None:
                return "", None
            payments.note(fact, sale, provider=provider, now=now)
            return fact.mark, owner
        case RefundFact():
            return _of_payment(fact, payments.note_refund(fact, provider=provider, now=now))
        case DisputeFact():
            if dispute_letters.is_news(fact, provider=provider):
                dispute_letters.write(fact, provider=provider, now=now)
            return _of_payment(fact, payments.note_dispute(fact, provider=provider, now=now))
        case CheckoutFact():
            if (owner := purposes.owner_of(fact.mark)) is None:
                return "", None
            owner.note_checkout(fact, provider=provider, now=now)
            return fact.mark, owner
        case SubscriptionFact() | FailureFact() | InvoiceFact():
            owner = purposes.SUBSCRIPTIONS
            if not owner.owns(fact.mark):
                return "", None
            if isinstance(fact, SubscriptionFact):
                owner.note_subscription(fact, provider=provider, now=now)
            elif isinstance(fact, FailureFact):
                owner.note_failure(fact, provider=provider, now=now)
            else:
                owner.note_invoice(fact, provider=provider, now=now)
            return fact.mark, owner
        case PayoutFact():
            if not payouts.owns(fact.mark):
                return "", None
            payouts.note_payout(fact, provider=provider, now=now)
            return fact.mark, None
        case AccountFact():
            payouts.note_account(fact, provider=provider, now=now)
            return fact.mark, None
        case _:
            assert_never(fact)


def _of_payment(fact: RefundFact | DisputeFact, payment: Payment | None) -> tuple[str, Purpose | None]:
    # Without its payment it is kept, and taken into account as soon as that is told of.
    mark = payment.mark if payment is not None else fact.payment
    return mark, purposes.owner_of(mark) if payment is not None else None


def facts_of(provider: PaymentProvider, body: str) -> list[Fact]:
    """What a stored event is about, as its provider tells it; asked outside of any transaction."""

    def facts_of() -> list[Fact]:
        return list(provider.facts_of(body.encode()))

    return processors.ask(facts_of, provider.label)
