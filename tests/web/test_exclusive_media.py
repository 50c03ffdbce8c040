"""The keys and the clear files of encrypted tracks: behind the same permission as the rungs themselves."""

import io
import re
import time
from urllib.parse import urlsplit

import pytest

from appliance import database
from appliance.catalog import rendition_keys
from appliance.catalog import sealing
from appliance.catalog import tracks
from appliance.catalog.models import Rendition
from appliance.catalog.models import RenditionKey
from appliance.catalog.models import Track
from appliance.catalog.rendition_keys import Sealed
from appliance.catalog.sealing import Layout
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from tests.servers import site
from tests.servers.site import rung_bytes

pytestmark = pytest.mark.usefixtures("nobody_works")
LAYOUT = (300, 1000, 800)


@pytest.fixture
def keys():
    return {}


@pytest.fixture
def track(appliance, artist, keys):
    """A published track whose rungs are encrypted."""
    made = site.make_track(site.make_release(artist, published=True), appliance)
    ring = rendition_keys.ring(appliance.settings, appliance.secret)
    for row in Rendition.select().where(Rendition.track == made.id):
        clear = rung_bytes(row.quality)
        layout = Layout(LAYOUT[0], (*LAYOUT[1:], len(clear) - sum(LAYOUT)))
        sealed, key = io.BytesIO(), sealing.new_key()
        told = sealing.seal(io.BytesIO(clear), sealed, layout=layout, key=key)
        site.put(appliance, f"hls/{made.id}/{made.run_id}/{row.quality}.mp4", sealed.getvalue(), "audio/mp4")
        with database.transaction():
            rendition_keys.keep(row, Sealed(key, layout, told), ring)
        keys[row.quality] = key
    return tracks.find(made.id)


def folder(appliance, track, *qualities, now_s=0, run_id="", ttl_s=60):
    now_s = now_s or int(time.time())
    asset = f"{track.id}.{run_id or track.run_id}"
    grant = Grant(asset, frozenset(qualities), now_s + ttl_s, "listener")
    return f"/media/{media_tokens.sign(grant, secret=appliance.secret, now_s=now_s)}/{asset}"


def test_who_may_hear_a_rung_gets_its_key(appliance, client, track, keys):
    answer = client.get(f"{folder(appliance, track, 'low', 'high')}/high.key")
    assert (answer.status_code, answer.data, answer.mimetype) == (
        200,
        keys["high"],
        "application/octet-stream",
    )
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    # Some players ask for a part of it; there are no parts of a key.
    part = client.get(f"{folder(appliance, track, 'high')}/high.key", headers={"Range": "bytes=700-900"})
    assert (part.status_code, part.data) == (200, keys["high"])


def test_nobody_else_does(appliance, client, track):
    address = folder(appliance, track, "low")
    expired = folder(appliance, track, "high", now_s=int(time.time()) - 100)
    other_run = folder(appliance, track, "high", run_id="01JANOTHERRUN")
    forged = address[:-60].replace("/media/", "/media/A") + address[-60:]
    for ending in ("key", "m4a"):
        assert client.get(f"{address}/high.{ending}").status_code == 403
        assert client.get(f"{expired}/high.{ending}").status_code == 403
        assert client.get(f"{forged}/low.{ending}").status_code in {403, 404}
        assert client.get(f"{other_run}/high.{ending}").status_code == 404
        refused = client.get(f"{address}/master.{ending}")
        assert (refused.status_code, refused.headers["Cache-Control"]) == (403, "no-store")
    for name in ("key", ".key", "low.key.key", "low.media.key", "original.key"):
        assert client.get(f"{address}/{name}").status_code == 404


def test_a_track_that_is_not_encrypted_has_no_key(appliance, client, artist):
    clear = site.make_track(site.make_release(artist, published=True), appliance)
    for name in ("low.key", "low.m4a"):
        assert client.get(f"{folder(appliance, clear, 'low')}/{name}").status_code == 404


