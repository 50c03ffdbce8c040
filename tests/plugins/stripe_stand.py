"""Stripe's plugin in front of the fake Stripe, with one clock for both; who pays, how time passes, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest

from appliance import clock
from appliance.payments import Change
from appliance.payments import Checkout
from appliance.payments import CheckoutRequest
from appliance.payments import Delivery
from appliance.payments import Fact
from appliance.payments import Interval
from appliance.payments import LineItem
from appliance.payments import Price
from appliance.payments import SubscriptionFact
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.endpoints import Endpoints
from plugins.stripe_payments.marks import Marks
from plugins.stripe_payments.provider import StripePayments
from tests.servers import stripe

BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)
BACK = "http://localhost:8000/back"
EMAIL = "fan@example.com"
WORKS_ONCE = "4000000000000341"


class StripeStand:
    """One installation of MusicConnect, whose webhooks a test carries itself."""

    def __init__(self, fake: stripe.FakeStripe, *, site: str = "harbour", timeout_s: float = 5.0) -> None:
        self.fake = fake
        self.marks = Marks(site)
        self.way = Stripe(stripe.KEY, fake.url, timeout_s)
        self.secrets = fake.listen(f"{fake.url}/nobody").split(",")
        endpoints = Endpoints(self.way, self.marks, "", tuple(self.secrets), kept=tuple)
        self.provider = StripePayments(self.way, self.marks, endpoints)

    def pay(self, checkout: Checkout, *, good_later: bool = True, card: str = "") -> None:
        """Somebody pays at the till."""
        card = card or ("pm_card_visa" if good_later else WORKS_ONCE)
        self.fake.tell("pay", session=checkout.reference, card=card, email=EMAIL)

    def events(self) -> list[Delivery]:
        """What was told since this was last asked."""
        waiting = self.fake.tell("outbox", at=int(clock.now().timestamp()))
        return [Delivery(one["body"].encode(), one["headers"]) for one in waiting]

    def facts(self) -> list[Fact]:
        """What follows from what was told."""
        return [fact for delivery in self.events() for fact in self.provider.facts_of(delivery.body)]

    def move(self, time: timedelta) -> None:
        """Time passes, there and here."""
        self.fake.tell("advance", to=int((clock.now() + time).timestamp()))

    def foreign_event(self) -> Delivery:
        """Another product on the same account sells something."""
        self.foreign()
        self.events()
        self.foreign()
        told = [delivery for delivery in self.events() if b"payment_intent.succeeded" in delivery.body]
        return told[0]

    def foreign(self) -> str:
        """What another product sells: the payment."""
        asked = {"amount": 900, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
        return str(self.way.ask(lambda v1: v1.payment_intents.create(asked))["id"])

    def open_account(self, account: str, url: str) -> None:
        """A payee tells Stripe who they are."""
        self.fake.tell("onboarded", account=account)


@contextmanager
def standing(fake: stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStand]:
    """A fake without a past, and the clock of MusicConnect set by it."""
    fake.tell("forget")
    fake.tell("freeze", at=int(BEGAN.timestamp()))
    fake.tell("sending", hold=True)
    stand = StripeStand(fake)

    def now() -> datetime:
        return datetime.fromtimestamp(fake.tell("advance")["now"], UTC)

    monkeypatch.setattr(clock, "now", now)
    yield stand


def once(
    amount_minor: int = 1200, *, mark: str = "order-1", currency: str = "EUR", **more: Any
) -> CheckoutRequest:
    """Somebody buys a record."""
    values = {
        "key": f"key-{mark}",
        "email": EMAIL,
        "return_to": BACK,
        "cancel_to": BACK,
        "items": [LineItem("Harbour Lights", amount_minor)],
        **more,
    }
    return CheckoutRequest(mark=mark, currency=currency, **values)


def each_month(amount_minor: int = 500, *, mark: str = "membership-1", **more: Any) -> CheckoutRequest:
    """Somebody becomes a member."""
    return once(amount_minor, mark=mark, **{"interval": Interval.MONTH, **more})


def of(told: list[Fact], kind: type[Any]) -> list[Any]:
    """The facts of one kind."""
    return [one for one in told if isinstance(one, kind)]


def last(told: list[Fact], kind: type[Any]) -> Any:
    """The last fact of a kind."""
    return of(told, kind)[-1]


def member(stand: StripeStand, amount_minor: int = 1000, **more: Any) -> SubscriptionFact:
    """Somebody became a member, and that was told."""
    card = more.pop("card", "")
    stand.pay(stand.provider.begin_checkout(each_month(amount_minor, **more)), card=card)
    found: SubscriptionFact = last(stand.facts(), SubscriptionFact)
    return found


def change_to(
    subscription: SubscriptionFact,
    amount_minor: int,
    *,
    interval: Interval = Interval.MONTH,
    at_once: bool = True,
    key: str = "change-1",
) -> Change:
    """A subscription shall cost so much."""
    price = Price(amount_minor, "EUR", interval, f"Tier {amount_minor}")
    return Change(subscription.reference, subscription.mark, price, at_once, key)


def agreed(stand: StripeStand, change: Change) -> Change:
    """The same after the fan saw what it costs."""
    return replace(change, agreed=stand.provider.preview(change))
