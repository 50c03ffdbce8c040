"""Stripe Checkout: what is paid for, once or each month or year, as a page of Stripe's own."""

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from hashlib import sha256
from typing import Any

from appliance.currencies import DIGITS
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.payments import Checkout
from appliance.payments import CheckoutRequest
from appliance.payments import LineItem
from appliance.payments import Price
from plugins.stripe_payments import amounts
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.calls import once
from plugins.stripe_payments.marks import MARK
from plugins.stripe_payments.marks import SITE
from plugins.stripe_payments.marks import TAX
from plugins.stripe_payments.marks import Marks

MOST_LINES = 100
LONGEST_NAME = 250
LONGEST_TRIAL_DAYS = 730
LOCALES = (
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh "
    "zh-HK zh-TW"
)


@dataclass(slots=True)
class Till:
    """Opens visits to Checkout, with products and prices of our own."""

    stripe: Stripe
    marks: Marks
    taxed: bool = False
    _prices: dict[str, str] = field(default_factory=dict)

    def begin(self, request: CheckoutRequest) -> Checkout:
        """A visit for *request*; which ways to pay it offers, Stripe decides by who comes."""
        total = amounts.charged(request.total_minor, request.currency)
        tax = f"{request.tax_minor}/{request.total_minor}" if request.tax_minor else ""
        metadata = self.marks.on(request.mark, **({TAX: tax} if tax else {}))
        asked: dict[str, Any] = {
            "client_reference_id": request.mark,
            "metadata": metadata,
            "success_url": request.return_to,
            "cancel_url": request.cancel_to,
            "locale": request.locale if request.locale in LOCALES.split() else "auto",
            # What the page says is what is paid: no other currency at a rate that we never showed.
            "adaptive_pricing": {"enabled": False},
        }
        if request.open_until is not None:
            asked["expires_at"] = int(request.open_until.timestamp())
        if request.customer:
            asked["customer"] = request.customer
        elif request.email:
            asked["customer_email"] = request.email
        if self.taxed:
            asked["automatic_tax"] = {"enabled": True}
            if request.customer:
                asked["customer_update"] = {"address": "auto"}
        if request.interval:
            if not 0 <= request.trial_days <= LONGEST_TRIAL_DAYS:
                raise Invalid("A trial has at most {most} days.", most=LONGEST_TRIAL_DAYS, field="trial_days")
            # One line, whatever it is made of: a subscription of ours has one item, which a change replaces.
            name = ", ".join(item.name for item in request.items)
            price = self.price(Price(request.total_minor, request.currency, request.interval, name))
            asked |= {"mode": "subscription", "line_items": [{"price": price, "quantity": 1}]}
            asked["subscription_data"] = {"metadata": metadata}
            if request.trial_days:
                asked["subscription_data"]["trial_period_days"] = request.trial_days
        else:
            asked |= {"mode": "payment", "line_items": self._lines(request, total)}
            asked["payment_intent_data"] = {"metadata": metadata}
        try:
            made = self.stripe.ask(lambda v1: v1.checkout.sessions.create(asked, once(request.key)))
        except NotFound:
            if not request.customer:
                raise
            # Who paid before was deleted at Stripe since: they are somebody new there.
            return self.begin(replace(request, customer="", key=f"{request.key}/anew"))
        if not made.get("url"):
            raise Conflict("This payment was begun before and is over. Start again.")
        return Checkout(made["id"], made["url"])

    def _lines(self, request: CheckoutRequest, total: int) -> list[dict[str, Any]]:
        items = list(request.items)
        if request.tax_minor:
            items.append(LineItem("Tax", request.tax_minor))
        odd = any(item.amount_minor < 0 or item.quantity < 1 for item in items)
        if len(items) > MOST_LINES or odd or not all(_chargeable(item, request.currency) for item in items):
            # A discount is no line of Checkout, and the tax in a whole amount of dinars may end in another digit than Stripe
            # takes; the total is what was agreed to.
            name = ", ".join(item.name for item in request.items if item.amount_minor > 0)
            return [self._line(request.currency, name, total, 1)]
        return [self._line_of(request.currency, item) for item in items]

    def _line_of(self, currency: str, item: LineItem) -> dict[str, Any]:
        each, rest = divmod(amounts.theirs(item.amount_minor, currency), item.quantity)
        if rest or (DIGITS[currency] == 3 and each % 10):
            # Three for ten: no price of one times three makes that.
            return self._line(currency, f"{item.quantity} × {item.name}", each * item.quantity + rest, 1)
        return self._line(currency, item.name, each, item.quantity)

    def _line(self, currency: str, name: str, amount: int, quantity: int) -> dict[str, Any]:
        data: dict[str, Any] = {
            "currency": currency.lower(),
            "unit_amount": amount,
            "product_data": {"name": _name(name)},
        }
        if self.taxed:
            data["tax_behavior"] = "inclusive"
        return {"price_data": data, "quantity": quantity}

    def price(self, price: Price) -> str:
        """The id of a price of ours that costs just that; it is made when there is none yet."""
        amount = amounts.charged(price.amount_minor, price.currency)
        name = _name(price.name)
        words = f"{amount} {price.currency} {price.interval} {name} {'inclusive' if self.taxed else ''}"
        lookup = f"{MARK}_{self.marks.site}_{_digest(words)}"
        if lookup not in self._prices:
            self._prices[lookup] = self._found(lookup) or self._made(lookup, amount, price, name)
        return self._prices[lookup]

    def _found(self, lookup: str) -> str:
        wanted = {"lookup_keys": [lookup], "active": True, "limit": 1}
        for found in self.stripe.ask(lambda v1: v1.prices.list(wanted)).get("data", ()):
            return str(found["id"])
        return ""

    def _made(self, lookup: str, amount: int, price: Price, name: str) -> str:
        asked: dict[str, Any] = {
            "currency": price.currency.lower(),
            "unit_amount": amount,
            "recurring": {"interval": str(price.interval)},
            "nickname": name,
            "lookup_key": lookup,
            # One that was archived by hand leaves its key to this one.
            "transfer_lookup_key": True,
            "metadata": {SITE: self.marks.site},
            "product": self._product(name),
        }
        if self.taxed:
            asked["tax_behavior"] = "inclusive"
        return str(self.stripe.ask(lambda v1: v1.prices.create(asked, once(lookup)))["id"])

    def _product(self, name: str) -> str:
        reference = f"{MARK}_{self.marks.site}_{_digest(name)}"
        asked = {"id": reference, "name": name, "metadata": {SITE: self.marks.site}}
        try:
            self.stripe.ask(lambda v1: v1.products.create(asked, once(reference)))
        except Invalid:
            # It is there already: its id is made of its name, so two prices of one thing share it.
            if not self.marks.are_on(self.stripe.ask(lambda v1: v1.products.retrieve(reference))):
                raise Unavailable("Stripe has another product under our name.") from None
        return reference


def _chargeable(item: LineItem, currency: str) -> bool:
    """Pure: whether Stripe can write this amount, which the total can be without."""
    try:
        return amounts.theirs(item.amount_minor, currency) >= 0
    except Invalid:
        return False


def _name(text: str) -> str:
    return " ".join(text.split())[:LONGEST_NAME] or "MusicConnect"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:20]
