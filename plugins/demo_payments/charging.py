"""Taking money in the demo: a card is asked, and a payment or a failure is noted."""

from datetime import datetime

from plugins.demo_payments import models
from plugins.demo_payments import reckoning
from plugins.demo_payments import telling
from plugins.demo_payments.cards import CARDS
from plugins.demo_payments.cards import Declined
from plugins.demo_payments.models import Customer
from plugins.demo_payments.models import Failure
from plugins.demo_payments.models import Payment
from plugins.demo_payments.models import Subscription


def charge(
    customer: Customer,
    amount_minor: int,
    currency: str,
    *,
    mark: str,
    tax_minor: int,
    at: datetime,
    at_till: bool,
    subscription: str = "",
    period: tuple[datetime, datetime] | None = None,
) -> Payment:
    """Charge the card of *customer*; ``Declined`` when it does not pay. Nothing is charged to a card for an amount of nothing."""
    card = CARDS[customer.card]
    if amount_minor and not (card.at_till if at_till else card.later):
        raise Declined
    payment: Payment = Payment.create(
        id=models.new("pay"),
        mark=mark,
        changed_at=at,
        customer=customer.id,
        subscription=subscription,
        amount_minor=amount_minor,
        currency=currency,
        fee_minor=reckoning.fee(amount_minor, currency),
        tax_minor=tax_minor,
        paid_at=at,
        period_start=period[0] if period else None,
        period_end=period[1] if period else None,
        email=customer.email,
        country=card.country,
    )
    telling.note("payment.succeeded", payment.id, *([subscription] if subscription else []), now=at)
    return payment


def charge_for(
    row: Subscription,
    amount_minor: int,
    *,
    period: tuple[datetime, datetime],
    at: datetime,
    at_till: bool = False,
) -> Payment:
    """Charge *amount_minor* for a subscription; its tax is the part that it was at the till."""
    tax = reckoning.part(amount_minor, row.tax_minor, row.taxed_minor)
    customer = Customer.get_by_id(row.customer)
    return charge(
        customer,
        amount_minor,
        row.currency,
        mark=row.mark,
        tax_minor=tax,
        at=at,
        at_till=at_till,
        subscription=row.id,
        period=period,
    )


def note_failure(row: Subscription, amount_minor: int, *, next_try_at: datetime | None, at: datetime) -> None:
    """Note that a payment for a subscription did not come."""
    failure = Failure.create(
        id=models.new("fail"),
        mark=row.mark,
        changed_at=at,
        amount_minor=amount_minor,
        currency=row.currency,
        failed_at=at,
        next_try_at=next_try_at,
    )
    telling.note("payment.failed", failure.id, row.id, now=at)
