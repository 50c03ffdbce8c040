"""Feeds hold what RFC 4287 and RSS 2.0 demand, tell nothing that is not public, and cost nothing when nothing is new."""

import re
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import etree

from appliance.catalog.models import Audience
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.servers.site import rung_bytes

pytestmark = pytest.mark.usefixtures("nobody_works")
ATOM = {"a": "http://www.w3.org/2005/Atom"}
ITUNES = {"i": "http://www.itunes.com/dtds/podcast-1.0.dtd"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FEEDS = ("/feed.atom", "/@night-ferry/feed.atom", "/@night-ferry/podcast.xml")


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    release = site.make_release(artist, published=True, about="Made *at sea*, by <us> & others.")
    return site.make_track(release, appliance)


def read(client: FlaskClient, address: str) -> etree._Element:
    answer = client.get(address)
    assert answer.status_code == 200
    return etree.fromstring(answer.data)


def one(node: etree._Element, name: str) -> str:
    found = node.findall(f"a:{name}", ATOM)
    assert len(found) == 1, f"{name} has to be there exactly once (RFC 4287, 4.1)"
    return found[0].text or ""


@pytest.mark.parametrize("address", FEEDS[:2])
def test_a_feed_is_valid_atom(client: FlaskClient, track: Track, address: str) -> None:
    answer = client.get(address)
    assert answer.mimetype == "application/atom+xml"
    feed = etree.fromstring(answer.data)
    assert feed.tag == f"{{{ATOM['a']}}}feed"
    entries = feed.findall("a:entry", ATOM)
    assert len(entries) == 1
    for node in (feed, *entries):
        assert urlsplit(one(node, "id")).scheme in {"tag", "http"}
        assert one(node, "title")
        assert RFC_3339.fullmatch(one(node, "updated"))
        assert node.find("a:author/a:name", ATOM) is not None
        links = [(link.get("rel"), link.get("type")) for link in node.findall("a:link", ATOM)]
        # No two alternates of one type (4.1.1), and each link has its address whole (4.2.7.1).
        assert links.count(("alternate", "text/html")) == 1
        assert all(urlsplit(link.get("href")).netloc for link in node.findall("a:link", ATOM))
    assert feed.find("a:link[@rel='self']", ATOM).get("href") == f"http://localhost{address}"
    content = entries[0].find("a:content", ATOM)
    assert content.get("type") == "html" and "<em>at sea</em>" in content.text and "<us>" not in content.text
    enclosure = entries[0].find("a:link[@rel='enclosure']", ATOM)
    assert enclosure.get("type") == "audio/mp4"
    assert client.get(urlsplit(enclosure.get("href")).path).data == b"preview"


def test_a_name_in_a_feed_stays_when_title_and_address_change(client: FlaskClient, track: Track) -> None:
    before = one(read(client, FEEDS[0]).find("a:entry", ATOM), "id")
    assert before.startswith("tag:localhost,")
    Release.update(title="Renamed", slug="renamed").where(Release.id == track.release_id).execute()
    entry = read(client, FEEDS[0]).find("a:entry", ATOM)
    assert (one(entry, "id"), one(entry, "title")) == (before, "Renamed")


def test_a_podcast_tells_true_lengths(client: FlaskClient, track: Track) -> None:
    answer = client.get(FEEDS[2])
    assert answer.mimetype == "application/rss+xml"
    channel = etree.fromstring(answer.data).find("channel")
    for name in ("title", "link", "description", "language"):
        assert channel.findtext(name)
    assert channel.find("i:category", ITUNES).get("text") == "Music"
    item = channel.find("item")
    assert parsedate_to_datetime(item.findtext("pubDate")) <= datetime.now(UTC)
    assert item.find("guid").get("isPermaLink") == "false"
    assert item.findtext("i:duration", namespaces=ITUNES) == "2"
    enclosure = item.find("enclosure")
    assert enclosure.get("type") == "audio/mp4"
    heard = client.get(urlsplit(enclosure.get("url")).path, follow_redirects=True)
    assert heard.mimetype == "audio/mp4" and len(heard.data) == int(enclosure.get("length"))
    # The best that everybody may hear; the free tier ends below the rung called high.
    assert heard.data == rung_bytes("low")


def test_an_episode_can_be_fetched_in_pieces(client: FlaskClient, track: Track) -> None:
    address = f"/listen/tracks/{track.id}/episode.m4a"
    led = client.get(address)
    assert led.status_code == 302 and led.headers["Cache-Control"] == "no-store"
    piece = client.get(urlsplit(led.location).path, headers={"Range": "bytes=100-199"})
    assert piece.status_code == 206 and piece.data == rung_bytes("low")[100:200]
    # The permission that it leads to opens this file and no other.
    folder = urlsplit(led.location).path.rpartition("/")[0]
    assert [client.get(f"{folder}/{other}.mp4").status_code for other in ("high", "lossless")] == [403, 403]


def test_what_only_listeners_hear_is_an_episode_of_its_preview(client: FlaskClient, track: Track) -> None:
    Release.update(audience=Audience.LISTENERS).where(Release.id == track.release_id).execute()
    enclosure = read(client, FEEDS[2]).find("channel/item/enclosure")
    assert enclosure.get("length") == str(len(b"preview"))
    heard = client.get(urlsplit(enclosure.get("url")).path, follow_redirects=True)
    assert heard.data == b"preview"


@pytest.mark.parametrize("state", [ReleaseState.DRAFT, ReleaseState.SCHEDULED])
def test_feeds_tell_nothing_that_is_not_public(
    client: FlaskClient, appliance: Appliance, artist: Person, state: ReleaseState
) -> None:
    hidden = site.make_track(site.make_release(artist, title="Hidden thing"), appliance, title="Hidden song")
    Release.update(state=state).where(Release.id == hidden.release_id).execute()
    for address in FEEDS:
        assert "idden" not in client.get(address).get_data(as_text=True)
    assert client.get(f"/listen/tracks/{hidden.id}/episode.m4a").status_code == 404


def test_feeds_of_nobody_are_not_there(client: FlaskClient) -> None:
    assert client.get("/@nobody/feed.atom").status_code == 404
    assert client.get("/@nobody/podcast.xml").status_code == 404
    # A collective without music has a feed all the same, and it is a whole one.
    assert RFC_3339.fullmatch(one(read(client, "/feed.atom"), "updated"))


@pytest.mark.parametrize("address", FEEDS)
def test_a_reader_that_knows_a_feed_gets_nothing_twice(
    client: FlaskClient, track: Track, address: str
) -> None:
    first = client.get(address)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get(address, headers=since).status_code == 304
    later = datetime.now(UTC) + timedelta(seconds=5)
    Track.update(title="New", updated_at=later).where(Track.id == track.id).execute()
    assert client.get(address, headers=since).status_code == 200
    if address != "/feed.atom":
        assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_no_text_breaks_a_feed(client: FlaskClient, appliance: Appliance, artist: Person) -> None:
    title = "]]> & <b>\ufffe\uffff 🎵 שלום " + "x" * 200
    release = site.make_release(artist, published=True, title=title, about=title, tags=["a&b", "<c>"])
    site.make_track(release, appliance, title=title)
    clean = title.replace("\ufffe", "").replace("\uffff", "")
    assert one(read(client, FEEDS[0]).find("a:entry", ATOM), "title") == clean
    assert read(client, FEEDS[2]).findtext("channel/item/title") == clean
