"""What an artist does in the studio, in a browser: from a bulk upload to a release that goes out, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
EMAIL, PASSWORD = "artist@example.org", "harbour lights at low tide"
# The machine that runs the tests may be busy with another worker's.
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with one artist on it."""
    made = Node(tmp_path_factory.mktemp("studio") / "data")
    made.data.mkdir()
    made.run("migrate")
    made.run(
        "user", "create", "--email", EMAIL, "--role", "artist", "--password-stdin", given=f"{PASSWORD}\n"
    )
    with made:
        yield made


def sign_in(shown: Page, node: Node) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("main input[name=email]").fill(EMAIL)
    shown.locator("main input[name=password]").fill(PASSWORD)
    shown.locator("main input[name=password]").press("Enter")
    expect(shown.get_by_role("heading", name="Studio", level=1)).to_be_visible()


def new_release(shown: Page, node: Node, title: str, artist: str) -> str:
    """A draft of a new artist by the forms of the dashboard; the address of its bench."""
    shown.goto(f"{node.url}/studio")
    maker = shown.locator("details.maker").last
    if maker.get_attribute("open") is None:
        maker.locator("summary").click()
    shown.get_by_label("Name of the artist or band").fill(artist)
    shown.get_by_role("button", name="Make the artist").click()
    expect(shown.get_by_text(f"{artist} is ready.")).to_be_visible()
    maker = shown.locator("details.maker").first
    if maker.get_attribute("open") is None:
        maker.locator("summary").click()
    if shown.locator("select[name=artist]").count():
        shown.locator("select[name=artist]").select_option(label=artist)
    maker.get_by_label("Title").fill(title)
    shown.get_by_role("button", name="Make the release").click()
    expect(shown.get_by_role("heading", name=title, level=1)).to_be_visible()
    return shown.url


def recording(folder: Path, name: str, seconds: float = 2.0, hertz: int = 300) -> Path:
    path = folder / name
    path.write_bytes(tone(seconds, hertz, format=path.suffix[1:]))
    return path


def cover_in(folder: Path) -> Path:
    path = folder / "cover.png"
    wide = Image.new("RGB", (900, 600), "white")
    wide.paste((0, 128, 128), (0, 0, 600, 600))
    wide.save(path)
    return path


def test_an_artist_uploads_in_bulk_puts_in_order_and_publishes(
    node: Node, browser: Browser, tmp_path: Path
) -> None:
    kinds = ("flac", "wav", "mp3")
    files = [
        recording(tmp_path, f"{number:02} Piece {number}.{kind}", hertz=200 + 50 * number)
        for number, kind in enumerate(kinds, start=1)
    ]
    rubbish = tmp_path / "06 cover.flac"
    rubbish.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with page(browser, expected="422") as shown:
        sign_in(shown, node)
        new_release(shown, node, "Bulk", "Night Ferry")
        expect(shown.locator("#publish")).to_be_disabled()
        expect(shown.locator("#steps .must")).to_have_text("Upload at least one track.")
        expect(shown.locator("#file")).to_have_js_property("multiple", True)
        shown.set_input_files("#file", [*files, rubbish])
        expect(shown.locator(".master")).to_have_count(len(files))
        expect(shown.locator(".upload-note", has_text="does not look like music")).to_be_visible()
        expect(shown.locator(".master.ready")).to_have_count(len(files), timeout=2000 * PATIENCE_S)
        expect(shown.locator("#steps .must")).to_have_count(0)
        titles = shown.locator(".title-input")
        assert [field.input_value() for field in titles.all()] == ["Piece 1", "Piece 2", "Piece 3"]
        titles.first.fill("A better title")
        titles.first.press("Enter")
        expect(shown.locator("release-desk > section > [data-said]")).to_have_text("Title saved.")
        shown.get_by_role("button", name="Move Piece 3 up").click()
        expect(titles.nth(1)).to_have_value("Piece 3")
        expect(shown.locator("release-desk > section > [data-said]")).to_contain_text("position 2 of 3")
        expect(shown.locator("#publish")).to_be_enabled()
        shown.locator("#publish").click()
        expect(shown.get_by_text("It is out.")).to_be_visible()
        expect(shown.locator(".track")).to_have_count(len(files))
        order = shown.locator(".track-title").all_inner_texts()
        assert order == ["A better title", "Piece 3", "Piece 2"]


