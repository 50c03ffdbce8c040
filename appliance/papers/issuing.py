"""Papers follow from the payments as the books have them: whatever a fact was, and however often it came, each payment has one receipt.

Of what went back each refund and each lost dispute has its credit note. What is there is compared with what should be, and the rest is
written; so numbers depend on what was told first, and nothing else does.
"""

import logging
from collections.abc import Collection
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta

import peewee

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.database import transaction
from appliance.errors import MusicConnectError
from appliance.ledger.models import Payment
from appliance.memberships.models import Tier
from appliance.memberships.subscription_models import Subscription
from appliance.papers import crediting
from appliance.prepared import Prepared
from appliance.shop import numbers
from appliance.shop.models import Receipt

log = logging.getLogger(__name__)

NEWS_FOR = timedelta(days=31)
"""A payment of longer ago, from before there were such receipts say, has one without a letter."""

# What every payment asks, put into words once for each number of them.
_paid = Prepared(
    lambda *marks: (
        Payment.select()
        .where(Payment.mark.in_(marks), Payment.amount_minor > 0)
        .order_by(Payment.paid_at, Payment.id)
    )
)
_of_payments = Prepared(lambda *payments: Receipt.select().where(Receipt.payment.in_(payments)))
_of_orders = Prepared(lambda *orders: Receipt.select().where(Receipt.order.in_(orders)))


def settle(marks: Collection[str], *, now: datetime) -> None:
    """Write the papers that payments for these marks lack, in the transaction of the caller."""
    with transaction():
        rows = _paid(*marks)
        if not rows:
            return
        receipts = _receipts(rows)
        known = {receipt.payment or receipt.order_id for receipt in receipts}
        lacking = [row for row in rows if row.id not in known and row.mark not in known]
        if lacking:
            receipts += _issue(lacking, now=now)
        for receipt in receipts:
            its = [row for row in rows if row.id == receipt.payment or row.mark == receipt.order_id]
            if receipt.credited_minor or any(row.refunded_minor or row.lost_minor for row in its):
                crediting.settle(receipt, its, now=now)


def catch_up(*, now: datetime) -> int:
    """Write what payments lack that no fact was told of since, such as those from before there were such receipts; of how many marks."""
    receipted = Receipt.select().where(Receipt.payment == Payment.id)
    lacking = (
        Payment.select(Payment.mark)
        .join(Subscription, on=(Subscription.id == Payment.mark))
        .where(Payment.amount_minor > 0, ~peewee.fn.EXISTS(receipted))
        .order_by(Payment.mark)
        .distinct()
    )
    marks = {row.mark for row in lacking} | set(crediting.uncredited())
    done = 0
    for mark in sorted(marks):
        try:
            settle([mark], now=now)
            done += 1
        except (MusicConnectError, peewee.PeeweeException):
            # One that cannot have its papers keeps no other from them; the nightly check names it.
            log.exception("papers not written", extra={"mark": mark})
    return done


def _receipts(rows: Iterable[Payment]) -> list[Receipt]:
    """What there is for these payments, by payment or by order."""
    found = [*_of_payments(*(row.id for row in rows)), *_of_orders(*sorted({row.mark for row in rows}))]
    return list({receipt.id: receipt for receipt in found}.values())


def _issue(rows: list[Payment], *, now: datetime) -> list[Receipt]:
    """A receipt for each of these payments that is a subscription's."""
    subscriptions = _subscriptions({row.mark for row in rows})
    made: list[Receipt] = []
    # In one order everywhere, or two transactions that meet on two sellers would wait for each other.
    for row in sorted(rows, key=lambda one: (one.artist, one.paid_at, one.id)):
        subscription = subscriptions.get(row.mark)
        if subscription is None:
            continue
        seller = numbers.hold(row.artist)
        # Once more, now that nobody else writes for this seller.
        if Receipt.select().where(Receipt.payment == row.id).exists():
            continue
        user = subscription.user
        made.append(
            Receipt.create(
                payment=row.id,
                artist=row.artist,
                number=numbers.next_receipt(seller),
                seller=seller.name or subscription.artist.name,
                address=seller.address,
                tax_number=seller.tax_number,
                subscription=subscription.id,
                user=row.user or (user.id if user else ""),
                email=(user.email if user else "") or row.email,
                buyer_name=subscription.buyer_name,
                buyer_address=subscription.buyer_address,
                country=subscription.country or row.country,
                business_number=subscription.business_number,
                artist_name=subscription.artist.name[:200],
                thing=subscription.tier.name[:300],
                locale=subscription.locale[:12],
                tax_name=row.tax_name,
                tax_bps=row.tax_bps,
                tax_minor=row.tax_minor,
                issued_at=now,
                told_at=None if row.paid_at > now - NEWS_FOR else now,
            )
        )
    return made


def _subscriptions(marks: Collection[str]) -> dict[str, Subscription]:
    query = (
        Subscription.select(Subscription, Tier, Artist)
        .join(Tier, on=Subscription.tier)
        .switch(Subscription)
        .join(Artist, on=Subscription.artist)
        .where(Subscription.id.in_(sorted(marks)))
    )
    found = {row.id: row for row in query}
    people = {row.user_id for row in found.values()} - {None}
    users = {row.id: row for row in User.select().where(User.id.in_(sorted(people)))} if people else {}
    for row in found.values():
        row.user = users.get(row.user_id or "")
    return found
