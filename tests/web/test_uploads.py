"""Resumable uploads by tus 1.0.0, spoken by hand to a real waitress."""

import base64
import hashlib
import http.client
import io
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from appliance import clock
from appliance import jobs
from appliance.catalog import tracks
from appliance.catalog import uploads
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.database import new_id
from appliance.startup import Appliance
from tests import sounds
from tests.servers import site
from tests.servers.site import Person

pytestmark = pytest.mark.usefixtures("nobody_works")

OCTETS = "application/offset+octet-stream"
MUSIC = b"fLaC" + bytes(range(256)) * 40


@dataclass
class Tus:
    """A client that knows the protocol and nothing better."""

    port: int
    person: Person
    release: Release
    location: str = ""

    def send(
        self, method: str, path: str, body: bytes = b"", **headers: str | None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {"Tus-Resumable": "1.0.0", **self.person.headers}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[dict-item]
        connection.request(
            method, path, body or None, {name: value for name, value in named.items() if value is not None}
        )
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer

    def create(
        self, size: int, body: bytes = b"", *, filename: str = "song.flac", **headers: str | None
    ) -> http.client.HTTPResponse:
        given = {
            "Upload_Metadata": site.metadata(filename=filename, release=self.release.id),
            "Upload_Length": str(size),
        }
        answer = self.send("POST", "/api/v1/uploads", body, **{**given, **headers})
        if answer.status == 201:
            self.location = answer.headers["Location"].partition(f":{self.port}")[2]
        return answer

    def patch(self, offset: int, body: bytes, **headers: str | None) -> http.client.HTTPResponse:
        return self.send(
            "PATCH", self.location, body, **{"Upload_Offset": str(offset), "Content_Type": OCTETS, **headers}
        )

    def offset(self) -> int:
        answer = self.send("HEAD", self.location)
        assert answer.status == 200
        return int(answer.headers["Upload-Offset"])

    @property
    def id(self) -> str:
        return self.location.rpartition("/")[2]


@pytest.fixture
def tus(appliance: Appliance, artist: Person) -> Iterator[Tus]:
    release = site.make_release(artist)
    with site.serving(appliance) as port:
        yield Tus(port, artist, release)


def test_the_server_says_what_it_can(tus: Tus) -> None:
    answer = tus.send("OPTIONS", "/api/v1/uploads", Tus_Resumable=None, Authorization=None)
    assert answer.status == 204
    assert (answer.headers["Tus-Version"], answer.headers["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,termination,expiration,checksum"
    assert answer.headers["Tus-Max-Size"] == str(2048 * 1024 * 1024)
    assert answer.headers["Tus-Checksum-Algorithm"].startswith("sha1,")


def test_a_file_in_three_parts_becomes_a_track_with_its_bytes_and_a_job(
    appliance: Appliance, tus: Tus
) -> None:
    music = sounds.tone(1)
    made = tus.create(len(music))
    assert (made.status, made.headers["Upload-Offset"]) == (201, "0")
    assert made.headers["Upload-Expires"].endswith("GMT")
    third = len(music) // 3
    for start, stop in ((0, third), (third, 2 * third), (2 * third, len(music))):
        assert tus.offset() == start
        answer = tus.patch(start, music[start:stop])
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(stop))
    track = tracks.find(tus.id)
    assert appliance.store.open(track.original_key).read() == music
    assert track.original_sha256 == hashlib.sha256(music).hexdigest()
    assert jobs.latest(tracks.TRANSCODE, [track.id])[track.id].state == jobs.JobState.QUEUED
    assert jobs.check() == 1
    assert list(appliance.staging.iterdir()) == []


def test_the_first_bytes_may_come_with_the_announcement(tus: Tus) -> None:
    answer = tus.create(len(MUSIC), MUSIC[:100], Content_Type=OCTETS)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, "100")
    assert tus.patch(100, MUSIC[100:]).status == 204
    assert tracks.find(tus.id).original_size_bytes == len(MUSIC)


def test_the_whole_file_may_come_with_the_announcement(tus: Tus) -> None:
    answer = tus.create(len(MUSIC), MUSIC, Content_Type=OCTETS)
    assert (answer.status, answer.headers["Upload-Offset"]) == (201, str(len(MUSIC)))
    assert tracks.find(tus.id).original_size_bytes == len(MUSIC)


def test_a_dropped_connection_is_resumed_where_the_server_stands(tus: Tus) -> None:
    tus.create(len(MUSIC))
    tus.patch(0, MUSIC[:3000])
    with socket.create_connection(("127.0.0.1", tus.port)) as dropped:
        head = f"PATCH {tus.location} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 3000\r\n"
        head += f"Content-Type: {OCTETS}\r\nAuthorization: Bearer {tus.person.token}\r\nContent-Length: {len(MUSIC) - 3000}\r\n\r\n"
        dropped.sendall(head.encode() + MUSIC[3000:5000])
    start = tus.offset()
    assert 3000 <= start <= 5000
    assert tus.patch(start, MUSIC[start:]).status == 204
    assert tracks.find(tus.id).original_sha256 == hashlib.sha256(MUSIC).hexdigest()


def test_a_wrong_offset_is_a_conflict_and_changes_nothing(tus: Tus) -> None:
    tus.create(len(MUSIC))
    tus.patch(0, MUSIC[:1000])
    for offset in (0, 999, 1001, len(MUSIC), 10**17):
        assert tus.patch(offset, b"x").status == 409
    assert tus.offset() == 1000


@pytest.mark.parametrize("offset", ["", "-1", "1.0", "x", "٣", "9" * 30])
def test_an_offset_that_is_no_number_is_told(tus: Tus, offset: str) -> None:
    tus.create(10)
    answer = tus.patch(0, b"x", Upload_Offset=offset.encode().decode("latin-1"))
    assert answer.status == 422


def test_more_bytes_than_announced_are_refused_and_none_of_them_kept(tus: Tus) -> None:
    tus.create(100)
    answer = tus.patch(0, bytes(101))
    assert (answer.status, "More bytes came than were announced." in answer.text) == (422, True)
    assert tus.offset() == 0


def test_another_version_of_the_protocol_is_refused(tus: Tus) -> None:
    tus.create(10)
    for version in (None, "0.2.2", "2"):
        for method, path in (
            ("POST", "/api/v1/uploads"),
            ("PATCH", tus.location),
            ("DELETE", tus.location),
            ("HEAD", tus.location),
        ):
            answer = tus.send(method, path, Tus_Resumable=version)
            assert (answer.status, answer.headers["Tus-Version"]) == (412, "1.0.0")


def test_another_content_type_is_refused(tus: Tus) -> None:
    tus.create(10)
    assert tus.patch(0, b"x", Content_Type="application/octet-stream").status == 415


def test_a_file_that_is_too_large_is_refused_before_a_byte_is_sent(tus: Tus) -> None:
    answer = tus.create(2048 * 1024 * 1024 + 1)
    assert (answer.status, Upload.select().count()) == (413, 0)
    assert "An original has at most 2048 MiB" in answer.text


def test_an_empty_file_is_refused_in_words(tus: Tus) -> None:
    answer = tus.create(0)
    assert (answer.status, "This file is empty." in answer.text) == (422, True)


@pytest.mark.parametrize("length", [None, "", "-5", "ten"])
def test_a_length_that_is_none_is_told(tus: Tus, length: str | None) -> None:
    assert tus.create(10, Upload_Length=length).status == 422


@pytest.mark.parametrize(
    "sent",
    [
        "filename !!!",
        "filename",
        "",
        ",,,",
        "release " + base64.b64encode(b"nothing").decode(),
        "release AA==",
    ],
)
def test_metadata_without_a_known_release_is_refused(tus: Tus, sent: str) -> None:
    assert tus.create(10, Upload_Metadata=sent).status in {404, 422}
    assert Upload.select().count() == 0


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 - 夜のフェリー.flac", "夜のフェリー"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Music\\Low Tide.wav", "Low Tide"),
        ("🌊.flac", "🌊"),
        ("a\0b\nc.flac", "ab c"),
        ("", "untitled"),
        (".flac", "flac"),
        ("x" * 900 + ".flac", "x" * 250),
        ("12.flac", "12"),
    ],
)
def test_a_name_is_only_a_first_title(tus: Tus, name: str, title: str) -> None:
    assert tus.create(len(MUSIC), MUSIC, filename=name, Content_Type=OCTETS).status == 201
    track = tracks.find(tus.id)
    assert (track.title, track.original_key) == (title, f"originals/{tus.id}")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5", "crc32"])
