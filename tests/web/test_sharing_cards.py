"""Cards and the head of public pages: what a shared link shows, and nothing of what is not public."""

import io
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from appliance import clock
from appliance.catalog import artwork
from appliance.catalog import releases
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from web.sharing import cards
from web.sharing import drawing
from web.sharing import metadata
from web.sharing.drawing import Card

pytestmark = pytest.mark.usefixtures("nobody_works")
HARD = ("😀 🎵", "音楽", "a" * 300, "word " * 60, "שלום עולם", "e\u0301" * 50, "<&>\u0000\u200b", "")


def card_of(app: Flask, release: Release) -> str:
    with app.test_request_context():
        return urlsplit(cards.address("release", release.id, cards.of_release(release))).path


def test_a_card_is_a_picture_that_never_changes(app: Flask, client: FlaskClient, artist: Person) -> None:
    release = site.make_release(artist, published=True)
    answer = client.get(card_of(app, release))
    assert answer.mimetype == "image/png"
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_card_shows_the_cover(
    app: Flask, appliance: Appliance, client: FlaskClient, artist: Person, tmp_path: Path
) -> None:
    release = site.make_release(artist, published=True)
    with site.picture_file(tmp_path).open("rb") as picture:
        artwork.set_artwork(release, picture, store=appliance.store, now=clock.now())
    picture = Image.open(io.BytesIO(client.get(card_of(app, releases.find(release.id))).data)).convert("RGB")
    red, green, blue = picture.getpixel((300, 300))  # type: ignore[misc]
    assert red < 40 and abs(green - 128) < 20 and abs(blue - 128) < 20


def test_a_card_is_made_once(
    app: Flask, client: FlaskClient, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = card_of(app, site.make_release(artist, published=True))
    first = client.get(address).data
    monkeypatch.setattr(drawing, "draw", lambda *_: pytest.fail("drawn twice"))
    assert client.get(address).data == first


def test_a_new_title_has_a_new_card_and_the_old_address_leads_there(
    app: Flask, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    old = card_of(app, release)
    Release.update(title="Another").where(Release.id == release.id).execute()
    new = card_of(app, releases.find(release.id))
    assert new != old
    answer = client.get(old)
    assert (answer.status_code, urlsplit(answer.location).path) == (302, new)


@pytest.mark.parametrize("state", [ReleaseState.DRAFT, ReleaseState.SCHEDULED])
def test_what_is_not_public_has_no_card(
    app: Flask, client: FlaskClient, artist: Person, state: ReleaseState
) -> None:
    release = site.make_release(artist)
    Release.update(state=state).where(Release.id == release.id).execute()
    assert client.get(card_of(app, release)).status_code == 404
    for wrong in (
        "/cards/release/x.png",
        "/cards/user/1-2.png",
        "/cards/collective/x-y.png",
        "/cards/track/-.png",
    ):
        assert client.get(wrong).status_code == 404


@pytest.mark.parametrize("text", HARD)
def test_every_text_finds_room_on_a_card(text: str) -> None:
    picture = Image.open(io.BytesIO(drawing.draw(Card(text, text, text, "", "#aa3322"), None)))
    assert picture.size == (drawing.WIDTH_PX, drawing.HEIGHT_PX)
    size, lines = drawing.fitted(drawing.shown(text), 450)
    assert len(lines) <= drawing.MOST_LINES
    assert all(drawing._font(size).getlength(line) <= 450 for line in lines)


def test_what_the_font_cannot_draw_is_left_out() -> None:
    assert drawing.shown("Night 🎵 Ferry 音") == "Night Ferry"
    assert drawing.shown("שלום Привет Łódź") == "שלום Привет Łódź"


# The head of a page


def test_a_release_tells_search_engines_what_it_is(app: Flask, appliance: Appliance, artist: Person) -> None:
    release = site.make_release(
        artist, published=True, about="Recorded *at night* [here](https://x.example)."
    )
    track = site.make_track(release, appliance)
    with app.test_request_context():
        head = metadata.of_release(release, [track])
        album, trail = (json.loads(script) for script in head.scripts)
        of_track = metadata.of_track(track)
    assert album["@type"] == "MusicAlbum" and album["byArtist"]["@type"] == "MusicGroup"
    assert album["track"][0]["@type"] == "MusicRecording" and album["track"][0]["duration"] == "PT0M2S"
    assert trail["@type"] == "BreadcrumbList"
    assert head.description == "Recorded at night here."
    assert head.url == f"http://localhost/@{release.artist.slug}/{release.slug}"
    kinds = {kind for kind, _, _ in head.alternates}
    assert {"application/json+oembed", "text/xml+oembed", "application/atom+xml"} <= kinds
    assert json.loads(of_track.scripts[0])["inAlbum"]["name"] == release.title


def test_no_title_ends_the_structured_data(app: Flask, artist: Person) -> None:
    title = "</script><script>alert(1)</script>\u2028 & <!--"
    release = site.make_release(artist, published=True, title=title)
    with app.test_request_context():
        script = metadata.of_release(release).scripts[0]
    assert "<" not in script and "\u2028" not in script
    assert json.loads(script)["name"] == releases.find(release.id).title


def test_a_draft_tells_nothing_that_could_be_passed_on(app: Flask, artist: Person) -> None:
    with app.test_request_context():
        head = metadata.of_release(site.make_release(artist))
    assert head.hidden and not head.image and not head.scripts and not head.alternates


def test_pages_carry_their_head(client: FlaskClient, appliance: Appliance, artist: Person) -> None:
    release = site.make_release(artist, published=True)
    track = site.make_track(release, appliance)
    page = f"/@{release.artist.slug}/{release.slug}"
    for address in ("/", f"/@{release.artist.slug}", page, f"{page}/{track.slug}"):
        text = client.get(address).get_data(as_text=True)
        assert re.findall(r'<link rel="canonical" href="([^"]*)"', text) == [f"http://localhost{address}"], (
            address
        )
        image = re.findall(r'property="og:image" content="([^"]*)"', text)
        assert len(image) == 1
        assert client.get(urlsplit(image[0]).path).mimetype == "image/png"
        assert "application/ld+json" in text
