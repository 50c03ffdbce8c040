"""Who hands out the bytes does not matter: the embedded server, nginx over a folder and nginx over a bucket give one answer."""

import http.client
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import revocations
from appliance import startup
from appliance.catalog import publishing
from appliance.catalog import takedowns
from appliance.catalog.models import Track
from appliance.memberships.models import Purchase
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.nginx import nginx
from tests.servers.ports import free_port
from tests.servers.s3 import s3_server
from tests.servers.site import rung_bytes
from tests.servers.site import serving
from web import gate
from web.app import create_app
from web.nginx import configuration

FRONTS = ("waitress", "nginx", "nginx over s3")
HIGH = rung_bytes("high")
MASTER = b"fLaC" + bytes(996)


@dataclass
class Front:
    """A server in front of the music, and what is behind it."""

    kind: str
    port: int
    appliance: Appliance
    track: Track
    owner: site.Person
    client: FlaskClient
    folder: Path

    def ask(
        self, path: str, *, method: str = "GET", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def played(self) -> str:
        """The path of the master playlist under a fresh permission."""
        told = self.client.post(f"/api/v1/tracks/{self.track.id}/play", headers=self.owner.headers).json
        return urlsplit(told["hls_url"]).path

    def rung(self, quality: str = "high") -> str:
        return self.played().replace("master.m3u8", f"{quality}.mp4")

    def original(self) -> str:
        shown = self.client.get(f"/api/v1/tracks/{self.track.id}", headers=self.owner.headers).json
        return urlsplit(shown["original"]["url"]).path


@pytest.fixture(scope="module", params=FRONTS)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    kind, port, tmp_path = request.param, free_port(), tmp_path_factory.mktemp("front")
    settings = Settings(
        data=tmp_path / "data",
        queue_url="memory://",
        public_url=f"http://127.0.0.1:{port}",
        trusted_proxies=1,
    )
    with ExitStack() as stack:
        if kind == "nginx over s3":
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))
            server = stack.enter_context(s3_server(Path(folder)))
            settings = replace(settings, store_url=server.url("music", create="1", region="us-east-1"))
        appliance = startup.start(settings, immediate=True)
        stack.callback(startup.stop)
        database.migrate()
        jobs.huey.immediate = False
        appliance.store.check()
        owner = site.make_person()
        track = site.make_track(site.make_release(owner, published=True), appliance)
        behind = stack.enter_context(serving(appliance))
        if kind == "waitress":
            port = behind
        else:
            (tmp_path / "cache").mkdir()
            text = configuration(
                replace(settings, port=behind),
                appliance.store,
                secret=appliance.secret,
                listen=(f"127.0.0.1:{port}",),
                cache=str(tmp_path / "cache"),
                log=str(tmp_path / "requests.log"),
            )
            stack.enter_context(nginx(tmp_path / "nginx", text, port))
        yield Front(kind, port, appliance, track, owner, create_app(appliance).test_client(), tmp_path)


def test_playlists_rungs_and_originals_come_as_they_are_stored(front: Front) -> None:
    master = front.played()
    status, headers, body = front.ask(master)
    assert (status, headers["Content-Type"]) == (200, "application/vnd.apple.mpegurl")
    assert b"low.media.m3u8" in body
    assert headers["Cache-Control"].startswith("private, max-age=")
    for quality in site.RUNGS:
        status, headers, body = front.ask(master.replace("master.m3u8", f"{quality}.mp4"))
        assert (status, headers["Content-Type"], body) == (200, "audio/mp4", rung_bytes(quality))
        assert headers["Cache-Control"] == "private, no-store"
    status, headers, body = front.ask(front.original())
    assert (status, headers["Content-Type"], body) == (200, "audio/flac", MASTER)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, len(HIGH)),
        ("bytes=10-19", 10, 20),
        (f"bytes={len(HIGH) - 1}-", len(HIGH) - 1, len(HIGH)),
        ("bytes=5-99999999", 5, len(HIGH)),
        ("bytes=-7", len(HIGH) - 7, len(HIGH)),
        ("bytes=-99999999", 0, len(HIGH)),
    ],
)
def test_a_range_is_answered_with_just_that(front: Front, wanted: str, start: int, stop: int) -> None:
    status, headers, body = front.ask(front.rung(), Range=wanted)
    assert (status, body) == (206, HIGH[start:stop])
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(HIGH)}"
    assert headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,4-5",
        "bytes=0-,0-,0-",
        "bytes=" + "0-," * 300 + "0-1",
        "bytes=5-2",
        "lines=0-1",
        "bytes=a-b",
        "bytes=",
        "0-1",
    ],
)
def test_what_is_no_single_range_is_answered_with_the_whole_or_refused(front: Front, wanted: str) -> None:
    status, _headers, body = front.ask(front.rung(), Range=wanted)
    assert status in {200, 416}
    assert status == 416 or body == HIGH