def test_what_is_written_is_saved_at_once_and_nothing_is_lost_when_two_write(
    node: Node, browser: Browser
) -> None:
    with page(browser, expected="status of 4") as shown:
        sign_in(shown, node)
        bench = new_release(shown, node, "Written", "Ada Quill")
        shown.get_by_label("Genre").fill("Folk")
        shown.get_by_label("Genre").press("Tab")
        note = shown.locator("[data-note]")
        expect(note).to_have_text("Saved")
        shown.get_by_label("Name in credit 1").fill("Ada Quill")
        shown.get_by_label("Role in credit 1").fill("Guitar")
        shown.get_by_role("button", name="Add a credit").click()
        shown.get_by_label("Name in credit 2").fill("Rosa Quill")
        shown.get_by_label("Name in credit 2").press("Tab")
        expect(note).to_have_text("Saved")
        # Somebody else saves in another window.
        other = shown.context.new_page()
        other.goto(bench)
        other.get_by_label("Catalogue number").fill("LAB-7")
        other.get_by_label("Catalogue number").press("Tab")
        expect(other.locator("[data-note]")).to_have_text("Saved")
        shown.get_by_label("Catalogue number").fill("MINE-1")
        shown.get_by_label("Catalogue number").press("Tab")
        expect(note).to_contain_text("Somebody else changed this")
        shown.get_by_role("button", name="Show both").click()
        expect(shown.get_by_text("Stored by somebody else meanwhile: LAB-7")).to_be_visible()
        expect(shown.get_by_label("Catalogue number")).to_have_value("MINE-1")
        shown.get_by_label("Tags").fill("one, two")
        shown.get_by_label("Tags").press("Tab")
        expect(shown.locator("[data-note]")).to_have_text("Saved")
        other.reload()
        expect(other.get_by_label("Catalogue number")).to_have_value("MINE-1")
        expect(other.get_by_label("Name in credit 2")).to_have_value("Rosa Quill")


def test_the_cover_is_cut_by_keyboard_and_a_bad_line_of_lyrics_is_told(
    node: Node, browser: Browser, tmp_path: Path
) -> None:
    with page(browser, expected="422", viewport=PHONE, has_touch=True) as shown:
        sign_in(shown, node)
        bench = new_release(shown, node, "Cut", "Lumen Vale")
        shown.set_input_files("artwork-crop input[type=file]", str(cover_in(tmp_path)))
        dialog = shown.locator("dialog.crop")
        expect(dialog).to_be_visible()
        for _ in range(3):
            shown.keyboard.press("ArrowLeft")
            shown.keyboard.press("-")
        dialog.get_by_role("button", name="Use this part").click()
        expect(shown.get_by_text("The artwork is set.")).to_be_visible()
        expect(shown.locator("artwork-crop img")).to_be_visible()
        shown.set_input_files("#file", [recording(tmp_path, "01 Words.flac")])
        expect(shown.locator(".master.ready")).to_have_count(1, timeout=2000 * PATIENCE_S)
        shown.get_by_role("link", name="Details of Words").click()
        timed = shown.get_by_label("Lyrics with times (LRC)")
        timed.fill("[00:00.50]One\n[00:77.00]Two")
        timed.press("Tab")
        expect(shown.locator(".wrong")).to_contain_text("Line 2: “00:77.00” has more than 59 seconds.")
        timed.fill("[00:00.50]One\n[00:01.00]Two")
        timed.press("Tab")
        expect(shown.locator("[data-note]")).to_have_text("Saved")
        # A new master: the old one is heard until the new one is ready.
        shown.set_input_files("#file", [recording(tmp_path, "better.wav", 3.0)])
        expect(shown.locator("[data-said]")).to_contain_text(
            "better.wav is uploaded", timeout=1000 * PATIENCE_S
        )
        until(lambda: "better.wav" in shown.goto(shown.url).text(), "the new master does not come")
        shown.goto(bench)
        expect(shown.locator(".track-time")).to_have_text("0:03")


