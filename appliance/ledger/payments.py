"""What became of payments: facts are noted in whatever order they come, and the books follow.

Each payment's row sums up all that is known of it, and ``booking`` writes what the books lack of it. So a fact that comes twice changes nothing, and
the end is the same in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from appliance import database
from appliance import prepared
from appliance.database import transaction
from appliance.ledger import booking
from appliance.ledger import posting
from appliance.ledger import splits
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import PaymentLine
from appliance.ledger.models import Refund
from appliance.ledger.models import TransactionKind
from appliance.payments import DisputeFact
from appliance.payments import DisputeState
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.prepared import Prepared
from appliance.prepared import Statement


@dataclass(frozen=True, slots=True)
class Sold:
    """One thing that a payment is for, and its part of the amount (any weights will do); without *release* and *track* it is the artist as such."""

    name: str
    amount_minor: int
    release: str = ""
    track: str = ""


@dataclass(frozen=True, slots=True)
class Sale:
    """What a payment is for: whose sale, to whom (ids; *user* may be nobody), which things, and the platform's share of it.

    *tax_minor* is the tax in it as it is reckoned here, *tax_name* and *tax_bps* which one, where the payment alone is asked for it.
    """

    artist: str
    user: str
    share_bps: int
    sold: Sequence[Sold]
    tax_minor: int = 0
    tax_name: str = ""
    tax_bps: int = 0


# What every payment asks, put into words once.
_by_mark = Prepared(
    lambda mark: Payment.select().where(Payment.mark == mark).order_by(Payment.paid_at, Payment.id)
)
_by_reference = Prepared(
    lambda provider, reference: database.locked(
        Payment.select().where(Payment.provider == provider, Payment.reference == reference)
    )
)
_disputes = Prepared(
    lambda provider, reference, currency: Dispute.select().where(
        Dispute.provider == provider, Dispute.payment == reference, Dispute.currency == currency
    )
)
_refunded = Statement(
    lambda provider, reference, currency: Refund.select(peewee.fn.SUM(Refund.amount_minor)).where(
        (Refund.provider == provider) & (Refund.payment == reference) & (Refund.currency == currency),
        ~Refund.failed,
    ),
    3,
)


def note(fact: PaymentFact, sale: Sale, *, provider: str, now: datetime) -> Payment:
    """Note a payment, or what more is known of it: its fee, once it is known."""
    with transaction():
        payment = _row(fact, sale, provider=provider, now=now)
        booked = posting.count(booking.subject_of(payment)) > 0
        if fact.fee_minor is not None and fact.fee_minor != payment.fee_minor:
            prepared.update(Payment, payment.id, fee_minor=fact.fee_minor, updated_at=now)
        if fact.tax_minor is not None and fact.tax_minor != payment.tax_minor:
            # Told only after it had been reckoned here.
            prepared.update(Payment, payment.id, **_tax(fact, sale), updated_at=now)
        _add_up(payment, now=now)
        return booking.book(payment.id, TransactionKind.FEE if booked else TransactionKind.PAYMENT, now=now)


def is_known(provider: str, fact: PaymentFact) -> bool:
    """Whether this payment is in the books."""
    here = (Payment.provider == provider) & (Payment.reference == fact.reference)
    return bool(Payment.select().where(here).exists())


def note_refund(fact: RefundFact, *, provider: str, now: datetime) -> Payment | None:
    """Note a refund; ``None`` as long as its payment is not known, which then takes it into account."""
    with transaction():
        Refund.insert(
            provider=provider,
            reference=fact.reference,
            payment=fact.payment,
            amount_minor=fact.amount_minor,
            currency=fact.currency,
            failed=fact.failed,
            refunded_at=fact.refunded_at,
        ).on_conflict_ignore().execute()
        if fact.failed:
            # It went back and came again; nothing makes it go back once more under this reference.
            here = (Refund.provider == provider) & (Refund.reference == fact.reference)
            Refund.update(failed=True).where(here).execute()
        return _follow(provider, fact.payment, TransactionKind.REFUND, now=now)


def note_dispute(fact: DisputeFact, *, provider: str, now: datetime) -> Payment | None:
    """Note how a dispute stands; ``None`` as long as its payment is not known, which then takes it into account."""
    with transaction():
        Dispute.insert(
            provider=provider,
            reference=fact.reference,
            payment=fact.payment,
            amount_minor=fact.amount_minor,
            currency=fact.currency,
            fee_minor=fact.fee_minor,
            state=fact.state,
            opened_at=fact.opened_at,
            respond_by=fact.respond_by,
            as_of=fact.as_of,
        ).on_conflict_ignore().execute()
        here = (Dispute.provider == provider) & (Dispute.reference == fact.reference)
        later = (Dispute.as_of < fact.as_of) | (
            (Dispute.as_of == fact.as_of) & (Dispute.state == DisputeState.OPEN)
        )
        Dispute.update(
            state=fact.state,
            fee_minor=fact.fee_minor,
            amount_minor=fact.amount_minor,
            respond_by=fact.respond_by,
            as_of=fact.as_of,
        ).where(here & later).execute()
        return _follow(provider, fact.payment, TransactionKind.DISPUTE, now=now)


def mark_of(provider: str, reference: str) -> str:
    """What the payment is for, by its mark; empty as long as it is not known."""
    row = prepared.one(Payment, provider=provider, reference=reference)
    return str(row.mark) if row is not None else ""


def of_mark(mark: str) -> list[Payment]:
    """All payments for one subscription or order, the oldest first."""
    return _by_mark(mark)


def kept(payment: Payment) -> int:
    """Pure: what is left of a payment in minor units, refunds and disputes taken off."""
    return int(payment.amount_minor - payment.refunded_minor - payment.contested_minor - payment.lost_minor)


def _tax(fact: PaymentFact, sale: Sale) -> dict[str, object]:
    """The tax in a payment: what its provider tells wins, and else what is reckoned here."""
    if fact.tax_minor is not None:
        return {"tax_minor": fact.tax_minor, "tax_name": "", "tax_bps": 0}
    return {
        "tax_minor": min(sale.tax_minor, fact.amount_minor),
        "tax_name": sale.tax_name[:40],
        "tax_bps": sale.tax_bps,
    }


def _row(fact: PaymentFact, sale: Sale, *, provider: str, now: datetime) -> Payment:
    made = prepared.insert(
        Payment,
        ignore=True,
        provider=provider,
        reference=fact.reference,
        mark=fact.mark,
        artist=sale.artist,
        user=sale.user,
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        **_tax(fact, sale),
        fee_minor=fact.fee_minor,
        share_bps=sale.share_bps,
        paid_at=fact.paid_at,
        period_start=fact.period_start,
        period_end=fact.period_end,
        email=fact.email,
        country=fact.country,
        created_at=now,
        updated_at=now,
    )
    [payment] = _by_reference(provider, fact.reference)
    if made:
        for position, one in enumerate(sale.sold or [Sold("", fact.amount_minor)]):
            agreement = splits.holding(sale.artist, release=one.release, track=one.track, at=fact.paid_at)
            prepared.insert(
                PaymentLine,
                payment=payment.id,
                position=position,
                name=one.name[:300],
                release=one.release,
                track=one.track,
                amount_minor=one.amount_minor,
                agreement=agreement.id if agreement else "",
            )
    return payment


def _follow(provider: str, reference: str, kind: TransactionKind, *, now: datetime) -> Payment | None:
    for payment in _by_reference(provider, reference):
        _add_up(payment, now=now)
        return booking.book(payment.id, kind, now=now)
    return None


def _add_up(payment: Payment, *, now: datetime) -> None:
    """Bring the sums on the payment's row in line with its refunds and disputes; what is in another currency the check of the books names."""
    refunded = _refunded(payment.provider, payment.reference, payment.currency).fetchone()[0]
    sums = dict.fromkeys((DisputeState.OPEN, DisputeState.LOST), 0)
    fees = 0
    for row in _disputes(payment.provider, payment.reference, payment.currency):
        fees += row.fee_minor
        if row.state in sums:
            sums[DisputeState(row.state)] += row.amount_minor
    prepared.update(
        Payment,
        payment.id,
        refunded_minor=int(refunded or 0),
        contested_minor=sums[DisputeState.OPEN],
        lost_minor=sums[DisputeState.LOST],
        dispute_fees_minor=fees,
        updated_at=now,
    )
