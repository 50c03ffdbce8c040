"""The stack of a cluster in one machine: the shipped nginx configuration, gunicorn, PostgreSQL, Redis and a worker, each a process of its own.

All settings are the product's own, but for the counts of requests: one address asks here as often as a thousand people, and each
request is counted, in Redis, as on a cluster.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from appliance.settings import Settings
from appliance.startup import SECRET_FILE
from appliance.storage import open_store
from tests.benchmarks import filling
from tests.benchmarks.catalogue import Place
from tests.servers.gunicorn import Gunicorn
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.servers.postgresql_node import PostgresqlNode
from tests.servers.redis import Redis
from tests.servers.worker import Worker
from web.gunicorn_serving import arguments
from web.nginx import configuration

WORKERS, THREADS = 2, 8
HERE = "127.0.0.1"
RESTING = "location / {"
BESIDE = """location /plain/ {{ access_log off; alias {media}/; }}
    location /bare/ {{ proxy_pass http://bare; }}"""


@dataclass(frozen=True)
class Stack:
    """What runs, and where."""

    folder: Path
    place: Place
    port: int
    """Of nginx."""
    bare_folder: Path
    web: Gunicorn
    postgresql: PostgresqlNode
    redis: Redis
    nginx_pid: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.port}"

    def client(self) -> Node:
        """Somebody who runs commands and speaks the API; it starts nothing."""
        return Node(self.data, port=self.port, **self.web.environ)

    def worker(self, name: str, *arguments: str, **environ: str) -> Worker:
        """A worker of this cluster, started."""
        return Worker(self.data, *arguments, name=name, **{**self.web.environ, **environ})

    def processes(self) -> dict[str, list[psutil.Process]]:
        """The processes of each part."""
        found = {
            "web": self.web.process.pid,
            "postgresql": self.postgresql.process.pid if self.postgresql.process else 0,
            "redis": self.redis.process.pid if self.redis.process else 0,
            "nginx": self.nginx_pid,
        }
        return {
            name: [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            for name, pid in found.items()
        }


@contextmanager
def running(tracks: int) -> Iterator[Stack]:
    """All of it, on a catalogue of so many tracks, and what it is measured against."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="stack-")))
        data, port = folder / "data", free_port()
        data.mkdir()
        # As the role sets it up, but with room for what is asked often: a machine for a million tracks has more than one gigabyte.
        postgresql = parts.enter_context(
            PostgresqlNode(shared_buffers="1GB", max_wal_size="1GB", max_connections="100", fsync="on")
        )
        redis = parts.enter_context(Redis())
        place = filling.postgresql(postgresql.url(), tracks)
        environ = {
            "MUSICCONNECT_DATABASE_URL": postgresql.url(),
            "MUSICCONNECT_QUEUE_URL": postgresql.url(),
            "MUSICCONNECT_CACHE_URL": redis.url,
            "MUSICCONNECT_RATE_LIMIT_URL": redis.url,
            "MUSICCONNECT_RATE_LIMITS": "100000",
            "MUSICCONNECT_PUBLIC_URL": f"http://{HERE}:{port}",
            "MUSICCONNECT_TRUSTED_PROXIES": "1",
            "MUSICCONNECT_WEB_WORKERS": str(WORKERS),
            "MUSICCONNECT_WEB_THREADS": str(THREADS),
        }
        web = parts.enter_context(Gunicorn(data, **environ))
        bare_port = parts.enter_context(bare(folder / "bare", environ))
        text = site(data, web.port, port, folder, bare_port)
        pid = parts.enter_context(nginx(folder / "nginx", text, port))
        yield Stack(folder, place, port, folder / "bare", web, postgresql, redis, pid)


@contextmanager
def bare(folder: Path, environ: dict[str, str]) -> Iterator[int]:
    """A bare Flask in the same gunicorn, with what lies in *folder*; its port."""
    folder.mkdir()
    settings = Settings(data=folder, port=free_port(), web_workers=WORKERS, web_threads=THREADS)
    options = arguments(settings)[:-1]
    at = options.index("--config")
    del options[at : at + 2]
    root = str(Path(__file__).parents[3])
    command = [sys.executable, "-m", "gunicorn", *options, "--chdir", str(folder), "--pythonpath", root]
    process = subprocess.Popen(
        [*command, "tests.benchmarks.cluster.bare:application()"],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield settings.port
    finally:
        process.terminate()
        process.wait(30)


def site(data: Path, web_port: int, port: int, folder: Path, bare_port: int) -> str:
    """The configuration that ``musicconnect nginx`` prints, and in the same server what it is measured against: plain files and the bare Flask."""
    settings = Settings(data=data, port=web_port, public_url=f"http://{HERE}:{port}", trusted_proxies=1)
    cache = folder / "cache"
    cache.mkdir()
    text = configuration(
        settings,
        open_store(str(data / "media")),
        secret=(data / SECRET_FILE).read_text("ascii").strip(),
        listen=(f"{HERE}:{port}",),
        cache=str(cache),
        log=str(folder / "requests.log"),
    )
    beside = BESIDE.format(media=data / "media")
    upstream = f"upstream bare {{ server {HERE}:{bare_port}; keepalive 32; }}\n"
    return upstream + text.replace(RESTING, f"{beside}\n    {RESTING}", 1)