def test_a_part_is_held_against_its_checksum(tus: Tus, algorithm: str) -> None:
    def digest(data: bytes) -> bytes:
        return (
            zlib.crc32(data).to_bytes(4, "big")
            if algorithm == "crc32"
            else hashlib.new(algorithm, data).digest()
        )

    def header(data: bytes) -> str:
        return f"{algorithm} {base64.b64encode(digest(data)).decode()}"

    tus.create(len(MUSIC))
    assert tus.patch(0, MUSIC[:500], Upload_Checksum=header(b"other")).status == 460
    assert tus.offset() == 0
    assert tus.patch(0, MUSIC[:500], Upload_Checksum=header(MUSIC[:500])).status == 204
    assert tus.patch(500, MUSIC[500:], Upload_Checksum=header(MUSIC)).status == 460
    assert (tus.offset(), Track.select().count()) == (500, 0)
    assert tus.patch(500, MUSIC[500:], Upload_Checksum=header(MUSIC[500:])).status == 204
    assert tracks.find(tus.id).original_sha256 == hashlib.sha256(MUSIC).hexdigest()


@pytest.mark.parametrize("header", ["sha3 AAAA", "sha1", "sha1 !!!", "sha1 AAAA", "md5 "])
def test_a_checksum_that_is_none_is_refused(tus: Tus, header: str) -> None:
    tus.create(10)
    assert tus.patch(0, b"x", Upload_Checksum=header).status in {422, 460}
    assert tus.offset() == 0


