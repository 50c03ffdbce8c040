"""Real music on the stack: a song that went the whole way by upload and worker, and its bytes under tracks of the made-up catalogue."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import transcoding
from tests.benchmarks.catalogue import id_of
from tests.benchmarks.cluster.stack import Stack
from tests.servers.node import Node
from transcoder import program

SECONDS = 40


@dataclass(frozen=True)
class Music:
    """Who published, the songs, and the folder of the renditions of the first."""

    artist: Node
    songs: list[str]
    folder: Path
    seconds: int = SECONDS

    def bytes_a_second(self) -> dict[str, float]:
        """Of each rendition, as it is stored."""
        return {each.stem: each.stat().st_size / self.seconds for each in sorted(self.folder.glob("*.mp4"))}


def publish(stack: Stack, songs: int) -> Music:
    """Upload so many songs through nginx, let a worker make their renditions, publish them."""
    artist = stack.client()
    artist.sign_up()
    release = artist.make_release()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "song.flac"
        transcoding.music(source, program.path(""), SECONDS)
        content = source.read_bytes()
    with stack.worker("first", MUSICCONNECT_WORKER_THREADS="1"):
        tracks = [artist.upload(release, f"song {number}.flac", content) for number in range(songs)]
        for track in tracks:
            artist.wait_for(track, patience_s=300)
    artist.post(f"/api/v1/releases/{release}/publish")
    runs = stack.data / "media" / "hls" / tracks[0]
    return Music(artist, tracks, next(runs.iterdir()))


def lend(stack: Stack, music: Music, numbers: list[int]) -> None:
    """Let these tracks of the catalogue be heard: as they have rows and no bytes, they are given those of a real song."""
    for number in numbers:
        there = stack.data / "media" / "hls" / id_of("t", number) / id_of("n", number)
        there.mkdir(parents=True)
        for file in music.folder.iterdir():
            os.link(file, there / file.name)
