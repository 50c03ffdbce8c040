"""A node on a host of its own, seen from outside: by name and TLS, as listeners see it."""

from __future__ import annotations

import http.client
import http.cookiejar
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
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
OUTBOX = """
import sqlite3, sys
rows = sqlite3.connect("/srv/musicconnect/data/musicconnect.sqlite3", timeout=30)
print(rows.execute('SELECT text FROM mail_message WHERE "to" = ? ORDER BY id DESC', (sys.argv[1],)).fetchone()[0])
"""


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name, signed by itself, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    if made.exists():
        return made, key
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
        "Way",
        (Connection,),
        {"address": host.address, "trusted": ssl.create_default_context(cafile=str(known))},
    )


def https_to(way: type[Connection]) -> urllib.request.HTTPSHandler:
    """A way for ``urllib`` to every https address."""

    class Handler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(way, request)  # type: ignore[arg-type]

    return Handler()


@contextmanager
def names_lead_to(way: type[Connection]) -> Iterator[None]:
    """``urllib`` finds every https address at this host meanwhile."""
    urllib.request.install_opener(urllib.request.build_opener(https_to(way)))
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

    def link_to(self, email: str) -> str:
        text = self.host.run("python3", "-c", OUTBOX, email)
        return next(word for word in text.split() if word.startswith(self.url))

    def join(self, way: type[Connection], email: str, password: str) -> bool:
        """Open an account on the page, follow the link in the letter, sign in; whether the account's page is there then."""
        browser = urllib.request.build_opener(
            https_to(way), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

        def send(path: str, **fields: str) -> str:
            page = browser.open(self.url + path, timeout=30).read().decode()
            token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[0]
            sent = urllib.parse.urlencode(
                {"csrf_token": token, "email": email, "password": password, **fields}
            ).encode()
            address = urllib.request.Request(self.url + path, data=sent, headers={"Referer": self.url + path})
            return str(browser.open(address, timeout=30).url)

        send("/register", password_confirm=password)
        browser.open(self.link_to(email), timeout=30).close()
        send("/sign-in")
        return str(browser.open(self.url + "/account", timeout=30).url) == self.url + "/account"

    def log(self) -> str:
        return self.host.run("journalctl", "--no-pager", "--lines=60", "--unit=musicconnect-*")


@dataclass
class Load:
    """People who ask for pages and begin to listen, one request after the other, over connections that stay open."""

    way: type[Connection]
    track: str
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
                    connection.request(method, path)
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
