"""The world around a cluster, on this machine: an object store by somebody else, and the fake of Stripe, which tells the site of payments.

Run as a script it is that fake: ``python -m tests.deploy.drills.outside ADDRESS PORT NAME PROXY`` finds NAME at PROXY.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minio import Minio

from tests.deploy.drills.stage import certificate
from tests.servers.nginx import nginx
from tests.servers.s3 import ACCESS_KEY
from tests.servers.s3 import SECRET_KEY
from tests.servers.s3 import S3Server
from tests.servers.s3 import s3_server
from tests.servers.stripe import FakeStripe

ROOT = Path(__file__).parents[3]
TLS_PORT, PLAIN_PORT, TILL_PORT = 9443, 9444, 9445
# pgBackRest speaks TLS only; the application trusts the authorities of its system only, so it comes by a port without.
FRONT = """
server {{
    listen 127.0.0.1:{plain};
    listen {gateway}:{plain};
    listen {gateway}:{tls_port} ssl;
    ssl_certificate {tls}/store.crt;
    ssl_certificate_key {tls}/store.key;
    client_max_body_size 0;
    location / {{
        proxy_pass http://127.0.0.1:{swift};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_read_timeout 300s;
    }}
}}
"""


@dataclass(frozen=True)
class Store:
    """OpenStack Swift with its s3api, as hosts reach it."""

    gateway: str
    swift: S3Server
    authority: Path

    def url(self, bucket: str) -> str:
        """The setting ``store_url``."""
        there = f"127.0.0.1:{self.swift.port}"
        return self.swift.url(bucket, create="1").replace(there, f"{self.gateway}:{PLAIN_PORT}")

    def repository(self, bucket: str) -> dict[str, Any]:
        """What the role ``postgres`` is told of where backups go."""
        return {
            "postgres_backup_repository": "s3",
            "postgres_backup_s3_endpoint": self.gateway,
            "postgres_backup_s3_port": TLS_PORT,
            "postgres_backup_s3_bucket": bucket,
            "postgres_backup_s3_key": ACCESS_KEY,
            "postgres_backup_s3_secret": SECRET_KEY,
            "postgres_backup_s3_authority": self.authority.read_text("utf-8"),
            "postgres_backup_passphrase": "passphrase-of-the-drill",
        }

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, and answers nobody, while the block runs."""
        os.kill(self.swift.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.swift.pid, signal.SIGCONT)


@contextlib.contextmanager
def store(folder: Path, gateway: str) -> Iterator[Store]:
    """Swift behind nginx, which has a certificate by the authority in ``folder/tls``."""
    tls = folder / "tls"
    # pgBackRest looks for what it connects to among the names of a certificate only, even if that is an address.
    certificate(tls, "store", f"DNS:{gateway},IP:{gateway}")
    with s3_server(Path("/var/tmp")) as swift:
        front = FRONT.format(plain=PLAIN_PORT, tls_port=TLS_PORT, gateway=gateway, tls=tls, swift=swift.port)
        client = Minio(f"127.0.0.1:{swift.port}", ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1")
        # pgBackRest makes none.
        client.make_bucket("backups")
        with nginx(folder / "nginx", front, PLAIN_PORT):
            yield Store(gateway, swift, tls / "authority.crt")


@contextlib.contextmanager
def till(gateway: str, *, name: str, proxy: str, certificate: Path) -> Iterator[FakeStripe]:
    """The fake of Stripe, where hosts reach it; it reaches *name* at *proxy*."""
    argv = [sys.executable, "-m", "tests.deploy.drills.outside", gateway, str(TILL_PORT), name, proxy]
    environ = {**os.environ, "SSL_CERT_FILE": str(certificate)}
    with subprocess.Popen(argv, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL) as process:
        try:
            _wait(process, gateway)
            yield FakeStripe(TILL_PORT, gateway)
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], gateway: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((gateway, TILL_PORT), timeout=5):
            return
        assert process.poll() is None, "the fake of Stripe did not start"
        assert time.monotonic() < deadline, "the fake of Stripe does not answer"
        time.sleep(0.05)


@contextlib.contextmanager
def found_at(name: str, address: str) -> Iterator[None]:
    """In this process, *name* leads to *address* meanwhile."""
    asked = socket.getaddrinfo

    def answer(host: Any, *words: Any, **more: Any) -> Any:
        return asked(address if host == name else host, *words, **more)

    socket.getaddrinfo = answer  # type: ignore[assignment]
    try:
        yield
    finally:
        socket.getaddrinfo = asked


def main(address: str, port: str, name: str, proxy: str) -> None:
    """Serve until killed; what is not taken is sent again and again, as Stripe does for three days."""
    from tests.servers.stripe import __main__ as fake
    from tests.servers.stripe import deliveries

    deliveries.TRIES = 100_000
    fake.WORLD.sending["delay_s"] = 0.5
    sys.argv[1:] = [port, address]
    with found_at(name, proxy):
        fake.main()


if __name__ == "__main__":
    main(*sys.argv[1:5])
