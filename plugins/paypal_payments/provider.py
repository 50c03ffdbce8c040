"""PayPal as a payment provider: orders and subscriptions over its REST interface, the versions 1 and 2 side by side as PayPal has them."""

import logging
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta

from appliance import clock
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.payments import AccountFact
from appliance.payments import Balance
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutFact
from appliance.payments import CheckoutRequest
from appliance.payments import Delivery
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import FailureFact
from appliance.payments import Feature
from appliance.payments import Notice
from appliance.payments import Onboarding
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import Preview
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from appliance.payments import SubscriptionState
from plugins.paypal_payments import amounts
from plugins.paypal_payments import facts
from plugins.paypal_payments import looking
from plugins.paypal_payments import making
from plugins.paypal_payments import models
from plugins.paypal_payments import signing
from plugins.paypal_payments import webhooks
from plugins.paypal_payments.models import Kind
from plugins.paypal_payments.models import Thing
from plugins.paypal_payments.wire import Refused
from plugins.paypal_payments.wire import Wire
from plugins.paypal_payments.wire import segment

log = logging.getLogger(__name__)

PRICE_SETTLED = timedelta(days=10)
"""PayPal lets a new price hold only for payments that are further away."""
PORTAL = "https://www.paypal.com/myaccount/autopay/"


