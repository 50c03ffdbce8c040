"""Ranges, conditions and HEAD as RFC 9110 wants them, through a real waitress."""

import contextlib
import http.client
import socket
from collections.abc import Iterator

import pytest

from appliance.startup import Appliance
from tests.servers import site
from web.byte_ranges import AT_ONCE_BYTES

pytestmark = pytest.mark.usefixtures("nobody_works")

SIZE = AT_ONCE_BYTES + 300_000
DATA = bytes(i * 7 % 251 for i in range(SIZE))
ADDRESS = "/previews/run/song.m4a"


@pytest.fixture
def port(appliance: Appliance) -> Iterator[int]:
    site.put(appliance, ADDRESS[1:], DATA, "audio/mp4")
    site.put(appliance, "previews/empty.m4a", b"", "audio/mp4")
    with site.serving(appliance) as port:
        yield port


def ask(
    port: int, address: str = ADDRESS, *, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(
        method, address, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=5-", None])
def test_listeners_on_slow_lines_keep_nobody_waiting(
    appliance: Appliance, port: int, wanted: str | None
) -> None:
    # More than waitress buffers of an answer that comes in pieces.
    site.put(appliance, "previews/long.m4a", bytes(24 * 1024 * 1024), "audio/mp4")
    with contextlib.ExitStack() as lines:
        for _ in range(12):
            line = lines.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", port))
            condition = f"Range: {wanted}\r\n" if wanted else ""
            line.sendall(f"GET /previews/long.m4a HTTP/1.1\r\nHost: localhost\r\n{condition}\r\n".encode())
            assert line.recv(12).startswith(b"HTTP/1.1 20")
        assert ask(port, "/health")[0] == 200


def test_the_whole_is_sent_with_what_a_player_needs_to_know(port: int) -> None:
    status, headers, body = ask(port)
    assert (status, body) == (200, DATA)
    assert (headers["Content-Length"], headers["Accept-Ranges"], headers["Content-Type"]) == (
        str(SIZE),
        "bytes",
        "audio/mp4",
    )
    assert headers["ETag"].startswith('"')
    assert headers["Last-Modified"].endswith("GMT")


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1", 0, 2),
        ("bytes=0-", 0, SIZE),
        ("bytes=10-19", 10, 20),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes={SIZE - 1}-{SIZE + 5}", SIZE - 1, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        (f"bytes=100-{AT_ONCE_BYTES + 99}", 100, AT_ONCE_BYTES + 100),
        (f"bytes=100-{AT_ONCE_BYTES + 100}", 100, AT_ONCE_BYTES + 101),
        (f"bytes=5-{SIZE - 6}", 5, SIZE - 5),
        (f"bytes=-{SIZE}", 0, SIZE),
        (f"bytes=-{SIZE + 1}", 0, SIZE),
        (f"bytes=0-{10**18}", 0, SIZE),
        ("bytes= 3-4 ", 3, 5),
    ],
)
def test_a_range_is_sent_exactly(port: int, wanted: str, start: int, stop: int) -> None:
    status, headers, body = ask(port, Range=wanted)
    assert (status, headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{SIZE}")
    assert headers["Content-Length"] == str(stop - start)
    assert body == DATA[start:stop]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", f"bytes={10**18}-"])
def test_a_range_beyond_the_end_is_416_and_tells_the_size(port: int, wanted: str) -> None:
    status, headers, body = ask(port, Range=wanted)
    assert (status, headers["Content-Range"], body) == (416, f"bytes */{SIZE}", b"")


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=--1",
        "lines=0-1",
        "bytes=0-1,5-6",
        "0-1",
        "bytes=1_0-2_0",
        "bytes=-",
    ],
)
def test_what_is_no_single_range_of_bytes_is_answered_with_the_whole(port: int, wanted: str) -> None:
    status, headers, body = ask(port, Range=wanted)
    assert (status, "Content-Range" in headers, len(body)) == (200, False, SIZE)


def test_no_bytes_at_the_end_is_no_range(port: int) -> None:
    assert ask(port, Range="bytes=-0")[0] in {200, 416}


def test_head_tells_the_same_and_sends_nothing(port: int) -> None:
    status, headers, body = ask(port, method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(SIZE), b"")
    assert headers["ETag"] == ask(port)[1]["ETag"]
    assert ask(port, method="HEAD", Range="bytes=0-9")[1]["Content-Length"] == str(SIZE)


def test_who_has_it_already_is_told_so(port: int) -> None:
    known = ask(port)[1]
    for headers in (
        {"If_None_Match": known["ETag"]},
        {"If_None_Match": f'"other", W/{known["ETag"]}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": known["Last-Modified"]},
        {"If_None_Match": known["ETag"], "Range": "bytes=0-9"},
    ):
        status, answered, body = ask(port, **headers)
        assert (status, body) == (304, b"")
        assert (answered["ETag"], answered["Cache-Control"]) == (known["ETag"], known["Cache-Control"])
    assert ask(port, If_None_Match='"other"', If_Modified_Since=known["Last-Modified"])[0] == 200
    assert ask(port, If_Modified_Since="Mon, 01 Jan 2001 00:00:00 GMT")[0] == 200
    assert ask(port, If_Modified_Since="rubbish")[0] == 200


def test_a_range_of_what_has_changed_is_the_whole(port: int) -> None:
    known = ask(port)[1]
    for same in (known["ETag"], known["Last-Modified"]):
        assert ask(port, Range="bytes=5-9", If_Range=same)[0] == 206
    for other in ('"other"', f"W/{known['ETag']}x", "Mon, 01 Jan 2001 00:00:00 GMT", "rubbish"):
        status, _, body = ask(port, Range="bytes=5-9", If_Range=other)
        assert (status, len(body)) == (200, SIZE)


def test_an_empty_object_has_no_ranges(port: int) -> None:
    assert ask(port, "/previews/empty.m4a")[0::2] == (200, b"")
    assert ask(port, "/previews/empty.m4a", Range="bytes=0-")[0] == 416


def test_a_listener_who_goes_away_costs_nothing(appliance: Appliance, port: int) -> None:
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", ADDRESS)
        connection.getresponse().read(10)
        connection.close()
    assert ask(port)[0] == 200
