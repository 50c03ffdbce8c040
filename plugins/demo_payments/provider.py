"""The demo's till as a payment provider: every verb one act on its own rows, events handed in after it."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import datetime
from datetime import timedelta
from pathlib import Path

from appliance import clock
from appliance.errors import N_
from appliance.errors import Conflict
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
from appliance.payments import own_events
from plugins.demo_payments import facts
from plugins.demo_payments import models
from plugins.demo_payments import money
from plugins.demo_payments import renewals
from plugins.demo_payments import subscriptions
from plugins.demo_payments import telling
from plugins.demo_payments import tills

FILE = "demo_payments.sqlite3"
AHEAD = "ahead_s"


class DemoPayments:
    """Takes no money: it only behaves as if. *receive* is told of what happens; time runs ahead of the real one by ``move``."""

    name = "demo"
    label = N_("Demo card: no money moves")
    features = frozenset(Feature)

    def __init__(self, folder: Path, receive: Callable[[Delivery], object]) -> None:
        models.open_at(folder / FILE)
        self._receive = receive

    @contextmanager
    def act(self) -> Iterator[datetime]:
        """One act at the till's own time, on books that are up to date; what happened is told when it is over."""
        with models.act():
            now = clock.now() + timedelta(seconds=int(models.value(AHEAD, "0")))
            renewals.catch_up(now)
            yield now
        telling.hand_in(self._receive)

    def move(self, time: timedelta) -> datetime:
        """Let the till's clock run ahead by *time* more, and do all that is due by then; returns its time."""
        with models.act():
            ahead_s = int(models.value(AHEAD, "0")) + int(time.total_seconds())
            models.keep(AHEAD, str(ahead_s))
        with self.act() as now:
            return now

    def minimum_minor(self, currency: str) -> int | None:
        """The smallest amount, about half a euro."""
        return tills.least(currency)

    def begin_checkout(self, request: CheckoutRequest) -> Checkout:
        """A page of ours, on the server that one comes back to."""
        with self.act() as now:
            till = tills.open_till(request, now=now)
            return Checkout(till.id, tills.address(f"/tills/{till.id}", beside=request.return_to))

    def preview(self, change: Change) -> Preview:
        """To the second and the cent."""
        with self.act() as now:
            return subscriptions.preview(change, at=now)

    def change(self, change: Change) -> SubscriptionFact:
        """Charge what was agreed to, or refuse."""
        with self.act() as now:
            if self._first_time(change.key, "change", change, now=now):
                return facts.of_subscription(subscriptions.change(change, now=now))
            return facts.of_subscription(subscriptions.find(change.reference, change.mark))

    def cancel(self, reference: str, *, mark: str, at_once: bool, key: str) -> SubscriptionFact:
        """Now, or with what is paid."""
        with self.act() as now:
            if self._first_time(key, "cancel", reference, at_once, now=now):
                return facts.of_subscription(subscriptions.cancel(reference, mark, at_once=at_once, now=now))
            return facts.of_subscription(subscriptions.find(reference, mark))

    def resume(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """Back to being paid."""
        with self.act() as now:
            if self._first_time(key, "resume", reference, now=now):
                return facts.of_subscription(subscriptions.resume(reference, mark, now=now))
            return facts.of_subscription(subscriptions.find(reference, mark))

    def pause(self, reference: str, *, mark: str, key: str) -> SubscriptionFact:
        """No money until it is resumed."""
        with self.act() as now:
            if self._first_time(key, "pause", reference, now=now):
                return facts.of_subscription(subscriptions.pause(reference, mark, now=now))
            return facts.of_subscription(subscriptions.find(reference, mark))

    def portal(self, customer: str, *, return_to: str) -> str:
        """A page of ours, open for an hour to who has the address."""
        with self.act() as now:
            if not models.Customer.select().where(models.Customer.id == customer).exists():
                raise NotFound("Nobody of that reference paid here.")
            visit = models.Visit.create(
                id=models.new("visit"), changed_at=now, customer=customer, return_to=return_to
            )
            return tills.address(f"/cards/{visit.id}", beside=return_to)

    def refund(self, request: RefundRequest) -> RefundFact:
        """At once."""
        with self.act() as now:
            return facts.of_refund(money.refund(request, now=now))

    def onboard(self, payee: str, *, account: str, email: str, return_to: str) -> Onboarding:
        """A page of ours, where one of the demo's banks is chosen."""
        with self.act() as now:
            row = money.account_of(payee, account=account, email=email, return_to=return_to, now=now)
            return Onboarding(row.id, tills.address(f"/accounts/{row.id}", beside=return_to))

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        """It arrives a day later."""
        with self.act() as now:
            return facts.of_payout(money.pay_out(request, now=now))

    def read_event(self, delivery: Delivery, *, now: datetime) -> Notice:
        """By the secret in the till's own file."""
        return telling.read(delivery, now=now)

    def facts_of(self, body: bytes) -> Sequence[Fact]:
        """How all that the event is about stands now."""
        about = own_events.about(body)
        with models.act():
            return [fact for reference in about for fact in facts.of(reference)]

    def changed_since(self, since: datetime) -> Iterator[Fact]:
        """All at once, since who goes through them may do so in another thread."""
        with self.act():
            return iter(facts.since(since))

    def balances(self) -> Sequence[Balance]:
        """What it would hold if it held anything."""
        with self.act():
            return money.balances()

    def _first_time(self, key: str, *asked: object, now: datetime) -> bool:
        wanted = tills.digest(*asked)
        done = models.Act.get_or_none(models.Act.id == tills.digest(key)[:40])
        if done is None:
            models.Act.create(id=tills.digest(key)[:40], changed_at=now, digest=wanted)
            return True
        if done.digest != wanted:
            raise Conflict("This was asked for before, and otherwise.")
        return False
