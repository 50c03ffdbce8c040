"""The truth about things at PayPal: fetched, taken further where it waits for us, and told as facts."""

from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from appliance.errors import NotFound
from appliance.payments import Fact
from appliance.payments import PaymentFact
from appliance.payments import SubscriptionFact
from plugins.paypal_payments import facts
from plugins.paypal_payments import models
from plugins.paypal_payments.models import Kind
from plugins.paypal_payments.models import Thing
from plugins.paypal_payments.wire import Refused
from plugins.paypal_payments.wire import Wire
from plugins.paypal_payments.wire import segment

LOOKED_AT_FOR = timedelta(days=60)
"""For how long after it an order is asked about again: what goes back later is told by an event."""


def of(wire: Wire, thing: Thing, *, now: datetime, since: datetime | None = None) -> list[Fact]:
    """All that is to say of an order or a subscription."""
    if thing.kind == Kind.ORDER:
        return order(wire, thing, now=now)
    return subscription(wire, thing, now=now, since=since)


def order(wire: Wire, thing: Thing, *, now: datetime) -> list[Fact]:
    """An order; one that somebody agreed to is taken the money of."""
    path = f"/v2/checkout/orders/{segment(thing.id)}"
    try:
        told = wire.get(path)
        if told["status"] == "APPROVED":
            told = _captured(wire, path, thing)
    except NotFound:
        if now < thing.created_at + facts.OPEN_FOR:
            return []
        _change(thing, over=True)
        return [facts.of_lost_order(thing)]
    found = list(facts.of_order(told, thing))
    _note_payments(thing, found)
    if told["status"] == "VOIDED" or (
        told["status"] == "COMPLETED" and now > thing.created_at + LOOKED_AT_FOR
    ):
        _change(thing, over=True)
    return found


def subscription(wire: Wire, thing: Thing, *, now: datetime, since: datetime | None = None) -> list[Fact]:
    """A subscription with its payments; one whose paid time is over, and that is to end then, is ended.

    Of one that did not change *since* only the visit to the till is told, which takes one question instead of two.
    """
    path = f"/v1/billing/subscriptions/{segment(thing.id)}"
    told = wire.get(f"{path}?fields=plan")
    if thing.ends_at is not None and thing.ends_at <= now and told["status"] not in facts.ENDED:
        wire.post(f"{path}/cancel", {"reason": "It was cancelled before."})
        told = wire.get(f"{path}?fields=plan")
    if since is not None and max(facts.changed_at(told), thing.changed_at) < since:
        return [facts.of_agreement(told, thing)]
    transactions = _transactions(wire, path, told, now=now) if told["status"] not in facts.NOT_BEGUN else []
    found = list(facts.of_subscription(told, transactions, thing))
    _note_payments(thing, found)
    for refund in Thing.select().where(Thing.kind == Kind.REFUND, Thing.parent.in_(_payments(thing))):
        found.append(facts.of_refund(wire.get(f"/v2/payments/refunds/{segment(refund.id)}"), refund.parent))
    if told["status"] in facts.ENDED and now > thing.changed_at + LOOKED_AT_FOR:
        _change(thing, over=True)
    return found


def standing(found: list[Fact]) -> SubscriptionFact:
    """How the subscription stands, among all that is said of it."""
    return next(one for one in found if isinstance(one, SubscriptionFact))


def by_event(wire: Wire, event: dict[str, Any], *, now: datetime) -> list[Fact]:
    """What an event is about, as it stands now; nothing when that is not ours."""
    kind, resource = str(event.get("event_type", "")), event.get("resource")
    if not isinstance(resource, dict):
        return []
    if kind.startswith("CUSTOMER.DISPUTE."):
        return _dispute(wire, str(resource.get("dispute_id", "")))
    found: list[Fact] = []
    if kind == "PAYMENT.SALE.REFUNDED":
        found += _refund_of_sale(wire, resource, now=now)
    thing = _thing(wire, kind, resource, now=now)
    return (of(wire, thing, now=now) if thing else []) + found


def disputes(wire: Wire, since: datetime) -> Iterator[Fact]:
    """All disputes that changed since, of payments of ours."""
    query = urlencode({"update_time_after": since.isoformat(timespec="milliseconds").replace("+00:00", "Z")})
    for one in wire.get(f"/v1/customer/disputes?{query}").get("items") or ():
        yield from _dispute(wire, str(one["dispute_id"]))


