"""Payments and disputes as admins look at them."""

from collections.abc import Iterable

from appliance.catalog.models import Artist
from appliance.ledger.models import Dispute
from appliance.ledger.models import Payment
from appliance.ledger.models import Refund
from appliance.payments import DisputeState


def payments(*, about: str = "", before: str | None = None, limit: int = 50) -> list[Payment]:
    """Payments, newest first; *about* narrows them to a mark, a reference, a person or an artist (ids)."""
    query = Payment.select().order_by(Payment.id.desc()).limit(limit)
    if about:
        query = query.where(
            (Payment.mark == about)
            | (Payment.reference == about)
            | (Payment.user == about)
            | (Payment.artist == about)
            | (Payment.id == about)
        )
    if before:
        query = query.where(Payment.id < before)
    return list(query)


def disputes(*, state: str = "", before: str | None = None, limit: int = 50) -> list[Dispute]:
    """Disputes, newest first."""
    query = Dispute.select().order_by(Dispute.id.desc()).limit(limit)
    if state:
        query = query.where(Dispute.state == state)
    if before:
        query = query.where(Dispute.id < before)
    return list(query)


def open_disputes() -> int:
    """How many disputes wait for an answer."""
    return int(Dispute.select().where(Dispute.state == DisputeState.OPEN).count())


def payments_of(rows: Iterable[Dispute]) -> dict[str, Payment]:
    """The payments that are contested, by the dispute's id, by one query; one that nobody told of yet is missing."""
    wanted = {(row.provider, row.payment): row.id for row in rows}
    references = {reference for _, reference in wanted}
    found = Payment.select().where(Payment.reference.in_(references)) if references else ()
    return {
        wanted[payment.provider, payment.reference]: payment
        for payment in found
        if (payment.provider, payment.reference) in wanted
    }


def refunds_of(payment: Payment) -> list[Refund]:
    """What went back of it."""
    here = (Refund.provider == payment.provider) & (Refund.payment == payment.reference)
    return list(Refund.select().where(here).order_by(Refund.refunded_at))


def disputes_of(payment: Payment) -> list[Dispute]:
    """How it is contested."""
    here = (Dispute.provider == payment.provider) & (Dispute.payment == payment.reference)
    return list(Dispute.select().where(here).order_by(Dispute.opened_at))


def artists(ids: Iterable[str]) -> dict[str, str]:
    """The names of these artists by their ids, by one query; who is gone is missing."""
    wanted = set(ids)
    rows = Artist.select(Artist.id, Artist.name).where(Artist.id.in_(wanted)) if wanted else ()
    return {row.id: row.name for row in rows}
