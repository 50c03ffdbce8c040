"""Exclusive tracks, encrypted, against a real node: in a browser among clear ones, without a connection, as one file, and by ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.journeys.test_installed_app import keep
from tests.journeys.test_player import CUT
from tests.journeys.test_player import LENGTHS_S
from tests.journeys.test_player import OFFLINE
from tests.journeys.test_player import audio
from tests.journeys.test_player import cut
from tests.journeys.test_player import put_on
from tests.journeys.test_player import until
from tests.servers import ears
from tests.servers import listener
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
RATE_HZ = 8000
LONG_S = 20.0


@dataclass(frozen=True)
class Music:
    """A recording cut in three of which the middle is exclusive, and a longer exclusive piece."""

    joined: str
    ids: list[str]
    long: str


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("exclusive") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def music(node: Node) -> Music:
    node.sign_up()
    release, other = node.make_release("Joined"), node.make_release("Long")
    ids = [
        node.upload(release, f"0{number} Part {number}.flac", content)
        for number, content in enumerate(cut(LENGTHS_S), start=1)
    ]
    long = node.upload(other, "Long.flac", tone(LONG_S))
    # One before anything is made of it, one after: both ways lead to the same.
    node.post(f"/api/v1/tracks/{long}", {"exclusive": True}, method="PATCH")
    for track in (*ids, long):
        node.wait_for(track)
    node.post(f"/api/v1/tracks/{ids[1]}", {"exclusive": True}, method="PATCH")
    for one in (release, other):
        node.post(f"/api/v1/releases/{one}/publish")
    for track in (ids[1], long):
        until(lambda track=track: is_sealed(node, track), "it is not encrypted")
    return Music(node.get(f"/api/v1/releases/{release}")["url"], ids, long)


def playlist_of(node: Node, track: str, quality: str = "low") -> str:
    folder = node.post(f"/api/v1/tracks/{track}/play")["hls_url"].rpartition("/")[0]
    return f"{folder}/{quality}.media.m3u8"


def is_sealed(node: Node, track: str) -> bool:
    return b"METHOD=AES-128" in listener.fetch(playlist_of(node, track))


def sign_in(shown: Page, node: Node) -> None:
    shown.goto(f"{node.url}/sign-in")
    shown.locator("#main input[name=email]").fill("artist@example.org")
    shown.locator("#main input[name=password]").fill("a good password")
    shown.locator("#main form button:not([type=button])").last.click()
    shown.wait_for_url(lambda address: "/sign-in" not in address)


def sound_of(*arguments: str) -> float:
    """Seconds of sound that the ffmpeg of MusicConnect hears."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-xerror", *arguments]
    command += ["-f", "s16le", "-ac", "1", "-ar", str(RATE_HZ), "pipe:1"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return len(done.stdout) / 2 / RATE_HZ


@pytest.mark.parametrize("quality", ["low", "lossless"])
def test_encrypted_tracks_and_clear_ones_follow_each_other_without_a_gap(
    browser: Browser, node: Node, music: Music, quality: str
) -> None:
    keys: list[str] = []

    def listen() -> ears.Heard:
        with page(browser) as shown:
            shown.on("request", lambda sent: keys.append(sent.url) if sent.url.endswith(".key") else None)
            sign_in(shown, node)
            ears.record(shown)
            shown.add_init_script(
                f"localStorage.setItem('musicconnect.sound', JSON.stringify({{levelling: false, quality: '{quality}'}}))"
            )
            put_on(shown, music.joined)
            expect(shown.locator("#playing-now [data-quality]")).to_contain_text(quality.capitalize())
            expect(shown.locator("#now-title")).to_have_text("Part 3")
            until(lambda: audio(shown, "paused"), "the music does not end")
            shown.wait_for_timeout(400)
            return ears.heard(shown)

    sound = ears.quietest(listen, cut_s=CUT)
    assert sound.silence_s <= CUT
    assert sound.length_s == pytest.approx(sum(LENGTHS_S), abs=CUT)
    assert keys and all(f"/{music.ids[1]}." in key for key in keys)


def test_an_encrypted_track_is_kept_and_heard_without_a_connection(
    browser: Browser, node: Node, music: Music
) -> None:
    with page(browser, expected=OFFLINE) as shown:
        sign_in(shown, node)
        keep(shown, {"url": music.joined, "tracks": music.ids})
        shown.context.set_offline(True)
        shown.goto(f"{node.url}/library/offline")
        line = shown.locator("kept-list li").filter(has_text="Part 2")
        line.locator("[data-play]").click()
        until(lambda: audio(shown, "currentTime") > 1, "it does not play")
        expect(shown.locator("#now-title")).to_have_text("Part 2")


@pytest.mark.parametrize("quality", ["low", "high", "lossless"])
def test_ffmpeg_plays_an_encrypted_stream(node: Node, music: Music, quality: str) -> None:
    assert sound_of("-i", playlist_of(node, music.long, quality)) == pytest.approx(LONG_S, abs=0.05)


def test_ffmpeg_hears_nothing_in_the_bytes_alone(node: Node, music: Music) -> None:
    rung = playlist_of(node, music.long).replace(".media.m3u8", ".mp4")
    assert sound_of("-i", rung) == 0


def test_any_program_plays_the_one_file_of_an_encrypted_track(node: Node, music: Music) -> None:
    clear = playlist_of(node, music.long, "high").replace(".media.m3u8", ".m4a")
    assert sound_of("-i", clear) == pytest.approx(LONG_S, abs=0.05)
    assert sound_of("-ss", "15", "-i", clear) == pytest.approx(LONG_S - 15, abs=0.1)
