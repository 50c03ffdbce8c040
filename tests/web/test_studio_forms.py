"""The forms of the studio: credits by rows, lyrics with times, two who edit at once, and rubbish."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from appliance import clock
from appliance.catalog import credits
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.listening.models import DailyPlays
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.sounds import tone
from tests.web.test_studio import Browser
from tests.web.test_studio import picture
from tests.web.test_studio import studio

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def browser(app: Flask, artist: Person) -> Browser:
    return Browser(site.signed_in(app, artist))


def test_credits_are_rows_that_can_be_added_and_removed_without_a_script(
    browser: Browser, artist: Person
) -> None:
    release = site.make_release(artist)
    rows = {"credit_name": ["Ada", "Bo"], "credit_role": ["Vocals", "Mixing"], "title": "Unsaved words"}
    more = browser.send(studio(release), act="add_link", **rows)
    page = more.get_data(as_text=True)
    assert more.status_code == 422
    assert page.count('name="credit_name"') == 3
    assert 'value="Unsaved words"' in page
    fewer = browser.send_text(studio(release), act="remove_link:0", **rows)
    assert ('value="Ada"' in fewer, 'value="Bo"' in fewer) == (False, True)
    assert credits.of_release(release) == {}
    browser.send(studio(release), **rows)
    assert credits.told(credits.of_release(release)[""]) == [
        {"name": "Ada", "role": "Vocals"},
        {"name": "Bo", "role": "Mixing"},
    ]


def test_a_text_can_be_seen_as_it_will_look_without_a_script(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    page = browser.send(studio(release), act="preview", about="Some *calm* <script>alert(1)</script>")
    assert page.status_code == 422
    assert "<em>calm</em>" in page.get_data(as_text=True)
    assert "<script>alert" not in page.get_data(as_text=True)
    assert releases.find(release.id).about == ""


def test_the_second_of_two_who_edit_is_told_and_sees_both(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    browser.send(studio(release), version="1", genre="Ambient", about="Theirs", title="Harbour Lights")
    late = browser.send(studio(release), version="1", genre="Techno", about="Theirs", title="Harbour Lights")
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "Somebody else changed this" in page
    assert 'value="Techno"' in page
    assert "Stored by somebody else meanwhile: Ambient" in page
    assert page.count("Stored by somebody else meanwhile") == 1
    assert releases.find(release.id).genre == "Ambient"
    # Saved once more, with both before one's eyes, it takes its place.
    assert 'name="version" value="2"' in page
    browser.send(studio(release), version="2", genre="Techno")
    assert releases.find(release.id).genre == "Techno"


def test_credits_of_the_other_are_told_too(browser: Browser, appliance: Appliance, artist: Person) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    address = f"/studio/tracks/{track.id}"
    browser.send(address, version="1", credit_name="Ada", credit_role="Vocals")
    page = browser.send_text(address, version="1", credit_name="Bo", credit_role="")
    assert "Stored by somebody else meanwhile: Ada (Vocals)" in page
    assert 'value="Bo"' in page


def test_a_script_saves_as_one_writes(browser: Browser, appliance: Appliance, artist: Person) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    address, headers = f"/studio/tracks/{track.id}", {"Accept": "application/json"}
    fields = {"csrf_token": browser.word, "version": "1", "isrc": "dea122600001"}
    saved = browser.client.post(address, data=fields, headers=headers)
    assert (saved.json["version"], saved.json["values"]["isrc"]) == (2, "DE-A12-26-00001")
    stale = browser.client.post(address, data=fields, headers=headers)
    assert stale.status_code == 409
    wrong = browser.client.post(
        address, data={**fields, "version": "2", "synced_lyrics": "La"}, headers=headers
    )
    assert (wrong.status_code, wrong.json["field"]) == (422, "synced_lyrics")
    assert wrong.json["detail"].startswith("Line 1 has no time")


def test_lyrics_with_a_bad_line_come_back_with_its_number(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    text = "[00:00.50]One\n[00:77.00]Two"
    answer = browser.send(
        f"/studio/tracks/{track.id}", version="1", synced_lyrics=text, lyrics="An hour of words"
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Line 2: “00:77.00” has more than 59 seconds." in page
    assert "[00:77.00]Two" in page
    assert "An hour of words" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": "x" * 500}, "at most 300 characters"),
        ({"title": "\x00\x07 \n"}, "must not be empty"),
        ({"tags": ", ".join(f"tag {number}" for number in range(300))}, "at most 20 tags"),
        ({"catalogue_number": "<b>7</b>"}, "A catalogue number has"),
        ({"release_date": "2026-02-30"}, "must be a date"),
        ({"audience": "nobody"}, "The audience is"),
        ({"credit_name": ["x" * 300], "credit_role": [""]}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_taken_comes_back_with_a_sentence_and_loses_nothing(
    browser: Browser, artist: Person, fields: dict[str, object], sentence: str
) -> None:
    release = site.make_release(artist)
    answer = browser.send(
        studio(release), version="1", **{"title": "A title", "about": "An hour of words", **fields}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert "An hour of words" in page
    assert releases.find(release.id).version == 1


def test_markup_and_bidi_overrides_in_a_title_do_no_harm(browser: Browser, artist: Person) -> None:
    release = site.make_release(artist)
    browser.send(
        studio(release), title="<img src=x onerror=alert(1)>\u202e evil 🎵 \u0627\u0644\u0628\u062d\u0631"
    )
    page = browser.page(studio(release))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "\u202e" not in page
    assert "🎵" in page


def test_a_form_for_a_release_that_is_sent_twice_makes_one(browser: Browser, artist: Person) -> None:
    site.make_artist(artist)
    fields = {"artist": "night-ferry", "title": "Once", "kind": "ep", "form_token": "0123456789abcdef"}
    first, second = (browser.send("/studio/releases", **fields) for _ in range(2))
    assert first.request.path == second.request.path
    assert Release.select().count() == 1


def test_a_new_master_comes_by_a_plain_form_and_can_be_dismissed(
    browser: Browser, appliance: Appliance, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist), appliance)
    address = f"/studio/tracks/{track.id}"
    page = browser.send_text(f"{address}/master", file=(io.BytesIO(tone(1.0)), "new.flac"))
    assert "Until then the old one is heard" in page
    assert Track.get().original_key == track.original_key
    Replacement.update(problem="The file ends in the middle.").execute()
    assert "The file ends in the middle." in browser.page(address)
    browser.send(f"{address}/master/dismiss")
    assert Replacement.select().count() == 0
    refused = browser.send_text(f"{address}/master", file=(io.BytesIO(b"no music at all"), "new.flac"))
    assert "This does not look like music." in refused


def test_the_picture_is_cut_where_the_form_says(browser: Browser, artist: Person) -> None:

    release = site.make_release(artist)
    answer = browser.send_text(
        f"{studio(release)}/artwork", file=(picture(), "a.png"), x="0.1", y="0", size="0.8"
    )
    assert "The artwork is set." in answer
    wrong = browser.send_text(f"{studio(release)}/artwork", file=(picture(), "a.png"), x="7", y="0", size="1")
    assert "numbers from 0 to 1" in wrong


@pytest.mark.parametrize("count", [3, 60])
def test_the_pages_ask_the_database_as_often_for_many_rows_as_for_few(
    browser: Browser, appliance: Appliance, artist: Person, count: int
) -> None:
    act = site.make_artist(artist)
    rows = [site.make_release(artist, artist=act, title=f"Release {number}") for number in range(count)]
    for number in range(count):
        site.make_track(rows[0], appliance, title=f"Track {number}")
    pages = {"/studio": 20, studio(rows[0]): 20, "/studio/figures": 16}
    for address, most in pages.items():
        assert least(lambda address=address: browser.page(address)) <= most, address


def test_older_releases_are_on_pages_of_their_own(browser: Browser, artist: Person) -> None:
    act = site.make_artist(artist)
    for number in range(15):
        site.make_release(artist, artist=act, title=f"Release {number:02}")
    page = browser.page("/studio")
    assert "Release 14" in page
    assert "Release 00" not in page
    address = page.split('href="/studio/releases?')[1].split('"')[0].replace("&amp;", "&")
    older = browser.page(f"/studio/releases?{address}")
    assert "Release 00" in older
    assert "Release 14" not in older
    browser.page("/studio/releases?state=lost", 404)


def test_figures_show_plays_by_day_and_the_tracks_heard_most(
    browser: Browser, appliance: Appliance, artist: Person, stranger: Person, app: Flask
) -> None:

    assert "No figures yet" in browser.page("/studio/figures")
    release = site.make_release(artist, published=True)
    track = tracks.find(site.make_track(release, appliance).id)
    DailyPlays.create(track=track.id, artist=release.artist_id, day=clock.now().date(), plays=7)
    page = browser.page("/studio/figures")
    assert "Low Tide" in page
    assert ">7<" in page
    assert "7 plays" in browser.page("/studio")
    assert site.signed_in(app, stranger).get("/studio/figures?artist=night-ferry").status_code == 403
