"""The bytes of music: behind a signed address only, just the qualities it opens; artwork, waveforms and previews for everyone."""

import re
import time
from datetime import datetime
from datetime import timedelta
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import database
from appliance import hooks
from appliance import revocations
from appliance.catalog import artwork
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.servers.site import rung_bytes
from web import addresses
from web import media
from web.request_cycle import note_epoch

pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def track(appliance: Appliance, artist: Person) -> Track:
    return site.make_track(site.make_release(artist, published=True), appliance)


def token(appliance: Appliance, asset: str, *qualities: str, expires_in_s: int = 60) -> str:
    grant = Grant(
        asset=asset,
        qualities=frozenset(qualities),
        expires_at_s=int(time.time()) + expires_in_s,
        epoch=revocations.epoch(),
        listener="listener",
        artist="artist",
        release="release",
    )
    return media_tokens.sign(grant, secret=appliance.secret)


def asset_of(track: Track) -> str:
    return f"{track.id}.{track.run_id}"


def test_a_listener_gets_the_playlists_and_the_bytes(
    client: FlaskClient, artist: Person, track: Track
) -> None:
    told = client.post(f"/api/v1/tracks/{track.id}/play", headers=artist.headers).json
    url = urlsplit(told["hls_url"]).path
    text = client.get(url).get_data(as_text=True)
    assert re.findall(r"^[\w.]+\.m3u8$", text, re.MULTILINE) == [
        "low.media.m3u8",
        "high.media.m3u8",
        "lossless.media.m3u8",
    ]
    folder = url.rpartition("/")[0]
    for quality in site.RUNGS:
        playlist, rung = client.get(f"{folder}/{quality}.media.m3u8"), client.get(f"{folder}/{quality}.mp4")
        assert (playlist.status_code, playlist.mimetype) == (200, "application/vnd.apple.mpegurl")
        assert (rung.mimetype, rung.data) == ("audio/mp4", rung_bytes(quality))
        assert rung.headers["Cache-Control"] == "private, no-store"


