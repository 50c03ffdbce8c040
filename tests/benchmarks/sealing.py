"""What it costs to keep a song encrypted: sealing its rungs and proving them, and giving one out as a clear file."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from appliance.catalog import sealing
from appliance.catalog.sealing import Layout
from tests.benchmarks.figures import Figure
from tests.benchmarks.transcoding import SECONDS
from tests.benchmarks.transcoding import cost
from transcoder import sealed_rungs
from transcoder.ladder import SEGMENT_S
from transcoder.playlist import Segment

RUNGS_KBPS = (128, 256, 320, 900)
HEADER_BYTES = 732
PLAIN_MB = 256


def run() -> list[Figure]:
    """Seconds of processor time for the four rungs of a song, and for each hundred megabytes that go out in clear."""
    with tempfile.TemporaryDirectory() as name:
        made = [written(Path(name) / f"{kbps}.mp4", kbps) for kbps in RUNGS_KBPS]

        def seal() -> None:
            for media, segments in made:
                sealed_rungs.seal(media, header_bytes=HEADER_BYTES, segments=segments)

        cpu_s, wall_s = cost(seal)
    size_mb = sum(segment.size_bytes for _, segments in made for segment in segments) / 1e6
    told = f"{size_mb:.0f} MB of rungs for {SECONDS} s of music in {wall_s:.2f} s"
    return [
        Figure(
            "Encrypting the rungs of a song and proving them, CPU", cpu_s, 1.0, True, unit="s", detail=told
        ),
        Figure("Giving an encrypted rung out in clear, CPU for 100 MB", given_s(), 0.5, True, unit="s"),
    ]


def written(media: Path, kbps: int) -> tuple[Path, list[Segment]]:
    """A file as large as a rung, and its segments."""
    size_bytes = kbps * 125 * SEGMENT_S
    count = SECONDS // SEGMENT_S
    with media.open("wb") as file:
        file.write(bytes(HEADER_BYTES))
        for _ in range(count):
            file.write(os.urandom(size_bytes))
    places = [HEADER_BYTES + number * size_bytes for number in range(count)]
    return media, [Segment(place, size_bytes, SEGMENT_S) for place in places]


def given_s() -> float:
    """Seconds of processor time to decrypt, for a hundred megabytes."""
    size_bytes = 900 * 125 * SEGMENT_S
    layout = Layout(HEADER_BYTES, (size_bytes,) * (PLAIN_MB * 1_000_000 // size_bytes))
    sealed, key = io.BytesIO(), sealing.new_key()
    sealing.seal(io.BytesIO(bytes(layout.clear_bytes)), sealed, layout=layout, key=key)
    held = sealed.getbuffer()

    def opened(first: int, length: int) -> BinaryIO:
        return io.BytesIO(held[first : first + length])

    def give() -> None:
        for _ in sealing.clear_range(opened, layout=layout, key=key, start=0, stop=layout.clear_bytes):
            pass

    return cost(give)[0] / PLAIN_MB * 100