def test_sending_the_last_part_twice_makes_one_track(tus: Tus) -> None:
    tus.create(len(MUSIC))
    assert tus.patch(0, MUSIC).status == 204
    assert tus.patch(0, MUSIC).status == 409
    assert tus.offset() == len(MUSIC)
    assert tus.patch(len(MUSIC), b"").status == 204
    assert (Track.select().count(), jobs.Job.select().count()) == (1, 1)


def test_two_writers_at_once_make_one_whole_file(appliance: Appliance, tus: Tus) -> None:
    tus.create(len(MUSIC))
    answers: list[int] = []

    def write() -> None:
        answers.append(tus.patch(0, MUSIC).status)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(204) == 1
    # 429: more than two at once of one person.
    assert set(answers) <= {204, 409, 423, 429}
    assert appliance.store.open(f"originals/{tus.id}").read() == MUSIC
    assert (Track.select().count(), list(appliance.staging.iterdir())) == (1, [])


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"PK\x03\x04" + bytes(50),
        b"<html></html>",
        b"MZ\x90\0" + bytes(50),
        b"\xff\xfeh\0i\0",
    ],
)
def test_what_is_no_music_is_refused_in_words_and_forgotten(
    appliance: Appliance, tus: Tus, data: bytes
) -> None:
    tus.create(len(data))
    answer = tus.patch(0, data)
    assert (answer.status, "This does not look like music." in answer.text) == (422, True)
    assert tus.send("HEAD", tus.location).status == 404
    assert (Track.select().count(), list(appliance.staging.iterdir())) == (0, [])


