"""The whole app without a pointer, and on a slow line."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import Route
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
expect.set_options(timeout=PATIENCE_S * 1000)
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
MOST_STOPS = 120
FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const whole = at.closest("label, .track, theme-choice") ?? at;
  const ring = (one) => { const s = getComputedStyle(one); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0; };
  const seen = ring(at) || ring(whole) || (at.labels && [...at.labels].some(ring)) || (at.nextElementSibling && ring(at.nextElementSibling));
  return {tag: at.tagName, name: at.ariaLabel || at.textContent.trim().slice(0, 60) || at.name || at.id, seen: Boolean(seen),
    size: [box.width, box.height], style: style.outlineStyle};
}"""


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("main input[name=email]").fill(email)
    shown.locator("main input[name=password]").fill("password123")
    shown.keyboard.press("Enter")
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def tab_to(shown: Page, selector: str) -> None:
    """Go on by the tabulator until this is focused."""
    for _ in range(MOST_STOPS):
        shown.keyboard.press("Tab")
        if shown.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by the tabulator")


def test_each_stop_is_seen_and_none_is_a_trap(
    demo_node: Node, browser: Browser, demo_releases: list[dict]
) -> None:
    for address in ("/", demo_releases[0]["url"].removeprefix(demo_node.url), "/library", "/account"):
        with page(browser) as shown:
            sign_in(shown, demo_node, "fan@demo.com")
            shown.goto(demo_node.url + address)
            shown.keyboard.press("Tab")
            assert shown.evaluate("document.activeElement.className") == "skip", address
            hidden = []
            for _ in range(MOST_STOPS * 2):
                shown.keyboard.press("Tab")
                at = shown.evaluate(FOCUSED)
                if at["tag"] == "BODY":
                    break
                hidden += [] if at["seen"] else [at]
            else:
                raise AssertionError(f"the tabulator never leaves {address}")
            assert not hidden, (address, hidden)


def test_from_the_skip_link_to_the_search_and_a_track_that_plays(
    demo_node: Node, browser: Browser, demo_releases: list[dict]
) -> None:
    title = demo_releases[0]["title"]
    with page(browser) as shown:
        sign_in(shown, demo_node, "fan@demo.com")
        shown.goto(demo_node.url)
        shown.keyboard.press("Tab")
        shown.keyboard.press("Enter")
        expect(shown.locator("#main")).to_be_focused()
        shown.reload()
        tab_to(shown, ".site-search input")
        shown.keyboard.type(title)
        expect(shown.locator(".suggestion").first).to_be_visible()
        shown.keyboard.press("ArrowDown")
        expect(shown.locator(".suggestion[aria-selected=true]")).to_have_count(1)
        shown.keyboard.press("Enter")
        expect(shown.get_by_role("heading", name=title, level=1)).to_be_visible()
        tab_to(shown, ".track-play")
        shown.keyboard.press("Enter")
        expect(shown.locator("body.playing")).to_have_count(1)
        expect(shown.locator(".track").first).to_have_attribute("aria-current", "true")
        # Menus and dialogs give the focus back to what opened them.
        tab_to(shown, ".track-end [popovertarget]")
        opener = shown.evaluate("document.activeElement.getAttribute('popovertarget')")
        shown.keyboard.press("Enter")
        expect(shown.locator(f"#{opener}")).to_be_visible()
        shown.keyboard.press("Tab")
        assert shown.evaluate("document.activeElement.closest('.menu-list') !== null")
        shown.keyboard.press("Escape")
        expect(shown.locator(f"#{opener}")).to_be_hidden()
        assert shown.evaluate("document.activeElement.getAttribute('popovertarget')") == opener
        share = shown.locator("[data-open]").first
        share.focus()
        shown.keyboard.press("Enter")
        expect(shown.locator("dialog[open]").first).to_be_visible()
        shown.keyboard.press("Escape")
        expect(shown.locator("dialog[open]")).to_have_count(0)
        expect(share).to_be_focused()
        shown.keyboard.press("?")
        expect(shown.locator("dialog[open]").first).to_be_visible()
        shown.keyboard.press("Escape")


def test_a_slow_line_reads_plays_and_tells_how_far_an_upload_is(
    demo_node: Node, browser: Browser, demo_releases: list[dict], tmp_path: Path
) -> None:
    with page(browser, viewport=PHONE) as shown:
        sign_in(shown, demo_node, "artist@demo.com")
        session = shown.context.new_cdp_session(shown)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW)
        shown.goto(demo_releases[0]["url"], wait_until="commit")
        expect(shown.get_by_role("heading", level=1)).to_be_visible(timeout=5_000)
        shown.locator("[data-play-all]").click()
        expect(shown.locator("body.playing")).to_have_count(1)
        session.send(
            "Network.emulateNetworkConditions", {**SLOW, "downloadThroughput": -1, "uploadThroughput": -1}
        )
        shown.goto(f"{demo_node.url}/studio")
        shown.locator("details.maker summary").first.click()
        shown.locator("details.maker").first.get_by_label("Title").fill("Uphill")
        shown.get_by_role("button", name="Make the release").click()
        expect(shown.get_by_role("heading", name="Uphill", level=1)).to_be_visible()
        session.send("Network.emulateNetworkConditions", SLOW)
        file = tmp_path / "uphill.wav"
        file.write_bytes(tone(3.0, format="wav"))
        shown.set_input_files("#file", file)
        expect(shown.locator("upload-list progress, upload-list [role=progressbar]").first).to_be_visible()
        session.send(
            "Network.emulateNetworkConditions",
            {**SLOW, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        expect(shown.locator(".master")).to_have_count(1)


def test_who_types_a_password_before_the_scripts_are_there_goes_on_typing(
    demo_node: Node, browser: Browser
) -> None:
    with page(browser) as shown:
        held: list[Route] = []
        shown.route("**/elements/password-field.js", lambda route: held.append(route))
        shown.goto(f"{demo_node.url}/sign-in", wait_until="commit")
        shown.locator("main input[name=email]").fill("fan@demo.com")
        field = shown.locator("main input[name=password]")
        field.press_sequentially("pass")
        while not held:
            shown.wait_for_timeout(20)
        held[0].continue_()
        expect(shown.get_by_role("button", name="Show the password")).to_be_visible()
        shown.keyboard.type("word123")
        expect(field).to_have_value("password123")
        shown.keyboard.press("Enter")
        expect(shown.get_by_role("heading", name="Sign in")).to_be_hidden()
