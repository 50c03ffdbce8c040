"""The demo: made once, and what it says of its music fits the music."""

import threading
from typing import Any

import pytest

from appliance import database
from appliance import jobs
from appliance import plugin_settings
from appliance.accounts import people
from appliance.catalog import artists
from appliance.catalog import credits
from appliance.catalog import lyrics
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.discovery import featured
from appliance.library import playlists
from appliance.listening.models import DailyPlays
from appliance.memberships import granting
from appliance.shop import offers
from appliance.shop.merchandise.models import Article
from appliance.shop.models import Price
from appliance.startup import Appliance
from tests.makers import NOW
from transcoder import demo
from transcoder import demo_goods
from transcoder import liner_notes
from transcoder import synthesis


@pytest.fixture(autouse=True)
def nobody_works(appliance: Appliance) -> None:
    jobs.huey.immediate = False


def test_the_demo_shows_what_releases_can_say() -> None:
    assert demo.make(now=NOW)
    assert not demo.make(now=NOW)
    public = list(Release.select().where(Release.state == ReleaseState.PUBLISHED))
    assert {row.title for row in public} == set(liner_notes.RELEASES)
    assert all(row.about and row.licence and row.release_date for row in public)
    assert all(credits.of_release(row)[""] for row in public)
    assert len({row.licence for row in public}) == len(public)
    assert [row.title for row in public if row.audience == Audience.LISTENERS] == ["Harbour Bells"]
    assert [row.title for row in Release.select().where(Release.state == ReleaseState.DRAFT)] == ["Slow Tram"]


def test_the_collective_and_the_fan_of_the_demo_have_chosen() -> None:
    demo.make(now=NOW)
    assert [pick.release.title for pick in featured.list()] == list(liner_notes.FEATURED)
    (mine,) = playlists.of(people.find(demo.FAN_EMAIL))
    assert mine in playlists.public()
    assert all(row.about for row in artists.run_by(people.find(demo.ARTIST_EMAIL)))


def test_the_fan_of_the_demo_is_a_member_and_what_that_opens_is_there() -> None:
    demo.make(now=NOW)
    mine = granting.of_person(people.find(demo.FAN_EMAIL), now=NOW)
    assert [(row.artist.slug, row.tier.name) for row in mine] == [
        ("ada-quill", "Kitchen table"),
        ("lumen-vale", "Superfan"),
    ]
    exclusive = {title for title, said in liner_notes.TRACKS.items() if said.get("exclusive")}
    assert {song.artist_slug for song in synthesis.SONGS if song.title in exclusive} == {"ada-quill"}


def test_the_demo_switches_its_till_on_for_the_next_start() -> None:
    demo.make(now=NOW)
    assert plugin_settings.stored() == {"demo_payments": {"enabled": True}}


def test_the_demo_claims_no_plays() -> None:
    demo.make(now=NOW)
    assert DailyPlays.select().count() == 0


def test_the_words_of_the_demo_belong_to_songs_that_are_there_and_fit_their_length() -> None:
    songs = {song.title: song for song in synthesis.SONGS}
    assert set(liner_notes.TRACKS) <= set(songs)
    assert set(liner_notes.PLAYLIST["tracks"]) <= set(songs)
    timed = {
        title: said["synced_lyrics"] for title, said in liner_notes.TRACKS.items() if "synced_lyrics" in said
    }
    assert timed
    for title, text in timed.items():
        assert lyrics.read(text, duration_ms=1000 * songs[title].duration_s)
        assert lyrics.plain(text).split("\n") == [
            line for line in liner_notes.TRACKS[title]["lyrics"].split("\n") if line
        ]


def test_releases_of_the_demo_are_for_sale() -> None:
    demo.make(now=NOW)
    priced = Price.select().where(Price.release.is_null(False))
    assert sorted((row.price_minor, row.pay_more) for row in priced) == [
        (0, True),
        (300, True),
        (500, False),
        (700, True),
    ]
    assert offers.of_catalogue(artists.find("lumen-vale")).price_minor == 640


def test_articles_get_their_pictures_while_others_write(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.make(now=NOW)

    def other() -> None:
        with database.transaction():
            plugin_settings.keep("somebody", {"at": len(written)}, forget=set(), now=NOW)
        database.close_thread()

    written: list[str] = []
    put = appliance.store.put

    def put_beside(key: str, *args: Any, **kwargs: Any) -> Any:
        written.append(key)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return put(key, *args, **kwargs)

    monkeypatch.setattr(appliance.store, "put", put_beside)
    demo_goods.draw(artists.find(demo_goods.SELLER), appliance)
    assert written
    assert not Article.select().where(Article.picture_key == "").exists()
