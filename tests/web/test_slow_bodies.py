"""Who sends a recording slowly takes a thread of gunicorn only when somebody knows them: nginx holds back what strangers send."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.storage import LocalStore
from tests.servers.gunicorn import Gunicorn
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.sounds import tone
from tests.waiting import until
from web.nginx import configuration

THREADS = 2
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
    got.read()
    return got


def announced(front: Node) -> tuple[bytes, str, str]:
    """A song, where it may be sent to, and how a request that sends all of it begins."""
    music = tone(1)
    upload = front.announce_upload(front.make_release(), "song.flac", len(music))
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
        until(lambda: list((front.data / "uploads").glob("*.part")))
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
        until(lambda: list((front.data / "uploads").glob("*.part")))
    assert until(lambda: front.offset_of(upload)) == 1