@pytest.mark.parametrize(
    "wanted", ["bytes=99999999-", "bytes=99999999-999999999", "bytes=18446744073709551616-"]
)
def test_a_range_behind_the_end_is_told_to_be_none(front: Front, wanted: str) -> None:
    status, headers, body = front.ask(front.rung(), Range=wanted)
    assert status == 416
    assert b"InvalidRange" not in body, "the store's own words are for nobody"
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_a_head_tells_the_length_and_sends_nothing(front: Front) -> None:
    status, headers, body = front.ask(front.rung(), method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(HIGH)), b"")
    assert headers["Content-Type"] == "audio/mp4"


def test_what_one_has_already_is_not_sent_again(front: Front) -> None:
    rung = front.rung()
    etag = front.ask(rung)[1]["ETag"]
    assert etag.startswith('"')
    assert front.ask(rung, If_None_Match=etag)[0] == 304
    assert front.ask(rung, If_None_Match='"other"')[0] == 200
    assert front.ask(rung, Range="bytes=0-9", If_Range=etag)[2] == HIGH[:10]
    assert front.ask(rung, Range="bytes=0-9", If_Range='"other"')[2] == HIGH


def test_players_elsewhere_may_read_answers_and_refusals(front: Front) -> None:
    rung = front.rung()
    for path in (rung, rung.replace("/media/", "/media/x"), front.played()):
        headers = front.ask(path, Origin="https://player.example")[1]
        assert headers.get_all("Access-Control-Allow-Origin") == ["*"]
        assert "Content-Range" in headers["Access-Control-Expose-Headers"]
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert headers.get_all("Cross-Origin-Resource-Policy") == ["cross-origin"]
    for path in (rung, f"/{front.track.preview_key}"):
        status, headers, _ = front.ask(
            path,
            method="OPTIONS",
            Origin="https://player.example",
            Access_Control_Request_Headers="range",
        )
        assert status in {200, 204}
        assert "Range" in headers["Access-Control-Allow-Headers"]
        assert headers["Access-Control-Allow-Origin"] == "*"


def test_refusals_are_alike_and_kept_by_nobody(front: Front) -> None:
    rung = front.rung()
    folder, asset = rung.rpartition("/")[0], rung.split("/")[3]
    lacking = front.rung("medium")
    for path, wanted in {
        rung.replace("/media/", "/media/x"): 403,
        f"/media/x/{asset}/low.mp4": 403,
        f"{folder}/master.mp4": 403,
        f"{folder}/other.mp4": 404,
        f"{folder}/low.txt": 404,
        f"{folder}/original": 404,
        lacking: 403,
    }.items():
        status, headers, body = front.ask(path)
        assert status in ({403, 404} if path.endswith("original") else {wanted}), path
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Type"] == "application/problem+json"
        assert b"hls/" not in body


def test_an_object_that_is_gone_is_told_without_its_key(front: Front) -> None:
    lost = site.make_track(front.track.release, front.appliance)
    front.appliance.store.delete(f"hls/{lost.id}/{lost.run_id}/low.mp4")
    status, headers, body = front.ask(replace(front, track=lost).rung("low"))
    assert (status, headers["Cache-Control"], headers["Content-Type"]) == (
        404,
        "no-store",
        "application/problem+json",
    )
    assert lost.run_id.encode() not in body


