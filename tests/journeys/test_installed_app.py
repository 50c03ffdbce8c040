"""The app without a connection: it opens, what is kept plays and is no music on the disk, and nothing private stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import HEADLESS
from tests.servers.chromium import PHONE
from tests.servers.chromium import PROGRAM
from tests.servers.chromium import QUIET
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
OFFLINE = "ERR_"
"""What Chromium says of every request that finds no network; hls.js and the player go on in spite of it."""
NOBODYS = ("/assets/", "/artwork/", "/waveforms/", "/offline")
"""Where that begins which is the same for everybody."""
ROWS = """() => new Promise((resolve) => {
  const opening = indexedDB.open("kept", 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("tracks", { keyPath: "id" });
    opening.result.createObjectStore("chunks", { keyPath: ["id", "n"] });
  };
  opening.onsuccess = () => {
    const asked = opening.result.transaction("tracks").objectStore("tracks").getAll();
    asked.onsuccess = () => {
      opening.result.close();
      resolve(asked.result.map(({ id, have, size, complete, key }) => ({ id, have, size, complete, extractable: key.extractable })));
    };
  };
})"""

FRAGILE_LINE = """
  const real = window.fetch;
  window.asked = [];
  window.fetch = (address, options) => {
    const range = options?.headers?.Range;
    if (!range) return real(address, options);
    asked.push(`${String(address).split("/").at(-2)} ${range}`);
    return asked.length > 2 && localStorage.getItem("broken") ? Promise.reject(new TypeError("no line")) : real(address, options);
  };
"""
"""A line that breaks at the third piece; Playwright's own routes do not see what passes by a worker."""


def sign_in(shown: Page, node: Node) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("#main input[name=email]").fill("fan@demo.com")
    shown.locator("#main input[name=password]").fill("password123")
    shown.locator("#main form button:not([type=button])").last.click()
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def sign_out(shown: Page) -> None:
    shown.locator("[popovertarget=account-menu]").click()
    shown.locator("#account-menu form button").click()
    expect(shown.locator(".site-sign-in")).to_be_visible(timeout=1000 * PATIENCE_S)


def installed(shown: Page, address: str) -> None:
    """At *address* with the worker in charge."""
    shown.goto(address)
    until(lambda: shown.evaluate("Boolean(navigator.serviceWorker.controller)"), "no worker took over")


def cached(shown: Page) -> list[str]:
    """The paths of all that the worker holds."""
    found = shown.evaluate(
        "caches.keys().then(async (names) => (await Promise.all(names.map(async (name) => "
        "(await (await caches.open(name)).keys()).map(({ url }) => url)))).flat())"
    )
    return [urlsplit(url).path for url in found]


def rows(shown: Page) -> list[dict]:
    return list(shown.evaluate(ROWS))


def keep(shown: Page, release: dict) -> list[dict]:
    """Keep the whole release; the rows once all of it is here."""
    installed(shown, release["url"])
    shown.locator("[data-keep-all]").click()
    count = len(release["tracks"])
    return until(
        lambda: (
            (kept := rows(shown)) and len(kept) == count and all(row["complete"] for row in kept) and kept
        ),
        "the release is not kept",
    )


def position(shown: Page) -> float:
    return float(shown.evaluate("document.getElementById('audio').currentTime"))


def assert_it_plays_on(shown: Page) -> None:
    before = position(shown)
    until(lambda: position(shown) > before + 1, f"no sound after {before} s")


@contextmanager
def profile(browser: Browser, folder: Path) -> Iterator[Page]:
    """A browser whose profile lies on the disk, where somebody could look."""
    context = browser.browser_type.launch_persistent_context(
        str(folder), executable_path=PROGRAM, args=[*QUIET, *HEADLESS]
    )
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture
def release(demo_releases: list[dict]) -> dict:
    return min(demo_releases, key=lambda found: sum(track["duration_ms"] for track in found["tracks"]))


def test_the_app_opens_without_a_connection_and_comes_back_with_it(
    demo_node: Node, browser: Browser, release: dict
) -> None:
    with page(browser, expected=OFFLINE, viewport=PHONE) as shown:
        installed(shown, demo_node.url)
        # Pages are never kept: also of one that was just looked at, only the word that there is no connection.
        installed(shown, release["url"])
        shown.context.set_offline(True)
        for address in (release["url"], f"{demo_node.url}/library"):
            shown.goto(address)
            expect(shown.get_by_role("heading", level=1)).to_have_text("There is no connection")
            expect(shown.locator("kept-list [data-none]")).to_be_visible()
            # The shell is whole: styles, fonts, the sprite of the icons.
            assert "Instrument" in shown.evaluate("getComputedStyle(document.body).fontFamily")
        shown.context.set_offline(False)
        shown.goto(release["url"])
        expect(shown.get_by_role("heading", level=1)).to_have_text(release["title"])
        kept = cached(shown)
        assert kept and all(path.startswith(NOBODYS) for path in kept)


