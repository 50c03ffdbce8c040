"""Two web servers behind one nginx, with folders of their own: an upload goes on at either, also when the one that took a part dies."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.gunicorn import Gunicorn
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.servers.ports import free_port
from tests.servers.postgresql import Cluster
from tests.servers.s3 import s3_server
from tests.waiting import until

MUSIC = b"fLaC" + os.urandom(300_000)
PART = 40_000


@dataclass
class Pair:
    """Both servers, and who speaks to them through nginx."""

    client: Node
    servers: list[Gunicorn]

    def receiving(self) -> list[Gunicorn]:
        """Those that are taking bytes in."""
        return [server for server in self.servers if list((server.data / "uploads").glob("*.part"))]


@pytest.fixture
def pair(tmp_path: Path, postgresql: Cluster) -> Iterator[Pair]:
    with ExitStack() as stack:
        store = stack.enter_context(s3_server(tmp_path, Path("/var/tmp"), Path.cwd()))
        port = free_port()
        told = {
            "MUSICCONNECT_DATABASE_URL": postgresql.new_database(),
            "MUSICCONNECT_STORE_URL": store.url("media", create="1"),
            "MUSICCONNECT_SECRET_KEY": "s" * 64,
            "MUSICCONNECT_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "MUSICCONNECT_TRUSTED_PROXIES": "1",
            "MUSICCONNECT_WEB_WORKERS": "1",
        }
        servers = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            servers.append(stack.enter_context(Gunicorn(tmp_path / name, **told)))
        client = Node(tmp_path / "operator", port=port, **told)
        client.data.mkdir()
        # The check-up makes the bucket.
        client.run("doctor")
        upstreams = [f"--upstream=127.0.0.1:{server.port}" for server in servers]
        cache, log = str(tmp_path / "cache"), str(tmp_path / "requests.log")
        (tmp_path / "cache").mkdir()
        site = client.run(
            "nginx", "--listen", f"127.0.0.1:{port}", "--cache", cache, "--log", log, *upstreams
        )
        stack.enter_context(nginx(tmp_path / "nginx", site, port))
        client.sign_up()
        yield Pair(client, servers)


@pytest.mark.timeout(240)
def test_an_upload_goes_on_at_either_and_outlives_the_one_that_dies(pair: Pair) -> None:
    client = pair.client
    upload = client.announce_upload(client.make_release(), "song.flac", len(MUSIC))
    offset = 0
    for _ in range(4):
        offset = client.send_bytes(upload, MUSIC[offset : offset + PART], offset)
        assert client.offset_of(upload) == offset
    assert offset == 4 * PART
    # A part that is under way when its server dies was not acknowledged, and is sent again to the other.
    head = (
        f"PATCH {upload} HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
        f"Content-Type: application/offset+octet-stream\r\nAuthorization: Bearer {client.token}\r\n"
        f"Content-Length: {PART}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as slow:
        slow.sendall(head.encode() + MUSIC[offset : offset + PART // 2])
        [dying] = until(pair.receiving)
        os.killpg(dying.process.pid, signal.SIGKILL)
        dying.process.wait()
        assert b" 503 " in slow.recv(4096).partition(b"\r\n")[0]
    assert client.offset_of(upload) == offset
    while offset < len(MUSIC):
        offset = client.send_bytes(upload, MUSIC[offset : offset + PART], offset)
    # Acknowledged as complete, it is in the store, whatever becomes of the last server.
    for server in pair.servers:
        server.stop()
    with pytest.raises((Refused, OSError)):
        client.get("/ready")
    with Gunicorn(pair.servers[0].data.parent / "two", **client.environ) as third:
        answer = third.ask(
            f"/api/v1/tracks/{upload.rpartition('/')[2]}", Authorization=f"Bearer {client.token}"
        )
        assert answer.status == 200, answer.text
        assert hashlib.sha256(MUSIC).hexdigest() in answer.text
