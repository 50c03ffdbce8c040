"""A web server makes room for the next: one socket, two processes, and nobody is turned away."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.node import Node

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(params=["embedded", "gunicorn"])
def node(tmp_path: Path, request: pytest.FixtureRequest) -> Node:
    made = Node(tmp_path, MUSICCONNECT_WEB_SERVER=request.param, MUSICCONNECT_WEB_WORKERS="1")
    made.run("migrate")
    return made


@contextmanager
def heard(folder: Path) -> Iterator[tuple[socket.socket, str]]:
    """Where systemd wants to be told that a process is ready."""
    path = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(60)
        yield listening, path
    Path(path).unlink()


def web(node: Node, listening: socket.socket) -> subprocess.Popen[bytes]:
    """A web server at this socket, as soon as it says that it is ready."""
    with heard(node.data) as (notified, path), (node.data / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "web", "--fd", str(listening.fileno())],
            env={**node.environ, "NOTIFY_SOCKET": path},
            pass_fds=[listening.fileno()],
            stderr=log,
        )
        assert notified.recv(100) == b"READY=1"
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def ask(port: int, stopping: threading.Event, failed: list[str]) -> None:
    """One request after the other; every second connection stays open."""
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not stopping.is_set():
        fresh = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for connection in (kept, fresh):
            try:
                connection.request("POST", "/health" if connection is kept else "/ready")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
                connection.close()
        fresh.close()
    kept.close()


def test_no_request_fails_while_one_process_takes_over_from_another(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        port, stopping, failed = listening.getsockname()[1], threading.Event(), []
        first = web(node, listening)
        people = [threading.Thread(target=ask, args=(port, stopping, failed), daemon=True) for _ in range(4)]
        for person in people:
            person.start()
        second = web(node, listening)
        stop(first)
        third = web(node, listening)
        stop(second)
        stopping.set()
        for person in people:
            person.join(60)
        stop(third)
    assert failed == []


def test_what_is_asked_is_answered_before_the_end(node: Node) -> None:
    """A request whose body comes slowly, while the server is told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = web(node, listening)
        connection = socket.create_connection(listening.getsockname(), timeout=30)
        connection.sendall(
            b"POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf"
        )
        time.sleep(0.3)  # so that its first half has been read
        process.send_signal(signal.SIGTERM)
        time.sleep(1.2)  # and the server has noticed, which takes it a second
        connection.sendall(b"half")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status < 500
        answer.read()
        if answer.getheader("Connection") != "close":
            # gunicorn promised that before it was told to stop, and keeps it for the next one.
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, answer.getheader("Connection")) == (200, "close")
        assert process.wait(30) == 0
        connection.close()


def test_without_a_place_to_tell_nothing_is_told(node: Node) -> None:
    environ = {name: value for name, value in node.environ.items() if name != "NOTIFY_SOCKET"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "web", "--fd", str(listening.fileno())],
            env=environ, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        # The answer comes as soon as there is one: the socket listens already.
        connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=60)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
        connection.close()