def test_the_rung_itself_is_delivered_encrypted(appliance, client, track):
    sealed = client.get(f"{folder(appliance, track, 'high')}/high.mp4").data
    assert sealed[:300] == rung_bytes("high")[:300]
    assert sealed[300:1300] != rung_bytes("high")[300:1300]


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-299", 0, 300),
        ("bytes=290-310", 290, 311),
        ("bytes=300-300", 300, 301),
        ("bytes=317-1299", 317, 1300),
        ("bytes=1290-2500", 1290, 2501),
        ("bytes=-5", -5, None),
        ("bytes=2000-999999", 2000, None),
    ],
)
def test_the_clear_file_is_given_in_any_part(appliance, client, track, wanted, start, stop):
    clear = rung_bytes("high")
    answer = client.get(f"{folder(appliance, track, 'high')}/high.m4a", headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (206, clear[start:stop])
    assert answer.headers["Content-Range"].endswith(f"/{len(clear)}")


def test_the_clear_file_is_a_file_as_others(appliance, client, track):
    address, clear = f"{folder(appliance, track, 'high')}/high.m4a", rung_bytes("high")
    whole = client.get(address)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, clear, "audio/mp4")
    assert (whole.headers["Cache-Control"], whole.headers["Accept-Ranges"]) == ("private, no-store", "bytes")
    head = client.head(address)
    assert (head.headers["Content-Length"], head.data) == (str(len(clear)), b"")
    unchanged = client.get(address, headers={"If-None-Match": whole.headers["ETag"]})
    assert unchanged.status_code == 304


def test_a_damaged_file_or_key_is_told_and_gives_nothing(appliance, client, track):
    address = folder(appliance, track, "high", "low")
    key = f"hls/{track.id}/{track.run_id}/high.mp4"
    with appliance.store.open(key) as stream:
        site.put(appliance, key, stream.read()[:-16], "audio/mp4")
    assert client.get(f"{address}/high.m4a").status_code == 503
    RenditionKey.update(wrapped="AAAA").execute()
    for name in ("low.key", "low.m4a"):
        assert client.get(f"{address}/{name}").status_code == 503


def test_without_scripts_an_encrypted_track_is_heard_as_one_file(client, track):
    leads = client.get(f"/listen/tracks/{track.id}/plain.m4a")
    assert leads.location.endswith("/high.m4a")
    assert client.get(leads.location).data == rung_bytes("high")


def test_a_feed_has_the_preview_of_an_exclusive_track_only(client, track):
    assert "/media/" in client.get(f"/listen/tracks/{track.id}/episode.m4a").location
    Track.update(exclusive=True).execute()
    assert client.get(f"/listen/tracks/{track.id}/episode.m4a").location.endswith(track.preview_key)


def test_who_keeps_it_offline_is_told_where_the_key_is(app, appliance, client, artist, track, keys):
    listener = site.make_person()
    told = client.post(f"/api/v1/tracks/{track.id}/offline", headers=listener.headers)
    if told.status_code == 403:
        told = client.post(f"/api/v1/tracks/{track.id}/offline", headers=artist.headers)
    offer = told.json
    assert client.get(urlsplit(offer["key_url"]).path).data == keys[offer["quality"]]
    kept = client.get(urlsplit(offer["file_url"]).path)
    assert (
        re.search(r"/\w+\.mp4$", offer["file_url"])
        and len(kept.data)
        == Layout(LAYOUT[0], (*LAYOUT[1:], len(rung_bytes(offer["quality"])) - sum(LAYOUT))).sealed_bytes
    )


def test_a_clear_track_is_kept_without_a_key(client, appliance, artist):
    clear = site.make_track(site.make_release(artist, published=True), appliance)
    told = client.post(f"/api/v1/tracks/{clear.id}/offline", headers=artist.headers)
    assert told.json["key_url"] == ""
