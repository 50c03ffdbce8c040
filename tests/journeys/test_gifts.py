"""A membership as a gift: paid by somebody without an account, brought by a letter, and had by somebody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import expect

from tests.journeys.test_shop import is_sound
from tests.journeys.test_shop import pay_with
from tests.journeys.test_shop import sign_in
from tests.servers.chromium import DESKTOP
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
GIVER, FRIEND = "giver@example.org", "friend-of-giver@example.org"


def test_somebody_gives_a_membership_and_a_friend_takes_it(
    demo_node: Node, demo_releases: list[dict], browser: Browser
) -> None:
    slug = next(one for one in demo_releases if one["title"] == "Harbour Bells")["artist"]["slug"]
    demo_node.run(
        "user", "create", "--email", FRIEND, "--password-stdin", given="harbour lights at low tide\n"
    )
    with page(browser, java_script_enabled=False, viewport=PHONE) as shown:
        shown.goto(f"{demo_node.url}/@{slug}")
        shown.get_by_role("link", name="Give it as a gift: Superfan").click()
        shown.get_by_label("one month").check()
        shown.get_by_label("Your name").fill("Ann")
        shown.get_by_label("A few words with it").fill("Happy birthday!\nYours")
        shown.get_by_label("E-mail address of whom it is for").fill(FRIEND)
        shown.get_by_label("Your e-mail address").fill(GIVER)
        shown.get_by_role("button", name="Go on to pay").click()
        expect(shown.get_by_text("This is a demo: no money moves.")).to_be_visible()
        pay_with(shown, "A card that works")
        # The page looks again by itself.
        expect(shown.get_by_text(f"Sent to {FRIEND}")).to_be_visible(timeout=30_000)
    with page(browser, viewport=DESKTOP) as shown:
        shown.goto(demo_node.link_to(GIVER))
        expect(shown.get_by_text(f"Sent to {FRIEND}")).to_be_visible()
        is_sound(shown)
        shown.get_by_role("link", name="Print it").click()
        expect(shown.get_by_text("A gift from Ann")).to_be_visible()
        is_sound(shown)
        order = shown.url.removesuffix("/gift")
        shown.goto(f"{demo_node.url}/@{slug}")
        shown.get_by_role("link", name="Give it as a gift").first.click()
        is_sound(shown)

        with page(browser, viewport=PHONE) as theirs:
            theirs.goto(demo_node.link_to(FRIEND))
            theirs.get_by_role("button", name="Redeem").click()
            expect(theirs.get_by_role("heading", name="A gift from Ann")).to_be_visible()
            theirs.get_by_role("main").get_by_role("link", name="Sign in").click()
            theirs.locator("main input[name=email]").fill(FRIEND)
            theirs.locator("main input[name=password]").fill("harbour lights at low tide")
            theirs.locator("main input[name=password]").press("Enter")
            expect(theirs.get_by_label("Code")).not_to_have_value("")
            theirs.get_by_role("button", name="Redeem").click()
            expect(theirs.get_by_text("It begins at once")).to_be_visible()
            assert theirs.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            theirs.get_by_role("button", name="Take the gift").click()
            expect(theirs.get_by_text("You are a member of").first).to_be_visible()
            expect(theirs.get_by_text("Your tier")).to_be_visible()

        shown.goto(order)
        expect(shown.get_by_text("It was redeemed on")).to_be_visible()


def test_the_page_of_a_code_says_what_is_given_before_it_begins(demo_node: Node, browser: Browser) -> None:
    with page(browser, viewport=PHONE, expected="422") as shown:
        sign_in(shown, demo_node, "fan@demo.com")
        shown.goto(f"{demo_node.url}/redeem?code=ABCD-EFGH-JKLM-NPQR")
        shown.get_by_role("button", name="Redeem").click()
        expect(shown.get_by_text("There is no such code.")).to_be_visible()
        is_sound(shown)
