"""The artist hears the lowest rung while the others are still being made; nobody else knows of the track yet."""

import time
from pathlib import Path

import pytest

from tests.servers import listener
from tests.servers.node import Node
from tests.servers.node import Refused
from tests.sounds import tone


@pytest.mark.timeout(180)
def test_the_artist_hears_low_before_the_rest_is_made(tmp_path: Path) -> None:
    with Node(tmp_path / "data") as node:
        token = node.sign_up()
        track = node.upload(node.make_release(), "long.flac", tone(90.0, 220))
        shown = node.get(f"/api/v1/tracks/{track}")
        deadline = time.monotonic() + 90
        while not shown["qualities"] and time.monotonic() < deadline:
            time.sleep(0.05)
            shown = node.get(f"/api/v1/tracks/{track}")
        assert (shown["state"], shown["qualities"]) == ("processing", ["low"])
        played = node.post(f"/api/v1/tracks/{track}/play")
        assert played["qualities"] == ["low"]
        assert abs(listener.heard_s(played["hls_url"].replace("master", "low.media")) - 90.0) < 0.05
        node.token = ""
        with pytest.raises(Refused, match="404"):
            node.post(f"/api/v1/tracks/{track}/play")
        node.token = token
        assert len(node.wait_for(track, patience_s=90)["qualities"]) == 4
