"""A bundle: put together by an artist, found beside a release, bought by a fan who has a part of it already."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.journeys.test_shop import is_sound
from tests.journeys.test_shop import pay_with
from tests.journeys.test_shop import release_of
from tests.journeys.test_shop import sign_in
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
FAN = "fan-of-bundles@example.org"
PASSWORD = "harbour lights at low tide"


def test_an_artist_puts_a_bundle_together_and_a_fan_who_has_a_part_buys_it(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    release = release_of(demo_releases, "Harbour Bells")
    slug = release["artist"]["slug"]
    demo_node.run("user", "create", "--email", FAN, "--password-stdin", given=f"{PASSWORD}\n")
    with page(browser, expected="422", java_script_enabled=False, viewport=PHONE) as shown:
        sign_in(shown, demo_node, "artist@demo.com")
        shown.goto(f"{demo_node.url}/studio/artists/{slug}/bundles")
        shown.get_by_role("link", name="Put a bundle together").click()
        is_filled = shown.get_by_role("group", name="What is in it").get_by_role("checkbox")
        shown.get_by_label("Title").fill("Both sides of the river")
        shown.get_by_label("Price in EUR").fill("6.50")
        shown.get_by_role("button", name="Save").click()
        expect(shown.get_by_text("Choose 2 to 20 releases.")).to_be_visible()
        for box in is_filled.all():
            box.check()
        shown.get_by_label("Which stands first").select_option(value=release["id"])
        shown.get_by_role("button", name="Save").click()
        expect(shown.get_by_text("The bundle is for sale.")).to_be_visible()
    with page(browser, viewport=DESKTOP) as shown:
        sign_in(shown, demo_node, "artist@demo.com")
        for path in ("bundles", "bundles/new"):
            shown.goto(f"{demo_node.url}/studio/artists/{slug}/{path}")
            is_sound(shown)
    with page(browser, viewport=DESKTOP) as shown:
        sign_in(shown, demo_node, FAN, PASSWORD)
        shown.goto(release["url"])
        shown.get_by_role("link", name="Buy it").click()
        shown.get_by_role("button", name="Pay €3").click()
        pay_with(shown, "A card that works")
        expect(shown.get_by_role("heading", name="Your music")).to_be_visible(timeout=30_000)
        shown.goto(release["url"])
        is_sound(shown)
        shown.get_by_role("link", name="Both sides of the river").click()
        expect(shown.get_by_text(f"You have of it already: {release['title']}")).to_be_visible()
        is_sound(shown)
        shown.get_by_role("link", name="Buy it").click()
        expect(shown.get_by_text("The price stays the same.")).to_be_visible()
        is_sound(shown)
        shown.get_by_role("button", name="Pay €6.50").click()
        pay_with(shown, "A card that works")
        expect(shown.get_by_role("heading", name="Your music")).to_be_visible(timeout=30_000)
        expect(shown.locator(".people").get_by_role("button", name="Download")).not_to_have_count(1)
        shown.goto(f"{demo_node.url}/@{slug}")
        is_sound(shown)
        shown.get_by_role("link", name=re.compile("Both sides of the river")).last.click()
        expect(shown.get_by_role("link", name="You have bought this.")).to_be_visible()
