"""From the button to the file: on a real node, by real workers, over a line that breaks."""

from __future__ import annotations

import http.client
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers.chromium import page
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.sounds import tone

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with a release of two tracks whose files are larger than what is sent in one go."""
    with Node(tmp_path_factory.mktemp("downloads") / "data") as running:
        running.sign_up()
        yield running


@pytest.fixture(scope="module")
def release(node: Node) -> dict[str, Any]:
    made = node.make_release("Ebbe & Flut")
    for number in (1, 2):
        node.wait_for(node.upload(made, f"Song {number}.flac", tone(15.0, 300.0 * number)))
    shown: dict[str, Any] = node.get(f"/api/v1/releases/{made}")
    return shown


def ready(node: Node, download: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while download["stage"] == "preparing":
        assert time.monotonic() < deadline, node.log()[-3000:]
        time.sleep(0.2)
        download = node.get(f"/api/v1/downloads/{download['id']}")
    assert download["stage"] == "ready", download
    return download


def first_bytes(node: Node, url: str, count: int) -> tuple[bytes, str]:
    """The beginning of a file before the line breaks, and its ETag."""
    line = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    line.request("GET", url.removeprefix(node.url), headers={"Authorization": f"Bearer {node.token}"})
    answer = line.getresponse()
    begun = answer.read(count)
    etag = answer.headers["ETag"]
    line.close()
    return begun, etag


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_zip_that_broke_off_in_the_middle_goes_on_there(
    node: Node, release: dict[str, Any], format: str
) -> None:
    download = ready(node, node.post(f"/api/v1/releases/{release['id']}/downloads", {"format": format}))
    whole = node.send("GET", download["url"])[2]
    begun, etag = first_bytes(node, download["url"], len(whole) // 2)
    headers = {"Range": f"bytes={len(begun)}-", "If-Range": etag}
    status, answered, rest = node.send("GET", download["url"], headers=headers)
    assert (status, answered["Content-Range"]) == (206, f"bytes {len(begun)}-{len(whole) - 1}/{len(whole)}")
    assert begun + rest == whole
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert [name.partition("/")[2] for name in archive.namelist()] == [
            f"01 Song 1.{format}",
            f"02 Song 2.{format}",
        ]
        assert mutagen.File(io.BytesIO(archive.read(archive.namelist()[1]))).info.length == pytest.approx(15)


def test_one_file_goes_on_after_the_server_was_started_anew(node: Node, release: dict[str, Any]) -> None:
    track = release["tracks"][0]["id"]
    download = ready(node, node.post(f"/api/v1/tracks/{track}/downloads", {"format": "wav"}))
    begun, etag = first_bytes(node, download["url"], 1_000_000)
    node.stop()
    node.start()
    url = f"{node.url}/downloads/{download['url'].rpartition('/')[2]}"
    rest = node.send("GET", url, headers={"Range": f"bytes={len(begun)}-", "If-Range": etag})[2]
    assert begun + rest == node.send("GET", url)[2]
    token, node.token = node.token, ""
    with pytest.raises(Refused):
        node.send("HEAD", url)
    node.token = token


def sign_in(shown: Page, node: Node) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("main input[name=email]").fill("artist@demo.com")
    shown.locator("main input[name=password]").fill("password123")
    shown.locator("main input[name=password]").press("Enter")
    shown.wait_for_url(lambda address: "/sign-in" not in address)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_artist_downloads_from_the_page_of_a_release(
    demo_node: Node, browser: Browser, demo_releases: list[dict], tmp_path: Path, scripts: bool
) -> None:
    release = demo_releases[0]
    format, called, ending = ("opus", "Opus", "opus") if scripts else ("mp3-v0", "MP3 V0", "mp3")
    with page(browser, java_script_enabled=scripts) as shown:
        sign_in(shown, demo_node)
        shown.goto(f"{demo_node.url}/@{release['artist']['slug']}/{release['slug']}")
        shown.get_by_role("button", name="Download", exact=True).click()
        shown.get_by_label("Format").select_option(format)
        shown.locator("#download").get_by_role("button", name="Download").click()
        expect(shown.get_by_role("heading", name="Downloads", level=1)).to_be_visible()
        link = shown.get_by_role("link", name=f"Download {release['title']} as {called}")
        expect(link).to_be_visible(timeout=90_000)
        with shown.expect_download() as started:
            link.click()
        path = tmp_path / "release.zip"
        started.value.save_as(path)
        assert started.value.suggested_filename == f"{release['artist']['name']} - {release['title']}.zip"
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            names = [name.partition("/")[2] for name in archive.namelist()]
            assert names[0] == f"01 {release['tracks'][0]['title']}.{ending}"
            assert "cover.jpg" in names
        # The next page remembers the format.
        shown.goto(f"{demo_node.url}/@{release['artist']['slug']}/{release['slug']}")
        expect(shown.get_by_label("Format")).to_have_value(format)
