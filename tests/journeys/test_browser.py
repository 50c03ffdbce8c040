"""What people do in a browser: a listener hears every rung of the demo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
# The machine that runs the tests may be busy with another worker's.
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def node(demo_node: Node) -> Node:
    return demo_node


@pytest.fixture(scope="module")
def demo(demo_releases: list[dict]) -> tuple[dict, dict]:
    """A public release whose artist the fan is a superfan of, and its longest track."""
    found = [
        (track["duration_ms"], release, track)
        for release in demo_releases
        for track in release["tracks"]
        if release["artist"]["slug"] == "lumen-vale" and len(release["tracks"]) > 1
    ]
    _, release, track = max(found, key=lambda row: row[0])
    return release, track


def audio_time(shown: Page) -> float:
    return float(shown.evaluate("document.getElementById('audio').currentTime"))


def paused(shown: Page) -> bool:
    return bool(shown.evaluate("document.getElementById('audio').paused"))


def assert_it_plays_on(shown: Page, *, seconds: float = 1.0) -> None:
    """The position moves forward."""
    before = audio_time(shown)
    until(lambda: audio_time(shown) >= before + seconds, f"no sound after {before} s")
    assert not paused(shown)


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.get_by_label("E-mail").fill(email)
    shown.get_by_label("Password", exact=True).fill("password123")
    shown.get_by_role("button", name="Sign in").click()
    # Who goes on before the answer is there is not signed in.
    shown.wait_for_url(lambda url: "sign-in" not in url)


def test_a_superfan_hears_every_rung_of_a_demo_release(
    node: Node, browser: Browser, demo: tuple[dict, dict]
) -> None:
    release, track = demo
    assert track["qualities"] == ["low", "medium"], "what is free"
    with page(browser) as shown:
        sign_in(shown, node, "fan@demo.com")
        shown.goto(release["url"])
        qualities = shown.request.get(f"{node.url}/api/v1/tracks/{track['id']}").json()["qualities"]
        assert qualities[:4] == ["low", "medium", "high", "lossless"]
        assert "demo" in shown.content().lower()
        shown.locator(f"[data-track*='{track['id']}'] [data-play]").click()
        assert_it_plays_on(shown)
        for quality in qualities:
            # From the start: a choice is heard from the next segment on, and must not come too late for this track.
            shown.evaluate("document.getElementById('audio').currentTime = 1")
            shown.evaluate(f"document.querySelector(\"#qualities input[value='{quality}']\").click()")
            playing = shown.locator("#playing-now [data-quality]")
            expect(playing).to_contain_text(quality.capitalize())
            assert_it_plays_on(shown)


def test_next_seek_volume_and_keyboard_work(browser: Browser, demo: tuple[dict, dict]) -> None:
    release, _ = demo
    with page(browser, viewport=PHONE, has_touch=True) as shown:
        shown.goto(release["url"])
        shown.locator("[data-play-all]").click()
        assert_it_plays_on(shown)
        first = shown.locator("#now-title").inner_text()
        shown.locator("#next").click()
        expect(shown.locator("#now-title")).not_to_have_text(first)
        assert_it_plays_on(shown)
        begin = audio_time(shown)
        shown.locator("#expand").tap()
        expect(shown.locator("#seek")).to_be_visible()
        wave = shown.locator("#seek").bounding_box()
        assert wave is not None
        shown.mouse.click(wave["x"] + wave["width"] / 2, wave["y"] + wave["height"] / 2)
        length = float(shown.locator("#seek").get_attribute("aria-valuemax") or 0)
        # The audio element plays one track behind the other, so its clock does not begin anew.
        until(lambda: audio_time(shown) > begin, "a click does not seek")
        half = float(shown.locator("#seek").get_attribute("aria-valuenow") or 0)
        assert half == pytest.approx(length / 2, abs=0.1 * length + 2)
        assert_it_plays_on(shown)
        shown.keyboard.press("Space")
        until(lambda: paused(shown), "the space bar does not pause")
