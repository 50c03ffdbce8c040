"""The player in a browser, against a real node with its worker: what listeners do, and what happens to them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import imageio_ffmpeg
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import expect

from tests.servers import ears
from tests.servers.chromium import PHONE
from tests.servers.chromium import page
from tests.servers.node import Node
from tests.sounds import tone
from tests.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("browser")]
PATIENCE_S = 60
expect.set_options(timeout=PATIENCE_S * 1000)
OFFLINE = "Failed to load resource"  # What a browser writes when a server is gone, as it is meant to be here.
TTL_S = 10
LENGTHS_S = (5.3, 5.8, 5.9)
CUT = 0.02
LRC = "[ar:Trio]\n[00:00.00]First line\n[00:01.50][00:04.00]Again\n[00:03.00]Third <00:03.20>line\n"


@dataclass(frozen=True)
class Music:
    """What lies on the node: pages of one recording cut in three, of one long piece, of one for those who sign in, and of four formats."""

    joined: str
    joined_ids: list[str]
    long: str
    reserved: str
    mixed: str


def cut(lengths_s: tuple[float, ...], hertz: int = 440) -> list[bytes]:
    """One recording of a tone, cut in files at these lengths."""
    made, begin = [], 0
    for length_s in lengths_s:
        end = begin + round(length_s * ears.RATE_HZ)
        graph = f"aevalsrc='0.2*sin(2*PI*{hertz}*t)':s={ears.RATE_HZ}:d={sum(lengths_s)},atrim=start_sample={begin}:end_sample={end}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", graph]
        command += ["-sample_fmt", "s16", "-f", "flac", "pipe:1"]
        made.append(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
        begin = end
    return made


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node whose permissions to stream end after ten seconds."""
    data = tmp_path_factory.mktemp("player") / "data"
    with Node(data, MUSICCONNECT_MEDIA_TOKEN_TTL_S=str(TTL_S)) as made:
        yield made


@pytest.fixture(scope="module")
def music(node: Node) -> Music:
    node.sign_up()
    releases = {title: node.make_release(title) for title in ("Joined", "Long", "Reserved", "Mixed")}
    joined = [
        node.upload(releases["Joined"], f"0{number} Part {number}.flac", content)
        for number, content in enumerate(cut(LENGTHS_S), start=1)
    ]
    others = [
        node.upload(releases[title], f"{title}.flac", tone(length_s))
        for title, length_s in (("Long", 95.0), ("Reserved", 40.0))
    ]
    kinds = (("mp3", 44_100), ("flac", 44_100), ("ogg", 48_000), ("flac", 96_000))
    mixed = [
        node.upload(
            releases["Mixed"],
            f"{number:02} {kind}.{kind}",
            tone(3.0, 300 * number, format=kind, rate_hz=rate),
        )
        for number, (kind, rate) in enumerate(kinds, start=1)
    ]
    for track in (*joined, *others, *mixed):
        node.wait_for(track)
    node.post(f"/api/v1/tracks/{joined[0]}", {"synced_lyrics": LRC}, method="PATCH")
    node.post(f"/api/v1/releases/{releases['Reserved']}", {"audience": "listeners"}, method="PATCH")
    # Who listens here is nobody: what they hear has to have every rung.
    free = node.get("/api/v1/artists/trio/tiers")["items"][0]["id"]
    node.post(f"/api/v1/artists/trio/tiers/{free}", {"top_quality": "master"}, method="PATCH")
    for release in releases.values():
        node.post(f"/api/v1/releases/{release}/publish")
    urls = [node.get(f"/api/v1/releases/{release}")["url"] for release in releases.values()]
    node.token = ""
    return Music(urls[0], joined, *urls[1:])


def audio(shown: Page, what: str) -> Any:
    return shown.evaluate(f"document.getElementById('audio').{what}")


def assert_it_plays_on(shown: Page, *, seconds: float = 0.5) -> None:
    before = audio(shown, "currentTime")
    until(lambda: audio(shown, "currentTime") >= before + seconds, f"no sound after {before} s")
    assert not audio(shown, "paused")


def put_on(shown: Page, address: str, *, row: int = 0) -> None:
    shown.goto(address)
    shown.locator("[data-play]").nth(row).click()
    assert_it_plays_on(shown)


def title(shown: Page) -> str:
    return shown.locator("#now-title").inner_text()


