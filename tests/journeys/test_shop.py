"""Buying music: a fan with an account, and somebody without one who opens it later; by the demo's cards, by which no money moves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers import markup
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PASSWORD = "harbour lights at low tide"
ADDRESS = "guest@example.org"


def sign_in(shown: Page, node: Node, email: str, password: str = "password123") -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("main input[name=email]").fill(email)
    shown.locator("main input[name=password]").fill(password)
    shown.locator("main input[name=password]").press("Enter")
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def release_of(releases: list[dict], title: str) -> dict:
    return next(release for release in releases if release["title"] == title)


def pay_with(shown: Page, card: str) -> None:
    shown.get_by_text(card, exact=True).click()
    shown.get_by_role("button", name="Pay", exact=True).click()


def is_sound(shown: Page) -> None:
    """The page is valid, open to everybody, and fits a small phone."""
    shown.wait_for_function("() => !document.documentElement.hasAttribute('aria-busy')")
    assert not markup.violations(shown)
    assert not markup.faults({"page": shown.request.get(shown.url).text()})
    before = shown.viewport_size
    shown.set_viewport_size({"width": 320, "height": 640})
    wide = shown.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{shown.url} is {wide} px too wide"
    assert before is not None
    shown.set_viewport_size(before)


def test_a_fan_buys_a_release_for_more_than_it_costs_and_downloads_it(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    release = release_of(demo_releases, "Last Train, First Light")
    with page(browser, expected="status of 4", viewport=DESKTOP) as shown:
        sign_in(shown, demo_node, "fan@demo.com")
        shown.goto(release["url"])
        is_sound(shown)
        shown.get_by_role("link", name="Buy it").click()
        expect(shown.get_by_label("Your price in EUR")).to_be_visible()
        is_sound(shown)
        shown.get_by_label("Your price in EUR").fill("12")
        shown.get_by_role("button", name="Pay €7").click()
        expect(shown.get_by_text("The total has changed.")).to_be_visible()
        shown.get_by_role("button", name="Pay €12").click()
        expect(shown.get_by_text("This is a demo: no money moves.")).to_be_visible()
        pay_with(shown, "A card that is declined")
        expect(shown.get_by_role("alert").first).to_be_visible()
        pay_with(shown, "A card that works")
        expect(shown.get_by_role("heading", name="Your order", level=1)).to_be_visible()
        expect(shown.get_by_role("heading", name="Your music")).to_be_visible(timeout=30_000)
        is_sound(shown)
        shown.locator(".people").get_by_role("button", name="Download").click()
        expect(shown.locator("form.download-menu").first).to_be_visible()
        address = shown.get_by_role("link", name=re.compile(r"^Receipt .+ \(PDF\)$")).get_attribute("href")
        receipt = shown.request.get(demo_node.url + str(address))
        assert receipt.body().startswith(b"%PDF-")
        shown.goto(f"{demo_node.url}/account/purchases")
        expect(shown.get_by_role("link", name=release["title"])).to_be_visible()
        is_sound(shown)
        shown.goto(release["url"])
        expect(shown.get_by_role("link", name="You have bought this.")).to_be_visible()


def test_somebody_buys_without_an_account_and_without_scripts_and_has_it_once_there_is_one(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    release = release_of(demo_releases, "Tidewater Letters")
    with page(browser, java_script_enabled=False, viewport=PHONE) as shown:
        shown.goto(release["url"])
        shown.get_by_role("link", name="Buy it").click()
        shown.get_by_label("E-mail address").fill(ADDRESS)
        shown.get_by_label("Something on top, in EUR").fill("1.50")
        shown.get_by_label("A few words with it").fill("For the van")
        shown.get_by_role("button", name="Reckon the total").click()
        shown.get_by_role("button", name="Pay €6.50").click()
        expect(shown.get_by_text("This is a demo: no money moves.")).to_be_visible()
        pay_with(shown, "A card that works")
        # The page looks again by itself.
        expect(shown.get_by_text(f"Open an account with the address {ADDRESS}")).to_be_visible(timeout=30_000)
        order = shown.url
    with page(browser, viewport=PHONE, expected="404") as shown:
        shown.goto(order)
        expect(shown.get_by_role("heading", name=re.compile("not here|nothing", re.I)).first).to_be_visible()
        shown.goto(demo_node.link_to(ADDRESS))
        expect(shown.get_by_role("heading", name="Your order", level=1)).to_be_visible()
        assert "key=" not in shown.url
        shown.get_by_role("link", name="Open an account").click()
        shown.locator("main input[name=email]").fill(ADDRESS)
        shown.locator("main input[name=password]").fill(PASSWORD)
        shown.locator("main input[name=password_confirm]").fill(PASSWORD)
        shown.locator("main form button:not([type=button])").last.click()
        expect(shown.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        shown.goto(demo_node.link_to(ADDRESS))
        expect(shown.get_by_text("your address is confirmed")).to_be_visible()
        sign_in(shown, demo_node, ADDRESS, PASSWORD)
        shown.goto(f"{demo_node.url}/account/purchases")
        shown.get_by_role("link", name=release["title"]).click()
        expect(shown.locator(".people").get_by_role("button", name="Download")).to_be_visible()


def test_an_artist_gives_codes_out_and_somebody_redeems_one(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    release = release_of(demo_releases, "Harbour Bells")
    base = f"{demo_node.url}/studio/artists/{release['artist']['slug']}"
    with page(browser, viewport=DESKTOP) as shown:
        sign_in(shown, demo_node, "artist@demo.com")
        shown.goto(f"{demo_node.url}/@{release['artist']['slug']}")
        expect(shown.get_by_role("heading", name="Everything at once")).to_be_visible()
        is_sound(shown)
        for path in ("prices", f"prices/{release['id']}", "orders", "discounts", "codes"):
            shown.goto(f"{base}/{path}")
            is_sound(shown)
        shown.get_by_label("Release").select_option(label=release["title"])
        shown.get_by_label("How many").fill("1")
        shown.get_by_role("button", name="Make the codes").click()
        expect(shown.get_by_text("0 of 1 redeemed")).to_be_visible()
        is_sound(shown)
        address = shown.get_by_role("link", name="The codes (CSV)").get_attribute("href")
        code = shown.request.get(demo_node.url + str(address)).text().splitlines()[1].split(",")[0]
    with page(browser, viewport=PHONE, expected="422") as shown:
        sign_in(shown, demo_node, "fan@demo.com")
        shown.goto(f"{demo_node.url}/redeem")
        is_sound(shown)
        for typed, answer in (("ABCD-EFGH-JKLM", "There is no such code."), (code, "It is yours.")):
            shown.get_by_label("Code").fill(typed)
            shown.get_by_role("button", name="Redeem").click()
            expect(shown.get_by_text(answer)).to_be_visible()
        expect(shown.get_by_role("heading", name="Your order", level=1)).to_be_visible()
