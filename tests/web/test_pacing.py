"""Under gunicorn, who sends a body too slowly is cut off and gives the thread back."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.ports import free_port
from tests.waiting import until
from web import pacing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> Iterator[int]:
    """gunicorn with one thread, which waits half a second."""
    chosen = free_port()
    argv = [
        *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "1")
    ]
    argv += ["--no-control-socket", "--bind", f"127.0.0.1:{chosen}", "tests.servers.impatient:application"]
    process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(chosen))
        yield chosen
    finally:
        process.terminate()
        process.wait(40)


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def sent(port: int, body: bytes, *, length: int, path: str = "/") -> str:
    """What is said to so much of a body, of which no more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (path.encode(), length)
            + body
        )
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        said = answer.read().decode()
        # What follows is not waited for.
        assert len(body) == length or connection.recv(1) == b""
        return said


def test_whoever_stands_still_is_cut_off_and_others_are_answered(port: int) -> None:
    assert sent(port, b"x", length=1000) == "cut"
    assert sent(port, b"x" * 100_000, length=100_000) == "100000"
    assert sent(port, b"x" * 20_000, length=200_000) == "cut"


def test_whoever_is_refused_hears_it_however_much_they_send(port: int) -> None:
    for _ in range(3):
        assert sent(port, b"x" * 5_000_000, length=5_000_000, path="/refused") == "refused"


def test_whoever_is_refused_and_sends_slowly_keeps_no_thread(port: int) -> None:
    assert sent(port, b"x", length=1000, path="/refused") == "refused"
    assert sent(port, b"x" * 100_000, length=100_000) == "100000"


def test_whoever_sends_as_fast_as_the_slowest_phone_has_time() -> None:
    assert not pacing.is_late(taken_s=60, taken_bytes=0)
    assert pacing.is_late(taken_s=61, taken_bytes=0)
    assert not pacing.is_late(taken_s=60 + 1000, taken_bytes=1000 * 1024)
