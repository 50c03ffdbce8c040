"""Stripe Connect: payees tell Stripe whom to pay (Express accounts), and get their money by transfers of their own.

A sale and what its payees get are apart (separate charges and transfers): the money of many sales goes over at once, when a payout is due.
"""

from dataclasses import dataclass
from typing import Any

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.payments import Onboarding
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from plugins.stripe_payments import amounts
from plugins.stripe_payments import facts
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.calls import once
from plugins.stripe_payments.marks import Marks


@dataclass(frozen=True, slots=True)
class Payees:
    """Accounts and transfers that carry our marks."""

    stripe: Stripe
    marks: Marks

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """Where *payee* goes on telling Stripe who they are; it is asked for anew each time, since it works once."""
        if account:
            self._own(account, payee)
        else:
            asked: dict[str, Any] = {
                "type": "express",
                "capabilities": {"transfers": {"requested": True}},
                "metadata": self.marks.on(payee),
            }
            if email:
                asked["email"] = email
            account = self._made(asked, f"{self.marks.site}/account/{payee}")
        link = {
            "account": account,
            "type": "account_onboarding",
            "refresh_url": return_to,
            "return_url": return_to,
        }
        return Onboarding(account, self.stripe.ask(lambda v1: v1.account_links.create(link))["url"])

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """Transfer it once, whenever and however often it is asked for."""
        amount = amounts.theirs(request.amount_minor, request.currency)
        if amount <= 0:
            raise Invalid("There is nothing to pay out.", field="amount")
        metadata = self.marks.on(request.mark)
        as_of = clock.now()
        # Stripe forgets its idempotency keys; the group of a transfer stays, and says that it was made before.
        group = f"{self.marks.site}/{request.mark}"
        for made in self.stripe.every(lambda v1: v1.transfers.list({"transfer_group": group})):
            return facts.payout(made, request.mark, as_of=as_of)
        account = self._own(request.account, "")
        if (account.get("capabilities") or {}).get("transfers") != "active":
            raise Conflict("This account cannot be paid yet.")
        asked = {
            "amount": amount,
            "currency": request.currency.lower(),
            "destination": request.account,
            "transfer_group": group,
            "metadata": metadata,
        }
        made = self.stripe.ask(lambda v1: v1.transfers.create(asked, once(request.mark)))
        return facts.payout(made, request.mark, as_of=as_of)

    def _made(self, asked: dict[str, Any], key: str) -> str:
        try:
            return str(self.stripe.ask(lambda v1: v1.accounts.create(asked, once(key)))["id"])
        except Invalid:
            # In some countries Stripe lets nobody be paid who could not take cards too, unless it agreed with the platform on that.
            both = {
                **asked,
                "capabilities": {name: {"requested": True} for name in ("transfers", "card_payments")},
            }
            return str(self.stripe.ask(lambda v1: v1.accounts.create(both, once(key, "both")))["id"])

    def _own(self, account: str, payee: str) -> dict[str, Any]:
        thing = self.stripe.ask(lambda v1: v1.accounts.retrieve(account))
        mark = self.marks.of(thing)
        if not mark or (payee and mark != payee):
            raise NotFound("Stripe does not know this.")
        return thing
