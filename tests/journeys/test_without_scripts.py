"""Every journey with plain forms and links, as in a browser that runs no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PASSWORD = "harbour lights at low tide"


@pytest.fixture
def shown(browser: Browser) -> Iterator[Page]:
    with page(browser, java_script_enabled=False, viewport=PHONE) as made:
        yield made


def sign_in(shown: Page, node: Node, email: str, password: str = "password123") -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("main input[name=email]").fill(email)
    shown.locator("main input[name=password]").fill(password)
    shown.locator("main input[name=password]").press("Enter")
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def test_a_listener_finds_joins_keeps_and_leaves(
    shown: Page, demo_node: Node, demo_releases: list[dict]
) -> None:
    release = demo_releases[0]
    first, second = (track["title"] for track in release["tracks"][:2])
    shown.goto(demo_node.url)
    # On a phone the way to the search is in the bar of places.
    shown.get_by_role("navigation", name="Places").get_by_role("link", name="Search").click()
    shown.locator("main input[name=q]").fill(release["title"])
    shown.locator("main input[name=q]").press("Enter")
    shown.locator("main").get_by_role("link", name=release["title"]).first.click()
    expect(shown.get_by_role("heading", name=release["title"], level=1)).to_be_visible()
    sound = shown.locator(".track audio").first
    expect(sound).to_be_visible()
    assert first in (sound.get_attribute("aria-label") or "")
    assert shown.request.get(demo_node.url + (sound.get_attribute("src") or "")).ok
    expect(shown.locator("[data-play-all]")).to_be_hidden()
    shown.get_by_role("link", name=first, exact=True).click()
    expect(shown.get_by_role("heading", name=first, level=1)).to_be_visible()
    shown.get_by_role("link", name="Join").click()
    shown.locator("main input[name=email]").fill("plain@example.org")
    shown.locator("main input[name=password]").fill(PASSWORD)
    shown.locator("main input[name=password_confirm]").fill(PASSWORD)
    shown.locator("main form button:not([type=button])").last.click()
    expect(shown.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    shown.goto(demo_node.link_to("plain@example.org"))
    expect(shown.get_by_text("your address is confirmed")).to_be_visible()
    sign_in(shown, demo_node, "plain@example.org", PASSWORD)
    shown.goto(f"{demo_node.url}/@{release['artist']['slug']}")
    shown.get_by_role("button", name="Follow").click()
    expect(shown.get_by_role("button", name="Following")).to_be_visible()
    shown.goto(release["url"])
    for title in (first, second):
        shown.get_by_role("button", name=f"More about {title}").click()
        shown.get_by_role("link", name="Add to a playlist").click()
        if title == first:
            shown.get_by_label("A new playlist").fill("On foot")
            shown.get_by_role("button", name="Make it and add").click()
        else:
            shown.get_by_role("button", name="On foot").click()
        expect(shown.get_by_text(f"“{title}” is in “On foot” now.")).to_be_visible()
    shown.locator(".release-tracks").get_by_role("button", name="Favourite").first.click()
    shown.goto(f"{demo_node.url}/library")
    expect(shown.get_by_role("link", name=first).first).to_be_visible()
    shown.get_by_role("link", name="On foot").first.click()
    shown.get_by_role("link", name="Edit").click()
    shown.get_by_role("button", name=f"Move {second} up").click()
    expect(shown.locator(".place-text").first).to_contain_text(second)
    shown.goto(f"{demo_node.url}/library/history")
    expect(shown.get_by_text("Nothing heard yet")).to_be_visible()
    shown.get_by_role("button", name="Your account").click()
    shown.get_by_role("button", name="Sign out").click()
    expect(shown.get_by_role("link", name="Sign in").first).to_be_visible()


def test_an_artist_orders_schedules_and_takes_back(shown: Page, demo_node: Node, tmp_path: Path) -> None:
    sign_in(shown, demo_node, "artist@demo.com")
    shown.goto(f"{demo_node.url}/studio")
    shown.locator("details.maker summary").first.click()
    shown.locator("details.maker").first.get_by_label("Title").fill("By Hand")
    shown.get_by_role("button", name="Make the release").click()
    for name in ("01 First", "02 Second"):
        file = tmp_path / f"{name}.wav"
        file.write_bytes(tone(1.0, format="wav"))
        shown.set_input_files("#file", file)
        shown.get_by_role("button", name="Send the file").click()
        expect(shown.get_by_text("Your file is here and is being prepared.")).to_be_visible()
    shown.get_by_role("button", name="Move Second up").click()
    expect(shown.locator(".title-input").first).to_have_value("Second")
    shown.get_by_label("Catalogue number").fill("HAND-1")
    shown.locator(".form-end button").click()
    expect(shown.get_by_label("Catalogue number")).to_have_value("HAND-1")
    shown.get_by_text("Let it go out by itself").click()
    shown.get_by_label("Day and hour").fill("2040-05-01T18:00")
    shown.get_by_role("button", name="Schedule").click()
    expect(shown.locator(".bench-line")).to_contain_text("2040")
    shown.get_by_role("button", name="Take it off the schedule").click()
    expect(shown.get_by_text("It is a draft again.")).to_be_visible()


def test_an_admin_runs_the_collective(shown: Page, demo_node: Node, demo_releases: list[dict]) -> None:
    given = f"{PASSWORD}\n"
    made = ("user", "create", "--role", "admin", "--password-stdin", "--email", "hand@example.org")
    demo_node.run(*made, given=given)
    sign_in(shown, demo_node, "hand@example.org", PASSWORD)
    shown.goto(f"{demo_node.url}/admin/collective")
    shown.get_by_label("Links in the footer").fill("Our shop https://shop.example")
    shown.get_by_role("button", name="Save").click()
    expect(shown.get_by_role("link", name="Our shop")).to_be_visible()
    title = demo_releases[-1]["title"]
    shown.goto(f"{demo_node.url}/admin/featured")
    out = shown.get_by_role("button", name=f"Take {title} out")
    if out.count():
        out.click()
        expect(out).to_have_count(0)
    shown.get_by_label("Title, artist or tag").fill(title)
    shown.get_by_label("Title, artist or tag").press("Enter")
    shown.get_by_role("button", name=f"Add {title}").click()
    expect(shown.get_by_label(f"A word on why: {title}")).to_be_visible()
    shown.goto(f"{demo_node.url}/admin/people?q=fan@")
    for act in ("Make a moderator", "No longer a moderator"):
        shown.get_by_role("button", name="Change fan@demo.com").click()
        shown.get_by_role("button", name=act).click()
    shown.goto(f"{demo_node.url}/admin/plugins")
    plugin = shown.locator(".plugin").filter(has_text="webhook_out")
    plugin.locator("summary").click()
    plugin.get_by_role("button", name="Save the settings").click()
    expect(shown.get_by_role("heading", name="Plugins", level=1)).to_be_visible()
    shown.goto(f"{demo_node.url}/admin/jobs?state=done")
    expect(shown.get_by_role("cell", name="transcode").first).to_be_visible()
    shown.goto(f"{demo_node.url}/admin/audit")
    expect(shown.get_by_role("cell", name="Took a role").first).to_be_visible()
