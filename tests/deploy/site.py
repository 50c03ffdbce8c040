"""A node on a host of its own, seen from outside: by name and TLS, as listeners see it."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from tests.deploy.hosts import Host
from tests.servers.node import Node

NAME = "music.example"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name, signed by itself, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made, key


class Connection(http.client.HTTPSConnection):
    """To *address*, whatever the name says, and only with the certificate we know."""

    address = ""
    trusted: ssl.SSLContext

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.trusted.wrap_socket(plain, server_hostname=NAME)


def way_to(host: Host, known: Path) -> type[Connection]:
    """Connections to *host*."""
    return type(
        "Way", (Connection,), {"address": host.address, "trusted": ssl.create_default_context(cafile=str(known))}
    )


@contextmanager
def names_lead_to(way: type[Connection]) -> Iterator[None]:
    """``urllib`` finds every https address at this host meanwhile."""

    class Handler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(way, request)  # type: ignore[arg-type]

    urllib.request.install_opener(urllib.request.build_opener(Handler))
    try:
        yield
    finally:
        urllib.request.install_opener(urllib.request.build_opener())


class Site(Node):
    """The client of ``tests.servers.node`` for a node that somebody else started."""

    def __init__(self, host: Host) -> None:
        super().__init__(Path("/nowhere"))
        self.host = host

    @property
    def url(self) -> str:
        return f"https://{NAME}"

    def run(self, *arguments: str, given: str = "") -> str:
        return self.host.run("musicconnect", *arguments, given=given)

    def log(self) -> str:
        return self.host.run("journalctl", "--no-pager", "--lines=60", "--unit=musicconnect-*")


@dataclass
class Load:
    """People who ask for pages and begin to listen, one request after the other, over connections that stay open."""

    way: type[Connection]
    track: str
    token: str
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    def person(self, number: int, stopping: threading.Event) -> None:
        """One of them; nothing is tried a second time."""
        connection = self.way(NAME, timeout=30)
        while not stopping.is_set():
            for method, path in (("GET", "/"), ("GET", f"/api/v1/tracks/{self.track}"), ("POST", f"/api/v1/tracks/{self.track}/play")):  # fmt: skip
                began = time.monotonic()
                try:
                    connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 200:
                        self.failed.append(f"{method} {path}: {answer.status}")
                except (OSError, http.client.HTTPException) as error:
                    self.failed.append(f"{method} {path}: {error!r}")
                    connection.close()
                self.asked += 1
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                # Of a small machine, and of an evening.
                time.sleep(0.05)
        connection.close()

    @contextmanager
    def people(self, count: int) -> Iterator[Load]:
        """So many at once, until the end of the block."""
        stopping = threading.Event()
        threads = [threading.Thread(target=self.person, args=(number, stopping)) for number in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            stopping.set()
            for thread in threads:
                thread.join(60)
