"""The pages of the bundled tills in a browser: paying, being declined, leaving, confirming by hand; valid, and open to everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from appliance import database
from appliance import hooks
from appliance import processors
from appliance import startup
from appliance.accounts.models import RoleName
from appliance.payments import CheckoutRequest
from appliance.payments import Interval
from appliance.payments import LineItem
from appliance.payments import PaymentFact
from appliance.payments import RefundRequest
from appliance.settings import Settings
from plugins import demo_payments
from plugins import manual_payments
from tests.plugins.provider_contract import LONG_AGO
from tests.servers import markup
from tests.servers import site
from tests.servers.chromium import page
from tests.servers.site import Person

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]

DEMO = {"demo_payments": {"enabled": True}}
BY_HAND = {
    "manual_payments": {
        "enabled": True,
        "iban": "DE89370400440532013000",
        "account_holder": "Harbour Records",
        "cash": "At the bar, on Fridays",
    }
}
Serve = Callable[[dict[str, Any]], Any]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server with the plugins of these settings; what they tell goes nowhere."""
    for plugin in (demo_payments, manual_payments):
        monkeypatch.setattr(plugin.inbox, "receive", lambda *arguments, **named: True)

    @contextmanager
    def start(plugins: dict[str, Any]) -> Iterator[str]:
        settings = Settings(
            data=tmp_path / "data", queue_url="memory://", plugins=plugins, require_second_factor=False
        )
        running = startup.start(settings, immediate=True)
        database.migrate()
        with site.serving(running) as port:
            yield f"http://127.0.0.1:{port}"

    yield start
    startup.stop()
    hooks.load(Settings(), points=())


def buy(url: str, mark: str, *, email: str = "", interval: Interval | None = None) -> str:
    """Where to pay for a record, or for a membership."""
    [provider] = processors.every()
    asked = CheckoutRequest(
        mark,
        mark,
        "EUR",
        [LineItem("Harbour Lights", 1200)],
        f"{url}/search",
        f"{url}/artists",
        interval,
        email=email,
    )
    return provider.begin_checkout(asked).url


def paid() -> list[int]:
    [provider] = processors.every()
    return [fact.amount_minor for fact in provider.changed_since(LONG_AGO) if isinstance(fact, PaymentFact)]


def sign_in(shown: Page, url: str, person: Person) -> None:
    shown.goto(f"{url}/sign-in")
    shown.locator("#main input[name=email]").fill(person.user.email)
    shown.locator("#main input[name=password]").fill(site.PASSWORD)
    shown.locator("#main form button:not([type=button])").last.click()
    if person.user.second_factor_since is not None:
        shown.wait_for_url(lambda address: "/sign-in/second" in address)
        shown.locator("#main input[name=code]").first.fill(site.app_code(person.user))
        shown.locator("#main input[name=code]").first.press("Enter")
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def judge(shown: Page) -> None:
    """Nothing is wrong with this page, nor is it wider than a small phone."""
    assert not markup.violations(shown)
    source = shown.request.get(shown.url).text()
    assert not markup.faults({shown.url: source})
    before = shown.viewport_size
    shown.set_viewport_size({"width": 320, "height": 640})
    assert shown.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert before is not None
    shown.set_viewport_size(before)


def test_somebody_is_declined_and_pays_with_another_card(serve: Serve, browser: Browser) -> None:
    with serve(DEMO) as url, page(browser, expected="422", reduced_motion="reduce") as shown:
        shown.goto(buy(url, "order-1"))
        expect(shown.get_by_text("no money moves")).to_be_visible()
        judge(shown)
        shown.get_by_label("E-mail address for the receipt").fill("fan@example.com")
        shown.get_by_label("A card that is declined").check()
        shown.get_by_role("button", name="Pay", exact=True).click()
        expect(shown.get_by_role("alert")).to_contain_text("declined")
        assert not markup.violations(shown)
        assert paid() == []
        shown.get_by_label("A card that works", exact=True).check()
        shown.get_by_role("button", name="Pay", exact=True).click()
        shown.wait_for_url(f"{url}/search")
        assert paid() == [1200]


def test_somebody_leaves_the_till(serve: Serve, browser: Browser) -> None:
    with serve(DEMO) as url, page(browser) as shown:
        shown.goto(buy(url, "order-1", email="fan@example.com"))
        shown.get_by_role("button", name="Back without paying").click()
        shown.wait_for_url(f"{url}/artists")
        assert paid() == []


