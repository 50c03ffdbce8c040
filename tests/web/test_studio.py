"""The pages for artists, by plain forms: what scripts do better must work without them."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from appliance import clock
from appliance import jobs
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.sounds import tone


class Browser:
    """Somebody at the studio who presses buttons: sends forms with the page's word and follows where they lead."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.word = site.csrf_token(self.page("/studio"))

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def send(self, address: str, **fields: object) -> TestResponse:
        return self.client.post(address, data={"csrf_token": self.word, **fields}, follow_redirects=True)

    def send_text(self, address: str, **fields: object) -> str:
        return self.send(address, **fields).get_data(as_text=True)


@pytest.fixture
def browser(app: Flask, artist: Person) -> Browser:
    return Browser(site.signed_in(app, artist))


def studio(release: Release) -> str:
    return f"/studio/releases/{release.id}"


def picture(side_px: int = 300) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (side_px, side_px), "#3366cc").save(file, "PNG")
    file.seek(0)
    return file


def titles(release: Release) -> list[str]:
    return [track.title for track in tracks.of_release(release)]


def test_the_studio_asks_visitors_to_sign_in_and_brings_them_back(client: FlaskClient) -> None:
    answer = client.get("/studio/releases/1")
    assert answer.status_code == 302
    assert "next=/studio/releases/1" in answer.headers["Location"].replace("%2F", "/")


def test_from_nothing_to_a_published_release_by_forms_alone(
    browser: Browser, appliance: Appliance, client: FlaskClient
) -> None:
    assert "Name of the artist or band" in browser.page("/studio")
    browser.send("/studio/artists", name="Lumen Vale", slug="")
    page = browser.send("/studio/artists/lumen-vale/releases", title="Tidewater", kind="ep")
    release = Release.get(Release.title == "Tidewater")
    assert page.request.path == studio(release)
    assert "Upload at least one track." in page.get_data(as_text=True)
    sent = browser.send(f"{studio(release)}/tracks", file=(io.BytesIO(tone(1.0)), "01 Low Tide.flac"))
    assert "is being prepared" in sent.get_data(as_text=True)
    track = Track.get()
    assert track.title == "Low Tide"
    assert jobs.latest(tracks.TRANSCODE, [track.id])
    with appliance.store.open(track.original_key) as stored:
        assert stored.read() == tone(1.0)
    Track.update(state=TrackState.READY).where(Track.id == track.id).execute()
    out = browser.send(f"{studio(release)}/publish")
    assert out.request.path == "/@lumen-vale/tidewater"
    assert "It is out." in out.get_data(as_text=True)
    assert "Tidewater" in client.get("/").get_data(as_text=True)


