"""Signed ranges on the stack: the shipped configuration of nginx against plain files, for ranges of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.benchmarks import ranges
from tests.benchmarks.cluster.music import Music
from tests.benchmarks.cluster.stack import Stack
from tests.benchmarks.figures import Figure

LISTENERS = 8
RUNG = "medium.mp4"
"""The best that strangers may hear."""
SIZES_KIB = (64, 96, 256)


def measure(stack: Stack, music: Music) -> Iterator[Figure]:
    """Two figures a size: the ratio, and what nginx spends on one."""
    stranger = stack.client()
    signed = [
        urlsplit(stranger.post(f"/api/v1/tracks/{music.songs[0]}/play")["hls_url"]).path
        for _ in range(LISTENERS)
    ]
    rung = music.folder / RUNG
    for size in SIZES_KIB:
        figure, cost_us = ranges.compare(
            f"{size} KiB ranges by signed addresses / of a plain static file, by the same nginx",
            stack.port,
            stack.nginx_pid,
            signed=[path.replace("master.m3u8", RUNG) for path in signed],
            plain=f"/plain/{rung.relative_to(stack.data / 'media')}",
            size_bytes=rung.stat().st_size,
            range_bytes=size * 1024,
            folder=stack.folder,
        )
        yield figure
        yield Figure(f"Range of {size} KiB, nginx", cost_us / 1000, unit="ms of processor time")