def test_pictures_and_previews_are_for_everybody_and_kept(front: Front) -> None:
    for key, kind, data in (
        (front.track.preview_key, "audio/mp4", b"preview"),
        (front.track.waveform_key, "application/json", b"{}"),
    ):
        status, headers, body = front.ask(f"/{key}")
        assert (status, headers["Content-Type"], body) == (200, kind, data)
        assert headers.get_all("Cache-Control") == ["public, max-age=31536000, immutable"]
        assert headers.get_all("Access-Control-Allow-Origin") == ["*"]
        assert "Set-Cookie" not in headers
        assert "Vary" not in headers
    status, headers, body = front.ask(f"/{front.track.preview_key}", Range="bytes=1-3")
    assert (status, body) == (206, b"rev")
    status, headers, _ = front.ask("/previews/none/at/all.m4a")
    assert (status, headers["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
def test_sound_is_read_and_nothing_else(front: Front, method: str) -> None:
    for path in (front.rung(), f"/{front.track.preview_key}"):
        assert front.ask(path, method=method)[0] == 405


def test_an_ended_right_ends_the_sound_when_the_kept_answer_does(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "KEPT_S", 1)
    # Another track than the other tests': a permission of the same second for the same is the same, and its answer may be kept already.
    ended = replace(front, track=site.make_track(front.track.release, front.appliance))
    rung = ended.rung()
    assert front.ask(rung)[0] == 200
    with database.transaction():
        revocations.revoke(f"track:{ended.track.id}", now=clock.now())
    deadline = time.monotonic() + 30
    while front.ask(rung)[0] != 403:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert front.ask(ended.rung())[0] == 200, "whoever still has the right asks again"


def test_one_listener_s_answer_is_no_other_s(front: Front) -> None:
    mine, theirs = front.rung(), front.rung()
    assert front.ask(mine)[0] == 200
    forged = theirs.split("/")
    forged[2] = forged[2][:-1] + ("A" if forged[2][-1] != "A" else "B")
    assert front.ask("/".join(forged))[0] == 403
    assert front.ask(mine.replace("high.mp4", "master.mp4"))[0] == 403


@pytest.mark.parametrize("front", ["nginx over s3"], indirect=True)
def test_a_bucket_stays_private_and_what_is_kept_of_it_is_kept_by_object(front: Front) -> None:
    address = front.appliance.store.signed_url(
        f"hls/{front.track.id}/{front.track.run_id}/high.mp4", expires_in_s=60
    )  # type: ignore[attr-defined]
    there = urlsplit(address)
    unsigned = ({400, 401, 403}, there.path)
    changed = ({403}, f"{there.path.replace('high', 'low')}?{there.query}")
    for wanted, path in (unsigned, changed, ({200}, f"{there.path}?{there.query}")):
        connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=20)
        connection.request("GET", path)
        with connection.getresponse() as answer:
            assert answer.status in wanted
        connection.close()
    for quality in ("high", "high", "low"):
        _, headers, _ = front.ask(front.rung(quality))
        assert {name.lower() for name in headers if name.lower().startswith("x-")} == {
            "x-content-type-options"
        }
        assert "X-Amz" not in str(headers)
    kept = [
        line
        for file in (front.folder / "cache" / "media").rglob("*")
        if file.is_file()
        for line in file.read_bytes()[:2000].splitlines()
        if line.startswith(b"KEY: ")
    ]
    here = f"{front.track.id}/{front.track.run_id}"
    assert kept.count(f"KEY: hls/{here}/high.mp4bytes=0-1048575".encode()) == 1
    assert all(line.startswith((b"KEY: hls/", b"KEY: originals/", b"KEY: /")) for line in kept), (
        "never by token"
    )
    kept_of_gate = [file for file in (front.folder / "cache" / "gate").rglob("*") if file.is_file()]
    assert kept_of_gate
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept_of_gate), "they hold signed addresses"


def test_who_bought_it_hears_what_its_artist_withdrew_until_it_is_taken_down(front: Front) -> None:
    fan, row = site.make_person(), site.make_release(front.owner, published=True, title="Gone")
    track = site.make_track(row, front.appliance)
    Purchase.create(user=fan.user.id, artist=row.artist_id, release=row.id, bought_at=clock.now())
    publishing.take_back(row, now=clock.now())
    told = front.client.post(f"/api/v1/tracks/{track.id}/play", headers=fan.headers).json
    path = urlsplit(told["hls_url"]).path
    for name in ("master.m3u8", "lossless.mp4"):
        assert front.ask(path.replace("master.m3u8", name))[0] == 200
    takedowns.take_down(row, "A claim", actor=front.owner.user, now=clock.now())
    fresh = path.replace("master.m3u8", "low.mp4")
    assert front.ask(fresh)[0] == 403, "what was asked for already a web server in front keeps for a minute"
    assert front.client.post(f"/api/v1/tracks/{track.id}/play", headers=fan.headers).status_code == 404
