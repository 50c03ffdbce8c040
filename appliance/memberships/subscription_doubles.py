"""Who paid for the same twice, in two tills that were open at once: the second one is ended, and its money goes back."""

import logging
from datetime import datetime

from appliance import processors
from appliance.database import transaction
from appliance.errors import MusicConnectError
from appliance.ledger import payments
from appliance.memberships import subscriptions
from appliance.memberships import subscriptions_settling as settling
from appliance.memberships.subscription_models import Subscription
from appliance.memberships.subscription_states import RUNNING
from appliance.memberships.subscription_states import Stage
from appliance.payments import Feature
from appliance.payments import RefundRequest

log = logging.getLogger(__name__)


def end_all(*, now: datetime) -> int:
    """End every subscription that runs beside the current one of its person and artist, and give its money back; returns how many."""
    states = sorted({str(where) for where in RUNNING - {Stage.CANCELLING}})
    query = Subscription.select().where(
        ~Subscription.current, Subscription.state.in_(states), Subscription.user.is_null(False)
    )
    ended = 0
    for row in list(query):
        try:
            # The money first: what is ended is not found again, should this break off in between.
            give_back(row, now=now)
            subscriptions.cancel(row, at_once=True, now=now)
        except MusicConnectError as error:
            # The next run tries again, with the same keys.
            log.warning(
                "a double membership could not be ended", extra={"subscription": row.id, "why": str(error)}
            )
        else:
            ended += 1
            log.info("a double membership was ended", extra={"subscription": row.id})
    return ended


def give_back(row: Subscription, *, now: datetime) -> None:
    """Give back what was paid for this subscription, where its provider can."""
    way = processors.find(row.provider)
    if Feature.REFUNDS not in way.features:
        return
    for payment in payments.of_mark(row.id):
        left = payments.kept(payment)
        if left <= 0:
            continue
        request = RefundRequest(
            payment.reference, row.id, left, payment.currency, key=f"double:{payment.id}", reason="duplicate"
        )
        fact = processors.ask(way.refund, way.label, request)
        with transaction():
            payments.note_refund(fact, provider=row.provider, now=now)
            settling.settle(row.id, now=now)