def test_a_release_is_scheduled_in_the_artists_own_zone_and_shared_by_a_private_link(
    node: Node, browser: Browser, tmp_path: Path
) -> None:
    with page(browser, timezone_id="America/New_York", expected="404") as shown:
        sign_in(shown, node)
        new_release(shown, node, "Later", "Slow Tram")
        shown.set_input_files("#file", [recording(tmp_path, "01 Later.flac")])
        expect(shown.locator(".master.ready")).to_have_count(1, timeout=2000 * PATIENCE_S)
        address = shown.get_by_role("link", name="See the page").get_attribute("href")
        shown.get_by_text("Let it go out by itself").click()
        expect(shown.get_by_text("In your time zone, America/New_York.")).to_be_visible()
        shown.get_by_label("Day and hour").fill("2040-05-01T18:00")
        shown.get_by_role("button", name="Schedule").click()
        expect(shown.locator(".bench-line")).to_contain_text("May 1, 2040 at 6:00")
        expect(shown.locator(".bench-line time")).to_have_attribute("datetime", "2040-05-01T22:00:00+00:00")
        shown.get_by_text("Show it to a few by a private link").click()
        shown.get_by_role("button", name="Make a private link").click()
        link = shown.get_by_label("Private link").input_value()
        with page(browser, expected="404") as friend:
            assert friend.goto(f"{node.url}{address}").status == 404
            friend.goto(link)
            expect(friend.get_by_role("heading", name="Later")).to_be_visible()
            assert "key=" not in friend.url
            shown.get_by_role("button", name="Close the link").click()
            expect(shown.get_by_text("The link opens nothing any more.")).to_be_visible()
            assert friend.reload().status == 404
        shown.get_by_role("button", name="Take it off the schedule").click()
        expect(shown.get_by_text("It is a draft again.")).to_be_visible()


def test_without_scripts_everything_is_a_form(node: Node, browser: Browser, tmp_path: Path) -> None:
    with page(browser, java_script_enabled=False, expected="422") as shown:
        sign_in(shown, node)
        new_release(shown, node, "Plain", "No Script")
        shown.set_input_files("#artwork input[type=file]", str(cover_in(tmp_path)))
        shown.get_by_role("button", name="Send the picture").click()
        expect(shown.get_by_text("The artwork is set.")).to_be_visible()
        shown.set_input_files("#file", str(recording(tmp_path, "01 Plain.flac")))
        shown.get_by_role("button", name="Send the file").click()
        expect(shown.get_by_text("Your file is here and is being prepared.")).to_be_visible()
        shown.get_by_label("Name in credit 1").fill("Ada Quill")
        shown.get_by_role("button", name="Add a credit").click()
        expect(shown.get_by_label("Name in credit 2")).to_be_visible()
        expect(shown.get_by_label("Name in credit 1")).to_have_value("Ada Quill")
        shown.locator("[name=about]").fill("So *calm*")
        shown.get_by_role("button", name="Preview").click()
        expect(shown.locator(".preview em")).to_have_text("calm")
        shown.locator(".form-end button").click()
        expect(shown.get_by_text("Saved.")).to_be_visible()

        def ready() -> bool:
            shown.reload()
            return shown.locator(".master.ready").count() == 1

        until(ready, "the track is never ready")
        shown.get_by_role("button", name="Publish now").click()
        expect(shown.get_by_text("It is out.")).to_be_visible()
        expect(shown.get_by_text("Ada Quill")).to_be_visible()
