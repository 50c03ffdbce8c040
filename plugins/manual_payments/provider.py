"""Payment by hand as a payment provider: what is asked for stands on a page, and somebody confirms what arrived."""

import logging
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from urllib.parse import urlencode
from urllib.parse import urlsplit

import peewee

from appliance import clock
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
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
from appliance.payments import own_events
from plugins.manual_payments import demands
from plugins.manual_payments import facts
from plugins.manual_payments import models
from plugins.manual_payments import refunds
from plugins.manual_payments import signing
from plugins.manual_payments import subscriptions
from plugins.manual_payments.acts import Act

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ways:
    """How one may pay: by transfer to an account, or in *cash*; *instructions* are for both."""

    label: str
    currencies: tuple[str, ...]
    due: timedelta
    holder: str = ""
    iban: str = ""
    bic: str = ""
    cash: str = ""
    instructions: str = ""


class ManualPayments:
    """Bank transfer, cash and invoice. *receive* is told of what changes."""

    name = "manual"
    features = frozenset({Feature.SUBSCRIPTIONS, Feature.ONE_OFF, Feature.PORTAL, Feature.REFUNDS})

    def __init__(
        self, ways: Ways, receive: Callable[[Delivery], object], *, time: Callable[[], datetime] = clock.now
    ) -> None:
        self.ways = ways
        self._receive = receive
        self._time = time

    @property
    def label(self) -> str:
        """As the settings call it."""
        return self.ways.label

    @contextmanager
    def act(self) -> Iterator[Act]:
        """One act, on books that are up to date; of what it changed is told when it is over."""
        models.make_tables()
        act = Act(self._time())
        with transaction():
            subscriptions.catch_up(act=act)
            demands.expire(act=act)
            yield act
        if act.about:
            try:
                self._receive(signing.delivery(act.about, at=act.now, signed_at=clock.now()))
            except (MusicConnectError, peewee.PeeweeException) as error:
                # Reconciliation finds it.
                log.warning(
                    "an event was not taken", extra={"provider": self.name, "why": type(error).__name__}
                )

    def minimum_minor(self, currency: str) -> int | None:
        """Any amount of the currencies in the settings."""
        return 1 if currency in self.ways.currencies else None

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        """A page that says where to pay, and under which reference."""
        demands.check_amount(request.total_minor, request.currency, taken=self.ways.currencies)
        with self.act() as act:
            demand = demands.at_till(request, due=self.ways.due, act=act)
        return Checkout(demand.id, _address(f"/pay/{demand.id}", beside=request.return_to), demand.due_at)

    def preview(self, change: Change) -> Preview:
        """Nothing now, and the new price from the next period on."""
        with self.act() as act:
            return subscriptions.preview(change, now=act.now)

    def change(self, change: Change) -> SubscriptionFact:
        """From the next period on."""
        with self.act() as act:
            if self._first_time(change.key, "change", change):
                return facts.of_subscription(subscriptions.change_price(change, act=act))
            return facts.of_subscription(subscriptions.find(change.reference, change.mark))

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """Nothing more is asked for."""
        with self.act() as act:
            if self._first_time(key, "cancel", reference, at_once):
                return facts.of_subscription(subscriptions.cancel(reference, mark, at_once=at_once, act=act))
            return facts.of_subscription(subscriptions.find(reference, mark))

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Take a cancellation back."""
        with self.act() as act:
            if self._first_time(key, "resume", reference):
                return facts.of_subscription(subscriptions.resume(reference, mark, act=act))
            return facts.of_subscription(subscriptions.find(reference, mark))

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Not offered: what is not paid by hand pauses by itself."""
        raise Conflict("Payments by hand cannot be paused.")

    def portal(self, customer: str, *, return_to: str) -> str:
        """A page with all that was asked of somebody and what they paid."""
        models.make_tables()
        if not models.Demand.select().where(models.Demand.customer == customer).exists():
            raise NotFound("Nobody of that reference paid here.")
        back = urlsplit(return_to)
        where = urlencode({"back": f"{back.path}?{back.query}" if back.query else back.path})
        return _address(f"/mine/{customer}?{where}", beside=return_to)

    def refund(self, request: RefundRequest) -> RefundFact:
        """Promised now, sent by hand."""
        with self.act() as act:
            return facts.of_refund(refunds.promise(request, act=act))

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """Not offered: payees without a provider give the number of their account in the studio."""
        raise Unavailable("Payments by hand need no account elsewhere.")

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """Not offered: the files for the bank are made among the payouts."""
        raise Unavailable("Payments by hand need no account elsewhere.")

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        """By a key that only the secret of this node leads to."""
        return signing.read(delivery, now=now)

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        """How all that the event is about stands now."""
        models.make_tables()
        return [fact for one in own_events.about(body) for fact in facts.of(one)]

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        """All at once, since who goes through them may do so in another thread."""
        with self.act():
            return iter(facts.since(since))

    def balances(self) -> Sequence[Balance] | None:
        """None: the money is on the collective's own account."""
        return None

    def _first_time(self, key: str, *asked: object) -> bool:
        wanted = demands.digest(*asked)
        models.Done.insert(key=key, digest="").on_conflict_ignore().execute()
        done = models.Done.get_by_id(key)
        if not done.digest:
            models.Done.update(digest=wanted).where(models.Done.key == key).execute()
            return True
        if done.digest != wanted:
            raise Conflict("This was asked for before, and otherwise.")
        return False


def _address(path: str, *, beside: str) -> str:
    place = urlsplit(beside)
    return f"{place.scheme}://{place.netloc}{facts.PAGES}{path}" if place.netloc else f"{facts.PAGES}{path}"
