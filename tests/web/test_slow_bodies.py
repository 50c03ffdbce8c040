"""Who sends a recording slowly takes a thread of gunicorn only when somebody knows them: nginx holds back what strangers send."""

import http.client
import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.storage import LocalStore
from tests.servers.gunicorn import Gunicorn
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.ports import free_port
from tests.sounds import tone
from tests.waiting import until
from web import senders
from web.nginx import MOST_SENDERS
from web.nginx import configuration

THREADS = 4
TUS = "Tus-Resumable: 1.0.0\r\nUpload-Length: 50000000\r\nContent-Type: application/offset+octet-stream"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """Who speaks through nginx to one process of gunicorn with few threads."""
    folder, port = tmp_path_factory.mktemp("slow"), free_port()
    for name in ("data", "cache"):
        (folder / name).mkdir()
    told = {
        "MUSICCONNECT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MUSICCONNECT_TRUSTED_PROXIES": "1",
        "MUSICCONNECT_WEB_WORKERS": "1",
        "MUSICCONNECT_WEB_THREADS": str(THREADS),
    }
    with ExitStack() as stack:
        server = stack.enter_context(Gunicorn(folder / "data", **told))
        client = Node(folder / "data", port=port, **told)
        site = client.run(
            *("nginx", "--listen", f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{server.port}"),
            *("--cache", str(folder / "cache"), "--log", str(folder / "requests.log")),
        )
        stack.enter_context(nginx(folder / "nginx", site, port))
        client.sign_up()
        yield client


def begun(front: Node, head: str, *, length: int) -> socket.socket:
    """A request of which no more than the head and a byte has come."""
    made = socket.create_connection(("127.0.0.1", front.port), timeout=20)
    made.sendall(f"{head}\r\nHost: 127.0.0.1:{front.port}\r\nContent-Length: {length}\r\n\r\nf".encode())
    return made


def answer(connection: socket.socket) -> http.client.HTTPResponse:
    got = http.client.HTTPResponse(connection)
    got.begin()
    got.text = got.read().decode()  # type: ignore[attr-defined]
    return got


def parts(front: Node) -> int:
    """How many recordings are just coming in."""
    return len(list((front.data / "uploads").glob("*.part")))


def announced(front: Node, release: str = "") -> tuple[bytes, str, str]:
    """A song, where it may be sent to, and how a request that sends all of it begins."""
    music = tone(1)
    upload = front.announce_upload(release or front.make_release(), "song.flac", len(music))
    head = (
        f"PATCH {upload} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nAuthorization: Bearer {front.token}"
    )
    return music, upload, head


@pytest.mark.parametrize("known_by", ["", "\r\nAuthorization: Bearer x", "\r\nCookie: session=x"])
def test_a_large_body_of_a_stranger_is_refused_before_it_comes(front: Node, known_by: str) -> None:
    with begun(front, f"POST /api/v1/uploads HTTP/1.1\r\n{TUS}{known_by}", length=50_000_000) as sent:
        got = answer(sent)
        assert (got.status, got.headers["Content-Type"]) == (401, "application/problem+json")
    for path in ("/studio/releases/x/tracks", "/studio/tracks/x/master"):
        with begun(front, f"POST {path} HTTP/1.1{known_by}", length=50_000_000) as sent:
            got = answer(sent)
            assert (got.status, got.headers["Location"]) == (303, f"{front.url}/sign-in")


@pytest.mark.parametrize(
    "path", ["/studio/releases/x/tracks", "/studio/tracks/x/title", "/api/v1/uploads/x", "/sign-in"]
)
def test_slow_bodies_of_strangers_take_no_thread(front: Node, path: str) -> None:
    slow = [begun(front, f"POST {path} HTTP/1.1", length=1000) for _ in range(THREADS * 2)]
    assert front.send("GET", "/health")[0] == 200
    for one in slow:
        one.sendall(b"o" * 999)
        assert 300 <= answer(one).status < 500
        one.close()


def test_what_somebody_sends_who_is_known_goes_straight_through(front: Node) -> None:
    music, upload, head = announced(front)
    with begun(front, head, length=len(music)) as sent:
        # The byte is here, though the rest is not.
        until(lambda: parts(front))
        sent.sendall(music[1:])
        assert answer(sent).status == 204
    assert front.offset_of(upload) == len(music)
    token, front.token = front.token, ""
    try:
        assert front.send("GET", "/api/v1/releases")[0] == 200
    finally:
        front.token = token


def test_who_sends_a_recording_while_the_application_is_away_is_told_to_come_again(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(
        data=tmp_path, public_url=f"http://127.0.0.1:{port}", port=free_port(), trusted_proxies=1
    )
    (tmp_path / "cache").mkdir()
    site = configuration(
        settings,
        LocalStore(tmp_path / "media"),
        secret="s" * 64,
        listen=(f"127.0.0.1:{port}",),
        cache=str(tmp_path / "cache"),
        log=str(tmp_path / "requests.log"),
    )
    with nginx(tmp_path / "nginx", site, port):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asked.request("PATCH", "/api/v1/uploads/x", b"f", {"Content-Type": "application/offset+octet-stream"})
        told = asked.getresponse()
        assert (told.status, told.headers["Retry-After"]) == (503, "10")
        assert told.headers["Content-Type"] == "application/problem+json"
        told.read()
        asked.close()


def test_what_came_before_a_cut_connection_counts(front: Node) -> None:
    music, upload, head = announced(front)
    with begun(front, head, length=len(music)):
        until(lambda: parts(front))
    assert until(lambda: front.offset_of(upload)) == 1


def test_one_person_takes_a_part_of_the_threads_and_nothing_that_is_refused_is_lost(front: Node) -> None:
    songs = [announced(front) for _ in range(THREADS + 2)]
    with ExitStack() as stack:
        slow = [
            stack.enter_context(begun(front, head, length=len(music)))
            for music, _, head in songs[: senders.LEAST]
        ]
        until(lambda: parts(front) == senders.LEAST)
        for music, upload, head in songs[senders.LEAST :]:
            with begun(front, head, length=len(music)) as sent:
                got = answer(sent)
            assert (got.status, got.headers["Retry-After"]) == (429, str(senders.AGAIN_S))
            assert got.headers["Content-Type"] == "application/problem+json"
            assert "sending 2 recordings at once already" in json.loads(got.text)["detail"]  # type: ignore[attr-defined]
            assert front.offset_of(upload) == 0
        mine, _ = front.token, front.sign_up("another@example.org")
        assert front.get("/api/v1/releases")["items"] == []
        # Others have their own share.
        front.post("/api/v1/artists", {"name": "Duo", "slug": "duo"})
        release = front.post("/api/v1/artists/duo/releases", {"title": "Second", "kind": "ep"})["id"]
        music, _, head = announced(front, release)
        with begun(front, head, length=len(music)) as sent:
            sent.sendall(music[1:])
            assert answer(sent).status == 204
        front.token = mine
        for one, (music, *_) in zip(slow, songs, strict=False):
            one.sendall(music[1:])
            assert answer(one).status == 204
    for music, upload, _ in songs[senders.LEAST :]:
        assert front.send_bytes(upload, music, 0) == len(music)


def test_who_sends_fast_hears_too_that_it_is_too_much(front: Node) -> None:
    slow = [announced(front) for _ in range(senders.LEAST)]
    upload = front.announce_upload(front.make_release(), "long.flac", 30_000_000)
    with ExitStack() as stack:
        for music, _, head in slow:
            stack.enter_context(begun(front, head, length=len(music)))
        until(lambda: parts(front) == senders.LEAST)
        with pytest.raises(Refused, match="429"):
            front.send_bytes(upload, bytes(30_000_000), 0)


def test_a_connection_that_is_killed_gives_the_place_back(front: Node) -> None:
    music, upload, _ = announced(front)
    for _ in range(3):
        for _, _, head in (announced(front) for _ in range(senders.LEAST)):
            one = begun(front, head, length=len(music))
            until(lambda: parts(front))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

    def taken() -> bool:
        try:
            return front.send_bytes(upload, music, 0) == len(music)
        except Refused as error:
            assert error.status == 429
            return False

    until(taken)


def test_one_address_sends_so_many_bodies_at_once_whoever_they_are_of(front: Node) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_SENDERS):
            stack.enter_context(begun(front, "POST /api/v1/uploads HTTP/1.1", length=1000))

        def refused() -> http.client.HTTPResponse | None:
            with begun(front, "POST /api/v1/uploads HTTP/1.1", length=1000) as sent:
                sent.sendall(b"o" * 999)
                got = answer(sent)
                return got if got.status == 429 else None

        got = until(refused)
        assert got.headers["Retry-After"] == str(senders.AGAIN_S)
        assert "in a moment" in json.loads(got.text)["detail"]
        # Whoever asks how far they are is answered: a client that is not told begins anew.
        asked = {"Tus-Resumable": "1.0.0"}
        with pytest.raises(Refused) as told:
            front.send("HEAD", "/api/v1/uploads/x", headers=asked)
        assert told.value.status == 404