def queue(shown: Page) -> list[str]:
    return shown.locator(".queue-line b").all_inner_texts()


@pytest.mark.parametrize("quality", ["low", "high", "lossless"])
def test_tracks_of_a_recording_follow_each_other_without_a_gap(
    browser: Browser, music: Music, quality: str
) -> None:
    def listen() -> ears.Heard:
        with page(browser) as shown:
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


@pytest.mark.parametrize("quality", ["auto", "lossless"])
def test_a_queue_of_several_formats_plays_to_its_end(browser: Browser, music: Music, quality: str) -> None:
    with page(browser) as shown:
        shown.add_init_script(
            f"localStorage.setItem('musicconnect.sound', JSON.stringify({{quality: '{quality}'}}))"
        )
        put_on(shown, music.mixed)
        for name in ("flac", "ogg", "flac"):
            expect(shown.locator("#now-title")).to_have_text(name)
            until(lambda: audio(shown, "currentTime") > 0 and not audio(shown, "paused"), "it plays")
        until(lambda: audio(shown, "paused"), "the music does not end")


def test_music_goes_on_while_pages_change(browser: Browser, music: Music, node: Node) -> None:
    with page(browser) as shown:
        put_on(shown, music.long)
        shown.evaluate("window.stayed = true")
        shown.locator("main a[href^='/@trio']").first.click()
        expect(shown).to_have_url(f"{node.url}/@trio")
        before = audio(shown, "currentTime")
        assert_it_plays_on(shown)
        shown.go_back()
        expect(shown).to_have_url(music.long)
        assert shown.evaluate("window.stayed"), "the page was loaded anew"
        assert audio(shown, "currentTime") > before
        expect(shown.locator("[data-track][aria-current=true]")).to_have_count(1)
        assert shown.locator("audio").count() == 1


def test_it_is_back_at_its_place_after_a_reload(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined, row=1)
        shown.locator("#toggle").click()
        until(lambda: audio(shown, "paused"), "it does not pause")
        before = audio(shown, "currentTime")
        shown.reload()
        expect(shown.locator("#now-title")).to_have_text("Part 2")
        assert audio(shown, "paused")
        shown.locator("#toggle").click()
        assert_it_plays_on(shown, seconds=0.2)
        assert audio(shown, "currentTime") == pytest.approx(before, abs=1.5)
        # And when it was playing, it plays on where the browser lets it.
        shown.reload()
        until(lambda: audio(shown, "currentTime") > before, "it does not play on by itself")