def test_the_master_names_the_allowed_qualities_only(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    signed = token(appliance, asset_of(track), "low", "lossless")
    text = client.get(f"/media/{signed}/{asset_of(track)}/master.m3u8").get_data(as_text=True)
    assert re.findall(r"^[\w.]+\.m3u8$", text, re.MULTILINE) == ["low.media.m3u8", "lossless.media.m3u8"]
    assert text.count("#EXT-X-STREAM-INF") == 2
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")


def test_a_permission_for_low_does_not_open_high(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    folder = f"/media/{token(appliance, asset_of(track), 'low')}/{asset_of(track)}"
    assert client.get(f"{folder}/low.mp4").status_code == 200
    for name in ("high.mp4", "high.media.m3u8", "lossless.mp4", "original"):
        assert client.get(f"{folder}/{name}").status_code in {403, 404}
    assert client.get(f"{folder}/high.mp4").status_code == 403


def test_a_permission_for_one_track_does_not_open_another(
    appliance: Appliance, client: FlaskClient, track: Track, artist: Person
) -> None:
    other = site.make_track(Release.get_by_id(track.release_id), appliance)
    signed = token(appliance, asset_of(track), "low", "master")
    for asset in (asset_of(other), f"{track.id}.{other.run_id}", f"{track.id}.original", track.id):
        for name in ("low.mp4", "master.m3u8", "original"):
            assert client.get(f"/media/{signed}/{asset}/{name}").status_code in {403, 404}


def test_an_expired_permission_is_told_as_such(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    signed = token(appliance, asset_of(track), "low", expires_in_s=0)
    answer = client.get(f"/media/{signed}/{asset_of(track)}/low.mp4")
    assert (answer.status_code, answer.json["detail"]) == (
        403,
        "This media address has expired; ask for a new one.",
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_permission_that_a_wrong_clock_made_for_tomorrow_opens_nothing_today(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    signed = token(appliance, asset_of(track), "low", expires_in_s=86_400)
    assert client.get(f"/media/{signed}/{asset_of(track)}/low.mp4").status_code == 403


def test_a_takedown_ends_every_address_that_was_given_out_before(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    def played() -> str:
        return urlsplit(client.post(f"/api/v1/tracks/{track.id}/play").json["hls_url"]).path

    before = played()
    assert client.get(before).status_code == 200
    with database.transaction():
        revocations.revoke(f"release:{track.release_id}", now=clock.now())
    for name in ("master.m3u8", "low.media.m3u8", "low.mp4"):
        answer = client.get(before.replace("master.m3u8", name))
        assert (answer.status_code, answer.headers["Cache-Control"]) == (403, "no-store")
        assert "ended" in answer.json["detail"]
    assert client.get(played()).status_code == 200


def test_what_another_process_revoked_is_known_to_the_next_play(
    appliance: Appliance, client: FlaskClient, track: Track
) -> None:
    client.post(f"/api/v1/tracks/{track.id}/play")
    # As another process writes it: nothing here is told.
    revocations.Revocation.insert(subject=f"track:{track.id}", at=clock.now()).execute()
    url = urlsplit(client.post(f"/api/v1/tracks/{track.id}/play").json["hls_url"]).path
    assert client.get(url).status_code == 200, "a fresh permission is not taken for one from before"


def test_no_change_of_a_token_is_taken(appliance: Appliance, client: FlaskClient, track: Track) -> None:
    signed = token(appliance, asset_of(track), "low")
    body, _, signature = signed.partition(".")
    forged = [
        signed[:-1],
        signed[1:],
        signed + "A",
        signed + "=",
        body,
        f"{body}.",
        f".{signature}",
        f"{body}.{signature[::-1]}",
        f"{signature}.{body}",
        f"{body}.{signature}.{signature}",
        "x",
        "é" * 20,
        "A" * 5000,
        "%00",
        *(
            signed[:i] + ("A" if signed[i] != "A" else "B") + signed[i + 1 :]
            for i in range(0, len(signed), 5)
        ),
    ]
    for wrong in forged:
        answer = client.get(f"/media/{quote(wrong)}/{asset_of(track)}/low.mp4")
        assert answer.status_code in {403, 404}, wrong


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2f..%2fsecret_key",
        "%2e%2e/%2e%2e/secret_key",
        "..\\..\\secret_key",
        "low.mp4%00.txt",
        "low.mp4/",
        "low",
        "low.mp4.bak",
        ".mp4",
        "LOW.MP4",
        "low.txt",
        "%252e%252e%252fsecret_key",
        "master.m3u8%0d%0aX-Evil:1",
    ],
)
def test_no_name_leads_out_of_the_folder(
    appliance: Appliance, client: FlaskClient, track: Track, name: str
) -> None:
    signed = token(appliance, asset_of(track), "low", "master")
    answer = client.get(f"/media/{signed}/{asset_of(track)}/{name}")
    assert answer.status_code in {403, 404, 308}
    assert appliance.secret.encode() not in answer.data


@pytest.mark.parametrize("folder", ["artwork", "waveforms", "previews"])
@pytest.mark.parametrize(
    "name",
    [
        "../originals/x",
        "..%2foriginals%2fx",
        "%2e%2e/%2e%2e/secret_key",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        ".incoming/x",
        "a/../../x",
        "a%00b",
        "x" * 3000,
        "",
        "ü",
    ],
)
def test_public_folders_open_nothing_but_themselves(client: FlaskClient, folder: str, name: str) -> None:
    assert client.get(f"/{folder}/{name}").status_code in {404, 308}


def test_no_stream_or_original_is_public(appliance: Appliance, client: FlaskClient, track: Track) -> None:
    for key in (f"hls/{track.id}/{track.run_id}/low.mp4", track.original_key, f"media/{track.original_key}"):
        assert client.get(f"/{key}").status_code == 404


def test_the_people_behind_a_track_hear_its_original(
    client: FlaskClient, track: Track, artist: Person
) -> None:
    url = client.get(f"/api/v1/tracks/{track.id}", headers=artist.headers).json["original"]["url"]
    answer = client.get(url)
    assert (answer.status_code, answer.mimetype, len(answer.data)) == (200, "audio/flac", 1000)
    assert answer.headers["Cache-Control"].startswith("private")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_waveform_and_preview_are_public_and_never_change(client: FlaskClient, track: Track) -> None:
    shown = client.get(f"/api/v1/tracks/{track.id}").json
    for url, kind in ((shown["waveform_url"], "application/json"), (shown["preview_url"], "audio/mp4")):
        answer = client.get(url)
        assert (answer.status_code, answer.mimetype) == (200, kind)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Vary" not in answer.headers, "a cache in front must keep one copy for everyone"


def test_the_bytes_of_a_signed_in_listener_carry_no_cookie(
    app: Flask, track: Track, stranger: Person
) -> None:
    browser = site.signed_in(app, stranger)
    answer = browser.get(browser.get(f"/api/v1/tracks/{track.id}").json["preview_url"])
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_artwork_comes_in_every_size_and_both_formats(
    appliance: Appliance, client: FlaskClient, artist: Person
) -> None:
    release = site.make_release(artist, published=True)
    with open(site.picture_file(appliance.settings.data), "rb") as picture:
        artwork.set_artwork(release, picture, store=appliance.store, now=clock.now())
    addresses = client.get(f"/api/v1/releases/{release.id}").json["artwork"]
    assert list(addresses) == ["1200", "600", "300", "96"]
    for url in addresses.values():
        assert (client.get(url).mimetype, client.get(url.replace(".webp", ".jpg")).mimetype) == (
            "image/webp",
            "image/jpeg",
        )
        assert client.get(url).headers["Cache-Control"].endswith("immutable")


def test_a_player_elsewhere_may_ask_for_ranges(
    client: FlaskClient, appliance: Appliance, track: Track
) -> None:
    address = f"/media/{token(appliance, asset_of(track), 'low')}/{asset_of(track)}/low.mp4"
    asked = client.options(
        address, headers={"Origin": "https://player.example", "Access-Control-Request-Headers": "range"}
    )
    assert asked.status_code == 200
    assert "Range" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    given = client.get(address, headers={"Origin": "https://player.example", "Range": "bytes=0-9"})
    assert "Content-Range" in given.headers["Access-Control-Expose-Headers"]
    master = client.get(
        address.replace("low.mp4", "master.m3u8"), headers={"Origin": "https://player.example"}
    )
    assert master.headers["Access-Control-Allow-Origin"] == "*"


def test_the_master_is_not_sent_again_to_who_has_it(
    client: FlaskClient, appliance: Appliance, track: Track
) -> None:
    address = f"/media/{token(appliance, asset_of(track), 'low')}/{asset_of(track)}/master.m3u8"
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = client.head(address)
    assert (head.headers["Content-Length"], head.data) == (str(len(first.data)), b"")
    other = client.get(address.replace(address.split("/")[2], token(appliance, asset_of(track), "high")))
    assert other.headers["ETag"] != first.headers["ETag"]


def test_a_missing_object_is_told_without_its_key(
    client: FlaskClient, appliance: Appliance, track: Track
) -> None:
    appliance.store.delete(f"hls/{track.id}/{track.run_id}/low.mp4")
    appliance.store.delete(f"hls/{track.id}/{track.run_id}/master.m3u8")
    folder = f"/media/{token(appliance, asset_of(track), 'low')}/{asset_of(track)}"
    for name in ("low.mp4", "master.m3u8"):
        answer = client.get(f"{folder}/{name}")
        assert (answer.status_code, answer.json["detail"]) == (404, "There is nothing at this address.")


def made(app: Flask, track: Track, **options: datetime) -> tuple[str, int]:
    with app.test_request_context():
        note_epoch()
        return addresses.stream(track, ["low"], "LISTENER", **options)


def test_a_permission_ends_with_the_right_it_is_made_of(app: Flask, track: Track) -> None:
    soon = clock.now().replace(microsecond=0) + timedelta(seconds=30)
    assert made(app, track, until=soon)[1] == int(soon.timestamp())
    assert made(app, track, until=soon + timedelta(days=1)) == made(app, track)


def test_a_permission_is_given_with_the_epoch_from_before_the_rights_were_looked_at(
    app: Flask, track: Track
) -> None:
    with app.test_request_context(), pytest.raises(AttributeError):
        addresses.stream(track, ["low"], "LISTENER")


def test_an_address_on_an_edge_lives_no_minute_and_files_do_not_pass_it(
    app: Flask, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def answer(_hook: str, *, key: str, expires_in_s: int) -> list[str]:
        told.append(expires_in_s)
        return [f"https://cdn.example/{key}"]

    monkeypatch.setattr(hooks, "announce", answer)
    url, expires_at_s = made(app, track)
    assert url.startswith("https://cdn.example/media/")
    assert told == [addresses.EDGE_S]
    assert expires_at_s - time.time() <= addresses.EDGE_S < 60 - revocations.POLL_S
    with app.test_request_context():
        note_epoch()
        for direct in (addresses.file(track, "low", "LISTENER"), addresses.original(track, "LISTENER")):
            assert direct.startswith("http://localhost/media/")


def test_a_master_keeps_what_is_no_variant() -> None:
    text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n# a note\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n#END"
    assert (
        media.restricted(text, frozenset({"high"}))
        == "#EXTM3U\n# a note\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n#END\n"
    )
    assert media.restricted("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1", frozenset({"low"})) == "#EXTM3U\n"
