"""What was paid for too late, when nothing was left: its money goes back by itself, once, by the same way as when an admin gives it back."""

import logging
from datetime import datetime

import peewee

from appliance import processors
from appliance.billing import refunding
from appliance.billing.models import RefundAsked
from appliance.errors import MusicConnectError
from appliance.ledger import payments
from appliance.ledger.models import Payment
from appliance.payments import Feature
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.models import Order
from appliance.shop.models import OrderState

log = logging.getLogger(__name__)

REASON = "sold out"


def give_back(*, now: datetime) -> int:
    """Give back what was paid for orders that cannot be filled; how many payments. Where a provider cannot, an admin does it by hand.

    It is asked for once: what that does not bring about is for somebody to look at.
    """
    asked = RefundAsked.select().join(Payment, on=(Payment.id == RefundAsked.payment))
    asked = asked.where(Payment.mark == Parcel.order, RefundAsked.reason == REASON)
    query = (
        Parcel.select(Parcel.order)
        .join(Order)
        .where(Parcel.state == ParcelState.SHORT, Order.state == OrderState.PAID, ~peewee.fn.EXISTS(asked))
        .order_by(Parcel.order)
    )
    done = 0
    for row in list(query.limit(200)):
        for payment in payments.of_mark(row.order_id):
            done += _give_back(payment, now=now)
    return done


def _give_back(payment: Payment, *, now: datetime) -> bool:
    if refunding.refundable(payment) <= 0:
        return False
    try:
        if Feature.REFUNDS not in processors.find(payment.provider).features:
            return False
        refunding.refund(payment.id, None, reason=REASON, actor=None, now=now)
    except MusicConnectError as error:
        # Written down it is: it is asked again until the provider answers.
        log.warning("sold out and not refunded yet", extra={"payment": payment.id, "why": str(error)})
        return False
    log.info("sold out and refunded", extra={"payment": payment.id})
    return True
