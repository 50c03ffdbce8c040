"""What people do in a browser: a listener hears every rung of the demo, an artist makes a release."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import chromium
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone
from transcoder import synthesis

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
# The machine that runs the tests may be busy with another worker's.
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with the demo collective, as ``make run`` starts it."""
    made = Node(tmp_path_factory.mktemp("demo") / "data")
    made.data.mkdir()
    made.run("demo")
    with made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def demo(node: Node) -> tuple[dict, dict]:
    """When the whole demo is ready: a public release, and its longest track that has every rung."""
    songs = len(synthesis.SONGS)
    deadline = time.monotonic() + 240
    while True:
        releases = [
            node.get(f"/api/v1/releases/{item['id']}") for item in node.get("/api/v1/releases")["items"]
        ]
        if sum(len(release["tracks"]) for release in releases) == songs:
            break
        assert time.monotonic() < deadline, node.log()[-3000:]
        time.sleep(0.5)
    found = [
        (track["duration_ms"], release, track)
        for release in releases
        for track in release["tracks"]
        if "master" in track["qualities"] and len(release["tracks"]) > 1
    ]
    _, release, track = max(found, key=lambda row: row[0])
    return release, track


def audio_time(shown: Page) -> float:
    return float(shown.evaluate("document.getElementById('audio').currentTime"))


def paused(shown: Page) -> bool:
    return bool(shown.evaluate("document.getElementById('audio').paused"))


def until(true: Callable[[], bool], what: str) -> None:
    """Ask again and again; Playwright's own waiting evaluates a text in the page, which the page's policy forbids."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def assert_it_plays_on(shown: Page, *, seconds: float = 1.0) -> None:
    """The position moves forward."""
    before = audio_time(shown)
    until(lambda: audio_time(shown) >= before + seconds, f"no sound after {before} s")
    assert not paused(shown)


def sign_in(shown: Page, node: Node, email: str) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.get_by_label("E-mail").fill(email)
    shown.get_by_label("Password").fill("password123")
    shown.get_by_role("button", name="Sign in").click()


def test_a_listener_hears_every_rung_of_a_demo_release(
    node: Node, browser: Browser, demo: tuple[dict, dict]
) -> None:
    release, track = demo
    assert track["qualities"] == ["low", "medium", "high", "lossless", "master"]
    with page(browser) as shown:
        shown.goto(release["url"])
        assert "demo" in shown.content().lower()
        shown.locator(f"[data-id='{track['id']}'] .track-play").click()
        assert_it_plays_on(shown)
        for quality in track["qualities"]:
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
        shown.locator("#toggle").click()
        assert_it_plays_on(shown)
        first = shown.locator("#now-title").inner_text()
        shown.locator("#next").click()
        expect(shown.locator("#now-title")).not_to_have_text(first)
        assert_it_plays_on(shown)
        wave = shown.locator("#seek").bounding_box()
        assert wave is not None
        shown.mouse.click(wave["x"] + wave["width"] / 2, wave["y"] + wave["height"] / 2)
        length = shown.evaluate("document.getElementById('audio').duration")
        assert audio_time(shown) == pytest.approx(length / 2, abs=0.1 * length)
        assert_it_plays_on(shown)
        shown.keyboard.press("Space")
        until(lambda: paused(shown), "the space bar does not pause")


def test_an_artist_uploads_in_bulk_and_publishes(node: Node, browser: Browser, tmp_path: Path) -> None:
    files = []
    for number, kind in enumerate(("flac", "wav", "mp3", "ogg", "opus"), start=1):
        files.append(tmp_path / f"{number:02} Piece {number}.{kind}")
        files[-1].write_bytes(tone(2.0, 200 + 50 * number, format=kind))
    rubbish = tmp_path / "06 cover.flac"
    rubbish.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with page(browser, expected="422") as shown:
        sign_in(shown, node, "artist@demo.com")
        shown.locator("summary", has_text="New release").first.click()
        shown.get_by_label("Title").first.fill("Bulk")
        shown.get_by_role("button", name="Make the release").first.click()
        expect(shown.locator("#publish")).to_be_disabled()
        expect(shown.locator("#file")).to_have_js_property("multiple", True)
        shown.set_input_files("#file", [*files, rubbish])
        expect(shown.locator(".master")).to_have_count(len(files))
        expect(shown.locator(".upload-note", has_text="does not look like music")).to_be_visible()
        expect(shown.locator(".master.ready")).to_have_count(len(files), timeout=2000 * PATIENCE_S)
        titles = [field.input_value() for field in shown.locator(".title-input").all()]
        assert titles == [f"Piece {number}" for number in range(1, len(files) + 1)]
        shown.locator(".title-input").first.fill("A better title")
        shown.locator(".title-input").first.press("Enter")
        shown.set_input_files("#artwork input[type=file]", str(cover_in(tmp_path)))
        expect(shown.locator("#artwork img")).to_be_visible()
        shown.get_by_role("button", name="Move Piece 5 up").click()
        until(lambda: shown.locator(".title-input").nth(3).input_value() == "Piece 5", "the order stays")
        shown.locator("#publish").click()
        expect(shown.locator("#player")).to_be_visible()
        # A press before the player's script has run would go unheard.
        shown.wait_for_load_state("load")
        expect(shown.get_by_role("heading", name="Bulk")).to_be_visible()
        expect(shown.locator(".track")).to_have_count(len(files))
        assert "A better title" in shown.content()
        shown.locator("#toggle").click()
        assert_it_plays_on(shown, seconds=0.5)


def cover_in(folder: Path) -> Path:
    path = folder / "cover.png"
    Image.new("RGB", (400, 400), "teal").save(path)
    return path
