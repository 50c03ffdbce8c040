"""The same node on the engines of a cluster, by settings alone: PostgreSQL for rows, another queue, S3 for media."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import listener
from tests.servers.node import Node
from tests.servers.postgresql import Cluster
from tests.servers.redis import Redis
from tests.servers.s3 import s3_server
from tests.sounds import tone


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis of our own."""
    with Redis() as server:
        yield server.url


def hear(node: Node) -> str:
    """One upload, published, and heard by its artist in every quality, and by a stranger in those that are free; returns its track."""
    node.sign_up()
    release = node.make_release()
    track = node.upload(release, "01 Song.flac", tone(7.0, 220))
    node.wait_for(track)
    node.post(f"/api/v1/releases/{release}/publish")
    assert "All is well" in node.run("doctor")
    for expected in (["low", "medium", "high", "lossless"], ["low", "medium"]):
        played = node.post(f"/api/v1/tracks/{track}/play")
        heard = {
            variant.quality: listener.heard_s(variant.url) for variant in listener.variants(played["hls_url"])
        }
        assert list(heard) == expected
        assert all(abs(seconds - 7.0) < 0.05 for seconds in heard.values()), heard
        node.token = ""
    return track


@pytest.mark.timeout(180)
def test_a_track_is_heard_from_postgresql_redis_and_s3(
    tmp_path: Path, postgresql: Cluster, redis_url: str
) -> None:
    with (
        s3_server(tmp_path, Path("/var/tmp"), Path.cwd()) as store,
        Node(
            tmp_path / "data",
            MUSICCONNECT_DATABASE_URL=postgresql.new_database(),
            MUSICCONNECT_QUEUE_URL=redis_url,
            MUSICCONNECT_STORE_URL=store.url("media", create="1"),
        ) as node,
    ):
        hear(node)
        assert not (node.data / "musicconnect.sqlite3").exists()
        assert not (node.data / "queue.sqlite3").exists()
        assert not (node.data / "media").exists()


@pytest.mark.timeout(180)
def test_a_track_is_heard_from_a_queue_in_postgresql(tmp_path: Path, postgresql: Cluster) -> None:
    url = postgresql.new_database()
    with Node(tmp_path / "data", MUSICCONNECT_DATABASE_URL=url, MUSICCONNECT_QUEUE_URL=url) as node:
        hear(node)
