"""The pages for listeners: what they show, to whom, and at which price in queries."""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import TrackState
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from web import colours
from web import presentation
from web.app import create_app

VENDOR = Path(__file__).parents[2] / "web" / "static" / "vendor"
TITLE_OF_EVIL = '<script>alert("x")</script>'


def text(client: FlaskClient, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def players(page: str) -> list[dict[str, Any]]:
    """What the player is told on this page."""
    return [json.loads(html.unescape(told)) for told in re.findall(r'data-track="([^"]*)"', page)]


def address_of(release: Release) -> str:
    return f"/@{release.artist.slug}/{release.slug}"


def price(client: FlaskClient, address: str) -> int:
    """How much a page asks of the database, besides what a process asks once, or again after some seconds."""
    return least(lambda: text(client, address))


def test_an_empty_house_invites_the_first_artist(client: FlaskClient) -> None:
    assert "Nothing has been published here yet" in text(client, "/")


def test_the_index_shows_what_is_published_and_no_draft(client: FlaskClient, artist: Person) -> None:
    act = site.make_artist(artist)
    out = site.make_release(artist, artist=act, title="Out Now", published=True)
    site.make_release(artist, artist=act, title="Not Yet")
    page = text(client, "/")
    assert "Out Now" in page
    assert address_of(out) in page
    assert "Not Yet" not in page


def test_a_full_shelf_goes_on_on_the_next_page(
    client: FlaskClient, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.storefront.ON_A_PAGE", 2)
    monkeypatch.setattr("web.discovery.ON_A_PAGE", 2)
    act = site.make_artist(artist)
    for number in range(5):
        site.make_release(
            artist, artist=act, title=f"Volume {number}", genre="Ambient", tags=["sea"], published=True
        )
    for start in ("/new", f"/@{act.slug}", "/genres/ambient", "/tags/sea"):
        seen, address = [], start
        while address:
            page = text(client, address)
            seen += re.findall(r'class="card-title"[^>]*>([^<]+)', page)
            older = re.search(r'href="([^"]+)"[^>]*><span>Older releases', page)
            address = older[1] if older else ""
        assert seen == [f"Volume {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "é", "A" * 4000])
def test_a_damaged_cursor_is_told_plainly(client: FlaskClient, cursor: str) -> None:
    assert "start from the first page" in text(client, f"/new?cursor={cursor}", 422)
    assert "start from the first page" in text(client, f"/artists?cursor={cursor}", 422)


def test_an_artist_has_a_page_and_only_the_owner_is_led_to_the_studio(
    app: Flask, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    act = site.make_artist(artist, "Lumen & Vale")
    page = text(client, f"/@{act.slug}")
    assert "Lumen &amp; Vale" in page
    assert "Open the studio" not in page
    assert "Open the studio" not in text(site.signed_in(app, stranger), f"/@{act.slug}")
    assert "Open the studio" in text(site.signed_in(app, artist), f"/@{act.slug}")


def test_a_release_page_carries_what_its_player_needs(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True, genre="Ambient", credits="All by Ana", tags=["sea"])
    track = site.make_track(release, appliance, title="Low Tide")
    page = text(client, address_of(release))
    (told,) = players(page)
    assert told == {
        "id": track.id,
        "title": "Low Tide",
        "artist": release.artist.name,
        "artistUrl": f"/@{release.artist.slug}",
        "release": release.title,
        "releaseUrl": address_of(release),
        "url": f"{address_of(release)}/{track.slug}",
        "cover": "",
        "durationMs": 2000,
        "loudnessLufs": -14.0,
        "truePeakDbtp": -1.0,
        "waveform": f"http://localhost/{track.waveform_key}",
        "preview": f"http://localhost/{track.preview_key}",
        "mayPlay": True,
        "reason": "",
        "wayIn": None,
        "lyrics": "",
    } | {key: told[key] for key in told if key == "mayKeep"}
    for shown in ("Low Tide", "0:02", "Ambient", "All by Ana", "sea", "data-play-all", "data-queue"):
        assert shown in page


def test_without_scripts_a_release_page_still_plays(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    track = site.make_track(release, appliance)
    quiet = re.findall(r"<noscript>(.+?)</noscript>", text(client, address_of(release)), re.DOTALL)
    assert any(f"/listen/tracks/{track.id}/plain.m4a" in part for part in quiet)


def test_only_finished_tracks_are_shown_and_numbered(
    appliance: Appliance, app: Flask, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    site.make_track(release, appliance, state=TrackState.PROCESSING, title="Later")
    site.make_track(release, appliance, title="Now")
    page = text(site.signed_in(app, artist), address_of(release))
    assert "Later" not in page
    assert "One more track is being prepared." in page
    assert '<span class="track-number" aria-hidden="true">1</span>' in page


def test_a_draft_is_there_for_its_owner_alone(
    app: Flask, client: FlaskClient, artist: Person, stranger: Person
) -> None:
    release = site.make_release(artist)
    text(client, address_of(release), 404)
    text(site.signed_in(app, stranger), address_of(release), 404)
    assert "This is a draft" in text(site.signed_in(app, artist), address_of(release))


@pytest.mark.parametrize("address", ["/@nobody", "/@nobody/nothing", "/nothing", "/@", "/@a/b/c"])
def test_an_unknown_address_gets_a_page_that_leads_back(client: FlaskClient, address: str) -> None:
    page = text(client, address, 404)
    assert "To the music" in page
    assert "Traceback" not in page


def test_what_people_write_stays_text(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    act = site.make_artist(artist, TITLE_OF_EVIL)
    release = site.make_release(
        artist, artist=act, title=TITLE_OF_EVIL, about=TITLE_OF_EVIL, credits=TITLE_OF_EVIL, published=True
    )
    track = site.make_track(release, appliance, title='"><img src=x onerror=alert(1)>')
    tracks.edit(track, {"lyrics": TITLE_OF_EVIL}, now=clock.now())
    for address in ("/", f"/@{act.slug}", address_of(release)):
        page = text(client, address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_no_page_needs_more_than_the_strict_policy_gives(
    appliance: Appliance, app: Flask, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    site.make_track(release, appliance)
    browser = site.signed_in(app, artist)
    for address in ("/", address_of(release), "/studio", f"/studio/releases/{release.id}", "/nothing"):
        answer = browser.get(address)
        page = answer.get_data(as_text=True)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        # What stands in a field to be copied is a text, whatever it says.
        page = re.sub(r' value="[^"]*"', "", page)
        assert not re.search(r"<[^>]+\sstyle=", page), "a style attribute would be refused"
        assert not re.search(r"<[^>]+\son\w+=", page), "an inline handler would be refused"
        for nonce in re.findall(r'nonce="([^"]*)"', page):
            assert f"'nonce-{nonce}'" in policy
        for tag in re.findall(r"<(?:script|style)[^>]*>", page):
            # What is JSON is not run: the policy lets it stand.
            assert "src=" in tag or "nonce=" in tag or re.search(r'type="application/(ld\+)?json"', tag)


def test_a_visitor_gets_no_cookie(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    release = site.make_release(artist, published=True)
    site.make_track(release, appliance)
    for address in ("/", address_of(release), f"/@{release.artist.slug}"):
        assert "Set-Cookie" not in client.get(address).headers


def test_pages_cost_the_same_number_of_queries_however_much_they_show(
    appliance: Appliance, app: Flask, artist: Person
) -> None:
    act = site.make_artist(artist)
    release = site.make_release(artist, artist=act, published=True)
    site.make_track(release, appliance)
    site.make_release(artist, artist=site.make_artist(artist, "Band"), title="Draft")
    browser = site.signed_in(app, artist)
    addresses = ("/", address_of(release), "/studio", f"/studio/releases/{release.id}")
    before = {address: price(browser, address) for address in addresses}
    for number in range(4):
        site.make_release(artist, artist=act, title=f"More {number}", published=True)
        site.make_release(artist, artist=site.make_artist(artist, f"Band {number}"), title="Other")
        site.make_track(release, appliance, title=f"Track {number}")
    assert {address: price(browser, address) for address in addresses} == before
    assert max(before.values()) <= 20


def test_the_page_takes_the_colour_of_its_cover_and_keeps_contrast(
    client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    Release.update(colour="#ffee00").where(Release.id == release.id).execute()
    page = text(client, address_of(release))
    sheet = re.search(r'href="(/accents/ffee00\.css[^"]*)"', page)
    assert sheet
    shown = dict(re.findall(r"--accent-(on-\w+):\s*(#[0-9a-f]{6})", text(client, html.unescape(sheet[1]))))
    assert colours.contrast(shown["on-light"], colours.LIGHT_PAGE) >= 4.5
    assert colours.contrast(shown["on-dark"], colours.DARK_PAGE) >= 4.5


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#808080", "#ff0000", "#0000ff", "#49331e", "", "red;}"]
)
def test_any_colour_becomes_two_that_can_be_read(colour: str) -> None:
    accent = colours.accent(colour)
    for shown, page in ((accent.on_light, colours.LIGHT_PAGE), (accent.on_dark, colours.DARK_PAGE)):
        assert re.fullmatch(r"#[0-9a-f]{6}", shown)
        assert colours.contrast(shown, page) >= 4.5


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(None, ""), (0, "0:00"), (999, "0:01"), (59_400, "0:59"), (60_000, "1:00"), (3_723_000, "1:02:03")],
)
def test_a_length_is_written_as_people_write_it(milliseconds: int | None, written: str) -> None:
    assert presentation.duration(milliseconds) == written


def test_a_demo_says_that_it_is_one(appliance: Appliance, artist: Person) -> None:
    assert "This is a demo" not in text(create_app(appliance).test_client(), "/")
    User.update(demo=True).execute()
    assert "artist@demo.com" in text(create_app(appliance).test_client(), "/")


def test_the_collective_is_named_on_every_page(client: FlaskClient) -> None:
    for address in ("/", "/sign-in", "/register"):
        assert re.search(r"<span[^>]*>MusicConnect</span>", text(client, address))


def test_a_bug_gets_a_page_without_its_story_and_without_the_database(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a story")

    for asked in ("web.storefront.releases.published", "web.storefront.people.demo_accounts_exist"):
        monkeypatch.setattr(asked, broken)
    page = text(create_app(appliance).test_client(), "/", 500)
    assert "Something went wrong on our side" in page
    assert "story" not in page


def test_published_releases_keep_their_address_when_the_title_changes(
    client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    releases.edit(release, {"title": "A New Name"}, now=clock.now())
    assert "A New Name" in text(client, address_of(release))
    assert release.state == ReleaseState.PUBLISHED


def test_vendored_libraries_are_what_the_manifest_says() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))
    listed = {f"{entry['name']}/{file}" for entry in manifest for file in entry["sha256"]}
    assert listed == {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()} - {
        "manifest.json"
    }
    for entry in manifest:
        assert "LICENSE" in entry["sha256"]
        assert entry["licence"]
        for file, checksum in entry["sha256"].items():
            data = (VENDOR / entry["name"] / file).read_bytes()
            assert hashlib.sha256(data).hexdigest() == checksum, file
