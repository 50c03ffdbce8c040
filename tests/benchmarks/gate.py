"""What the gate costs: the check of a media token, and signed ranges from nginx against the same bytes as a plain static file."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from appliance import revocations
from appliance.catalog.models import Quality
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from appliance.settings import Settings
from appliance.startup import SECRET_FILE
from appliance.storage import open_store
from tests.benchmarks import ranges
from tests.benchmarks import wrk
from tests.benchmarks.apart import apart
from tests.benchmarks.figures import Figure
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.sounds import tone
from web.nginx import configuration

CHECKS = 20_000
LISTENERS = 8
RUNG = "medium.mp4"
"""The best that strangers may hear."""
RANGE_BYTES = 96 * 1024


def run() -> list[Figure]:
    """Both figures; the second only where wrk is installed, since a load made in Python would measure itself."""
    return [token_check(), *(apart(signed_ranges) if wrk.is_there() else [])]


def token_check() -> Figure:
    """Microseconds for one token: its signature, its expiry, its epoch and its quality."""
    now_s = int(time.time())
    grant = Grant(
        asset="01M7XV3QRS0KG0EQDX7R7YNTGR.01M7XV3PZQ0PRVXZKKJ7NYC877",
        qualities=frozenset(Quality),
        expires_at_s=now_s + 600,
        epoch=0,
        listener="01M7XV3QRS0KG0EQDX7R7YNTGQ",
        artist="01M7XV3QRS0KG0EQDX7R7YNTGA",
        release="01M7XV3QRS0KG0EQDX7R7YNTGB",
    )
    secret = os.urandom(32).hex()
    token = media_tokens.sign(grant, secret=secret)
    with tempfile.TemporaryDirectory() as name, Node(Path(name) / "data") as node:
        # The epoch of a real database, asked for every few seconds as in a web process.
        from appliance import database

        database.connect(f"sqlite:///{node.data / 'musicconnect.sqlite3'}")
        try:
            revocations.forget()
            best = min(_each(token, grant.asset, secret, now_s) for _ in range(5))
        finally:
            database.close()
            revocations.forget()
    return Figure("Check of a media token, by one process", best * 1e6, 30, True, "µs", f"{CHECKS} checks")


def _each(token: str, asset: str, secret: str, now_s: int) -> float:
    # Processor time: what others do on the machine is not the check.
    began = time.process_time()
    for _ in range(CHECKS):
        found = media_tokens.read(token, asset, secret=secret, now_s=now_s)
        media_tokens.require_standing(found)
        media_tokens.require(found, Quality.HIGH)
    return (time.process_time() - began) / CHECKS


def signed_ranges() -> list[Figure]:
    """The shipped configuration and a plain static location of the same nginx, in turn; the median of the ratios."""
    port = free_port()
    environ = {"MUSICCONNECT_PUBLIC_URL": f"http://127.0.0.1:{port}", "MUSICCONNECT_TRUSTED_PROXIES": "1"}
    with (
        tempfile.TemporaryDirectory() as name,
        Node(Path(name) / "data", port=free_port(), **environ) as node,
    ):
        node.sign_up()
        release = node.make_release()
        track = node.upload(release, "song.flac", tone(40, 220))
        node.wait_for(track)
        node.post(f"/api/v1/releases/{release}/publish")
        node.token = ""
        settings = Settings(
            data=node.data, port=node.port, public_url=environ["MUSICCONNECT_PUBLIC_URL"], trusted_proxies=1
        )
        store = open_store(str(node.data / "media"))
        folder = Path(name)
        (folder / "cache").mkdir()
        site = configuration(
            settings,
            store,
            secret=(node.data / SECRET_FILE).read_text("ascii").strip(),
            listen=(f"127.0.0.1:{port}",),
            cache=str(folder / "cache"),
            log=str(folder / "requests.log"),
        )
        rung = next((node.data / "media" / "hls").rglob(RUNG))
        plain = f"location /plain/ {{ access_log off; alias {rung.parent}/; }}\n    location / {{"
        with nginx(folder / "nginx", site.replace("location / {", plain, 1), port) as pid:
            signed = [
                urlsplit(node.post(f"/api/v1/tracks/{track}/play")["hls_url"]).path for _ in range(LISTENERS)
            ]
            ours = [path.replace("master.m3u8", RUNG) for path in signed]
            figure, _ = ranges.compare(
                "96 KiB ranges behind the gate / of a plain static file, by the same nginx",
                port,
                pid,
                signed=ours,
                plain=f"/plain/{RUNG}",
                size_bytes=rung.stat().st_size,
                range_bytes=RANGE_BYTES,
                folder=folder,
            )
    return [figure]
