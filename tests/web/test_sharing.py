"""Players in foreign pages, and oEmbed: small, public, the same for everybody."""

import gzip
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree

from appliance import clock
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.library import entries
from appliance.library import playlists
from appliance.library.models import Playlist
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
STATIC = Path(__file__).parents[2] / "web" / "static"
MOST_BYTES = 25_000


@pytest.fixture
def release(artist: Person) -> Release:
    return site.make_release(artist, published=True)


@pytest.fixture
def track(appliance: Appliance, release: Release) -> Track:
    return site.make_track(release, appliance)


def draft_with_track(appliance: Appliance, owner: Person, state: ReleaseState) -> tuple[Release, Track]:
    draft = site.make_release(owner, artist=site.make_artist(owner, "Hidden"), title="Secret")
    Release.update(state=state, private_key="key").where(Release.id == draft.id).execute()
    return draft, site.make_track(draft, appliance)


def tracks_in(page: str) -> list[dict]:
    return [json.loads(unescape(text)) for text in re.findall(r'data-track="([^"]*)"', page)]


def test_a_player_fits_into_25_kilobytes(appliance: Appliance, client: FlaskClient, release: Release) -> None:
    for number in range(12):
        site.make_track(release, appliance, title=f"A title of quite ordinary length, number {number}")
    page = client.get(f"/embed/release/{release.id}").data
    scripts = sorted((STATIC / "js" / "embed").glob("*.js"))
    files = [page, *(path.read_bytes() for path in (*scripts, STATIC / "css" / "embed.css"))]
    # Each on its own, as it goes over the wire; hls.js comes on top, at the first press on play.
    sent = sum(len(gzip.compress(data, 6)) for data in files)
    assert sent <= MOST_BYTES, sent
    for script in scripts:
        text = script.read_text("utf-8")
        assert not re.search(r'^import .* from "\.\./', text, re.MULTILINE), (
            "this would load more than is counted"
        )


def test_a_player_may_stand_in_any_page(client: FlaskClient, track: Track) -> None:
    for address in (f"/embed/release/{track.release_id}", f"/embed/track/{track.id}"):
        answer = client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors *" in policy and "default-src 'none'" in policy
        assert "unsafe" not in policy and "nonce" not in policy
        assert "X-Frame-Options" not in answer.headers
        assert answer.headers["Cache-Control"].startswith("public")
        assert "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers["Vary"]
        assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_all_other_pages_still_refuse_foreign_frames(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_a_player_has_no_style_or_script_of_its_own(client: FlaskClient, track: Track) -> None:
    page = client.get(f"/embed/track/{track.id}?accent=cc3366").get_data(as_text=True)
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)
    assert re.findall(r"<script(?![^>]*src=)", page) == []


def test_whoever_looks_sees_what_the_public_sees(
    app: Flask, appliance: Appliance, artist: Person, release: Release
) -> None:
    site.make_track(release, appliance)
    Release.update(audience=Audience.LISTENERS).where(Release.id == release.id).execute()
    stranger, owner = app.test_client(), site.signed_in(app, artist)
    pages = [browser.get(f"/embed/release/{release.id}").data for browser in (stranger, owner)]
    assert pages[0] == pages[1]
    line = tracks_in(pages[0].decode())[0]
    assert not line["whole"] and line["preview"] and line["reason"]


