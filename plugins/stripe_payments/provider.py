"""Stripe as a payment provider: every verb of ``appliance.payments.PaymentProvider``, each by the room that knows it."""

import json
import logging
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from typing import Any

from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.errors import NotFound
from appliance.payments import Balance
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutRequest
from appliance.payments import Delivery
from appliance.payments import Fact
from appliance.payments import Feature
from appliance.payments import Notice
from appliance.payments import Onboarding
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import Preview
from appliance.payments import RefundFact
from appliance.payments import RefundRequest
from appliance.payments import SubscriptionFact
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments import history
from plugins.stripe_payments import signatures
from plugins.stripe_payments.calls import PAGE
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.calls import once
from plugins.stripe_payments.changing import Changing
from plugins.stripe_payments.endpoints import Endpoints
from plugins.stripe_payments.marks import KEY
from plugins.stripe_payments.marks import SITE
from plugins.stripe_payments.marks import Marks
from plugins.stripe_payments.payees import Payees
from plugins.stripe_payments.till import Till
from plugins.stripe_payments.truth import Truth

log = logging.getLogger(__name__)


@dataclass(slots=True)
class StripePayments:
    """Card, wallet or bank by Stripe; *own_account*: its balance is of our money alone, so it can be compared with our books."""

    stripe: Stripe
    marks: Marks
    endpoints: Endpoints
    taxed: bool = False
    own_account: bool = False
    label: str = "Card, wallet or bank"
    name: str = "stripe"
    features: frozenset[Feature] = frozenset(Feature)
    truth: Truth = field(init=False, repr=False)
    till: Till = field(init=False, repr=False)
    changing: Changing = field(init=False, repr=False)
    payees: Payees = field(init=False, repr=False)
    _portal: str = ""

    def __post_init__(self) -> None:
        self.truth = Truth(self.stripe, self.marks, self.taxed)
        self.till = Till(self.stripe, self.marks, self.taxed)
        self.changing = Changing(self.stripe, self.marks, self.till)
        self.payees = Payees(self.stripe, self.marks)

    def minimum_minor(self, currency: str) -> int | None:
        """What Stripe says is the least, or a bit more where it only says what it must be worth."""
        return amounts.smallest(currency)

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        """A visit to Stripe Checkout."""
        self.endpoints.register_if_missing()
        return self.till.begin(request)

    def preview(self, change: Change) -> Preview:
        """The invoice that would be, by Stripe."""
        return self.changing.preview(change)

    def change(self, change: Change) -> SubscriptionFact:
        """At once by an invoice that is paid at once, or from the next period on by a schedule."""
        return self.changing.change(change)

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """End it."""
        return self.changing.cancel(reference, mark=mark, at_once=at_once, key=key)

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Go on."""
        return self.changing.resume(reference, mark=mark, key=key)

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Ask for nothing for a while."""
        return self.changing.pause(reference, mark=mark, key=key)

    def portal(self, customer: str, *, return_to: str) -> str:
        """The Customer Portal, for cards and invoices alone: prices and ends are changed here."""
        if not self._is_ours(customer):
            raise NotFound("Stripe does not know this.")
        asked = {"customer": customer, "return_url": return_to, "configuration": self._configuration()}
        return str(self.stripe.ask(lambda v1: v1.billing_portal.sessions.create(asked))["url"])

    def refund(self, request: RefundRequest) -> RefundFact:
        """Give it back by the way it came."""
        amount = amounts.theirs(request.amount_minor, request.currency)
        if amount <= 0:
            raise Invalid("There is nothing to give back.", field="amount")
        paid = self.stripe.ask(lambda v1: v1.payment_intents.retrieve(request.reference))
        if not request.mark or self.truth.mark_of_intent(paid) != request.mark:
            raise NotFound("Stripe does not know this.")
        if str(paid["currency"]).upper() != request.currency:
            raise Invalid("What was paid in one currency goes back in it.", field="currency")
        # Stripe forgets its idempotency keys; what is written on the refund stays.
        wanted = {"payment_intent": request.reference, "limit": PAGE}
        for made in self.stripe.every(lambda v1: v1.refunds.list(wanted)):
            if (made.get("metadata") or {}).get(KEY) == request.key[:500]:
                return facts.refund(made)
        why = {"reason_given": request.reason} if request.reason else {}
        asked = {
            "payment_intent": request.reference,
            "amount": amount,
            "metadata": self.marks.on(request.mark, **{KEY: request.key}, **why),
        }
        try:
            return facts.refund(self.stripe.ask(lambda v1: v1.refunds.create(asked, once(request.key))))
        except Invalid as error:
            raise Conflict(
                "Stripe cannot give this amount back; maybe part of it went back before."
            ) from error

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """An Express account of Connect."""
        return self.payees.onboard(payee, account=account, email=email, return_to=return_to)

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """A transfer to it."""
        return self.payees.pay_out(request)

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        """Signature and age, on the raw body."""
        try:
            return signatures.read(delivery, self.endpoints.secrets(), now=now)
        except NotAllowed:
            known = self.endpoints.secrets()
            found = self.endpoints.secrets(anew=True)
            if found == known:
                raise
            return signatures.read(delivery, found, now=now)

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        """The truth about what the event names; its own words count for nothing but that."""
        try:
            event = json.loads(body)
            thing, kind = event["data"]["object"], event["type"]
            reference, what = str(thing["id"]), str(thing["object"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Invalid("This message cannot be read.") from error
        if kind == "account.application.deauthorized":
            return []
        if kind == "radar.early_fraud_warning.created":
            self._warned(thing)
            return []
        if event.get("account") and what in {"payout", "account"}:
            # On an account of a payee: whether it can be paid is what follows.
            return list(self.truth.about("account", str(event["account"])))
        if event.get("account") or not history.is_about_us(self.truth, thing):
            return []
        return list(self.truth.about(what, reference))

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        """Everything of ours, listed."""
        self.endpoints.register_if_missing()
        return history.changed_since(self.truth, since)

    def balances(self) -> Sequence[Balance] | None:
        """What Stripe holds, if nobody else's money is on this account."""
        if not self.own_account:
            return None
        held: dict[str, int] = {}
        found = self.stripe.ask(lambda v1: v1.balance.retrieve())
        for entry in (*found.get("available", ()), *found.get("pending", ())):
            currency = str(entry["currency"]).upper()
            held[currency] = held.get(currency, 0) + amounts.ours(entry["amount"], currency)
        return [Balance(currency, amount) for currency, amount in sorted(held.items())]

    def _warned(self, thing: dict[str, Any]) -> None:
        if mark := self.truth.mark_of_payment(facts.reference(thing.get("payment_intent"))):
            log.warning(
                "stripe warns of fraud",
                extra={"mark": mark, "warning": thing["id"], "kind": thing.get("fraud_type", "")},
            )

    def _is_ours(self, customer: str) -> bool:
        wanted = {"customer": customer, "status": "all", "limit": PAGE}
        return bool(customer) and any(
            self.marks.are_on(thing) for thing in self.stripe.every(lambda v1: v1.subscriptions.list(wanted))
        )

    def _configuration(self) -> str:
        if not self._portal:
            wanted = {"active": True, "limit": PAGE}
            for thing in self.stripe.every(lambda v1: v1.billing_portal.configurations.list(wanted)):
                if self.marks.are_on(thing):
                    self._portal = thing["id"]
                    return self._portal
            asked = {
                "metadata": {SITE: self.marks.site},
                "features": {
                    "customer_update": {"enabled": True, "allowed_updates": ["address", "email", "tax_id"]},
                    "invoice_history": {"enabled": True},
                    "payment_method_update": {"enabled": True},
                    "subscription_cancel": {"enabled": False},
                },
            }
            key = f"{self.marks.site}/portal"
            made = self.stripe.ask(lambda v1: v1.billing_portal.configurations.create(asked, once(key)))
            self._portal = made["id"]
        return self._portal
