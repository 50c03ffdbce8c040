"""What a listener does with hearts and playlists in a browser, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from appliance import clock
from appliance.catalog.models import Track
from appliance.library import entries
from appliance.library import favourites
from appliance.library import follows
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.site import Person

# A click that something else catches should not be waited for.
CLICK_MS = 8_000
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


@pytest.fixture
def root(appliance: Appliance) -> Iterator[str]:
    """Where the site is served."""
    with site.serving(appliance) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def fan(appliance: Appliance) -> Person:
    return site.make_person()


@pytest.fixture
def tracks(appliance: Appliance) -> list[Track]:
    release = site.make_release(site.make_person(), published=True)
    return [site.make_track(release, appliance, title=title) for title in ("One", "Two", "Three", "Four")]


def address(track: Track) -> str:
    return f"/@{track.release.artist.slug}/{track.release.slug}"


def sign_in(shown: Page, root: str, fan: Person, path: str = "") -> None:
    shown.set_default_timeout(CLICK_MS)
    if path:
        shown.goto(root + path)
    shown.locator("[name=email]").fill(fan.user.email)
    shown.locator("[name=password]").fill(site.PASSWORD)
    shown.locator("[name=password]").press("Enter")
    shown.wait_for_url(lambda url: "sign-in" not in url)


def make_playlist(fan: Person, tracks: list[Track]) -> Playlist:
    playlist = playlists.create(fan.user, {"title": "For the night"}, now=clock.now())
    for track in tracks:
        entries.add(playlist, track, now=clock.now())
    return playlist


def titles(playlist: Playlist) -> list[str]:
    return [row.track.title for row in entries.of(playlist)]


def test_a_heart_answers_at_once_and_everywhere(
    browser: Browser, root: str, fan: Person, tracks: list[Track]
) -> None:
    with page(browser) as shown:
        sign_in(shown, root, fan, "/sign-in")
        shown.goto(root + address(tracks[0]))
        shown.evaluate("window.stayed = true")
        heart = shown.locator(f'button[value="track:{tracks[0].id}"]').first
        with shown.expect_response("**/library/keep") as answer:
            heart.click()
        assert answer.value.status == 204
        expect(heart).to_have_attribute("aria-pressed", "true")
        assert favourites.of(fan.user, [tracks[0].id]) == {tracks[0].id}
        with shown.expect_response("**/library/keep"):
            heart.click()
        expect(heart).to_have_attribute("aria-pressed", "false")
        assert favourites.of(fan.user, [tracks[0].id]) == set()
        shown.goto(f"{root}/@{tracks[0].release.artist.slug}")
        shown.evaluate("window.stayed = true")
        with shown.expect_response("**/library/keep"):
            shown.get_by_role("button", name="Follow").click()
        expect(shown.get_by_role("button", name="Following")).to_be_visible()
        assert follows.has(fan.user, tracks[0].release.artist)
        assert shown.evaluate("window.stayed")


def test_a_heart_works_without_a_script_and_for_who_signs_in_first(
    browser: Browser, root: str, fan: Person, tracks: list[Track]
) -> None:
    with page(browser, java_script_enabled=False) as shown:
        shown.goto(root + address(tracks[0]))
        shown.locator(
            f'a.favourite[href*="track:{tracks[0].id}"], a.favourite[href*="track%3A{tracks[0].id}"]'
        ).click()
        sign_in(shown, root, fan)
        assert shown.url == root + address(tracks[0])
        assert favourites.of(fan.user, [tracks[0].id]) == {tracks[0].id}
        shown.locator(f'button[value="track:{tracks[1].id}"]').click()
        expect(shown.locator(f'button[value="track:{tracks[1].id}"]')).to_have_attribute(
            "aria-pressed", "true"
        )
        assert shown.url == root + address(tracks[0])


def test_a_track_goes_into_a_playlist_by_a_dialog_on_the_page(
    browser: Browser, root: str, fan: Person, tracks: list[Track]
) -> None:
    playlist = make_playlist(fan, [])
    with page(browser, viewport=PHONE) as shown:
        sign_in(shown, root, fan, "/sign-in")
        shown.goto(root + address(tracks[0]))
        for name, act in (("For the night", "choose"), ("Brand new", "make")):
            shown.get_by_role("button", name="More about One").click()
            shown.get_by_role("link", name="Add to a playlist").click()
            sheet = shown.locator("frame-sheet dialog")
            expect(sheet).to_be_visible()
            if act == "choose":
                sheet.get_by_role("button", name=name).click()
            else:
                sheet.get_by_label("A new playlist").fill(name)
                sheet.get_by_role("button", name="Make it and add").click()
            expect(shown.get_by_text(f"“One” is in “{name}” now.")).to_be_visible()
            expect(sheet).to_be_hidden()
            assert shown.url == root + address(tracks[0])
    assert titles(playlist) == ["One"]
    assert sorted(row.title for row in playlists.of(fan.user)) == ["Brand new", "For the night"]


def test_a_playlist_is_put_in_order_by_dragging_and_by_keys(
    browser: Browser, root: str, fan: Person, tracks: list[Track]
) -> None:
    playlist = make_playlist(fan, tracks)
    with page(browser) as shown:
        sign_in(shown, root, fan, "/sign-in")
        shown.goto(f"{root}/playlists/{playlist.id}/edit")
        grips = shown.locator(".place-grip")
        start, end = grips.nth(0).bounding_box(), grips.nth(2).bounding_box()
        assert start
        assert end
        shown.mouse.move(start["x"] + 10, start["y"] + 10)
        shown.mouse.down()
        shown.mouse.move(end["x"] + 10, end["y"] + end["height"] + 2, steps=8)
        with shown.expect_response("**/entries") as answer:
            shown.mouse.up()
        assert answer.value.status == 204
        assert titles(playlist) == ["Two", "Three", "One", "Four"]
        shown.get_by_role("button", name="Move Four up").focus()
        for _ in range(2):
            with shown.expect_response("**/entries"):
                shown.keyboard.press("Enter")
        assert titles(playlist) == ["Two", "Four", "Three", "One"]
        shown.get_by_role("button", name="Remove Three").click()
        expect(shown.locator(".place")).to_have_count(3)
