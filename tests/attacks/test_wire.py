"""Requests that two servers in a row might read in two ways, and names that are not ours."""

from __future__ import annotations

import pytest

from tests.attacks import wire
from tests.attacks.conftest import Front

# Behind each stands a second request for a name that nginx does not answer for: whoever sees it as a request of its own says 421 or 400.
# Had it gone to the application inside the first one's body, the application would have answered.
SECOND = b"GET /health HTTP/1.1\r\nHost: smuggled.example\r\nConnection: close\r\n\r\n"
HEAD = "POST /api/v1/tracks/x/play HTTP/1.1\r\nHost: {host}\r\n"
SHAPES = {
    "length and chunks": "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "length of the chunk only": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: {length}\r\n\r\n",
    "a list of lengths": "Content-Length: 0, {length}\r\n\r\n",
    "a signed length": "Content-Length: +0\r\n\r\n",
    "a hexadecimal length": "Content-Length: 0x0\r\n\r\n",
    "a length with an underscore": "Content_Length: {length}\r\nContent-Length: 0\r\n\r\n",
    "chunked in capitals": "Transfer-Encoding: CHUNKED\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "chunked with a tab": "Transfer-Encoding:\tchunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "chunked with a vertical tab": "Transfer-Encoding: \x0bchunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "chunked and identity": "Transfer-Encoding: chunked, identity\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "xchunked": "Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "two encodings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a folded header": "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a folded encoding": "Transfer-Encoding:\r\n chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "bare line feeds": "Content-Length: {length}\nTransfer-Encoding: chunked\n\n0\n\n",
    "a bare line feed in a header": "X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a bare return in a header": "X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a null in a header": "X-A: \x00\r\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
    "a negative chunk": "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a huge chunk": "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n\r\n",
    "a chunk with an extension": "Transfer-Encoding: chunked\r\n\r\n0;x=\n\r\n\r\n",
    "HTTP/1.0 with chunks": "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_request_hides_in_another(front: Front, shape: str) -> None:
    start = HEAD.format(host=f"127.0.0.1:{front.port}")
    if shape.startswith("HTTP/1.0"):
        start = start.replace("HTTP/1.1", "HTTP/1.0")
    rest = SHAPES[shape].format(length=5 + len(SECOND))
    raw = wire.exchange(front.port, (start + rest).encode("latin-1") + SECOND, quiet_s=wire.QUIET_S)
    first, *others = wire.statuses(raw) or [400]
    assert first < 500 or first == 501, "a shape that is not understood is the client's"
    if front.kind == "nginx":
        # Whatever follows, nginx has seen it as a request and refused the name.
        assert set(others) <= {400, 421}, others
    else:
        # Alone there is nobody to disagree with; but an answer there must be one to a whole request.
        assert len(others) <= 1
    assert front.ask("/health").status == 200, "and the next in line is well"


@pytest.mark.parametrize(
    "line",
    [
        "GET  /health HTTP/1.1", "GET /health  HTTP/1.1", "GET\t/health\tHTTP/1.1", "GET /health HTTP/9.9", "GET /health HTTP/1.1 x",
        "/health", "GET", "GET /hea lth HTTP/1.1", "G\x00T /health HTTP/1.1", "GET /\x7f HTTP/1.1", "GET * HTTP/1.1", "TRACE / HTTP/1.1",
        "CONNECT 127.0.0.1:22 HTTP/1.1", "PRI * HTTP/2.0",
    ],
)  # fmt: skip
def test_a_strange_request_line_does_no_harm(front: Front, line: str) -> None:
    raw = wire.exchange(
        front.port,
        f"{line}\r\nHost: 127.0.0.1:{front.port}\r\nConnection: close\r\n\r\n".encode("latin-1"),
        quiet_s=wire.QUIET_S,
    )
    assert all(status < 500 or status in {501, 505} for status in wire.statuses(raw))
    assert b"SSH-" not in raw
    assert front.ask("/health").status == 200


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("evil.example", {}),
        ("127.0.0.1.evil.example", {}),
        ("127.0.0.1@evil.example", {}),
        ("evil.example:80", {}),
        ("", {"X-Forwarded-Host": "evil.example"}),
        ("", {"X-Forwarded-Host": "evil.example, evil.example", "X-Forwarded-Proto": "https"}),
        (
            "",
            {
                "X-Host": "evil.example",
                "X-Forwarded-Server": "evil.example",
                "X-HTTP-Host-Override": "evil.example",
            },
        ),
        ("", {"Forwarded": "host=evil.example;proto=https"}),
    ],
)
def test_no_address_is_made_for_another_name(front: Front, host: str, headers: dict[str, str]) -> None:
    for path, method in (("/", "GET"), (f"/api/v1/tracks/{front.stage.track}/play", "POST")):
        answer = wire.ask(
            front.port, path, method=method, host=host, headers={"Content-Length": "0", **headers}
        )
        assert b"evil.example" not in answer.body
        assert "evil.example" not in answer.headers.get("location", "")
        if front.kind == "nginx" and host:
            assert answer.status in {400, 421}


def test_a_name_in_the_request_line_counts_as_much_as_the_header(front: Front) -> None:
    ours = f"127.0.0.1:{front.port}"
    for line, host in (("http://evil.example/", ours), (f"http://{ours}/", "evil.example")):
        raw = wire.exchange(
            front.port, f"GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        assert b"evil.example" not in raw.partition(b"\r\n\r\n")[2]


def test_two_names_are_none(front: Front) -> None:
    ours = f"127.0.0.1:{front.port}"
    raw = wire.exchange(
        front.port,
        f"GET / HTTP/1.1\r\nHost: {ours}\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode(),
    )
    assert b"evil.example" not in raw
    if front.kind == "nginx":
        assert wire.statuses(raw) == [400]
