"""Search, genres, tags, artists and the price of the pages for listeners."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import startup
from appliance.catalog import artist_page
from appliance.catalog import credits
from appliance.catalog import tracks
from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.discovery import featured
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.benchmarks import catalogue
from tests.benchmarks import filling
from tests.servers import site
from tests.servers.site import Person
from tests.web.test_storefront import address_of
from tests.web.test_storefront import players
from tests.web.test_storefront import price
from tests.web.test_storefront import text
from web.app import create_app

LONG = "A title that goes on " * 14


def titles(page: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'class="card-title"[^>]*>([^<]+)', page)]


@pytest.fixture
def shore(appliance: Appliance, artist: Person) -> Release:
    """A public release with a track."""
    act = site.make_artist(artist, "Möwe & Söhne")
    release = site.make_release(
        artist,
        artist=act,
        title="Küstenlinie",
        genre="Ambient",
        tags=["Meer", "field recording"],
        published=True,
    )
    site.make_track(release, appliance, title="Flut")
    return release


def test_one_search_finds_artists_releases_tracks_and_tags(client: FlaskClient, shore: Release) -> None:
    assert titles(text(client, "/search?q=mowe")) == ["Möwe & Söhne", "Küstenlinie"]
    assert titles(text(client, "/search?q=KUSTEN")) == ["Küstenlinie"]
    page = text(client, "/search?q=flut")
    assert [told["title"] for told in players(page)] == ["Flut"]
    assert "/tags/field-recording" in text(client, "/search?q=recording")
    assert "/genres/ambient" in text(client, "/search?q=amb")


def test_one_kind_can_be_looked_for_alone(client: FlaskClient, shore: Release) -> None:
    page = text(client, "/search?q=mowe&in=artists")
    assert titles(page) == ["Möwe & Söhne"]
    assert titles(text(client, "/search?q=mowe&in=nonsense")) == ["Möwe & Söhne", "Küstenlinie"]


def test_a_search_without_words_shows_where_to_begin(client: FlaskClient, shore: Release) -> None:
    assert "/genres/ambient" in text(client, "/search")
    assert "/genres/ambient" in text(client, "/search?q=+++")


@pytest.mark.parametrize(
    "query", ["%00", "*", '"', "%22+OR+%22", "a" * 5000, "%F0%9F%8C%8A", "%ff%fe", "' OR 1=1 --", "NEAR(a b)"]
)
def test_whatever_is_searched_for_gets_a_page(client: FlaskClient, shore: Release, query: str) -> None:
    assert "Nothing has all of these words" in text(client, f"/search?q={query}")
    text(client, f"/search/suggestions?q={query}")


def test_what_is_searched_for_stays_text(client: FlaskClient) -> None:
    assert "<script>alert" not in text(client, "/search?q=<script>alert(1)</script>")


def test_suggestions_are_a_list_of_choices(client: FlaskClient, shore: Release) -> None:
    answer = client.get("/search/suggestions?q=kust")
    page = answer.get_data(as_text=True)
    assert "private" in answer.headers["Cache-Control"]
    assert re.findall(r'role="option" id="([^"]+)" href="([^"]+)"', page) == [
        ("suggestion-r1", address_of(shore)),
        ("suggestion-t1", f"{address_of(shore)}/{tracks.of_release(shore)[0].slug}"),
    ]
    assert "<html" not in page


def test_a_draft_is_found_nowhere(app, client: FlaskClient, appliance: Appliance, artist: Person) -> None:
    draft = site.make_release(artist, title="Secret Plans", genre="Hidden", tags=["hush"])
    site.make_track(draft, appliance, title="Secret Song")
    for address in ("/search?q=secret", "/search/suggestions?q=secret", "/new", "/artists", "/genres"):
        assert "Secret" not in text(site.signed_in(app, artist), address).replace("Nothing found for", "")
    for address in ("/genres/hidden", "/tags/hush", "/tags/nothing", "/genres/%00", "/tags/..."):
        text(client, address, 404)
    page = text(site.signed_in(app, artist), address_of(draft))
    assert "/tags/hush" not in page, "its tags lead nowhere yet"


def test_spellings_of_a_tag_share_a_page(client: FlaskClient, shore: Release) -> None:
    for name in ("field-recording", "Field Recording", "FIELD_RECORDING"):
        assert titles(text(client, f"/tags/{name}")) == ["Küstenlinie"]


def test_artists_stand_in_the_order_of_the_alphabet(
    client: FlaskClient, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.discovery.ON_A_PAGE", 2)
    for name in ("Zebra", "Älg", "ant", "Мир", "Bee"):
        site.make_release(artist, artist=site.make_artist(artist, name), published=True)
    site.make_artist(artist, "Nobody yet")
    seen, address = [], "/artists"
    while address:
        page = text(client, address)
        seen += titles(page)
        further = re.search(r'href="([^"]+)"[^>]*><span>Further', page)
        address = further[1] if further else ""
    assert seen == ["Älg", "ant", "Bee", "Zebra", "Мир"]


def test_the_first_page_begins_with_what_the_collective_features(
    client: FlaskClient, artist: Person, shore: Release
) -> None:
    other = site.make_release(artist, artist=shore.artist, title="Ebbe", published=True)
    featured.put([shore.id, other.id], notes={shore.id: "For <the> evening"}, now=clock.now())
    page = text(client, "/")
    assert "For &lt;the&gt; evening" in page
    assert page.index("Küstenlinie") < page.index("Ebbe")
    for way in (
        "/genres/ambient",
        "/tags/meer",
        "/artists",
        f'data-play-source="/listen/release/{shore.id}.json"',
    ):
        assert way in page


def test_a_track_has_a_page_with_its_words_and_credits(
    appliance: Appliance, client: FlaskClient, shore: Release
) -> None:
    track = tracks.of_release(shore)[0]
    second = site.make_track(shore, appliance, title="Ebbe")
    tracks.edit(track, {"lyrics": "Das Wasser <kommt>"}, now=clock.now())
    tracks.edit(second, {"synced_lyrics": "[00:00.50]Das Wasser\n[00:01.00]geht"}, now=clock.now())
    credits.store(shore.id, track.id, [("Ida", "Cello")])
    page = text(client, f"{address_of(shore)}/{track.slug}")
    for shown in ("Das Wasser &lt;kommt&gt;", "Ida", "Cello", "Track 1", 'rel="next">', track.waveform_key):
        assert shown in page
    assert players(page)[0]["lyrics"] == "plain"
    page = text(client, f"{address_of(shore)}/{second.slug}")
    assert 'data-at-ms="500"' in page
    assert players(page)[0]["lyrics"] == "synced"
    assert "Ida" in text(client, address_of(shore))
    text(client, f"{address_of(shore)}/no-such-track", 404)


def test_where_the_whole_is_for_listeners_the_page_says_so_and_leads_in(
    client: FlaskClient, shore: Release
) -> None:
    Release.update(audience=Audience.LISTENERS).where(Release.id == shore.id).execute()
    page = text(client, address_of(shore))
    (told,) = players(page)
    assert (told["mayPlay"], told["reason"]) == (False, "Sign in to hear the whole of it.")
    # And from there back to what one wanted to hear.
    assert told["wayIn"] == {"href": f"/sign-in?next={told['url']}", "text": "Sign in"}
    assert f'href="/sign-in?next={address_of(shore)}"' in page
    assert "Sign in to hear the whole of it." in page


def test_a_long_release_goes_on_on_the_next_page(
    appliance: Appliance, client: FlaskClient, shore: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.storefront.TRACKS_ON_A_PAGE", 2)
    for number in range(2, 6):
        site.make_track(shore, appliance, title=f"Part {number}")
    seen, address = [], address_of(shore)
    while address:
        page = text(client, address)
        assert "5 tracks" in page
        seen += re.findall(r'class="track-number"[^>]*>(\d+)<', page)
        more = re.search(r'href="([^"]+)"[^>]*><span>More tracks', page)
        address = more[1] if more else ""
    assert seen == ["1", "2", "3", "4", "5"]
    for after in ("x", "-1", "9" * 30, "²"):
        text(client, f"{address_of(shore)}?after={after}")


def test_any_name_and_title_has_its_place(appliance: Appliance, client: FlaskClient, artist: Person) -> None:
    for name in (LONG[:200], "مرحبا بالعالم", "🌊🌊🌊", "!!!"):
        act = site.make_artist(artist, name)
        release = site.make_release(
            artist, artist=act, title=LONG[:300], tags=["!!!", "🌊"], genre="?", published=True
        )
        site.make_track(release, appliance, title=name)
        for address in ("/", f"/@{act.slug}", address_of(release), "/genres", "/search?q=a"):
            page = text(client, address)
            assert 'dir="auto"' in page
    assert titles(text(client, "/tags/🌊")) == [LONG[:300].strip()] * 4


def test_a_former_address_leads_to_the_present_one(
    client: FlaskClient, artist: Person, shore: Release
) -> None:
    old = shore.artist.slug
    artist_page.edit(shore.artist, {"slug": "seagulls"}, actor=artist.user, now=clock.now())
    for rest in ("", f"/{shore.slug}", f"/{shore.slug}/flut", "?cursor=abc"):
        answer = client.get(f"/@{old}{rest}")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"/@seagulls{rest}")


def prices(data: Path, releases: int) -> dict[str, int]:
    """What each page asks of the database among so many releases."""
    data.mkdir()
    place = filling.sqlite(data / "musicconnect.sqlite3", releases * catalogue.TRACKS_A_RELEASE)
    addresses = [
        "/",
        "/new",
        "/artists",
        "/genres",
        "/genres/ambient",
        "/tags/sea",
        "/search?q=ba",
        "/search?q=sea",
    ]
    addresses += ["/search/suggestions?q=ba", place.artist(0), place.release(0), f"{place.release(0)}/t3"]
    running = startup.start(Settings(data=data, queue_url="memory://"), immediate=True)
    try:
        client = create_app(running).test_client()
        asked = {address: price(client, address) for address in addresses}
    finally:
        startup.stop()
    return asked


def test_a_page_asks_as_much_among_a_thousand_releases_as_among_ten(tmp_path: Path) -> None:
    few, many = prices(tmp_path / "few", 10), prices(tmp_path / "many", 1000)
    # A search stops as soon as it has a page full of hits, so in a small catalogue it looks in more places.
    assert {address: price for address, price in many.items() if price > few[address]} == {}
    assert {address for address, price in many.items() if price != few[address]} <= {
        address for address in many if "search" in address
    }
    assert max(few.values()) <= 36