class PayPal:
    """Orders and subscriptions. *public_url* is where PayPal sends its events; *webhook* its name of that place, if somebody made it by hand."""

    name = "paypal"
    label = "PayPal"
    features = frozenset(
        {Feature.SUBSCRIPTIONS, Feature.ONE_OFF, Feature.PAUSE, Feature.PORTAL, Feature.REFUNDS}
    )

    def __init__(
        self, wire: Wire, *, public_url: str, webhook: str, time: Callable[[], datetime] = clock.now
    ) -> None:
        self._wire = wire
        self._public_url = public_url
        self._webhook = webhook
        self._time = time

    def minimum_minor(self, currency: str) -> int | None:
        """One of the currency."""
        return amounts.least(currency)

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        """PayPal's own page."""
        making.check(request)
        models.make_tables()
        thing = making.made_before(request)
        if thing is None:
            self._webhook = self._webhook or webhooks.ensure(self._wire, self._public_url)
            make = making.subscription if request.interval else making.order
            thing = make(self._wire, request, now=self._time())
        return Checkout(thing.id, thing.url)

    def preview(self, change: Change) -> Preview:
        """Nothing now, and the new price from the next payment on."""
        thing = self._find(change.reference, change.mark)
        stands = self._standing(thing)
        self._check(change, stands)
        return Preview(0, change.price.amount_minor, change.price.currency, stands.period_end, self._time())

    def change(self, change: Change) -> SubscriptionFact:
        """From the next payment on."""
        thing = self._find(change.reference, change.mark)
        if self._was_done(change.key, "change", change):
            return self._standing(thing)
        stands = self._standing(thing)
        self._check(change, stands)
        agreed = change.agreed
        if agreed is not None and (agreed.due_now_minor, agreed.next_minor, agreed.next_at) != (
            0,
            change.price.amount_minor,
            stands.period_end,
        ):
            raise Conflict("What this costs has changed in the meantime. Look again; nothing was charged.")
        sequence = 2 if stands.trial_end else 1
        path = f"/plan/billing_cycles/@sequence=={sequence}/pricing_scheme/fixed_price"
        amount = amounts.money(change.price.amount_minor, change.price.currency)
        self._wire.patch(_path(thing), [{"op": "replace", "path": path, "value": amount}])
        return self._done(thing, change.key, "change", change)

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """PayPal knows no end that is to come: until then it is suspended, and cancelled when the paid time is over."""
        thing = self._find(reference, mark)
        if self._was_done(key, "cancel", reference, at_once):
            return self._standing(thing)
        stands = self._standing(thing)
        if stands.state is not SubscriptionState.ENDED:
            later = stands.period_end if stands.period_end and stands.period_end > self._time() else None
            if at_once or later is None:
                self._act(thing, "cancel")
            else:
                # First what is to become of it, so that nobody takes it for a pause.
                Thing.update(ends_at=later).where(Thing.id == thing.id).execute()
                if stands.state is not SubscriptionState.PAUSED:
                    self._act(thing, "suspend")
        return self._done(thing, key, "cancel", reference, at_once)

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Take a pause or a cancellation back, as long as it has not ended."""
        thing = self._find(reference, mark)
        if self._was_done(key, "resume", reference):
            return self._standing(thing)
        stands = self._standing(thing)
        if stands.state is SubscriptionState.ENDED:
            raise Conflict("This subscription has ended; begin a new one.")
        if stands.cancel_at is not None or stands.state is SubscriptionState.PAUSED:
            self._act(thing, "activate")
            Thing.update(ends_at=None).where(Thing.id == thing.id).execute()
        return self._done(thing, key, "resume", reference)

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Ask for no money until it is resumed."""
        thing = self._find(reference, mark)
        if self._was_done(key, "pause", reference):
            return self._standing(thing)
        if self._standing(thing).state is not SubscriptionState.PAUSED:
            self._act(thing, "suspend")
        return self._done(thing, key, "pause", reference)

    def portal(self, customer: str, *, return_to: str) -> str:
        """PayPal's page of automatic payments, which knows nobody's way back."""
        return PORTAL

    def refund(self, request: RefundRequest) -> RefundFact:
        """PayPal sees to it that it is not more than what is left."""
        if request.amount_minor <= 0:
            raise Invalid("A refund is more than nothing.")
        payment = self._find(request.reference, request.mark, kind=Kind.PAYMENT)
        body = {"amount": amounts.money(request.amount_minor, request.currency)}
        if request.reason:
            body["note_to_payer"] = request.reason[:255]  # type: ignore[assignment]
        told = self._wire.post(
            f"/v2/payments/captures/{segment(payment.id)}/refund", body, key=f"refund:{request.key}"
        )
        looking.note_refund(str(told["id"]), payment, now=self._time())
        return facts.of_refund(told, payment.id)

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """Not offered: payees are paid by the bank."""
        raise Unavailable("PayPal does not pay anybody out here.")

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """Not offered: payees are paid by the bank."""
        raise Unavailable("PayPal does not pay anybody out here.")

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        """By PayPal's certificate, which is fetched once and kept; else nobody is asked."""
        models.make_tables()
        return signing.read(
            delivery,
            webhook=self._webhook or webhooks.known(self._wire, self._public_url),
            api_url=self._wire.api_url,
            certificate=lambda url: webhooks.certificate(self._wire, url),
            now=now,
        )

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        """What it is about as it stands now: an event of PayPal is but a hint, since its signature covers a checksum."""
        models.make_tables()
        return looking.by_event(self._wire, signing.parsed(body), now=self._time())

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        """One after the other, since there may be thousands: all that is not over is asked about, and what happened since is told.

        Of what did not change its last word is told again, so that who waits for some facts does not wait for all questions.
        """
        models.make_tables()
        things = list(
            Thing.select()
            .where(Thing.kind.in_((Kind.ORDER, Kind.SUBSCRIPTION)), ~Thing.over)
            .order_by(Thing.created_at, Thing.id)
        )
        for thing in things:
            try:
                found = looking.of(self._wire, thing, now=self._time(), since=since)
            except NotFound:
                log.warning("PayPal has lost something", extra={"kind": thing.kind, "thing": thing.id})
                continue
            yield from [one for one in found if happened(one) >= since] or found[-1:]
        if things:
            yield from looking.disputes(self._wire, since)

    def balances(self) -> Sequence[Balance] | None:
        """None: an account there may hold what is not ours."""
        return None

    def _find(self, reference: str, mark: str, *, kind: Kind = Kind.SUBSCRIPTION) -> Thing:
        models.make_tables()
        here = (Thing.id == reference) & (Thing.mark == mark) & (Thing.kind == kind)
        found: Thing | None = Thing.get_or_none(here)
        if found is None:
            raise NotFound("There is nothing of that kind at PayPal.")
        return found

    def _standing(self, thing: Thing) -> SubscriptionFact:
        return looking.standing(looking.of(self._wire, thing, now=self._time()))

    def _check(self, change: Change, stands: SubscriptionFact) -> None:
        if change.at_once:
            raise Invalid("With PayPal, a price changes from the next payment on.")
        if stands.price is None or change.price.currency != stands.price.currency:
            raise Invalid("A subscription stays in its currency.")
        if change.price.interval is not stands.price.interval:
            raise Invalid(
                "With PayPal, months do not become years, nor years months. Cancel it, and begin a new one when it has ended."
            )
        amounts.check(change.price.amount_minor, change.price.currency)
        if (
            stands.state not in {SubscriptionState.ACTIVE, SubscriptionState.TRIALING}
            or stands.cancel_at is not None
        ):
            raise Conflict("This subscription is not paid just now, so it cannot be changed.")
        if stands.period_end is None or stands.period_end - self._time() <= PRICE_SETTLED:
            raise Conflict(
                "PayPal takes no new price within ten days before a payment. Try again when it is made."
            )

    def _act(self, thing: Thing, verb: str) -> None:
        try:
            self._wire.post(f"{_path(thing)}/{verb}", {"reason": "The member asked for it."})
        except Refused as error:
            # It stands like that already.
            if error.issue != "SUBSCRIPTION_STATUS_INVALID":
                raise

    def _was_done(self, key: str, *asked: object) -> bool:
        done = models.Done.get_or_none(models.Done.key == key)
        if done is not None and done.digest != making.digest(*asked):
            raise Conflict("This was asked for before, and otherwise.")
        return done is not None

    def _done(self, thing: Thing, key: str, *asked: object) -> SubscriptionFact:
        with transaction():
            # Of two facts within a second of PayPal's clock, the one after the act is the later one.
            Thing.update(changed_at=self._time()).where(Thing.id == thing.id).execute()
            models.Done.insert(key=key, digest=making.digest(*asked)).on_conflict_ignore().execute()
        return self._standing(Thing.get_by_id(thing.id))


def happened(fact: Fact) -> datetime:
    """Pure: the instant that a fact is about."""
    if isinstance(fact, PaymentFact):
        return fact.paid_at
    if isinstance(fact, FailureFact):
        return fact.failed_at
    if isinstance(fact, RefundFact):
        return fact.refunded_at
    assert isinstance(fact, SubscriptionFact | CheckoutFact | DisputeFact | PayoutFact | AccountFact)
    return fact.as_of


def _path(thing: Thing) -> str:
    return f"/v1/billing/subscriptions/{segment(thing.id)}"
