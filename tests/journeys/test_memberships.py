"""A fan pays for a membership in a browser: joins, changes with the figure shown, fails to pay, mends it, cancels."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("browser")]
PASSWORD = "harbour lights at low tide"
PATIENCE_MS = 60_000


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("#main input[name=email]").fill(email)
    shown.locator("#main input[name=password]").fill(PASSWORD)
    shown.locator("#main form button:not([type=button])").last.click()
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def to_the_till(shown: Page, node: Node, slug: str, tier: str = "Supporter") -> None:
    """From the page of the artist to the till."""
    shown.goto(f"{node.url}/@{slug}")
    shown.locator(".tier", has=shown.get_by_role("heading", name=tier)).get_by_role(
        "link", name="Join", exact=True
    ).click()
    shown.get_by_role("button", name="Go on to pay").click()
    shown.get_by_role("button", name="Pay", exact=True).wait_for(timeout=PATIENCE_MS)


def pay(shown: Page, card: str = "A card that works") -> str:
    """Pay there, and wait for the membership; where its page is."""
    shown.get_by_label(card, exact=True).check()
    shown.get_by_role("button", name="Pay", exact=True).click()
    expect(shown.get_by_role("heading", name="What is next")).to_be_visible(timeout=PATIENCE_MS)
    shown.wait_for_url(re.compile(r"/memberships/\w+$"))
    return urlsplit(shown.url).path


def change_card(shown: Page, node: Node, membership: str, card: str) -> None:
    shown.goto(node.url + membership)
    shown.get_by_role("link", name=re.compile("Card and invoices|Mend the payment")).click()
    shown.get_by_label(card, exact=True).check(timeout=PATIENCE_MS)
    shown.locator("#main form button:not([type=button])").first.click()
    expect(shown.get_by_text("Your card is changed.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_fan_joins_upgrades_fails_to_pay_mends_it_and_cancels(
    demo_node: Node, browser: Browser, scripts: bool
) -> None:
    # A person of this journey's own: the fan of the demo joins artists in others.
    email = "scripted@demo.com" if scripts else "plain@demo.com"
    demo_node.run("user", "create", "--email", email, "--password-stdin", given=f"{PASSWORD}\n")
    with page(browser, viewport=PHONE, java_script_enabled=scripts) as shown:
        sign_in(shown, demo_node, email)
        to_the_till(shown, demo_node, "the-night-ferry")
        membership = pay(shown)
        expect(shown.get_by_text("active")).to_be_visible()
        shown.get_by_role("link", name="Change the tier").click()
        shown.locator("label.option", has_text="Superfan").first.click()
        shown.get_by_role("button", name="See what it costs").click()
        agree = shown.get_by_role("button", name=re.compile("Agree and pay"))
        figure = agree.inner_text().removeprefix("Agree and pay ")
        agree.click()
        expect(shown.get_by_text("You are in Superfan now.")).to_be_visible(timeout=PATIENCE_MS)
        change_card(shown, demo_node, membership, "A card that works once and is declined later")
        assert figure in shown.locator("#main").inner_text(), "what was shown is what was charged"
        shown.goto(f"{demo_node.url}/plugins/demo_payments/")
        shown.get_by_role("button", name="Run ahead").click()
        until(shown, demo_node, membership, "did not arrive")
        change_card(shown, demo_node, membership, "A card that works")
        until(shown, demo_node, membership, "active")
        shown.get_by_role("link", name="Cancel the membership").click()
        shown.get_by_role("button", name="Cancel the membership").click()
        expect(shown.get_by_text("Your membership is cancelled.")).to_be_visible(timeout=PATIENCE_MS)
        shown.get_by_role("link", name="Go on with it").click()
        shown.get_by_role("button", name="Go on with it").click()
        expect(shown.get_by_text("Your membership goes on.")).to_be_visible(timeout=PATIENCE_MS)
        shown.goto(f"{demo_node.url}{membership}/cancel")
        shown.locator("[name=when][value=now]").check()
        shown.get_by_role("button", name="Cancel the membership").click()
        expect(shown.get_by_text("Your membership is over.")).to_be_visible(timeout=PATIENCE_MS)


def until(shown: Page, node: Node, address: str, text: str) -> None:
    """Look at the page again until it says *text*: what the provider told is worked on beside."""
    for _ in range(60):
        shown.goto(node.url + address)
        if text in shown.locator("#main").inner_text():
            return
        shown.wait_for_timeout(1000)
    raise AssertionError(f"{address} never said {text!r}: {shown.locator('#main').inner_text()}")