def test_what_is_kept_plays_offline_and_nothing_stays_after_signing_out(
    demo_node: Node, browser: Browser, tmp_path: Path, release: dict
) -> None:
    with profile(browser, tmp_path / "profile") as shown:
        sign_in(shown, demo_node)
        kept = keep(shown, release)
        assert not any(row["extractable"] for row in kept)
        on_disk = [
            path for path in (tmp_path / "profile").rglob("*") if path.is_file() and "IndexedDB" in path.parts
        ]
        stored = b"".join(path.read_bytes() for path in on_disk)
        assert len(stored) > sum(row["size"] for row in kept)
        # None of the words that every MP4 file holds; titles and playlists are all that can be read.
        assert not [word for word in (b"ftyp", b"moof", b"mdat", b"trun") if word in stored]
        shown.context.set_offline(True)
        shown.goto(f"{demo_node.url}/library/offline")
        lines = shown.locator("kept-list li")
        expect(lines).to_have_count(len(kept))
        lines.first.locator("[data-play]").click()
        assert_it_plays_on(shown)
        # A page that cannot come does not stop the music either.
        shown.locator(".brand").click()
        assert_it_plays_on(shown)
        shown.context.set_offline(False)
        shown.goto(f"{demo_node.url}/library/offline")
        sign_out(shown)
        assert shown.evaluate("indexedDB.databases().then((found) => found.map(({ name }) => name))") in (
            [],
            ["kept"],
        )
        assert rows(shown) == []
        assert all(path.startswith(NOBODYS) for path in cached(shown))
        names = shown.evaluate("Object.keys(localStorage)")
        assert not {"musicconnect.queue", "musicconnect.place", "musicconnect.kept"} & {
            name for name in names if shown.evaluate(f"localStorage.getItem('{name}')") != "null"
        }


def test_whoever_comes_next_finds_nothing_even_when_nobody_signed_out(
    demo_node: Node, browser: Browser, release: dict
) -> None:
    with page(browser, expected="401") as shown:
        sign_in(shown, demo_node)
        keep(shown, release)
        shown.context.clear_cookies()
        shown.goto(demo_node.url)
        until(lambda: rows(shown) == [], "another one's tracks are still here")


def test_an_interrupted_transfer_goes_on_where_it_stood(
    demo_node: Node, browser: Browser, demo_releases: list[dict]
) -> None:
    longest = max(demo_releases, key=lambda found: max(track["duration_ms"] for track in found["tracks"]))
    with page(browser) as shown:
        shown.add_init_script(FRAGILE_LINE)
        sign_in(shown, demo_node)
        installed(shown, longest["url"])
        shown.evaluate("localStorage.setItem('broken', 'yes')")
        shown.locator("[data-keep-all]").click()
        until(lambda: len(shown.evaluate("asked")) > 2, "nothing was asked for")
        fetched = shown.evaluate("asked")[:2]
        assert not all(row["complete"] for row in rows(shown))
        shown.evaluate("localStorage.removeItem('broken')")
        # The next page takes it up by itself.
        shown.goto(f"{demo_node.url}/library/offline")
        until(lambda: all(row["complete"] for row in rows(shown)), "it does not go on")
        assert not set(fetched) & set(shown.evaluate("asked")), "what was here already was fetched again"
        shown.locator("[data-remove-all]").click()
        until(lambda: rows(shown) == [], "it cannot be removed")
        expect(shown.locator("kept-list [data-none]")).to_be_visible()


def test_a_single_track_is_kept_from_its_menu(demo_node: Node, browser: Browser, release: dict) -> None:
    with page(browser, viewport=PHONE, has_touch=True) as shown:
        sign_in(shown, demo_node)
        installed(shown, release["url"])
        line = shown.locator("[data-track]").first
        line.locator("[popovertarget]").click()
        line.locator("[data-keep-offline]").click()
        until(lambda: [row["complete"] for row in rows(shown)] == [True], "the track is not kept")
        expect(shown.locator(".toast")).to_contain_text("plays offline now")