def test_a_player_works_without_cookies(app: Flask, track: Track) -> None:
    browser = app.test_client(use_cookies=False)
    foreign = {"Origin": "https://blog.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post(f"/api/v1/tracks/{track.id}/play").status_code == 200
    assert browser.post(f"/api/v1/tracks/{track.id}/play", headers=foreign).status_code == 200
    event = {
        "play": "6f1f3c4e-3a4b-4a70-9df3-0c7a1a1f2b11",
        "track": track.id,
        "kind": "start",
        "at": 1000,
        "position_ms": 0,
        "heard_ms": 0,
        "context": f"/embed/track/{track.id}",
    }
    batch = {"client": "6f1f3c4e-3a4b-4a70-9df3-0c7a1a1f2b12", "sent_at": 1000, "events": [event]}
    own = {"Sec-Fetch-Site": "same-origin"}
    assert browser.post("/listen/events", data=json.dumps(batch), headers=own).status_code == 204


@pytest.mark.parametrize("state", [ReleaseState.DRAFT, ReleaseState.SCHEDULED])
def test_what_is_not_public_has_no_player_even_for_its_makers(
    app: Flask, appliance: Appliance, artist: Person, state: ReleaseState
) -> None:
    draft, track = draft_with_track(appliance, artist, state)
    owner = site.signed_in(app, artist)
    for address in (f"/embed/release/{draft.id}", f"/embed/track/{track.id}", "/embed/track/NONE"):
        answer = owner.get(address)
        assert answer.status_code == 404
        # Told inside the frame, and in no other words than for what never was.
        assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
        assert "not available" in answer.get_data(as_text=True) and "Secret" not in answer.get_data(
            as_text=True
        )
        assert "public" not in answer.headers["Cache-Control"]


def test_a_foreign_page_chooses_the_look(client: FlaskClient, track: Track) -> None:
    page = client.get(f"/embed/track/{track.id}?theme=dark&size=small&accent=CC3366").get_data(as_text=True)
    assert 'data-theme="dark" data-size="small"' in page
    sheet = re.findall(r'href="(/embed/accent-[^"]+)"', page)
    assert sheet == ["/embed/accent-cc3366.css"]
    assert "--accent-on-dark" in client.get(sheet[0]).get_data(as_text=True)


@pytest.mark.parametrize("wrong", ["red", "12345", "url(x)", '"><script>', "0" * 5000])
def test_a_look_that_cannot_be_is_as_if_it_were_not_there(
    client: FlaskClient, track: Track, wrong: str
) -> None:
    value = quote(wrong)
    page = client.get(f"/embed/track/{track.id}?theme={value}&size={value}&accent={value}").get_data(
        as_text=True
    )
    assert 'data-theme="auto" data-size="list"' in page and "accent-" not in page
    assert client.get(f"/embed/accent-{quote(wrong[:50], safe='')}.css").status_code == 404


def test_titles_cannot_break_out_of_a_player(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    title = '"><script>alert(1)</script> & שלום 🎵'
    release = site.make_release(artist, published=True, title=title)
    site.make_track(release, appliance, title=title)
    page = client.get(f"/embed/release/{release.id}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert tracks_in(page)[0]["title"] == title
    told = client.get(f"/oembed?url={quote(page_of(release))}").json
    assert "<script>" not in told["html"] and told["title"] == title


def test_without_scripts_one_hears_what_everybody_may(client: FlaskClient, track: Track) -> None:
    page = client.get(f"/embed/track/{track.id}").get_data(as_text=True)
    assert re.search(
        rf'<noscript>.*<audio controls preload="none" src="/listen/tracks/{track.id}/plain.m4a"', page
    )


def test_a_player_speaks_the_language_of_the_browser(client: FlaskClient, track: Track) -> None:
    answer = client.get(f"/embed/track/{track.id}", headers={"Accept-Language": "de"})
    assert '<html lang="de"' in answer.get_data(as_text=True)
    assert "Accept-Language" in answer.headers["Vary"]


# oEmbed


def page_of(release: Release, track: Track | None = None) -> str:
    address = f"http://localhost/@{release.artist.slug}/{release.slug}"
    return f"{address}/{track.slug}" if track else address


def test_a_link_becomes_a_player(client: FlaskClient, release: Release, track: Track) -> None:
    told = client.get(f"/oembed?url={page_of(release)}").json
    assert (told["type"], told["version"], told["title"]) == ("rich", "1.0", release.title)
    assert told["author_name"] == release.artist.name
    assert f'src="http://localhost/embed/release/{release.id}"' in told["html"]
    assert f'width="{told["width"]}" height="{told["height"]}"' in told["html"]
    told = client.get(f"/oembed?url={page_of(release, track)}").json
    assert f"/embed/track/{track.id}" in told["html"] and told["title"] == track.title
    told = client.get(f"/oembed?url=http://localhost/embed/track/{track.id}").json
    assert f"/embed/track/{track.id}" in told["html"]


def test_oembed_in_xml_says_the_same(client: FlaskClient, release: Release) -> None:
    answer = client.get(f"/oembed?url={page_of(release)}&format=xml")
    assert answer.mimetype == "text/xml"
    parsed = {one.tag: one.text for one in etree.fromstring(answer.data)}
    told = client.get(f"/oembed?url={page_of(release)}").json
    assert parsed == {name: str(value) for name, value in told.items()}


def test_oembed_keeps_to_the_size_that_fits(client: FlaskClient, release: Release) -> None:
    told = client.get(f"/oembed?url={page_of(release)}&maxwidth=300&maxheight=200").json
    assert (told["width"], told["height"]) == (300, 120)
    assert "size=small" in told["html"] and "thumbnail_url" not in told
    told = client.get(f"/oembed?url={page_of(release)}&maxwidth=9999&maxheight=80").json
    assert told["width"] <= 9999 and told["height"] == 80
    for rubbish in ("-3", "many", "1e9", "9" * 400):
        assert client.get(f"/oembed?url={page_of(release)}&maxwidth={rubbish}").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no address",
        "http://localhost/",
        "http://localhost/@nobody/nothing",
        "http://elsewhere.example/@night-ferry/harbour-lights",
        "http://[::1",
        "javascript:alert(1)",
        "http://localhost/embed/release/NONE",
    ],
)
def test_oembed_knows_no_other_addresses(client: FlaskClient, release: Release, address: str) -> None:
    assert client.get(f"/oembed?url={quote(address)}").status_code == 404


def test_oembed_answers_as_the_specification_asks(
    appliance: Appliance, client: FlaskClient, artist: Person, release: Release
) -> None:
    assert client.get(f"/oembed?url={page_of(release)}&format=yaml").status_code == 501
    # Of the private rooms it is said by their address; of a draft, nothing tells that it is there.
    for room in ("/studio", "/library/playlists/x", "/admin"):
        assert client.get(f"/oembed?url=http://localhost{room}").status_code == 401
    draft, track = draft_with_track(appliance, artist, ReleaseState.DRAFT)
    for address in (page_of(draft), page_of(draft, track), f"http://localhost/embed/track/{track.id}"):
        assert client.get(f"/oembed?url={address}").status_code == 404


# Playlists


def playlist_of(owner: Person, visibility: str, *tracks: Track) -> Playlist:
    made = playlists.create(owner.user, {"title": "For the road", "visibility": visibility}, now=clock.now())
    for track in tracks:
        entries.add(made, track, now=clock.now())
    return made


def test_a_public_playlist_has_a_player_with_what_the_public_may_know(
    appliance: Appliance, client: FlaskClient, artist: Person, stranger: Person, track: Track
) -> None:
    _, hidden = draft_with_track(appliance, artist, ReleaseState.DRAFT)
    made = playlist_of(artist, "public", track, hidden)
    page = client.get(f"/embed/playlist/{made.id}").get_data(as_text=True)
    assert [line["id"] for line in tracks_in(page)] == [track.id]
    told = client.get(f"/oembed?url=http://localhost/playlists/{made.id}").json
    assert f"/embed/playlist/{made.id}" in told["html"] and told["title"] == "For the road"


@pytest.mark.parametrize("visibility", ["private", "unlisted"])
def test_other_playlists_have_none(
    client: FlaskClient, artist: Person, track: Track, visibility: str
) -> None:
    made = playlist_of(artist, visibility, track)
    assert client.get(f"/embed/playlist/{made.id}").status_code == 404
    for path in (f"/playlists/{made.id}", f"/embed/playlist/{made.id}"):
        assert client.get(f"/oembed?url=http://localhost{path}").status_code == 404
