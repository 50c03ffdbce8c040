"""One node with the whole demo collective and one browser, shared by all journeys of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.servers.chromium import chromium
from tests.servers.node import Node
from transcoder import synthesis

DEMO_PATIENCE_S = 240


@pytest.fixture(scope="session")
def demo_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with the demo collective, as ``make run`` starts it; journeys add to it and take nothing away."""
    # Its admin signs in by password alone; tests/journeys/test_first_start.py sets the second factor up that others need.
    made = Node(tmp_path_factory.mktemp("demo") / "data", MUSICCONNECT_REQUIRE_SECOND_FACTOR="false")
    made.data.mkdir()
    made.run("demo")
    with made:
        yield made


@pytest.fixture(scope="session")
def demo_releases(demo_node: Node) -> list[dict]:
    """The public releases of the demo with their tracks, once every song can be heard in all its qualities."""
    songs = len(synthesis.SONGS)
    deadline = time.monotonic() + DEMO_PATIENCE_S
    while True:
        listed = demo_node.get("/api/v1/releases")["items"]
        releases = [demo_node.get(f"/api/v1/releases/{item['id']}") for item in listed]
        tracks = [track for release in releases for track in release["tracks"]]
        if len(tracks) >= songs and all(track["state"] == "ready" for track in tracks):
            return releases
        assert time.monotonic() < deadline, demo_node.log()[-3000:]
        time.sleep(0.5)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started
