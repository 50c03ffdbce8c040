"""Recordings that people made, with their own tags, from master to ear."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import mutagen
import pytest

from tests.servers import listener
from tests.servers.node import Node

PACKAGE = "extremetuxracer-data"
KEPT = Path(__file__).parents[2] / ".make" / "real-music"
RECORDINGS = {
    "credits1-cp.ogg": "Credits Ballad",
    "freezingpoint.ogg": "Freezing Point",
    # 6.3 s: a cut every six seconds would leave a tiny last segment.
    "lostrace-ks.ogg": "lostrace-ks",
}


@pytest.fixture(scope="module")
def recordings() -> Path:
    """The music of a Debian package, fetched once and never committed."""
    found = KEPT / "usr/share/games/etr/music"
    if not found.is_dir():
        if shutil.which("apt-get") is None:
            pytest.skip(f"without apt-get the recordings of {PACKAGE} cannot be fetched")
        KEPT.mkdir(parents=True, exist_ok=True)
        fetching = KEPT / f"fetching-{os.getpid()}"
        fetching.mkdir()
        download = ["apt-get", "download", "-q", PACKAGE]
        if subprocess.run(download, cwd=fetching, timeout=300, check=False).returncode:
            # A fresh machine does not know its packages yet.
            subprocess.run(["apt-get", "update", "-q"], check=True, timeout=300)
            subprocess.run(download, cwd=fetching, check=True, timeout=300)
        archive = next(fetching.glob("*.deb"))
        subprocess.run(["dpkg", "-x", str(archive), str(fetching / "x")], check=True, timeout=60)
        shutil.copytree(fetching / "x", KEPT, dirs_exist_ok=True)
        shutil.rmtree(fetching)
    return found


@pytest.mark.timeout(300)
def test_real_recordings_go_from_master_to_ear(tmp_path: Path, recordings: Path) -> None:
    with Node(tmp_path / "data") as node:
        node.sign_up()
        release = node.make_release("Tux Racer")
        tracks = {name: node.upload(release, name, (recordings / name).read_bytes()) for name in RECORDINGS}
        shown = {name: node.wait_for(track, patience_s=120) for name, track in tracks.items()}
        node.post(f"/api/v1/releases/{release}/publish")
        node.token = ""
        for name, title in RECORDINGS.items():
            length_s = mutagen.File(recordings / name).info.length
            track = shown[name]
            assert track["title"] == title
            assert abs(track["duration_ms"] / 1000 - length_s) < 0.05
            assert -40 < track["loudness_lufs"] < -5
            assert "lossless" not in track["qualities"], "an Ogg Vorbis file holds no lossless rung"
            played = node.post(f"/api/v1/tracks/{tracks[name]}/play")
            offered = listener.variants(played["hls_url"])
            assert [variant.quality for variant in offered] == played["qualities"]
            for variant in offered:
                heard = listener.heard_s(variant.url)
                assert abs(heard - length_s) < 0.05, (name, variant, heard, length_s)
                lengths = [length for length, _, _ in listener.segments(variant.url)[1:]]
                assert min(lengths) >= 1 or len(lengths) == 1, (name, variant, lengths)
                assert abs(sum(lengths) - length_s) < 0.05, (name, variant)