def test_a_terminated_upload_is_gone_with_its_bytes(appliance: Appliance, tus: Tus) -> None:
    tus.create(len(MUSIC))
    tus.patch(0, MUSIC[:500])
    assert tus.send("DELETE", tus.location).status == 204
    assert tus.send("HEAD", tus.location).status == 404
    assert tus.patch(500, MUSIC[500:]).status == 404
    assert list(appliance.staging.iterdir()) == []


def test_a_finished_upload_cannot_be_terminated(tus: Tus) -> None:
    tus.create(len(MUSIC), MUSIC, Content_Type=OCTETS)
    assert tus.send("DELETE", tus.location).status == 409
    assert Track.select().count() == 1


def test_an_upload_nobody_goes_on_with_expires(appliance: Appliance, tus: Tus) -> None:
    tus.create(len(MUSIC))
    tus.patch(0, MUSIC[:500])
    Upload.update(expires_at=clock.now() - timedelta(seconds=1)).execute()
    assert tus.send("HEAD", tus.location).status == 404
    assert tus.patch(500, b"x").status == 404
    assert uploads.expire(folder=appliance.staging, store=appliance.store, now=clock.now()) == 1
    assert list(appliance.staging.iterdir()) == []


def test_uploads_of_others_do_not_exist(tus: Tus, stranger: Person) -> None:
    tus.create(len(MUSIC))
    other = Tus(tus.port, stranger, tus.release, tus.location)
    for answer in (
        other.send("HEAD", tus.location),
        other.patch(0, MUSIC),
        other.send("DELETE", tus.location),
        other.create(10),
    ):
        assert answer.status == 404
    assert other.send("HEAD", tus.location, Authorization=None).status == 401
    assert tus.offset() == 0


def test_a_server_that_died_before_the_track_was_made_makes_it_when_it_is_asked(
    appliance: Appliance, tus: Tus
) -> None:
    tus.create(len(MUSIC))
    uploads.append(
        Upload.get_by_id(tus.id),
        io.BytesIO(MUSIC),
        offset=0,
        folder=appliance.staging,
        store=appliance.store,
        now=clock.now(),
    )
    assert tus.offset() == len(MUSIC)
    assert tracks.find(tus.id).original_size_bytes == len(MUSIC)


def test_a_large_file_in_one_request_takes_constant_memory(appliance: Appliance, tus: Tus) -> None:
    size = 64 * 1024 * 1024
    tus.create(size)
    before = _peak_kib()
    with socket.create_connection(("127.0.0.1", tus.port)) as connection:
        head = f"PATCH {tus.location} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        head += f"Content-Type: {OCTETS}\r\nAuthorization: Bearer {tus.person.token}\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode() + b"fLaC")
        block = bytes(1024 * 1024)
        for _ in range(size // len(block) - 1):
            connection.sendall(block)
        connection.sendall(block[:-4])
        assert connection.recv(12) == b"HTTP/1.1 204"
    assert tracks.find(tus.id).original_size_bytes == size
    assert _peak_kib() - before < 16 * 1024


def _peak_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def test_a_full_disk_under_a_plain_form_is_told_as_one(
    appliance: Appliance, artist: Person, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, known = site.make_release(artist), new_id()
    monkeypatch.setattr("web.receiving.new_id", lambda: known)
    appliance.staging.mkdir(parents=True, exist_ok=True)
    (appliance.staging / f"{known}.part").symlink_to("/dev/full")
    answer = client.post(
        f"/api/v1/releases/{release.id}/tracks",
        data={"file": (io.BytesIO(b"RIFF" * 1000), "song.wav")},
        headers=artist.headers,
    )
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["detail"] == "There is no room on the server just now; nothing was stored."
    assert not list(appliance.staging.iterdir())
    assert not Track.select().exists()
