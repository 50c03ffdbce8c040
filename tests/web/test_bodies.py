"""How much is taken, and how slowly: by the application itself, and by a real server in front of it."""

import socket
import time

import pytest

from tests.servers import site
from web import bodies
from web import pacing
from web import serving


@pytest.fixture
def server(appliance):
    """The port of a real server of this machine."""
    with site.serving(appliance) as port:
        yield port


def say(server, *parts, pause_s=0.0, wait_s=5.0):
    """Send these bytes with pauses and read what comes until the other end closes, or nothing comes for long."""
    with socket.create_connection(("127.0.0.1", server), timeout=wait_s) as peer:
        for part in parts:
            try:
                peer.sendall(part)
            except OSError:
                break
            time.sleep(pause_s)
        told = b""
        try:
            while block := peer.recv(65_536):
                told += block
        except OSError:
            pass
        return told


def head(method, path, *lines):
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""]
    ).encode()


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/api/v1/releases", "application/json"),
        ("POST", "/sign-in", "application/x-www-form-urlencoded"),
        ("POST", "/nowhere", "text/plain"),
        ("PUT", "/api/v1/releases/00000000000000000000000000/artwork", "image/png"),
    ],
)
def test_two_gigabytes_are_refused_before_they_are_sent(method, path, kind, server):
    told = say(server, head(method, path, f"Content-Type: {kind}", f"Content-Length: {2 * 1024**3}"))
    assert told.split()[1:2] == [b"413"]


def test_chunks_are_counted_too(server):
    chunk = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
    told = say(server, head("POST", "/api/v1/releases", "Transfer-Encoding: chunked"), *[chunk] * 4)
    assert b" 413 " in told.partition(b"\r\n")[0] or told == b""


def test_a_recording_may_be_large(app):
    assert bodies.most_bytes_at(app, "POST", "/api/v1/uploads") == app.config["MAX_CONTENT_LENGTH"]
    assert bodies.most_bytes_at(app, "PATCH", "/api/v1/uploads/x") == app.config["MAX_CONTENT_LENGTH"]
    assert bodies.most_bytes_at(app, "POST", "/sign-in") == bodies.MOST_FORM_BYTES
    assert bodies.most_bytes_at(app, "PUT", "/api/v1/artists/ada/picture") == bodies.MOST_PICTURE_BYTES


def test_every_view_that_takes_a_file_says_so(app):
    """By the words of its source: who reads files or a stream without a mark would get no more than a form."""
    marked = {
        str(rule.endpoint) for rule in app.url_map.iter_rules() if hasattr(app.view_functions[rule.endpoint], "most_bytes")
    }  # fmt: skip
    assert {name.partition(".")[0] for name in marked} == {"api", "studio", "people", "admin", "webhooks"}
    assert len(marked) == 12


def test_no_view_takes_less_than_the_server_lets_through_unseen(app):
    takes = [bodies.most_bytes(app, str(rule.endpoint)) for rule in app.url_map.iter_rules()]
    assert min(takes) >= bodies.EACH_TAKES_BYTES


def test_the_application_refuses_by_itself(client, artist):
    answer = client.post(
        "/api/v1/releases", headers={**artist.headers, "Content-Type": "application/json"}, data=b" " * (bodies.MOST_FORM_BYTES + 1)
    )  # fmt: skip
    assert answer.status_code == 413


def test_a_head_that_is_too_large_is_refused(server):
    told = say(server, head("GET", "/", "Cookie: " + "x" * (serving.MOST_HEAD_BYTES + 1)))
    assert told.startswith(b"HTTP/1.0 431")


def test_a_head_that_comes_drop_by_drop_is_left(server, monkeypatch):
    monkeypatch.setattr(serving, "HEAD_S", 0.2)
    assert say(server, b"GET / HTTP/1.1\r\n", *[b"X-Slow: 1\r\n"] * 10, pause_s=0.1) == b""


def test_a_body_that_comes_drop_by_drop_is_left(server, monkeypatch):
    monkeypatch.setattr(pacing, "BODY_S", 0.2)
    monkeypatch.setattr(pacing, "LEAST_BYTES_PER_S", 1000)
    start = head("POST", "/api/v1/releases", "Content-Type: application/json", "Content-Length: 1000")
    assert say(server, start, *[b"x"] * 10, pause_s=0.1) == b""


def test_slow_senders_keep_nobody_waiting(server):
    held = [socket.create_connection(("127.0.0.1", server)) for _ in range(40)]
    for peer in held:
        peer.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
    try:
        assert say(server, head("GET", "/health")).startswith(b"HTTP/1.1 200")
    finally:
        for peer in held:
            peer.close()


def test_who_takes_nothing_of_the_answer_is_left():
    class Channel:
        request, total_outbufs_len, last_activity, began = None, 10, 100.0, 0.0

    assert not serving.is_late(Channel, 100.0 + serving.IDLE_S)
    assert serving.is_late(Channel, 101.0 + serving.IDLE_S)
