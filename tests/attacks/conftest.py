"""A whole node as it is run, processes and all, and nginx in front of it with the configuration that it prints."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from appliance.catalog.models import Quality
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from appliance.startup import SECRET_FILE
from tests.attacks import wire
from tests.servers.nginx import nginx
from tests.servers.node import Node
from tests.servers.ports import free_port
from tests.sounds import tone

FRONTS = ("waitress", "nginx")


@dataclass(frozen=True)
class Stage:
    """One published track, one draft, and whoever stands in front of them."""

    node: Node
    ports: dict[str, int]
    secret: str
    track: str
    draft: str
    grant: Grant
    """What a stranger was given for the published track."""
    taken: bytes
    """What nobody may have who has no right: the beginning of the lossless rung."""
    owner: str
    """The token of the artist."""

    @property
    def asset(self) -> str:
        return self.grant.asset

    def token(self, *, secret: str = "", **changed: object) -> str:
        """A token as the server would sign it, with these facts changed."""
        fresh = replace(self.grant, expires_at_s=int(time.time()) + 300)
        return media_tokens.sign(replace(fresh, **changed), secret=secret or self.secret)  # type: ignore[arg-type]

    def speak(self, token: str, path: str, sent: object | None = None, *, method: str = "POST") -> Any:
        """Ask the API something with this token; ``Refused`` for an error."""
        self.node.token = token
        try:
            return self.node.post(path, sent, method=method)
        finally:
            self.node.token = ""

    def write(self, statement: str, *values: object) -> None:
        """Change a row, as another process does it."""
        with (
            closing(sqlite3.connect(self.node.data / "musicconnect.sqlite3", timeout=30)) as database,
            database,
        ):
            assert database.execute(statement, values).rowcount == 1

    def epoch(self) -> int:
        """That of the revocations now."""
        with closing(sqlite3.connect(self.node.data / "musicconnect.sqlite3", timeout=30)) as database:
            return int(database.execute("SELECT coalesce(max(id), 0) FROM revocation").fetchone()[0])

    def revoke(self, subject: str) -> None:
        """As another process does it."""
        self.write("INSERT INTO revocation (subject, at) VALUES (?, datetime('now'))", subject)


@dataclass(frozen=True)
class Front:
    """The stage, seen through one of the servers."""

    kind: str
    port: int
    stage: Stage

    def ask(self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> wire.Answer:
        """One request, its path sent as it is written."""
        return wire.ask(self.port, path, method=method, headers=headers)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("attacks")
    behind, port = free_port(), free_port()
    node = Node(
        folder / "data",
        port=behind,
        MUSICCONNECT_PORT=str(behind),
        MUSICCONNECT_PUBLIC_URL=f"http://127.0.0.1:{port}",
        MUSICCONNECT_TRUSTED_PROXIES="1",
    )
    with node:
        owner = node.sign_up()
        tracks = []
        for title in ("Out", "Draft"):
            release = node.make_release(title)
            tracks.append(node.upload(release, "song.flac", tone(4, 220)))
            if title == "Out":
                out = release
        for track in tracks:
            node.wait_for(track)
        node.post(f"/api/v1/releases/{out}/publish")
        node.token = ""
        played = node.post(f"/api/v1/tracks/{tracks[0]}/play")
        token, asset = urlsplit(played["hls_url"]).path.split("/")[2:4]
        secret = (node.data / SECRET_FILE).read_text("ascii").strip()
        grant = media_tokens.read(token, asset, secret=secret, now_s=int(time.time()))
        rung = next((node.data / "media" / "hls" / tracks[0]).rglob("lossless.mp4"))
        site = node.run(
            *("nginx", "--listen", f"127.0.0.1:{port}", "--cache", _folder(folder / "cache")),
            *("--log", str(folder / "requests.log")),
        )
        with nginx(folder / "nginx", site, port):
            yield Stage(
                node=node,
                ports={"waitress": behind, "nginx": port},
                secret=secret,
                track=tracks[0],
                draft=tracks[1],
                grant=replace(grant, qualities=frozenset({Quality.LOW}), listener="SOMEBODY"),
                taken=rung.read_bytes()[2000:2064],
                owner=owner,
            )


@pytest.fixture(params=FRONTS)
def front(request: pytest.FixtureRequest, stage: Stage) -> Front:
    return Front(request.param, stage.ports[request.param], stage)


def _folder(path: Path) -> str:
    path.mkdir()
    return str(path)