def test_a_form_without_its_word_changes_nothing(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    answer = browser.client.post(studio(release), data={"title": "Forged"})
    assert answer.status_code == 400
    assert releases.find(release.id).title == "Harbour Lights"


@pytest.mark.parametrize(
    "act",
    [
        "",
        "/artwork",
        "/tracks",
        "/publish",
        "/remove",
        "/schedule",
        "/take-back",
        "/private-link",
        "/private-link/revoke",
    ],
)
def test_somebody_else_changes_no_release(app: Flask, artist: Person, stranger: Person, act: str) -> None:
    other = Browser(site.signed_in(app, stranger))
    draft, public = (
        site.make_release(artist),
        site.make_release(artist, artist=site.make_artist(artist, "B"), published=True),
    )
    assert other.send(studio(draft) + act, title="Mine").status_code == 404
    assert other.send(studio(public) + act, title="Mine").status_code == 403
    assert {row.title for row in Release.select()} == {"Harbour Lights"}


@pytest.mark.parametrize("act", ["", "/move", "/retry", "/remove", "/master", "/master/dismiss"])
def test_somebody_else_changes_no_track(
    app: Flask, appliance: Appliance, artist: Person, stranger: Person, act: str
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    assert Browser(site.signed_in(app, stranger)).send(f"/studio/tracks/{track.id}{act}").status_code == 404
    assert Track.get().title == "Low Tide"


def test_somebody_else_does_not_hear_the_original(
    app: Flask, appliance: Appliance, artist: Person, stranger: Person
) -> None:
    track = site.make_track(site.make_release(artist, published=True), appliance)
    assert site.signed_in(app, stranger).get(f"/studio/tracks/{track.id}/original").status_code == 403


def test_the_artist_hears_the_original_at_once(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance, state=TrackState.UPLOADED)
    answer = browser.client.get(f"/studio/tracks/{track.id}/original")
    heard = browser.client.get(answer.headers["Location"])
    assert (heard.status_code, heard.mimetype) == (200, "audio/flac")
    assert heard.data == b"fLaC" + bytes(996)


def test_nobody_makes_a_release_for_an_act_of_others(app: Flask, artist: Person, stranger: Person) -> None:
    act = site.make_artist(artist)
    other = Browser(site.signed_in(app, stranger))
    assert other.send(f"/studio/artists/{act.slug}/releases", title="Mine").status_code == 403


def test_what_cannot_be_taken_comes_back_in_its_form_with_the_reason(
    browser: Browser, artist: Person
) -> None:
    release = site.make_release(artist)
    answer = browser.send(studio(release), title="", about="Two hours of writing", catalogue_number="a<b")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Two hours of writing" in page
    assert "&#39;title&#39; must not be empty." in page
    assert releases.find(release.id).about == ""


@pytest.mark.parametrize(
    ("name", "slug", "reason"),
    [
        ("", "", "must not be empty"),
        ("Fine", "not fine!", "A slug has"),
        ("Fine", "taken", "The address @taken is taken."),
    ],
)
def test_an_artist_that_cannot_be_made_is_told_why(
    browser: Browser, stranger: Person, name: str, slug: str, reason: str
) -> None:
    site.make_artist(stranger, "Taken")
    answer = browser.send("/studio/artists", name=name, slug=slug)
    assert answer.status_code == 422
    assert reason in answer.get_data(as_text=True)
    assert Artist.select().count() == 1


def test_a_release_without_a_title_is_told_why_at_its_own_artist(browser: Browser, artist: Person) -> None:
    act = site.make_artist(artist)
    site.make_artist(artist, "Another")
    page = browser.send_text(f"/studio/artists/{act.slug}/releases", title=" ", kind="ep")
    assert page.count("must not be empty") == 1


def test_details_are_saved_and_shown_again(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    sent = {
        "title": "New Name",
        "kind": "single",
        "about": "First\nSecond",
        "genre": "Drone",
        "tags": "sea, calm",
        "credits": "Ana",
        "licence": "CC BY 4.0",
        "catalogue_number": "LV 001",
        "release_date": "2026-05-01",
    }
    page = browser.send_text(studio(release), **sent)
    assert "Saved." in page
    for value in sent.values():
        assert value in page.replace("\r", "")
    assert releases.tags_of(releases.find(release.id)) == ["sea", "calm"]


def test_a_track_gets_title_isrc_and_lyrics(browser: Browser, appliance: Appliance, artist: Person) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    browser.send(f"/studio/tracks/{track.id}", title="High Tide")
    browser.send(f"/studio/tracks/{track.id}", isrc="de-a12-26-00001", lyrics="La la")
    row = tracks.find(track.id)
    assert (row.title, row.isrc, row.lyrics) == ("High Tide", "DEA122600001", "La la")


def test_a_wrong_isrc_comes_back_with_its_lyrics(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    answer = browser.send(f"/studio/tracks/{track.id}", isrc="12345", lyrics="An hour of lyrics")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "An ISRC has 12 characters" in page
    assert 'value="12345"' in page
    assert "An hour of lyrics" in page


def test_tracks_move_up_and_down_and_stop_at_the_ends(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist)
    first, *_, last = [site.make_track(release, appliance, title=title) for title in ("A", "B", "C")]
    browser.send(f"/studio/tracks/{last.id}/move", direction="up")
    assert titles(release) == ["A", "C", "B"]
    browser.send(f"/studio/tracks/{first.id}/move", direction="down")
    assert titles(release) == ["C", "A", "B"]
    for _ in range(3):
        browser.send(f"/studio/tracks/{first.id}/move", direction="down")
    assert titles(release) == ["C", "B", "A"]


def test_a_failed_track_tells_why_and_is_tried_again_or_removed(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance, state=TrackState.FAILED)
    Track.update(problem="The file ends in the middle.").where(Track.id == track.id).execute()
    page = browser.page(studio(release))
    assert "The file ends in the middle." in page
    assert "Send a track that failed again, or remove it." in page
    assert "is being prepared again" in browser.send_text(f"/studio/tracks/{track.id}/retry")
    assert jobs.latest(tracks.TRANSCODE, [track.id])
    assert "is off the release" in browser.send_text(f"/studio/tracks/{track.id}/remove")
    assert titles(release) == []


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "empty.wav", "This file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(80), "picture.flac", "This does not look like music."),
        (b"", "", "Choose a recording first"),
    ],
)
def test_a_file_that_is_no_music_is_refused_in_words(
    browser: Browser, appliance: Appliance, artist: Person, data: bytes, name: str, reason: str
) -> None:
    release = site.make_release(artist)
    page = browser.send_text(f"{studio(release)}/tracks", file=(io.BytesIO(data), name))
    assert reason in page
    assert Track.select().count() == 0
    assert not list(appliance.staging.glob("*.part"))


def test_artwork_is_set_and_gives_the_page_its_colour(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    page = browser.send_text(f"{studio(release)}/artwork", file=(picture(), "cover.png"))
    assert "The artwork is set." in page
    row = releases.find(release.id)
    assert f"/{row.artwork_key}/600.webp" in page
    assert row.colour == "#3366cc"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ((io.BytesIO(b"no picture"), "a.png"), "cannot be read"),
        ((io.BytesIO(b""), ""), "Choose a picture first."),
    ],
)
def test_a_picture_that_cannot_be_taken_is_refused_in_words(
    browser: Browser, artist: Person, file: tuple[io.BytesIO, str], reason: str
) -> None:
    release = site.make_release(artist)
    assert reason in browser.send_text(
        f"{studio(release)}/artwork", file=(io.BytesIO(file[0].getvalue()), file[1])
    )
    assert releases.find(release.id).artwork_key == ""


def test_publishing_waits_for_a_track_that_can_be_heard(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist)
    assert "A release needs at least one track" in browser.send_text(f"{studio(release)}/publish")
    assert releases.find(release.id).state == ReleaseState.DRAFT
    site.make_track(release, appliance)
    browser.send(f"{studio(release)}/publish")
    published_at = releases.find(release.id).published_at
    browser.send(f"{studio(release)}/publish")
    assert releases.find(release.id).published_at == published_at


def test_an_empty_draft_can_be_removed_and_nothing_else(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    act = site.make_artist(artist)
    empty, full = site.make_release(artist, artist=act), site.make_release(artist, artist=act, title="Full")
    site.make_track(full, appliance)
    browser.send(f"{studio(empty)}/remove")
    assert "Only a draft without tracks" in browser.send_text(f"{studio(full)}/remove")
    assert [row.title for row in Release.select()] == ["Full"]


def test_the_list_of_masters_says_how_far_each_is(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist)
    track = site.make_track(release, appliance, state=TrackState.PROCESSING)
    job = jobs.add(tracks.TRANSCODE, track.id, now=clock.now())
    jobs.Job.update(progress=0.42).where(jobs.Job.id == job.id).execute()
    part = browser.page(f"{studio(release)}/tracks")
    assert '<progress value="42"' in part
    assert "<html" not in part
    assert 'data-hindered="yes"' in part