def test_an_expired_permission_is_renewed_without_a_stop(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        asked: list[str] = []
        shown.on("request", lambda sent: asked.append(sent.url) if sent.url.endswith("/play") else None)
        put_on(shown, music.long)
        began = time.monotonic()
        until(lambda: time.monotonic() > began + TTL_S + 1, "")
        # Farther than it is loaded: these bytes are fetched under the second permission.
        shown.evaluate("document.getElementById('audio').currentTime = 85")
        until(lambda: audio(shown, "currentTime") > 85.5, "it stands still")
        assert len(asked) >= 2
        assert shown.locator("#now-note").inner_text() == ""


def test_a_right_that_ends_is_told_once_and_not_asked_about_for_ever(
    browser: Browser, music: Music, node: Node
) -> None:
    node.token = node.run("token", "create", "--email", "artist@example.org").strip()
    release = node.make_release("Withdrawn")
    node.wait_for(node.upload(release, "Withdrawn.flac", tone(95.0)))
    node.post(f"/api/v1/releases/{release}/publish")
    address = node.get(f"/api/v1/releases/{release}")["url"]
    node.token = ""
    with page(browser, expected=OFFLINE) as shown:
        asked: list[str] = []
        shown.on("request", lambda sent: asked.append(sent.url) if sent.url.endswith("/play") else None)
        put_on(shown, address)
        # As another process takes it down.
        with (
            contextlib.closing(sqlite3.connect(node.data / "musicconnect.sqlite3", timeout=30)) as rows,
            rows,
        ):
            rows.execute("UPDATE release SET state = 'draft' WHERE id = ?", (release,))
            rows.execute(
                "INSERT INTO revocation (subject, at) VALUES (?, datetime('now'))", (f"release:{release}",)
            )
        asked.clear()
        began = time.monotonic()
        # Farther than it is loaded, and later than the server may not know of it.
        until(lambda: time.monotonic() > began + 6, "")
        shown.evaluate("document.getElementById('audio').currentTime = 85")
        expect(shown.locator("#now-note")).to_have_text("Your access to this track has ended.")
        before = len(asked)
        shown.wait_for_timeout(5000)
        assert len(asked) == before <= 4


def test_a_server_that_restarts_in_mid_song_is_waited_for(browser: Browser, music: Music, node: Node) -> None:
    with page(browser, expected=OFFLINE) as shown:
        put_on(shown, music.long)
        node.stop()
        assert_it_plays_on(shown)
        shown.evaluate("document.getElementById('audio').currentTime = 85")
        expect(shown.locator("#now-note")).to_have_text(
            "The connection is lost. Playing on from what is here."
        )
        node.start()
        until(lambda: audio(shown, "currentTime") > 85.5, "it does not play on")
        expect(shown.locator("#now-note")).to_have_text("Back again.")
        assert not audio(shown, "paused")


def test_a_dropped_line_is_told_and_survived(browser: Browser, music: Music) -> None:
    with page(browser, expected=OFFLINE) as shown:
        put_on(shown, music.long)
        shown.context.set_offline(True)
        expect(shown.locator("#now-note")).to_have_text(
            "The connection is lost. Playing on from what is here."
        )
        assert_it_plays_on(shown)
        shown.evaluate("document.getElementById('audio').currentTime = 85")
        shown.context.set_offline(False)
        until(lambda: audio(shown, "currentTime") > 85.5, "it does not play on")
        expect(shown.locator("#now-note")).to_have_text("Back again.")


def test_what_was_heard_is_kept_while_offline_and_sent_afterwards(browser: Browser, music: Music) -> None:
    with page(browser, expected=OFFLINE) as shown:
        sent: list[dict[str, Any]] = []
        answers: list[int] = []

        def collect(request: Any) -> None:
            if request.url.endswith("/listen/events"):
                sent.extend(json.loads(request.post_data or "{}")["events"])

        shown.on("request", collect)
        shown.on(
            "response",
            lambda answer: answers.append(answer.status) if "/listen/events" in answer.url else None,
        )
        put_on(shown, music.joined)
        shown.context.set_offline(True)
        shown.locator("#toggle").click()
        until(lambda: "progress" in json.dumps(kept(shown)), "nothing is noted")
        shown.context.set_offline(False)
        until(lambda: not kept(shown) and 204 in answers, "nothing is sent")
        kinds = [event["kind"] for event in sent]
        assert kinds[0] == "start"
        assert "progress" in kinds
        assert len({event["play"] for event in sent}) == 1
        assert {event["track"] for event in sent} == {music.joined_ids[0]}
        assert 0 < max(event["heard_ms"] for event in sent) < 5300
        shown.locator("#next").click()
        until(lambda: "skip" in json.dumps(sent) + json.dumps(kept(shown)), "a skip is not noted")


def kept(shown: Page) -> list[dict[str, Any]]:
    return shown.evaluate("JSON.parse(localStorage.getItem('musicconnect.events') ?? '[]')") or []


def test_of_two_tabs_one_plays(browser: Browser, music: Music) -> None:
    with page(browser) as first:
        put_on(first, music.long)
        second = first.context.new_page()
        put_on(second, music.joined)
        until(lambda: audio(first, "paused"), "both play")
        assert_it_plays_on(second)


def test_the_keyboard_does_everything(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined)
        shown.evaluate("document.activeElement.blur()")
        shown.keyboard.press("Space")
        until(lambda: audio(shown, "paused"), "the space bar does not pause")
        shown.keyboard.press("k")
        expect(shown.locator("#now-title")).to_have_text("Part 2")
        assert_it_plays_on(shown)
        shown.keyboard.press("j")
        expect(shown.locator("#now-title")).to_have_text("Part 1")
        shown.keyboard.press("Space")
        before = audio(shown, "currentTime")
        shown.keyboard.press("ArrowRight")
        until(lambda: audio(shown, "currentTime") > before + 3, "the right arrow does not go on")
        shown.keyboard.press("ArrowLeft")
        until(lambda: audio(shown, "currentTime") < before + 1, "the left arrow does not go back")
        shown.keyboard.press("ArrowDown")
        until(lambda: float(shown.locator("#volume").input_value()) < 1, "the down arrow does not turn down")
        shown.keyboard.press("m")
        assert audio(shown, "muted")
        shown.keyboard.press("?")
        expect(shown.get_by_role("dialog", name="Keys")).to_be_visible()
        shown.keyboard.press("Escape")
        expect(shown.get_by_role("dialog", name="Keys")).to_have_count(0)
        shown.goto(f"{music.joined.rsplit('/@', 1)[0]}/sign-in")
        shown.get_by_label("E-mail").fill("")
        shown.get_by_label("E-mail").press_sequentially("km j")
        assert title(shown) == "Part 1"


def test_the_queue_is_put_in_order_by_keys_and_by_dragging(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined)
        shown.locator("#queue-button").click()
        expect(shown.locator(".queue-line")).to_have_count(3)
        assert queue(shown) == ["Part 1", "Part 2", "Part 3"]
        shown.locator(".queue-line").nth(2).locator(".grip").focus()
        shown.keyboard.press("ArrowUp")
        until(lambda: queue(shown) == ["Part 1", "Part 3", "Part 2"], "the keys do not move it")
        expect(shown.locator("#player-sheet [role=status]")).to_have_text("Part 3 is now number 2 of 3.")
        grip, last = shown.locator(".queue-line .grip").nth(1), shown.locator(".queue-line").nth(2)
        from_, to = grip.bounding_box(), last.bounding_box()
        assert from_ is not None and to is not None
        shown.mouse.move(from_["x"] + 10, from_["y"] + 10)
        shown.mouse.down()
        shown.mouse.move(to["x"] + 20, to["y"] + to["height"] - 2, steps=5)
        shown.mouse.up()
        until(lambda: queue(shown) == ["Part 1", "Part 2", "Part 3"], "dragging does not move it")
        shown.get_by_role("button", name="Take Part 2 out").click()
        until(lambda: queue(shown) == ["Part 1", "Part 3"], "it is still there")
        shown.locator("#next").click()
        expect(shown.locator("#now-title")).to_have_text("Part 3")
        shown.get_by_role("button", name="Clear").click()
        until(lambda: queue(shown) == ["Part 3"], "it is not cleared")
        shown.locator("[popovertarget^=track-menu]").first.click()
        shown.locator("[data-play-next]:visible").first.click()
        until(lambda: queue(shown) == ["Part 3", "Part 1"], "it does not play next")
        shown.locator("[popovertarget^=track-menu]").nth(1).click()
        shown.locator("[data-enqueue]:visible").first.click()
        until(lambda: queue(shown) == ["Part 3", "Part 1", "Part 2"], "it is not in the queue")
        assert_it_plays_on(shown)


def test_shuffle_and_repeat_change_what_follows(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined, row=2)
        expect(shown.locator("#next")).to_be_disabled()
        shown.locator("#repeat").click()
        expect(shown.locator("#next")).to_be_enabled()
        shown.locator("#repeat").click()
        expect(shown.locator("#repeat")).to_have_attribute("aria-label", "Repeat: this track")
        shown.evaluate("document.getElementById('audio').currentTime = 4.9")
        expect(shown.locator("#elapsed")).to_have_text("0:05")
        expect(shown.locator("#elapsed")).to_have_text("0:01")
        assert_it_plays_on(shown)
        assert title(shown) == "Part 3"
        shown.locator("#repeat").click()
        shown.locator("#shuffle").click()
        shown.locator("#queue-button").click()
        expect(shown.locator(".queue-line")).to_have_count(3)
        assert queue(shown)[0] == "Part 3"
        shown.locator("#shuffle").click()
        until(lambda: queue(shown) == ["Part 1", "Part 2", "Part 3"], "the order is not back")


def test_speed_and_sleep_timer(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined)
        shown.locator("button.sound").click()
        shown.locator("#speed").select_option("2")
        assert audio(shown, "playbackRate") == 2
        assert audio(shown, "preservesPitch")
        shown.locator("#sleep").select_option("track")
        expect(shown.locator("#now-title")).to_have_text("Part 2")
        until(lambda: audio(shown, "paused"), "it does not stop with the track")
        expect(shown.locator("#sleep")).to_have_value("off")
        shown.clock.install()
        shown.locator("#sleep").select_option("5")
        shown.keyboard.press("Escape")
        shown.locator("#repeat").click()
        shown.locator("#toggle").click()
        until(lambda: not audio(shown, "paused"), "it does not play")
        shown.clock.fast_forward(5 * 60_000)
        shown.clock.run_for(10_000)
        until(lambda: audio(shown, "paused"), "it does not fall asleep")


def test_who_may_not_hear_the_whole_hears_a_preview_and_why(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.reserved)
        expect(shown.locator("#way-in")).to_contain_text("Sign in to hear the whole of it.")
        expect(shown.locator("#way-in a")).to_be_visible()
        assert 25 < audio(shown, "duration") < 35
        expect(shown.locator("#length")).to_have_text("0:30")
        shown.locator("#way-in a").click()
        expect(shown.get_by_label("Password", exact=True)).to_be_visible()
        assert_it_plays_on(shown)
        # Whoever goes in is back where they were, and what plays is the whole, from its beginning.
        shown.get_by_label("E-mail address").fill("artist@example.org")
        shown.get_by_label("Password", exact=True).fill("a good password")
        shown.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(shown.locator("#way-in")).to_be_hidden()
        assert unquote(shown.url).startswith(f"{music.reserved}/")
        expect(shown.locator("#length")).to_have_text("0:40")
        until(lambda: audio(shown, "duration") > 35, "it still is the preview")
        assert_it_plays_on(shown)


def test_lyrics_follow_the_music_and_lead_to_their_place(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined)
        shown.locator("#lyrics-button").click()
        lines = shown.locator(".lyric")
        expect(lines).to_have_text(["First line", "Again", "Third line", "Again"])
        lines.nth(2).click()
        expect(shown.locator(".lyric[aria-current]")).to_have_text("Third line")
        assert audio(shown, "currentTime") >= 2.9
        shown.locator("#next").click()
        expect(shown.locator("#lyrics-button")).to_be_hidden()
        expect(lines).to_have_count(0)


def test_odd_lyrics_are_read_as_far_as_they_can_be(browser: Browser, music: Music) -> None:
    odd = "\ufeff[ti:x]\r\n[offset:+500]\r\nno time\r\n[00:10,5]a\r[1:75.00]b\n[00:02.5][00:01]  c  \n[00:03.00]<00:03.10>d <00:03.20>e"
    with page(browser) as shown:
        shown.goto(music.joined)
        lines = shown.evaluate(
            "async (text) => (await import('/static/js/player/lyrics.js')).parseLrc(text)", odd
        )
    assert lines == [
        {"at": 0.5, "text": "c"},
        {"at": 2.0, "text": "c"},
        {"at": 2.5, "text": "d e"},
        {"at": 10.0, "text": "a"},
    ]


def test_on_a_phone_the_bar_opens_to_the_whole_screen(browser: Browser, music: Music) -> None:
    with page(browser, viewport=PHONE, has_touch=True) as shown:
        put_on(shown, music.joined)
        expect(shown.locator("#seek")).to_be_hidden()
        shown.locator("#expand").tap()
        player = shown.get_by_role("dialog", name="Player")
        expect(player.locator("#seek")).to_be_visible()
        for _ in range(20):
            shown.keyboard.press("Tab")
            assert shown.evaluate(
                "document.activeElement === document.body || !!document.activeElement.closest('#player')"
            )
        shown.keyboard.press("Escape")
        expect(shown.locator("#seek")).to_be_hidden()
        shown.locator("#expand").tap()
        expect(shown.locator("#seek")).to_be_visible()
        shown.locator("#now-artist").click()
        expect(shown.locator("#seek")).to_be_hidden()
        assert_it_plays_on(shown)


def test_lock_screens_are_told_what_plays(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.joined)
        told = shown.evaluate(
            "() => { const { title, artist, album } = navigator.mediaSession.metadata; "
            "return [title, artist, album, navigator.mediaSession.playbackState]; }"
        )
        assert told == ["Part 1", "Trio", "Joined", "playing"]


def test_the_quality_is_chosen_and_what_plays_is_told(browser: Browser, music: Music) -> None:
    with page(browser) as shown:
        put_on(shown, music.long)
        shown.locator("button.sound").click()
        expect(shown.locator("#qualities .option")).to_have_text(
            ["Automatic", "Lossless", "High", "Medium", "Low"]
        )
        shown.locator("#qualities input[value=low]").check()
        shown.evaluate("document.getElementById('audio').currentTime = 80")
        expect(shown.locator("#playing-now [data-quality]")).to_contain_text("Low")
        expect(shown.locator("#levelling-note")).to_contain_text("This track")
