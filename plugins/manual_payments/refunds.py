"""Money that goes back by hand: promised when it is asked for, then sent, or not after all."""

import peewee

from appliance import database
from appliance.accounts import audit
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import RefundRequest
from plugins.manual_payments import demands
from plugins.manual_payments.acts import Act
from plugins.manual_payments.models import Demand
from plugins.manual_payments.models import Refund
from plugins.manual_payments.models import RefundState
from plugins.manual_payments.models import change


def promise(request: RefundRequest, *, act: Act) -> Refund:
    """Note that money is to go back, at most what is left of the payment."""
    asked = demands.digest(request)
    found: Refund | None = Refund.get_or_none(Refund.key == request.key)
    if found is not None:
        if found.digest != asked:
            raise Conflict("This was asked for before, and otherwise.")
        return found
    # Held, so that two refunds at once do not give back more than there is.
    here = (Demand.id == request.reference) & (Demand.mark == request.mark) & Demand.paid_at.is_null(False)
    payment: Demand | None = database.locked(Demand.select().where(here)).first()
    if payment is None:
        raise NotFound("There is no such payment here.")
    if request.currency != payment.currency:
        raise Invalid("A refund is in the currency of its payment, {currency}.", currency=payment.currency)
    if not 0 < request.amount_minor <= left(payment):
        raise Invalid("This is more than what is left of the payment, or nothing.")
    row: Refund = Refund.create(
        key=request.key,
        digest=asked,
        mark=payment.mark,
        payment=payment.id,
        amount_minor=request.amount_minor,
        currency=payment.currency,
        refunded_at=act.now,
        changed_at=act.now,
    )
    act.tell(f"refund:{row.id}")
    return row


def left(payment: Demand) -> int:
    """What is left of a payment, in minor units."""
    gone = Refund.select(peewee.fn.SUM(Refund.amount_minor)).where(
        Refund.payment == payment.id, Refund.state != RefundState.FAILED
    )
    return int(payment.amount_minor - (gone.scalar() or 0))


def settle(refund_id: str, *, sent: bool, by: str, act: Act) -> Refund:
    """Somebody sent it, or could not."""
    row: Refund | None = database.locked(Refund.select().where(Refund.id == refund_id)).first()
    if row is None:
        raise NotFound("There is no such refund here.")
    if row.state != RefundState.WAITING:
        raise Conflict("This refund is settled already.")
    change(row, now=act.now, state=RefundState.SENT if sent else RefundState.FAILED)
    act.tell(f"refund:{row.id}")
    audit.record(
        "manual_payments.refund_sent" if sent else "manual_payments.refund_failed",
        actor=by,
        subject=f"refund:{row.id}",
        now=act.now,
        detail={"amount_minor": row.amount_minor, "currency": row.currency, "mark": row.mark},
    )
    return row