def _thing(wire: Wire, kind: str, resource: dict[str, Any], *, now: datetime) -> Thing | None:
    """The order or subscription that an event is about, noted when we do not know it though it has our mark."""
    if kind.startswith("BILLING.SUBSCRIPTION."):
        return _known(Kind.SUBSCRIPTION, str(resource.get("id", "")), resource.get("custom_id"), now=now)
    if kind.startswith("PAYMENT.SALE."):
        agreement = str(resource.get("billing_agreement_id", ""))
        return Thing.get_or_none(Thing.id == agreement) if agreement else None
    if kind.startswith("CHECKOUT.ORDER."):
        units = resource.get("purchase_units") or [{}]
        return _known(Kind.ORDER, str(resource.get("id", "")), units[0].get("custom_id"), now=now)
    if kind.startswith("PAYMENT.CAPTURE."):
        if not facts.mark_of(resource.get("custom_id")):
            return None
        capture = resource
        if kind in {"PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"}:
            capture = wire.get(f"/v2/payments/captures/{segment(facts.payment_of_refund(resource))}")
        ids = (capture.get("supplementary_data") or {}).get("related_ids") or {}
        return _known(Kind.ORDER, str(ids.get("order_id", "")), capture.get("custom_id"), now=now)
    return None


def _known(kind: Kind, reference: str, custom_id: object, *, now: datetime) -> Thing | None:
    found: Thing | None = Thing.get_or_none(Thing.id == reference)
    mark = facts.mark_of(custom_id)
    if found is not None or not mark or not reference:
        return found
    # The process may have died between PayPal's answer and our row.
    models.note(id=reference, kind=kind, mark=mark, created_at=now, changed_at=now)
    made: Thing = Thing.get_by_id(reference)
    return made


def _captured(wire: Wire, path: str, thing: Thing) -> dict[str, Any]:
    try:
        wire.post(f"{path}/capture", key=f"capture:{thing.id}")
    except Refused as error:
        # The card did not pay, or another process was faster; how it stands is asked next.
        if error.issue not in {"INSTRUMENT_DECLINED", "ORDER_ALREADY_CAPTURED", "PAYER_ACTION_REQUIRED"}:
            raise
    return wire.get(path)


def _transactions(wire: Wire, path: str, told: dict[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    start = facts.instant(told["create_time"])
    changed = facts.instant(told.get("update_time")) or now
    assert start is not None
    query = {
        "start_time": _written(start - timedelta(days=1)),
        "end_time": _written(max(now, changed) + timedelta(days=1)),
    }
    return list(wire.get(f"{path}/transactions?{urlencode(query)}").get("transactions") or ())


def _dispute(wire: Wire, reference: str) -> list[Fact]:
    told = wire.get(f"/v1/customer/disputes/{segment(reference)}")
    ids = [str(one.get("seller_transaction_id", "")) for one in told.get("disputed_transactions") or ()]
    payment = Thing.get_or_none(Thing.kind == Kind.PAYMENT, Thing.id.in_(ids)) if ids else None
    return [facts.of_dispute(told, payment.id)] if payment else []


def _refund_of_sale(wire: Wire, resource: dict[str, Any], *, now: datetime) -> list[Fact]:
    payment = Thing.get_or_none(Thing.id == str(resource.get("sale_id", "")), Thing.kind == Kind.PAYMENT)
    if payment is None:
        return []
    note_refund(str(resource["id"]), payment, now=now)
    return [facts.of_refund(wire.get(f"/v2/payments/refunds/{segment(str(resource['id']))}"), payment.id)]


def note_refund(reference: str, payment: Thing, *, now: datetime) -> None:
    """Note a refund, so that it is asked about again."""
    models.note(
        id=reference, kind=Kind.REFUND, mark=payment.mark, parent=payment.id, created_at=now, changed_at=now
    )


def _note_payments(thing: Thing, found: list[Fact]) -> None:
    for one in found:
        if isinstance(one, PaymentFact):
            models.note(
                id=one.reference,
                kind=Kind.PAYMENT,
                mark=thing.mark,
                parent=thing.id,
                total_minor=one.amount_minor,
                created_at=one.paid_at,
                changed_at=one.paid_at,
            )


def _payments(thing: Thing) -> Any:
    return Thing.select(Thing.id).where(Thing.kind == Kind.PAYMENT, Thing.parent == thing.id)


def _change(thing: Thing, **values: object) -> None:
    for name, value in values.items():
        setattr(thing, name, value)
    thing.save()


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
