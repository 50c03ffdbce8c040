"""Nobody takes a web server for themselves by sending many recordings at once, and what is refused for that is sent again."""

import io
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.startup import Appliance
from tests.servers import site
from tests.servers.gunicorn import Gunicorn
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.site import Person
from tests.sounds import tone
from tests.waiting import until
from web import bodies
from web import senders

MANY = 10
"""More than there are threads."""


@pytest.fixture(params=["gunicorn", "embedded"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    """Who speaks to one process of this server, with nothing in front of it."""
    with Gunicorn(
        tmp_path, MUSICCONNECT_WEB_SERVER=request.param, MUSICCONNECT_WEB_WORKERS="1", MUSICCONNECT_WEB_THREADS="8"
    ) as server:  # fmt: skip
        client = Node(tmp_path, port=server.port)
        client.sign_up()
        yield client


def begun(node: Node, upload: str, length: int) -> socket.socket:
    """A request that sends an upload, of which no more than a byte has come."""
    made = socket.create_connection(("127.0.0.1", node.port), timeout=60)
    head = (
        f"PATCH {upload} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nAuthorization: Bearer {node.token}\r\nContent-Length: {length}\r\n\r\nf"
    )
    made.sendall(head.encode())
    return made


def test_who_sends_many_recordings_slowly_keeps_nobody_waiting_and_loses_none(node: Node) -> None:
    music, release = tone(1), node.make_release()
    uploads = [node.announce_upload(release, f"{number}.flac", len(music)) for number in range(MANY)]
    with ExitStack() as stack:
        slow = [stack.enter_context(begun(node, upload, len(music))) for upload in uploads]
        mine = node.token
        node.sign_up("another@example.org")
        assert [node.get("/api/v1/releases")["items"] for _ in range(3)] == [[]] * 3
        node.token = mine
        for one in slow[::2]:
            # As a phone that changes its network, or somebody who kills it.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
    for upload in uploads:
        until(lambda upload=upload: sent(node, upload, music))  # type: ignore[misc]
    assert len(node.get(f"/api/v1/releases/{release}")["tracks"]) == MANY


def sent(node: Node, upload: str, music: bytes) -> bool:
    """Whether it was taken, after what is there of it."""
    try:
        offset = node.offset_of(upload)
        return node.send_bytes(upload, music[offset:], offset) == len(music)
    except Refused as error:
        assert error.status in {409, 423, 429}
        return False


@pytest.mark.parametrize(("threads", "most"), [(1, 2), (8, 2), (12, 3), (64, 16)])
def test_one_person_has_a_quarter_of_the_threads_and_two_at_least(threads: int, most: int) -> None:
    assert senders.most_of(threads) == most


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends a recording sends one too many."""
    monkeypatch.setattr(senders, "most_of", lambda threads: 0)


def test_a_page_says_it_as_a_page(appliance: Appliance, artist: Person, full: None) -> None:
    release = site.make_release(artist)
    app = site.create_app(appliance)
    browser = site.signed_in(app, artist)
    form = {"file": (io.BytesIO(b"fLaC" + bytes(100)), "song.flac")}
    answer = browser.post(f"/studio/releases/{release.id}/tracks", data=form)
    assert (answer.status_code, answer.mimetype) == (429, "text/html")
    assert answer.headers["Retry-After"] == str(senders.AGAIN_S)
    assert "recordings at once already" in answer.get_data(as_text=True)


def test_only_what_brings_a_recording_counts(appliance: Appliance, artist: Person, full: None) -> None:
    release = site.make_release(artist)
    client = site.create_app(appliance).test_client()
    announced = {**artist.headers, "Tus-Resumable": "1.0.0", "Upload-Length": "10"}
    announced["Upload-Metadata"] = site.metadata(filename="song.flac", release=release.id)
    assert client.post("/api/v1/uploads", headers=announced).status_code == 201
    changed = client.patch(f"/api/v1/releases/{release.id}", headers=artist.headers, json={"genre": "Folk"})
    assert changed.status_code == 200
    assert client.post("/api/v1/uploads", headers={"Authorization": "Bearer x"}, data=b"x").status_code == 401
    assert client.post("/api/v1/uploads", headers=announced, data=b"fLaC").status_code == 429


class Broken(io.RawIOBase):
    """A body whose sender is gone."""

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        raise OSError("the body ended before its time")


def failing(*_: object, **__: object) -> None:
    """A bug."""
    raise RuntimeError


@pytest.mark.parametrize("fails", ["the body", "the view", "what comes after it"])
def test_whatever_becomes_of_a_request_its_place_is_free_again(
    appliance: Appliance, artist: Person, fails: str
) -> None:
    release, app = site.make_release(artist), site.create_app(appliance)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    if fails != "the body":
        app.view_functions["api.add_track"] = bodies.takes_original(
            failing if fails == "the view" else lambda release_id: ""
        )
    if fails == "what comes after it":
        app.teardown_request(failing)
    for _ in range(senders.LEAST + 1):
        with pytest.raises((OSError, RuntimeError)):
            app.test_client().post(
                f"/api/v1/releases/{release.id}/tracks",
                input_stream=Broken(),
                content_length=1000,
                content_type="multipart/form-data; boundary=x",
                headers=artist.headers,
            )
