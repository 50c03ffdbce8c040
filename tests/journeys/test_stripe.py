"""Paying through Stripe in a browser: away from our pages to another server's till, and back; what happened is told by webhooks alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers import stripe
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.stripe import FakeStripe

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PASSWORD = "harbour lights at low tide"
GOOD, DECLINED = "4242424242424242", "4000000000000002"
PATIENCE_S = 60


def until(shown: Page, true: Callable[[], bool], what: str) -> None:
    """Load the page again until it says what is wanted."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{what}: {shown.locator('#main').inner_text()}"
        time.sleep(0.5)
        shown.reload()


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    with stripe.serving() as running:
        yield running


@pytest.fixture
def node(fake: FakeStripe, tmp_path: Path) -> Iterator[Node]:
    """A node that takes money by Stripe, with an artist."""
    port = free_port()
    secret = fake.listen(f"http://127.0.0.1:{port}/webhooks/stripe")
    given = {**fake.settings, "webhook_secret": secret}
    named = {f"MUSICCONNECT_PLUGIN_STRIPE_PAYMENTS__{name.upper()}": value for name, value in given.items()}
    made = Node(tmp_path / "data", port=port, MUSICCONNECT_REQUIRE_SECOND_FACTOR="false", **named)
    made.data.mkdir()
    made.run("migrate")
    made.token = made.sign_up()
    with made:
        made.post("/api/v1/artists", {"name": "Night Ferry"})
        yield made


def pay(shown: Page, card: str = GOOD) -> None:
    shown.get_by_label("Card number").fill(card)
    shown.get_by_role("button", name="Pay", exact=True).click()


def test_a_guest_pays_on_another_servers_page_and_comes_back(
    node: Node, fake: FakeStripe, browser: Browser
) -> None:
    with page(browser) as shown:
        shown.goto(f"{node.url}/@night-ferry")
        shown.get_by_role("link", name="Give Night Ferry something").click()
        shown.get_by_label("E-mail address").fill("guest@buyer.example")
        shown.locator("#main input[inputmode=decimal]").first.fill("20")
        shown.get_by_role("button", name="Reckon the total").click()
        shown.get_by_role("button", name="Pay €20").click()
        shown.wait_for_url(lambda address: address.startswith(fake.url))
        pay(shown)
        shown.wait_for_url(re.compile(f"^{node.url}/orders/"))
        until(shown, lambda: "Paid" in shown.locator("#main").inner_text(), "the gift is not paid")


def test_a_fan_becomes_a_member_is_charged_what_was_shown_and_cancels(
    node: Node, fake: FakeStripe, browser: Browser
) -> None:
    given = f"{PASSWORD}\n"
    node.run("user", "create", "--email", "fan@example.org", "--password-stdin", given=given)
    with page(browser) as shown:
        shown.goto(f"{node.url}/sign-in")
        shown.locator("#main input[name=email]").fill("fan@example.org")
        shown.locator("#main input[name=password]").fill(PASSWORD)
        shown.get_by_role("button", name="Sign in", exact=True).click()
        shown.wait_for_url(lambda address: "/sign-in" not in address)
        shown.goto(f"{node.url}/@night-ferry")
        shown.get_by_role("link", name=re.compile("^Join")).first.click()
        shown.get_by_role("button", name="Go on to pay").click()
        shown.wait_for_url(lambda address: address.startswith(fake.url))
        pay(shown, DECLINED)
        expect(shown.get_by_label("Card number")).to_be_visible()
        pay(shown)
        shown.wait_for_url(re.compile(f"^{node.url}/memberships/"))
        until(shown, lambda: "waiting" not in shown.url, "the membership does not begin")
        mine = shown.url
        shown.get_by_role("link", name="Change the tier").click()
        shown.get_by_role("button", name="See what it costs").click()
        shown.get_by_role("button", name=re.compile("^Agree and pay €5")).click()
        expect(shown.get_by_role("heading", name="Superfan of Night Ferry")).to_be_visible()
        shown.goto(mine)
        shown.get_by_text("Card and invoices").click()
        shown.wait_for_url(lambda address: address.startswith(fake.url))
        shown.goto(mine)
        shown.get_by_role("link", name="Cancel the membership").click()
        shown.get_by_role("button", name="Cancel the membership").click()
        expect(shown.locator("#main")).to_contain_text("You stay a member until")
