"""What search engines read: every public page once, none that is not, and no part larger than allowed."""

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import etree

from appliance.catalog import directory
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.startup import Appliance
from tests import queries
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")
NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def addresses_in(client: FlaskClient, path: str) -> list[str]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    return [node.text for node in etree.fromstring(answer.data).iterfind("*/s:loc", NAMES)]


def all_pages(client: FlaskClient) -> list[str]:
    parts = addresses_in(client, "/sitemap.xml")
    return [address for part in parts for address in addresses_in(client, urlsplit(part).path)]


def test_every_public_page_is_listed_once_and_is_there(
    client: FlaskClient, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    site.make_track(release, appliance)
    pages = all_pages(client)
    assert len(pages) == len(set(pages)) == 4
    assert all(client.get(urlsplit(page).path).status_code == 200 for page in pages)


def test_nothing_that_is_not_public_is_listed(
    client: FlaskClient, appliance: Appliance, artist: Person
) -> None:
    site.make_track(site.make_release(artist, title="Secret"), appliance)
    assert all_pages(client) == ["http://localhost/"]


def test_a_long_list_comes_in_parts_and_loses_nothing(
    client: FlaskClient, appliance: Appliance, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STEP", 4), ("MOST_IN_A_STEP", 5), ("AT_ONCE", 2)):
        monkeypatch.setattr(directory, name, value)
    release = site.make_release(artist, published=True)
    made = {site.make_track(release, appliance, title=f"Song {n}").slug for n in range(11)}
    parts = [part for part in addresses_in(client, "/sitemap.xml") if "/tracks-" in part]
    assert len(parts) == 3
    listed = [addresses_in(client, urlsplit(part).path) for part in parts]
    assert [len(pages) for pages in listed] == [4, 4, 3]
    assert {page.rpartition("/")[2] for pages in listed for page in pages} == made


def test_a_part_stays_within_its_limit_when_more_came_in_between(
    appliance: Appliance, artist: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STEP", 2), ("MOST_IN_A_STEP", 3), ("AT_ONCE", 2)):
        monkeypatch.setattr(directory, name, value)
    release = site.make_release(artist, published=True)
    for number in range(5):
        site.make_track(release, appliance, title=f"Song {number}")
    assert len(list(directory.public_in("tracks", after="", until=None))) == 3


def test_a_part_costs_the_same_queries_however_many_tracks_it_has(
    client: FlaskClient, appliance: Appliance, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    site.make_track(release, appliance)
    client.get("/sitemap.xml")
    with queries.counted() as few:
        addresses_in(client, "/sitemaps/tracks-1.xml")
    rows = [
        {**Track.get().__data__, "id": f"00000000000000000000{n:06}", "slug": f"s{n}", "position": n}
        for n in range(500)
    ]
    Track.insert_many(rows).execute()
    with queries.counted() as many:
        assert len(addresses_in(client, "/sitemaps/tracks-1.xml")) == 501
    assert len(many) == len(few)


@pytest.mark.parametrize(
    "path",
    ["/sitemaps/tracks-0.xml", "/sitemaps/tracks-2.xml", "/sitemaps/users-1.xml", "/sitemaps/tracks-x.xml"],
)
def test_there_are_no_other_parts(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_robots_leave_private_rooms_alone(client: FlaskClient) -> None:
    answer = client.get("/robots.txt")
    assert answer.mimetype == "text/plain"
    lines = answer.get_data(as_text=True).splitlines()
    for room in ("/admin", "/library", "/api/"):
        assert f"Disallow: {room}" in lines
    assert "Sitemap: http://localhost/sitemap.xml" in lines


def test_a_withdrawn_release_leaves_the_list(
    client: FlaskClient, appliance: Appliance, artist: Person
) -> None:
    track = site.make_track(site.make_release(artist, published=True), appliance)
    assert len(all_pages(client)) == 4
    Release.update(state="draft").where(Release.id == track.release_id).execute()
    assert all_pages(client) == ["http://localhost/"]
