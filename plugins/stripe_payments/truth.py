"""The truth about an object of ours, asked for anew: what a webhook is about is never believed beyond its id."""

import logging
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appliance import clock
from appliance.errors import NotFound
from appliance.payments import Fact
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.marks import Marks

log = logging.getLogger(__name__)

SUBSCRIPTION = {"expand": ["schedule.phases.items.price"]}
INTENT = {"expand": ["latest_charge.balance_transaction"]}
INVOICE = {"expand": ["payments"]}


@dataclass(frozen=True, slots=True)
class Truth:
    """What Stripe says of objects that carry our *marks*; *taxed*: it reckons the taxes too."""

    stripe: Stripe
    marks: Marks
    taxed: bool = False

    def about(self, kind: str, reference: str) -> Iterator[Fact]:
        """All facts that follow from the object *reference*, which is a *kind*; none for a stranger's, or one that is gone."""
        ways = {
            "checkout.session": self.checkout,
            "subscription": self.subscription,
            "invoice": self.invoice,
            "payment_intent": self.payment,
            "charge": self.charge,
            "refund": self.refund,
            "dispute": self.dispute,
            "transfer": self.payout,
            "account": self.account,
        }
        if kind not in ways or not reference:
            return
        try:
            yield from ways[kind](reference)
        except NotFound:
            log.info("gone at stripe", extra={"kind": kind, "reference": reference})

    def checkout(self, reference: str) -> Iterator[Fact]:
        """A visit to the till, and what came of it."""
        as_of = clock.now()
        thing = self.stripe.ask(lambda v1: v1.checkout.sessions.retrieve(reference))
        mark = self.marks.of(thing)
        if not mark:
            return
        yield facts.checkout(thing, mark, as_of=as_of)
        if thing.get("payment_intent"):
            tax = (thing.get("total_details") or {}).get("amount_tax") or 0
            paid = list(
                self.payment(
                    facts.reference(thing["payment_intent"]),
                    tax_minor=amounts.ours(tax, thing["currency"]) if self.taxed else None,
                )
            )
            yield from paid or self.bounced(thing, mark)
        if thing.get("subscription"):
            yield from self.subscription(facts.reference(thing["subscription"]))
        if thing.get("invoice"):
            yield from self.invoice(facts.reference(thing["invoice"]))

    def bounced(self, visit: Mapping[str, Any], mark: str) -> Iterator[Fact]:
        """That a bank sent back, days later, what was promised at the till."""
        if visit.get("status") == "complete" and visit.get("payment_status") == "unpaid":
            intent = self._intent(facts.reference(visit.get("payment_intent")))
            if failed := facts.bounce(intent, mark):
                yield failed

    def subscription(self, reference: str) -> Iterator[Fact]:
        """How a subscription stands."""
        as_of = clock.now()
        thing = self.stripe.ask(lambda v1: v1.subscriptions.retrieve(reference, SUBSCRIPTION))
        if mark := self.marks.of(thing):
            yield facts.subscription(thing, mark, as_of=as_of)

    def invoice(self, reference: str) -> Iterator[Fact]:
        """What was paid of an invoice of a subscription, or that it could not be collected."""
        thing = self.stripe.ask(lambda v1: v1.invoices.retrieve(reference, INVOICE))
        mark = self.mark_of_invoice(thing)
        if not mark:
            return
        for intent in facts.paid_by(thing):
            yield from self.payment(intent, invoice=thing)
        yield from self.unpaid(thing, mark)

    def unpaid(self, invoice: Mapping[str, Any], mark: str) -> Iterator[Fact]:
        """That an invoice could not be collected; a bank that takes its days has not failed yet."""
        failed = facts.failure(invoice, mark)
        if failed and not any(
            self._intent(intent).get("status") == "processing"
            for intent in facts.paid_by(invoice, status="open")
        ):
            yield failed

    def payment(
        self, reference: str, *, invoice: Mapping[str, Any] | None = None, tax_minor: int | None = None
    ) -> Iterator[Fact]:
        """Money that arrived, with what Stripe kept of it."""
        thing = self.stripe.ask(lambda v1: v1.payment_intents.retrieve(reference, INTENT))
        yield from self.paid(thing, invoice=invoice, tax_minor=tax_minor)

    def paid(
        self,
        thing: Mapping[str, Any],
        *,
        invoice: Mapping[str, Any] | None = None,
        tax_minor: int | None = None,
    ) -> Iterator[Fact]:
        """The same of an intent that was asked for with its charge and what Stripe booked of it."""
        charge = thing.get("latest_charge")
        if thing.get("status") != "succeeded" or not isinstance(charge, Mapping) or not charge.get("paid"):
            return
        mark = self.marks.of(thing)
        if not mark:
            invoice = invoice or self._invoice_of(thing["id"])
            mark = self.mark_of_invoice(invoice) if invoice else ""
        elif tax_minor is None and self.taxed:
            tax_minor = self._tax_at_the_till(thing["id"])
        if mark:
            yield facts.payment(thing, mark, invoice=invoice, tax_minor=tax_minor)

    def charge(self, reference: str) -> Iterator[Fact]:
        """The payment that a charge is a try of, and the refunds of it."""
        thing = self.stripe.ask(lambda v1: v1.charges.retrieve(reference))
        if self.marks.foreign(thing) or not thing.get("payment_intent"):
            return
        found = list(self.payment(facts.reference(thing["payment_intent"])))
        yield from found
        if found and thing.get("amount_refunded"):
            for back in self.stripe.every(lambda v1: v1.refunds.list({"charge": reference, "limit": 100})):
                yield facts.refund(back)

    def refund(self, reference: str) -> Iterator[Fact]:
        """How a refund stands, whoever began it."""
        thing = self.stripe.ask(lambda v1: v1.refunds.retrieve(reference))
        if self.marks.of(thing) or self.mark_of_payment(facts.reference(thing.get("payment_intent"))):
            yield facts.refund(thing)

    def dispute(self, reference: str) -> Iterator[Fact]:
        """How a dispute stands."""
        as_of = clock.now()
        thing = self.stripe.ask(lambda v1: v1.disputes.retrieve(reference, {"expand": ["charge"]}))
        yield from self.disputed(thing, as_of=as_of)

    def disputed(self, thing: Mapping[str, Any], *, as_of: datetime) -> Iterator[Fact]:
        """The same of one that was asked for with its charge."""
        if self.mark_of_payment(facts.reference(thing.get("payment_intent"))) and (
            found := facts.dispute(thing, thing["charge"], as_of=as_of)
        ):
            yield found

    def payout(self, reference: str) -> Iterator[Fact]:
        """How a transfer to a payee stands."""
        as_of = clock.now()
        thing = self.stripe.ask(lambda v1: v1.transfers.retrieve(reference))
        if mark := self.marks.of(thing):
            yield facts.payout(thing, mark, as_of=as_of)

    def account(self, reference: str) -> Iterator[Fact]:
        """Whether a payee's account can be paid."""
        as_of = clock.now()
        thing = self.stripe.ask(lambda v1: v1.accounts.retrieve(reference))
        if mark := self.marks.of(thing):
            yield facts.account(thing, mark, as_of=as_of)

    def mark_of_payment(self, reference: str) -> str:
        """What the payment *reference* was for, or nothing when it is not ours."""
        try:
            return self.mark_of_intent(self._intent(reference)) if reference else ""
        except NotFound:
            return ""

    def mark_of_intent(self, thing: Mapping[str, Any]) -> str:
        """The same of an intent: by its own mark, or by the invoice that it pays."""
        if mark := self.marks.of(thing):
            return mark
        invoice = self._invoice_of(thing["id"])
        return self.mark_of_invoice(invoice) if invoice else ""

    def _intent(self, reference: str) -> dict[str, Any]:
        return self.stripe.ask(lambda v1: v1.payment_intents.retrieve(reference))

    def mark_of_invoice(self, invoice: Mapping[str, Any]) -> str:
        """The mark of the subscription that an invoice is of; the invoice has a copy of it."""
        details = (invoice.get("parent") or {}).get("subscription_details") or {}
        if not details.get("subscription"):
            return ""
        if details.get("metadata") is not None:
            return self.marks.of(details)
        found = self.stripe.ask(
            lambda v1: v1.subscriptions.retrieve(facts.reference(details["subscription"]))
        )
        return self.marks.of(found)

    def _invoice_of(self, intent: str) -> Mapping[str, Any] | None:
        # An intent does not say which invoice it pays (since 2025); the list of payments of invoices does.
        wanted = {
            "payment": {"type": "payment_intent", "payment_intent": intent},
            "expand": ["data.invoice"],
        }
        for entry in self.stripe.every(lambda v1: v1.invoice_payments.list(wanted)):
            return dict(entry["invoice"])
        return None

    def _tax_at_the_till(self, intent: str) -> int | None:
        for thing in self.stripe.every(lambda v1: v1.checkout.sessions.list({"payment_intent": intent})):
            return amounts.ours((thing.get("total_details") or {}).get("amount_tax") or 0, thing["currency"])
        return None