def test_a_member_mends_their_card_and_a_payee_chooses_a_bank(serve: Serve, browser: Browser) -> None:
    with serve(DEMO) as url, page(browser, reduced_motion="reduce") as shown:
        [demo] = processors.every()
        shown.goto(buy(url, "membership-1", email="fan@example.com", interval=Interval.MONTH))
        judge(shown)
        shown.get_by_label("A card that works once").check()
        shown.get_by_role("button", name="Pay", exact=True).click()
        shown.wait_for_url(f"{url}/search")
        demo.move(timedelta(days=32))
        assert paid() == [1200]
        customer = demo_payments.provider.models.Customer.get().id
        shown.goto(demo.portal(customer, return_to=f"{url}/search"))
        judge(shown)
        shown.get_by_label("A card that works", exact=True).check()
        shown.get_by_role("button", name="Use this card").click()
        expect(shown.get_by_text("Your card is changed.")).to_be_visible()
        assert paid() == [1200, 1200]
        shown.goto(demo.onboard("artist-1", account="", email="", return_to=f"{url}/artists").url)
        judge(shown)
        shown.get_by_role("button", name="Go on").click()
        shown.wait_for_url(f"{url}/artists")


def test_at_the_desk_of_the_demo_a_payment_is_contested(serve: Serve, browser: Browser) -> None:
    with serve(DEMO) as url, page(browser, reduced_motion="reduce") as shown:
        sign_in(shown, url, site.make_person("fan@example.com"))
        shown.goto(f"{url}/plugins/demo_payments/")
        judge(shown)
        shown.goto(buy(url, "order-1", email="fan@example.com"))
        shown.get_by_role("button", name="Pay", exact=True).click()
        shown.wait_for_url(f"{url}/search")
        shown.goto(f"{url}/plugins/demo_payments/")
        shown.get_by_role("button", name="Contest the payment").click()
        expect(shown.get_by_role("heading", name="Disputes")).to_be_visible()
        judge(shown)
        shown.get_by_role("button", name="Lost").click()
        expect(shown.get_by_role("cell", name="Lost")).to_be_visible()
        shown.get_by_role("button", name="Run ahead").click()
        expect(shown.get_by_text("The till's clock is ahead.")).to_be_visible()


def test_somebody_pays_by_hand_and_an_admin_confirms_it(serve: Serve, browser: Browser) -> None:
    with serve(BY_HAND) as url:
        till = buy(url, "order-1")
        with page(browser, reduced_motion="reduce") as shown:
            shown.goto(till)
            expect(shown.get_by_text("DE89 3704 0044 0532 0130 00")).to_be_visible()
            expect(shown.get_by_role("img", name="Picture for your banking app")).to_be_visible()
            judge(shown)
            shown.get_by_label("E-mail address for the receipt").fill("fan@example.com")
            shown.get_by_role("button", name="I have written it down").click()
            shown.wait_for_url(f"{url}/search")
        with page(browser, reduced_motion="reduce") as shown:
            sign_in(shown, url, site.make_person("admin@example.com", roles=(RoleName.ADMIN,)))
            shown.goto(f"{url}/admin/plugins")
            shown.get_by_role("link", name="The pages of manual_payments").click()
            expect(shown.get_by_role("heading", name="Payments by hand")).to_be_visible()
            judge(shown)
            shown.get_by_label("How much arrived").fill("5")
            shown.get_by_role("button", name="Confirm the payment").click()
            expect(shown.get_by_text("The rest is waited for.")).to_be_visible()
            assert paid() == []
            shown.get_by_role("button", name="Confirm the payment").click()
            expect(shown.get_by_text("It is paid.")).to_be_visible()
            assert paid() == [1200]
            [provider] = processors.every()
            reference = till.rpartition("/")[2]
            provider.refund(RefundRequest(reference, "order-1", 300, "EUR", key="refund-1"))
            shown.reload()
            judge(shown)
            shown.get_by_role("button", name=re.compile("^Sent:")).click()
            expect(shown.get_by_text("Noted.")).to_be_visible()
            shown.goto(till)
            expect(shown.get_by_text("Thank you, it has arrived.")).to_be_visible()
            judge(shown)
            customer = manual_payments.provider.models.Demand.get().customer
            shown.goto(provider.portal(customer, return_to=f"{url}/search"))
            judge(shown)
