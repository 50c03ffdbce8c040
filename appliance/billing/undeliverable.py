"""What was paid for too late, when nothing was left: its money goes back by itself, once, by the same way as when an admin gives it back."""

import logging
from datetime import datetime

from appliance import processors
from appliance.billing import refunding
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
    """Give back what was paid for orders that cannot be filled; how many payments. Where a provider cannot, an admin does it by hand."""
    query = (
        Parcel.select(Parcel.order)
        .join(Order)
        .where(Parcel.state == ParcelState.SHORT, Order.state == OrderState.PAID)
        .order_by(Parcel.order)
    )
    done = 0
    for row in query.limit(200):
        for payment in payments.of_mark(row.order_id):
            done += _give_back(payment, now=now)
    return done


def _give_back(payment: Payment, *, now: datetime) -> bool:
    if refunding.of_payment(payment) or refunding.refundable(payment) <= 0:
        # It was asked for already; what that does not bring about is for somebody to look at.
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
