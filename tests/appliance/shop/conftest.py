"""An artist with two releases that are out, a till, and shortcuts for who buys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance import processors
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.ledger import payments
from appliance.payments import DisputeFact
from appliance.payments import Fact
from appliance.payments import PaymentFact
from appliance.payments import RefundFact
from appliance.shop import orders
from appliance.shop import prices
from appliance.shop import settling
from appliance.shop import till as tills
from appliance.shop.models import Order
from appliance.shop.orders import Buyer
from appliance.shop.quotes import Wish
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user
from tests.shop_till import Till


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def till(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> Till:
    till = Till()
    monkeypatch.setattr(processors, "every", lambda: (till,))
    return till


@pytest.fixture
def artist(till: Till) -> Artist:
    return make_artist()


@pytest.fixture
def fan(artist: Artist) -> User:
    return make_user("fan@example.com")


def publish(release: Release) -> Release:
    Release.update(state=ReleaseState.PUBLISHED, published_at=NOW).where(Release.id == release.id).execute()
    return releases.find(release.id)


@pytest.fixture
def make_out(artist: Artist) -> Callable[..., Release]:
    """A release that is out and costs so much."""

    def make(price_minor: int = 700, title: str = "Harbour Lights", *, pay_more: bool = True) -> Release:
        release = make_release(artist, title=title)
        add_track(release)
        prices.set_release(release, price_minor, pay_more=pay_more, actor=artist.owner, now=NOW)
        return publish(release)

    return make


@pytest.fixture
def release(make_out: Callable[..., Release]) -> Release:
    return make_out()


def buy(wish: Wish, user: User | None = None, *, email: str = "", browser: str = "b") -> Order:
    """The order for *wish*, with its till opened where there is something to pay."""
    order = orders.begin(wish, Buyer(email, user, browser=browser), provider="till", now=NOW)
    if order.total_minor:
        tills.lead(order, return_to="https://here.example/", cancel_to="https://here.example/", now=NOW)
    return orders.find(order.id)


def tell(mark: str, *facts: Fact) -> Order:
    """What billing does with facts: note them, then settle what they are about."""
    for fact in facts:
        match fact:
            case PaymentFact():
                sale = settling.sale_of(fact.mark, fact)
                assert sale is not None
                payments.note(fact, sale, provider="till", now=NOW)
            case RefundFact():
                payments.note_refund(fact, provider="till", now=NOW)
            case DisputeFact():
                payments.note_dispute(fact, provider="till", now=NOW)
        settling.settle(mark, now=NOW)
    return orders.find(mark)
